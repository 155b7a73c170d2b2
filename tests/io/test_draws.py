"""However a batch is cut, each sample has the draws it has in the whole batch."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from echo.io.draws import BatchSlice


@given(st.integers(1, 12), st.integers(0, 2**32), st.data())
def test_slices_of_a_batch_join_to_the_whole(size, seed, data):
    cut = data.draw(st.integers(0, size))
    slices = [BatchSlice(size, 0, cut), BatchSlice(size, cut, size)]

    def drawn(part: BatchSlice, kind: str) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        shape = torch.Size((part.stop - part.start, 3))
        return part.normal(shape, generator) if kind == "normal" else part.uniform(generator)

    for kind in ("normal", "uniform"):
        joined = torch.cat([drawn(part, kind) for part in slices])
        assert torch.equal(joined, drawn(BatchSlice(size, 0, size), kind))


def test_uniform_numbers_hold_one_in_each_bin():
    numbers = BatchSlice(50, 0, 50).uniform(torch.Generator().manual_seed(1))
    assert (numbers * 50).long().tolist() == list(range(50))
