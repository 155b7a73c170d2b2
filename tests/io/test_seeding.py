import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from echo.io.seeding import derive, generator, torch_generator

names = st.lists(st.one_of(st.text("abc_", min_size=1, max_size=4), st.integers(0, 99)), max_size=4)


def test_a_stream_is_the_same_on_every_machine():
    assert derive(0, "pool", 3) == 7679610509282891163
    assert generator(7, "x").integers(0, 1000, 4).tolist() == generator(7, "x").integers(0, 1000, 4).tolist()
    assert torch.equal(
        torch.rand(3, generator=torch_generator(7, "x")), torch.rand(3, generator=torch_generator(7, "x"))
    )


@given(st.integers(0, 2**31), names, names)
def test_names_give_streams_of_their_own(seed, a, b):
    assert 0 <= derive(seed, *a) < 2**63
    assert (derive(seed, *a) == derive(seed, *b)) == ([str(x) for x in a] == [str(x) for x in b])
    assert derive(seed, *a) != derive(seed + 1, *a)


def test_streams_are_uncorrelated():
    draws = np.stack([generator(0, "stream", i).normal(size=4000) for i in range(4)])
    assert np.abs(np.corrcoef(draws) - np.eye(4)).max() < 0.06
