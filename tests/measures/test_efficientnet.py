import numpy as np
import pytest
import torch
from skimage import data
from torch import nn

from echo.measures.efficientnet import BLOCKS, EfficientNetLite0, prepare
from echo.measures.weights import load_weights

CATS = (281, 282, 285)  # ImageNet's tabby, tiger cat, Egyptian cat
ESPRESSO, CUP = 967, 968


@pytest.fixture(scope="module")
def network(weights):
    return EfficientNetLite0(weights)


def middle(photo):
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    return photo[top : top + side, left : left + side]


def test_photographs_get_their_imagenet_classes(network):
    cat = network(middle(data.chelsea())[None]).softmax(-1)[0]
    assert cat[list(CATS)].sum() > 0.7
    coffee = network(middle(data.coffee())[None])[0]
    assert coffee.argsort(descending=True)[:2].tolist() == [ESPRESSO, CUP]


class Same(nn.Module):
    """TensorFlow's SAME padding, tap by tap: what falls outside is zero, the odd pixel on the right and below."""

    def __init__(self, kernel, bias, stride, depthwise):
        super().__init__()
        self.kernel, self.bias, self.stride, self.depthwise = kernel, bias, stride, depthwise

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
        return total + self.bias[:, None, None]


def test_the_first_blocks_agree_with_a_slow_network_written_from_the_paper(network, weights, photos):
    loaded = {name: torch.from_numpy(value) for name, value in load_weights(weights, "efficientnet_lite0").items()}

    def layer(name, x, stride=1):
        part = (loaded[f"{name}.weight"], loaded[f"{name}.bias"], stride, name.endswith("depthwise"))
        return Same(*part)(x)

    frames = np.stack([photos["chelsea"], photos["coffee"]])[:, :45, :45]  # odd sizes show on which side padding goes
    x = (torch.from_numpy(frames).permute(0, 3, 1, 2).float() - 127) / 128
    x = layer("stem", x, 2).clamp(0, 6)
    for i, (_, stride) in enumerate(BLOCKS[:5]):
        y = x if i == 0 else layer(f"blocks.{i}.expand", x).clamp(0, 6)
        y = layer(f"blocks.{i}.depthwise", y, stride).clamp(0, 6)
        y = layer(f"blocks.{i}.project", y)
        x = y + x if y.shape == x.shape and stride == 1 else y
    torch.testing.assert_close(network.maps(frames, 45, (4,))[0], x, rtol=1e-3, atol=1e-3)


def test_kernels_are_as_large_as_the_table_of_blocks_says(weights):
    loaded = load_weights(weights, "efficientnet_lite0")
    assert [loaded[f"blocks.{i}.depthwise.weight"].shape[-1] for i in range(16)] == [kernel for kernel, _ in BLOCKS]
    assert "blocks.16.depthwise.weight" not in loaded


def test_maps_of_many_frames_are_those_of_each_and_have_their_strides(network, photos):
    frames = np.stack(list(photos.values()) * 3)  # 12 frames: one whole pass and a rest
    fine, coarse = network.maps(frames, 128, (4, 10))
    assert fine.shape == (12, 40, 16, 16) and coarse.shape == (12, 112, 8, 8)
    alone = network.maps(frames[9:10], 128, (4,))[0]
    torch.testing.assert_close(fine[9:10], alone, rtol=1e-3, atol=1e-3)


def test_prepare_centres_grey_levels_and_refuses_other_arrays():
    grey = np.full((1, 20, 20, 3), 127, np.uint8)
    torch.testing.assert_close(prepare(grey, 32), torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError, match="expected uint8"):
        prepare(grey.astype(np.float32), 32)
    with pytest.raises(ValueError, match="expected uint8"):
        prepare(grey[0], 32)
