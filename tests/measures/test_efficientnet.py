import numpy as np
import pytest
import torch
from skimage import data
from torch import nn

from echo.measures.efficientnet import WIDTH, EfficientNetLite0, prepare
from echo.measures.weights import load_weights

CATS = (281, 282, 285)  # ImageNet's tabby, tiger cat, Egyptian cat
ESPRESSO, CUP = 967, 968


@pytest.fixture(scope="module")
def network(weights):
    return EfficientNetLite0(weights)


def middle(photo):
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    return photo[top : top + side, left : left + side][None]


@torch.inference_mode()
def test_photographs_get_their_imagenet_classes(network):
    cat = network.network(prepare(middle(data.chelsea()), 224)).softmax(-1)[0]
    assert cat[list(CATS)].sum() > 0.7
    coffee = network.network(prepare(middle(data.coffee()), 224))[0]
    assert coffee.argsort(descending=True)[:2].tolist() == [ESPRESSO, CUP]


class Same(nn.Module):
    """TensorFlow's SAME padding, tap by tap: what falls outside is zero, the odd pixel on the right and below."""

    def __init__(self, kernel, stride, depthwise):
        super().__init__()
        self.kernel, self.stride, self.depthwise = kernel, stride, depthwise

    def forward(self, x):
        size, k = x.shape[-1], self.kernel.shape[-1]
        side = -(-size // self.stride)
        before = max((side - 1) * self.stride + k - size, 0) // 2
        room = torch.zeros(*x.shape[:2], size + 2 * k, size + 2 * k)
        room[:, :, before : before + size, before : before + size] = x
        total = 0
        for i in range(k):
            for j in range(k):
                taps = room[:, :, i :: self.stride, j :: self.stride][:, :, :side, :side]
                weight = self.kernel[:, :, i, j]
                total = total + (
                    taps * weight[:, 0, None, None] if self.depthwise else torch.einsum("bchw,oc->bohw", taps, weight)
                )
        return total


def test_the_first_blocks_agree_with_a_slow_network_written_from_the_paper(network, weights, photos):
    loaded = {name: torch.from_numpy(value) for name, value in load_weights(weights, "efficientnet_lite0").items()}

    def layer(x, convolution, norm, stride=1):
        y = Same(loaded[f"{convolution}.weight"], stride, convolution.endswith("dw"))(x)
        mean, variance, scale, shift = (
            loaded[f"{norm}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (y - mean) / (variance + 1e-3).sqrt() * scale + shift

    frames = np.stack([photos["chelsea"], photos["coffee"]])[:, :45, :45]  # odd sizes show on which side padding goes
    x = (torch.from_numpy(frames).permute(0, 3, 1, 2).float() - 127) / 128
    x = layer(x, "conv_stem", "bn1", 2).clamp(0, 6)
    x = layer(x, "blocks.0.0.conv_dw", "blocks.0.0.bn1").clamp(0, 6)
    x = layer(x, "blocks.0.0.conv_pw", "blocks.0.0.bn2")
    for stage, block, stride in ((1, 0, 2), (1, 1, 1), (2, 0, 2), (2, 1, 1)):
        name = f"blocks.{stage}.{block}"
        y = layer(x, f"{name}.conv_pw", f"{name}.bn1").clamp(0, 6)
        y = layer(y, f"{name}.conv_dw", f"{name}.bn2", stride).clamp(0, 6)
        y = layer(y, f"{name}.conv_pwl", f"{name}.bn3")
        x = y + x if stride == 1 else y
    torch.testing.assert_close(network.maps(frames, 45, (8,))[0], x, rtol=1e-3, atol=1e-3)


def test_maps_of_many_frames_are_those_of_each_and_have_their_strides(network, photos):
    frames = np.stack(list(photos.values()) * 3)  # 12 frames: one whole pass and a rest
    fine, coarse = network.maps(frames, 128, (8, 16))
    assert fine.shape == (12, 40, 16, 16) and coarse.shape == (12, 112, 8, 8)
    alone = network.maps(frames[9:10], 128, (8,))[0]
    torch.testing.assert_close(fine[9:10], alone, rtol=1e-3, atol=1e-3)


def test_making_it_draws_no_random_numbers(weights):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    EfficientNetLite0(weights)
    assert torch.equal(torch.get_rng_state(), before)


def test_prepare_centres_grey_levels_and_stretches_as_asked():
    grey = np.full((1, 20, 30, 3), 127, np.uint8)
    torch.testing.assert_close(prepare(grey, 32), torch.zeros(1, 3, 32, 32))
    draw = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    expected = (torch.from_numpy(draw).permute(0, 3, 1, 2).float() - 127) / 128
    torch.testing.assert_close(prepare(draw, 32), expected)
    with pytest.raises((ValueError, TypeError)):
        prepare(grey.astype(np.float32), 32)
    with pytest.raises((ValueError, TypeError)):
        prepare(grey[0], 32)


@torch.inference_mode()
def test_features_of_whole_frames_are_what_the_classifier_sees(network, photos):
    frames = np.stack(list(photos.values()) * 3)
    found = network.embed(frames, 128)
    assert found.shape == (len(frames), WIDTH) and found.dtype == np.float32
    logits = network.network.classifier(torch.from_numpy(found))
    torch.testing.assert_close(logits, network.network(prepare(frames, 128)), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(network.embed(frames[9:10], 128), found[9:10], rtol=1e-3, atol=1e-3)
