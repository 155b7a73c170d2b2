import torch
from diffusers.models.transformers.transformer_wan import WanTransformerBlock
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.model.blocks import Block, CameraAttention, Rays, run_block, weight_by_similarity


def block_and_inputs():
    torch.manual_seed(0)
    theirs = WanTransformerBlock(16, 24, 2, cross_attn_norm=True)
    angle = torch.randn(1, 6, 1, 8)
    inputs = torch.randn(2, 6, 16), torch.randn(2, 3, 16), torch.randn(2, 6, 6, 16), (angle.cos(), angle.sin())
    return theirs, inputs


def test_a_block_in_two_halves_is_diffusers_block_to_the_last_bit():
    theirs, inputs = block_and_inputs()
    expected = theirs(*inputs)
    theirs.__class__ = Block
    for hook in (None, lambda tokens: tokens):
        for point in ("after_block", "after_attention"):
            assert torch.equal(run_block(theirs, *inputs, hook, point), expected)


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
