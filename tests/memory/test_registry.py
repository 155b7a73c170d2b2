"""A row's memory is built by its family's name, from a stream of its own."""

import torch

from echo.memory.base import Sizes
from echo.memory.registry import build_memory
from tests.conftest import tiny_study

SIZES = Sizes(width=16, heads=2, layers=4, grid=(2, 2), field_of_view=75.0, eviction="redundancy")


def test_a_memory_depends_on_its_seed_and_stream_and_on_no_generator_around_it():
    rows = tiny_study().profiles
    torch.manual_seed(3)
    first, state = build_memory(rows["spatial"], SIZES, 0), torch.get_rng_state()
    torch.manual_seed(4)
    again, other, stream = (
        build_memory(rows[name], SIZES, seed)
        for name, seed in (("spatial", 0), ("spatial", 1), ("spatial_concat_text", 0))
    )
    assert torch.equal(first.place, again.place)
    assert not torch.equal(first.place, other.place) and not torch.equal(first.place, stream.place)
    torch.manual_seed(3)
    assert torch.equal(state, torch.get_rng_state())
