"""Rows of a tensor, read without mapping the file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.tensor_rows import TensorRows
from echo.io.tensors import TensorFileError, load_tensors, save_tensors


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "a.safetensors"
    draw = np.random.default_rng(0)
    tensors = {"other": draw.normal(size=7), "latents": draw.normal(size=(5, 9, 2, 3)).astype(np.float16)}
    save_tensors(path, tensors, {"note": "a header of some length"})
    return path


@settings(deadline=None)
@given(st.integers(0, 4), st.integers(0, 9), st.integers(0, 9))
def test_rows_are_those_of_the_tensor(file, row, one, two):
    start, stop = min(one, two), max(one, two)
    rows = TensorRows(file, "latents")
    expected = load_tensors(file, "np")["latents"][row, start:stop]
    assert len(rows) == 5 and rows.shape == (5, 9, 2, 3)
    np.testing.assert_array_equal(rows.read(row, start, stop), expected)


@pytest.mark.parametrize(("row", "start", "stop"), [(5, 0, 1), (-1, 0, 1), (0, 0, 10), (0, 3, 2), (0, -1, 1)])
def test_what_is_not_there_is_not_read(file, row, start, stop):
    with pytest.raises(IndexError, match=r"of a tensor of shape \(5, 9, 2, 3\)"):
        TensorRows(file, "latents").read(row, start, stop)


def test_a_damaged_file_is_refused(file, tmp_path):
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    (tmp_path / "b.safetensors").write_bytes(content)
    with pytest.raises(TensorFileError, match="damaged: .*; make it again"):
        TensorRows(tmp_path / "b.safetensors", "latents", "make it again")


def test_a_file_that_is_cut_later_is_noticed(file, tmp_path):
    path = tmp_path / "c.safetensors"
    path.write_bytes(file.read_bytes())
    rows = TensorRows(path, "latents")
    with open(path, "r+b") as opened:
        opened.truncate(path.stat().st_size - 50)
    with pytest.raises(OSError, match="cut since it was opened"):
        rows.read(4, 0, 9)
