"""Tensor files: what is written comes back, or the file is refused."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from echo.io.tensors import (
    NotFiniteError,
    TensorFileError,
    first_not_finite,
    load_tensors,
    open_tensors,
    read_header,
    save_tensors,
    stored_hash,
    verify_tensors,
)
from tests.conftest import ROOT


@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor])
def test_tensors_and_header_come_back_and_views_are_not_scrambled(tmp_path, wrap):
    values = wrap(np.arange(12.0).reshape(3, 4))
    path = tmp_path / "x.safetensors"
    save_tensors(path, {"t": values.T}, {"b": [1, 2], "a": "x"})
    loaded = load_tensors(path, "pt" if isinstance(values, torch.Tensor) else "np")["t"]
    assert type(loaded) is type(values) and (loaded == values.T).all()
    with open_tensors(path) as file:
        assert list(file.keys()) == ["t"] and file.get_tensor("t").shape == (4, 3)
    assert read_header(path) == {"a": "x", "b": [1, 2]}
    save_tensors(tmp_path / "y.safetensors", {"t": values})
    assert read_header(tmp_path / "y.safetensors") == {}
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["x.safetensors", "y.safetensors"]


SCRIPT = """
import sys, torch
from echo.io.tensors import save_tensors
save_tensors(sys.argv[1], {name: torch.arange(3.0) for name in "abcdef"}, {"b": 1, "a": {"d": 2, "c": [3]}})
"""


def test_equal_contents_give_equal_bytes_in_every_process(tmp_path):
    save_tensors(
        tmp_path / "here.safetensors", {name: torch.arange(3.0) for name in "abcdef"}, {"a": {"c": [3], "d": 2}, "b": 1}
    )
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / f"{name}.safetensors")], check=True, cwd=ROOT)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "x.safetensors"
    save_tensors(path, {"weights": torch.arange(40.0), "index": torch.arange(7)}, {"profile": "a row"})
    return path


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_flip_of_any_bit_is_noticed(whole, data):
    """In the tensors, in their names and shapes, in our header and in the hash itself."""
    content = bytearray(whole.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = whole.with_name("changed.safetensors")
    changed.write_bytes(content)
    with pytest.raises(TensorFileError, match="run the same snakemake command again"):
        load_tensors(changed)


@given(st.data())
@settings(deadline=None, max_examples=50)
def test_a_cut_at_any_place_is_noticed(whole, data):
    cut = whole.with_name("cut.safetensors")
    cut.write_bytes(whole.read_bytes()[: data.draw(st.integers(0, whole.stat().st_size - 1))])
    with pytest.raises(TensorFileError):
        verify_tensors(cut)


def test_the_message_names_file_hashes_and_remedy(whole, tmp_path):
    content = bytearray(whole.read_bytes())
    content[-1] ^= 1
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    expected = stored_hash(path)
    with pytest.raises(
        TensorFileError, match=rf"^{path}: damaged: .*, expected {expected[:12]}...; remove it \(rm '{path}'\)"
    ):
        verify_tensors(path)
    with pytest.raises(TensorFileError, match="; ask the author$"):
        verify_tensors(path, "ask the author")
    assert verify_tensors(whole) == expected


def test_a_file_without_a_hash_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(2)}, path, {"echo": "{}"})
    assert read_header(path) == {}
    for refused in (verify_tensors, stored_hash, load_tensors):
        with pytest.raises(TensorFileError, match="it carries no hash of its contents"):
            refused(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor])
def test_what_is_not_finite_is_named_and_not_written(tmp_path, wrap, value):
    tensors = {"a": wrap(np.arange(3)), "b": wrap(np.array([1.0, value, 2.0, value]))}
    assert first_not_finite(tensors) == "b" and first_not_finite({"a": tensors["a"]}) is None
    with pytest.raises(NotFiniteError, match="x.safetensors: 2 of 4 values of b are not finite"):
        save_tensors(tmp_path / "x.safetensors", tensors, finite=True)
    assert not list(tmp_path.iterdir())
    save_tensors(tmp_path / "x.safetensors", tensors)  # where NaN says that a number is unknown
