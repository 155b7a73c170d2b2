"""Each function and its gradients against the same thing written out plainly, a value for each token."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from echo.model.kernels import gated_sum, gelu, modulated_norm, rms_norm

LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=3)


def agree(ours, plain, *inputs, tolerance=1e-5):
    """Both give the same result and the same gradients, for a gradient that differs from number to number."""
    copies = [[value.clone().requires_grad_() for value in inputs] for _ in range(2)]
    results = [function(*values) for function, values in zip((ours, plain), copies, strict=True)]
    torch.testing.assert_close(*results, rtol=tolerance, atol=tolerance)
    weight = torch.randn_like(results[0])
    for result in results:
        (result * weight).sum().backward()
    for first, second in zip(*copies, strict=True):
        torch.testing.assert_close(first.grad, second.grad, rtol=10 * tolerance, atol=10 * tolerance)


def spread(value, lengths):
    """(B, G, D) to (B, L, D): a value for each token."""
    return torch.cat([value[:, group : group + 1].expand(-1, n, -1) for group, n in enumerate(lengths)], 1)


@settings(max_examples=25, deadline=None)
@given(LENGTHS, st.booleans(), st.integers(0, 2**16))
def test_a_modulated_norm_is_that_of_each_token(lengths, shared, seed):
    torch.manual_seed(seed)
    tokens, shift, scale = 3 * torch.randn(3, sum(lengths), 8) + 1, *torch.randn(2, 1 if shared else 3, len(lengths), 8)

    def plain(tokens, shift, scale):
        centred = tokens - tokens.mean(-1, keepdim=True)
        normed = centred / (centred.square().mean(-1, keepdim=True) + 1e-3).sqrt()
        return normed * (1 + spread(scale, lengths)) + spread(shift, lengths)

    agree(lambda *values: modulated_norm(*values, tuple(lengths), 1e-3), plain, tokens, shift, scale)


@settings(max_examples=25, deadline=None)
@given(LENGTHS, st.booleans(), st.integers(0, 2**16))
def test_a_gated_sum_is_that_of_each_token(lengths, shared, seed):
    torch.manual_seed(seed)
    tokens, added = torch.randn(2, 3, sum(lengths), 8)
    gate = torch.randn(1 if shared else 3, len(lengths), 8)
    agree(
        lambda tokens, added, gate: gated_sum(tokens, added, gate, tuple(lengths)),
        lambda tokens, added, gate: tokens + added * spread(gate, lengths),
        tokens, added, gate,
    )  # fmt: skip


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("turned", [False, True])
def test_a_norm_with_rotary_positions_is_a_norm_and_then_rotations(heads, turned):
    torch.manual_seed(0)
    x, weight, angle = torch.randn(2, 5, heads * 8), torch.randn(heads * 8), torch.randn(5, 1, 4)

    def plain(x, weight):
        normed = x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt() * weight
        if not turned:
            return normed
        first, second = normed.unflatten(-1, (heads, 4, 2)).unbind(-1)
        pairs = first * angle.cos() - second * angle.sin(), first * angle.sin() + second * angle.cos()
        return torch.stack(pairs, -1).flatten(2)

    turn = torch.polar(torch.ones_like(angle), angle) if turned else None
    agree(lambda x, weight: rms_norm(x, weight, 1e-3, turn), plain, x, weight)


def test_gelu_is_its_tanh_form():
    x = torch.cat([torch.linspace(-9, 9, 400), torch.tensor([-1e4, -40.0, 40.0, 1e4])])
    agree(gelu, lambda x: functional.gelu(x, approximate="tanh"), x, tolerance=1e-6)


@pytest.mark.parametrize("function", ["modulated_norm", "gated_sum", "rms_norm", "gelu"])
def test_results_and_gradients_have_the_inputs_precision_and_float32_arithmetic(function):
    torch.manual_seed(0)
    x, other, gate = torch.randn(2, 5, 8), torch.randn(2, 5, 8), torch.randn(2, 1, 8)
    calls = {
        "modulated_norm": lambda x: modulated_norm(x, gate, gate, (5,), 1e-6),
        "gated_sum": lambda x: gated_sum(x, other.to(x), gate, (5,)),
        "rms_norm": lambda x: rms_norm(x, gate[0, 0], 1e-6),
        "gelu": gelu,
    }
    half = x.bfloat16().requires_grad_()
    full = half.detach().float().requires_grad_()
    outs = [calls[function](value) for value in (half, full)]
    assert outs[0].dtype == torch.bfloat16
    torch.testing.assert_close(outs[0].float(), outs[1], rtol=0.01, atol=0.01)
    for out in outs:
        out.float().square().sum().backward()
    assert half.grad.dtype == torch.bfloat16
    torch.testing.assert_close(half.grad.float(), full.grad, rtol=0.05, atol=0.1)


def test_nothing_is_kept_for_each_token_beside_the_input():
    """What the backward pass holds of a modulated norm: the tokens, and two numbers a token."""
    tokens, shift = torch.randn(2, 64, 32, requires_grad=True), torch.randn(2, 2, 32, requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda value: kept.append(value) or value, lambda value: value):
        gated_sum(tokens, modulated_norm(tokens, shift, shift, (24, 40), 1e-6), shift, (24, 40))
    whole = [value for value in kept if value.numel() == tokens.numel()]
    assert len(whole) == 2 and whole[0].data_ptr() == tokens.data_ptr()
    assert sum(value.numel() for value in kept) == 2 * tokens.numel() + 2 * 2 * 64 + 2 * shift.numel()
