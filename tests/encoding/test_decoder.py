"""The decoder's network: sizes, what it starts from, what it sees, and where its weights come from."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.encoding.decoder import ConvolutionalDecoder
from echo.study.checks import CELL


def drawn(seed: int = 0, side: int = 8, loud: bool = False) -> ConvolutionalDecoder:
    """A small decoder with drawn weights; ``loud``: the last layer, too, so that all of it counts."""
    decoder = ConvolutionalDecoder(5, side, 8, 2).eval()
    decoder.draw(seed)
    if loud:
        torch.nn.init.normal_(decoder.last.weight, generator=torch.Generator().manual_seed(seed))
    return decoder


def inputs(side: int = 8, rows: int = 3, columns: int = 3, frames: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    latents = torch.randn(frames, 5, rows, columns, generator=draw)
    return latents, torch.rand(frames, 3, side * rows, side * columns, generator=draw) * 2 - 1


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([4, 8, 12, 16, 32]), st.integers(1, 3), st.integers(1, 3))
def test_frames_of_every_size_begin_as_the_linear_picture(side, rows, columns):
    assert side % CELL == 0
    latents, picture = inputs(side, rows, columns, frames=2)
    torch.testing.assert_close(drawn(0, side)(latents, picture), picture, rtol=0, atol=0)
    assert (drawn(0, side, loud=True)(latents, picture) != picture).any((1, 2, 3)).all()


@torch.no_grad()
def test_it_sees_across_the_borders_of_patches():
    """Latents of the middle patch change pixels on the other side of each of its borders, and none far away."""
    latents, picture = inputs(32)
    other = latents.clone()
    other[:, :, 1, 1] += 1
    decoder = drawn(0, 32, loud=True)
    changed = (decoder(latents, picture) != decoder(other, picture)).any(1)[0]
    assert changed[31, 48] and changed[64, 48] and changed[48, 31] and changed[48, 64]
    assert changed[32:64, 32:64].all() and not changed[0].any() and not changed[:, -1].any()


@torch.no_grad()
@pytest.mark.parametrize("what", ["latents", "picture"])
def test_it_reads_both_inputs_and_each_frame_alone(what):
    given = dict(zip(("latents", "picture"), inputs(frames=3), strict=True))
    decoder = drawn(loud=True)
    before = decoder(**given) - given["picture"]
    given[what] = given[what].clone()
    given[what][1] += 0.5
    after = decoder(**given) - given["picture"]
    assert not torch.allclose(before[1], after[1], atol=1e-3)
    torch.testing.assert_close(before[::2], after[::2], rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_a_channels_scale_does_not_count():
    """Latents in other units give the same frames once their statistics are taken in the same units."""
    latents, picture = inputs(frames=8)
    factors = torch.tensor([1e-3, 0.1, 1.0, 10.0, 1e3])[:, None, None]
    results = []
    for values in (latents, latents * factors + factors):
        decoder = drawn(loud=True)
        decoder.normalise(values)
        results.append(decoder(values, picture))
    torch.testing.assert_close(*results, rtol=1e-3, atol=1e-3)
    constant = drawn()
    constant.normalise(torch.ones(2, 5, 1, 1))
    assert torch.isfinite(constant(latents, picture)).all()


def test_weights_are_of_the_seed_alone_and_no_other_draw_moves():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one = drawn(1).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    again, other = drawn(1).state_dict(), drawn(2).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["from_latents.weight"], other["from_latents.weight"])
