"""Array files of a rendered pool: what is missing, damaged or of another kind is one line."""

from __future__ import annotations

import numpy as np
import pytest

from echo.io.tensors import save_tensors
from echo.world.errors import PoolError
from echo.world.rooms.arrays import read_arrays

IDS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


def test_arrays_come_back(tmp_path):
    save_tensors(tmp_path / "a.safetensors", {"ids": IDS, "masks": IDS + 1})
    assert np.array_equal(read_arrays(tmp_path / "a.safetensors", ("ids",), "a")["ids"], IDS)
    assert set(read_arrays(tmp_path / "a.safetensors", ("ids", "masks"), "a")) == {"ids", "masks"}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (None, "ids of a is missing; make it again: snakemake"),
        ({"masks": IDS}, "arrays of a are damaged .*; make it again: snakemake"),
        ({"ids": IDS.astype(np.int32)}, "ids of a: expected 3 dimensions of uint8, got 3 of int32"),
        ({"ids": IDS[0]}, "ids of a: expected 3 dimensions of uint8, got 2 of uint8"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, arrays, message):
    if arrays:
        save_tensors(tmp_path / "a.safetensors", arrays)
    with pytest.raises(PoolError, match=f"a.safetensors: {message}") as error:
        read_arrays(tmp_path / "a.safetensors", ("ids",), "a")
    assert "\n" not in str(error.value)
