import copy

import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanTransformerBlock
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.model.blocks import Block, CameraAttention, Modulation, Rays, run_block, weight_by_similarity

LENGTHS = (2, 4)


def block_and_inputs():
    torch.manual_seed(0)
    theirs = WanTransformerBlock(16, 24, 2, cross_attn_norm=True)
    for parameter in theirs.parameters():  # weights of norms and biases are not what they start as
        torch.nn.init.normal_(parameter, mean=0.2, std=0.3)
    angle = torch.randn(6, 1, 4)
    modulation = Modulation(torch.randn(2, 2, 6, 16), LENGTHS)
    return theirs, (
        torch.randn(2, 6, 16),
        torch.randn(2, 3, 16),
        modulation,
        torch.polar(torch.ones_like(angle), angle),
    )


def diffusers_inputs(tokens, words, modulation, rotary):
    """The same for diffusers' block: a modulation a token, cosines and sines twice each."""
    per_token = torch.cat(
        [modulation.values[:, group, None].expand(-1, n, -1, -1) for group, n in enumerate(modulation.lengths)], 1
    )
    twice = rotary[None].repeat_interleave(2, -1)
    return tokens, words, per_token, (twice.real, twice.imag)


def test_a_block_is_diffusers_block_with_its_gradients():
    theirs, inputs = block_and_inputs()
    ours = copy.deepcopy(theirs)
    ours.__class__ = Block
    results = []
    for block, form in ((theirs, diffusers_inputs), (ours, lambda *values: values)):
        tokens, words, modulation, rotary = inputs
        leaves = [value.clone().requires_grad_() for value in (tokens, words, modulation.values)]
        out = block(*form(leaves[0], leaves[1], Modulation(leaves[2], LENGTHS), rotary))
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        gradients = {name: weight.grad for name, weight in block.named_parameters()}
        results.append((out, [leaf.grad for leaf in leaves], gradients))
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)


def test_a_hook_that_changes_nothing_changes_nothing():
    theirs, inputs = block_and_inputs()
    theirs.__class__ = Block
    expected = theirs(*inputs)
    for hook in (None, lambda tokens: tokens):
        for point in ("after_block", "after_attention"):
            assert torch.equal(run_block(theirs, *inputs, hook, point), expected)


@pytest.mark.parametrize("group", [0, 1])
def test_one_group_asked_for_is_that_group_of_the_whole(group):
    theirs, inputs = block_and_inputs()
    theirs.__class__ = Block
    place = (slice(2), slice(2, None))[group]
    results = []
    for asked in (None, group):
        theirs.zero_grad()
        tokens = inputs[0].clone().requires_grad_()
        out = theirs(tokens, *inputs[1:], None, asked)
        out = out if asked is not None else out[:, place]
        out.square().sum().backward()
        results.append((out, tokens.grad, {name: weight.grad for name, weight in theirs.named_parameters()}))
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)


def test_a_hook_is_applied_at_its_point():
    block, inputs = block_and_inputs()
    block.__class__ = Block
    expected, seen, bump = block(*inputs), [], torch.randn(6, 16)

    def add(tokens):
        seen.append(tokens)
        return tokens + bump

    assert torch.equal(run_block(block, *inputs, add, "after_block"), expected + bump)
    inside = run_block(block, *inputs, add, "after_attention")
    assert not torch.allclose(inside, expected + bump, atol=1e-3)
    # Without what follows self-attention, both places are one.
    for layer in (block.attn2.to_out[0], block.ffn.net[2]):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    torch.testing.assert_close(run_block(block, *inputs, add, "after_attention"), block(*inputs) + bump)
    torch.testing.assert_close(seen[1], block(*inputs))


def test_camera_attention_knows_neither_the_order_of_frames_nor_other_positions():
    attention = CameraAttention(16, 2)
    tokens = torch.randn(2, 5, 3, 16)
    assert not attention(tokens).any()
    torch.nn.init.normal_(attention.attention.to_out[0].weight)
    out = attention(tokens)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(attention(tokens[:, order]), out[:, order])
    changed = tokens.clone()
    changed[:, :, 1] += 1
    torch.testing.assert_close(attention(changed)[:, :, [0, 2]], out[:, :, [0, 2]])
    assert not torch.allclose(attention(changed)[:, :, 1], out[:, :, 1], atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.floats(0.1, 10), st.integers(0, 2**16))
def test_contexts_are_weighed_by_their_likeness_to_the_target(clean, target, temperature, seed):
    tokens = torch.randn(2, clean + target, 3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.double)
    out = weight_by_similarity(tokens, slice(clean), slice(clean, None), temperature)
    assert torch.equal(out[:, clean:], tokens[:, clean:])
    weights = out[:, :clean, 0, 0] / tokens[:, :clean, 0, 0]
    torch.testing.assert_close(weights.sum(1), torch.full((2,), float(clean), dtype=torch.double))
    for clip in range(2):
        goal = tokens[clip, clean:].mean((0, 1))
        likeness = [torch.cosine_similarity(goal, tokens[clip, f].mean(0), 0) / temperature for f in range(clean)]
        expected = clean * torch.stack(likeness).softmax(0)
        torch.testing.assert_close(weights[clip], expected)
        torch.testing.assert_close(out[clip, :clean], tokens[clip, :clean] * expected[:, None, None])


def test_rays_of_one_direction_have_one_embedding():
    rays = Rays(3, 8)
    same = torch.randn(6).expand(2, 5, 6)
    out = rays(same)
    torch.testing.assert_close(out, out[:1, :1].expand_as(out))
    assert not torch.allclose(rays(torch.zeros(6)), rays(torch.ones(6)))
