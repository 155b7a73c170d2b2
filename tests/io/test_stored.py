"""Arrays in their files: the same numbers as in memory, a part at a time."""

import numpy as np
import pytest

from echo.io.stored import StoredArray
from echo.io.tensors import save_tensors


@pytest.fixture
def both(tmp_path):
    draw = np.random.default_rng(0)
    held = draw.integers(0, 256, (5, 4, 3, 2), dtype=np.uint8)
    save_tensors(tmp_path / "a.safetensors", {"before": np.arange(7), "held": held}, {"cases": ["x"]})
    return held, StoredArray(tmp_path / "a.safetensors", "held")


@pytest.mark.parametrize("key", [0, -1, slice(2), (slice(None), [0, 3]), (1, [2, 0]), (slice(None), slice(-2, None))])
def test_indexing_is_numpys(both, key):
    held, stored = both
    assert np.array_equal(stored[key], held[key])


def test_it_is_iterated_and_converted_as_an_array(both):
    held, stored = both
    assert (len(stored), stored.shape, stored.dtype) == (5, held.shape, held.dtype)
    assert all(np.array_equal(a, b) for a, b in zip(stored, held, strict=True))
    assert np.array_equal(np.asarray(stored), held)
    assert np.asarray(stored, dtype=float).dtype == float


def test_what_is_read_is_a_copy(both):
    held, stored = both
    stored[0][:] = 0
    assert np.array_equal(stored[0], held[0]) and not isinstance(stored[0], np.memmap)
