"""VGG16's features are those of torchvision's network with the same weights."""

import numpy as np
import pytest
import torch
from torchvision.models import vgg16
from torchvision.transforms import functional

from echo.io.vgg16 import load_vgg16
from echo.io.weights import WeightsError
from echo.judge.embedded.vgg16 import Vgg16


@pytest.fixture(scope="module")
def network(vgg_weights):
    return Vgg16(vgg_weights)


def test_features_are_relu3_3_and_relu4_3_of_torchvisions_network(network, vgg_weights, photos):
    with torch.device("meta"):
        whole = vgg16().features[:23]
    tensors = {name.removeprefix("features."): value for name, value in load_vgg16(vgg_weights).items()}
    whole.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()}, assign=True)
    frames = np.stack(list(photos.values()))
    even = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    x, levels = torch.stack([functional.normalize(functional.to_tensor(frame), *even) for frame in frames]), []
    with torch.no_grad():
        for i, layer in enumerate(whole):
            x = layer(x)
            if i in (15, 22):
                levels.append(x.permute(0, 2, 3, 1).numpy().copy())
    for found, expected, shape in zip(network(frames), levels, [(4, 16, 16, 256), (4, 8, 8, 512)], strict=True):
        assert found.shape == shape
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_frames_of_other_sizes_are_resized_and_many_are_each_as_alone(network, photos):
    big = np.kron(photos["coffee"], np.ones((2, 2, 1), np.uint8))
    fine, coarse = network(np.stack([big] * 9))
    assert fine.shape == (9, 16, 16, 256) and coarse.shape == (9, 8, 8, 512)
    np.testing.assert_allclose(fine[8], network(big[None])[0][0], rtol=1e-3, atol=1e-3)


def test_without_its_weights_it_says_how_they_are_fetched(tmp_path):
    with pytest.raises(WeightsError, match="vgg16.safetensors: no such file; .*--only vgg16"):
        Vgg16(tmp_path)
