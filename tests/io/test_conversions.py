import os
import pickle
from fractions import Fraction

import numpy as np
import pytest
import timm
import torch

from echo.io.conversions import (
    alexnet_of_flax,
    alexnet_of_torchvision,
    efficientnet_of_package,
    read_arrays,
    timm_name,
)
from echo.io.packages import PackageError

ALEXNET_SHAPES = [(64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)]


class Malicious:
    """Its pickle makes a folder when it is read by pickle.loads."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_come_back_from_a_pickle(protocol):
    nested = {"a": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}, "b": np.array([1, 2], dtype=np.int64)}
    read = read_arrays(pickle.dumps(nested, protocol))
    np.testing.assert_array_equal(read["a"]["kernel"], nested["a"]["kernel"])
    np.testing.assert_array_equal(read["b"], nested["b"])


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_runs_code_is_refused_before_it_does(protocol, tmp_path):
    data = pickle.dumps({"weights": [Malicious(tmp_path / "made")]}, protocol)
    with pytest.raises(PackageError, match="mkdir; only numpy arrays are allowed"):
        read_arrays(data)
    assert not (tmp_path / "made").exists()
    pickle.loads(data)
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("value", [Fraction(1, 2), np.ma.array([1.0]), np.float32(1), print, range(3)])
def test_anything_but_arrays_is_refused(value):
    with pytest.raises(PackageError, match="only numpy"):
        read_arrays(pickle.dumps(value, 4))


def test_kernels_of_flax_become_those_of_torch():
    draw = np.random.default_rng(0)
    layers, convolved = {}, []
    for i, (out, channels, side) in enumerate(ALEXNET_SHAPES):
        kernel = draw.normal(size=(side, side, channels, out)).astype(np.float32)
        bias = draw.normal(size=out).astype(np.float32)
        layers[f"Conv_{i}"] = {"kernel": kernel, "bias": bias}
        patch = draw.normal(size=(side, side, channels)).astype(np.float32)
        convolved.append((patch, np.einsum("hwc,hwco->o", patch, kernel) + bias))
    tensors = alexnet_of_flax(pickle.dumps({"AlexNet_0": layers}, 4))
    for layer, (patch, expected) in zip((0, 3, 6, 8, 10), convolved, strict=True):
        kernel, bias = (torch.from_numpy(tensors[f"features.{layer}.{part}"]) for part in ("weight", "bias"))
        got = torch.nn.functional.conv2d(torch.from_numpy(patch).permute(2, 0, 1)[None], kernel, bias)
        np.testing.assert_allclose(got[0, :, 0, 0], expected, rtol=1e-3, atol=1e-3)


def test_names_of_efficientnet_are_all_of_timms_but_counts():
    """Every tensor of timm's network, in its order of layers, has one name in the package."""
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    wanted = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
    given = ["_conv_stem.weight", *norm("_bn0")]
    for block in range(16):
        expand = [f"_blocks.{block}._expand_conv.weight", *norm(f"_blocks.{block}._bn0")] if block else []
        given += [*expand, f"_blocks.{block}._depthwise_conv.weight", *norm(f"_blocks.{block}._bn1")]
        given += [f"_blocks.{block}._project_conv.weight", *norm(f"_blocks.{block}._bn2")]
    given += ["_conv_head.weight", *norm("_bn1"), "_fc.weight", "_fc.bias"]
    assert [timm_name(name) for name in given] == wanted


def norm(name):
    return [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]


def test_a_state_dictionary_is_read_without_its_counts(tmp_path):
    state = {"_conv_stem.weight": torch.ones(2, 3), "_bn0.num_batches_tracked": torch.tensor(7)}
    torch.save(state, tmp_path / "state.pth")
    tensors = efficientnet_of_package((tmp_path / "state.pth").read_bytes())
    assert list(tensors) == ["conv_stem.weight"] and (tensors["conv_stem.weight"] == 1).all()


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """The path of AlexNet's file in an empty cache of torch hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    path.parent.mkdir(parents=True)
    return path


def test_convolutions_are_taken_from_torchvisions_file(cached):
    torch.save({"features.0.weight": torch.ones(2), "classifier.1.weight": torch.ones(3)}, cached)
    assert list(alexnet_of_torchvision()) == ["features.0.weight"]


def test_a_damaged_file_of_torchvision_is_one_line(cached):
    cached.write_bytes(b"half a file")
    with pytest.raises(PackageError, match=r"alexnet-owt-7be5be79\.pth: could not be read") as error:
        alexnet_of_torchvision()
    assert "\n" not in str(error.value)
