"""Element-wise parts of a block as single functions with their own backward: one pass where autograd makes several.

Design:
- Modulation stays what it is: one (shift, scale, gate) for each group of tokens that share a timestep, (B, G, D). It is
  applied to the group's slice of the tokens, in place in the result. A value for each token is never made.
- What is kept for the backward pass is the input, in its own precision, and a number or two a token. Everything else is
  computed again: these passes are cheap beside the products, and activations are what limits a batch.
- Arithmetic is in float32, results have the dtype of the input, as in diffusers' block.
- No matrix products in here: ``echo/measures/cost`` counts those where autograd sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

# gelu(x) = x / 2 (1 + tanh(u / 2)) = x sigmoid(u) with u = x (LINEAR + CUBIC x^2)
LINEAR = 2 * (2 / torch.pi) ** 0.5
CUBIC = 0.044715 * LINEAR


def modulated_norm(
    tokens: Float[Tensor, "B L D"],
    shift: Float[Tensor, "_ G D"],
    scale: Float[Tensor, "_ G D"],
    lengths: tuple[int, ...],
    eps: float,
) -> Float[Tensor, "B L D"]:
    """Layer norm without weights, then ``x (1 + scale) + shift`` of each token's group.

    Args:
        tokens: (B, L, D).
        shift: (B or 1, G, D).
        scale: (B or 1, G, D).
        lengths: Numbers of tokens of the G groups, in the order of the sequence; they add up to L.
        eps: Of the norm.

    """
    return ModulatedNorm.apply(tokens, shift, scale, lengths, eps)


def gated_sum(
    tokens: Float[Tensor, "B L D"],
    added: Float[Tensor, "B L D"],
    gate: Float[Tensor, "_ G D"],
    lengths: tuple[int, ...],
) -> Float[Tensor, "B L D"]:
    """``tokens + added * gate`` with the gate (B or 1, G, D) of each token's group; ``lengths`` as above."""
    return GatedSum.apply(tokens, added, gate, lengths)


def rms_norm(
    x: Float[Tensor, "B L D"], weight: Float[Tensor, " D"], eps: float, turn: Complex[Tensor, "L 1 half"] | None = None
) -> Float[Tensor, "B L D"]:
    """Root-mean-square norm over all heads, then, if ``turn`` is given, the rotary embedding of every head.

    Args:
        x: (B, L, D).
        weight: (D,), of the norm.
        eps: Of the norm.
        turn: (L, 1, d / 2), of modulus 1: what turns each pair of neighbouring channels of a head of d.

    """
    return RMSNorm.apply(x, weight, turn, eps)


def gelu(x: Tensor) -> Tensor:
    """GELU in its tanh form; float32 on a CPU through the sigmoid that it equals, a sixth of tanh's time."""
    if x.device.type == "cpu" and x.dtype == torch.float32:
        return SigmoidGELU.apply(x)
    return functional.gelu(x, approximate="tanh")


def _slices(lengths: tuple[int, ...]) -> Iterator[tuple[int, slice]]:
    """Number and place in the sequence of every group."""
    start = 0
    for group, length in enumerate(lengths):
        yield group, slice(start, start + length)
        start += length


class ModulatedNorm(torch.autograd.Function):
    """See ``modulated_norm``."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, shift: Tensor, scale: Tensor, lengths: tuple[int, ...], eps: float) -> Tensor:
        """Normed and modulated tokens."""
        width = tokens.shape[-1]
        # With weights of one: torch's CPU kernel without any takes twice as long.
        one, zero = scale.new_ones(width), scale.new_zeros(width)
        out, mean, rstd = torch.native_layer_norm(tokens.float(), (width,), one, zero, eps)
        factor = 1 + scale
        for group, place in _slices(lengths):
            part = out[:, place]
            torch.addcmul(shift[:, group, None], part, factor[:, group, None], out=part)
        ctx.save_for_backward(tokens, mean, rstd, factor)
        ctx.lengths = lengths
        return out.type_as(tokens)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients of tokens, shift and scale."""
        tokens, mean, rstd, factor = ctx.saved_tensors
        values, gradient = tokens.float(), gradient.float()
        along = torch.sub(values, mean).mul_(rstd).mul_(gradient)
        shift, scale, before = torch.empty_like(factor), torch.empty_like(factor), torch.empty_like(values)
        for group, place in _slices(ctx.lengths):
            shift[:, group] = _over_tokens(gradient[:, place], len(factor))
            scale[:, group] = _over_tokens(along[:, place], len(factor))
            torch.mul(gradient[:, place], factor[:, group, None], out=before[:, place])
        del along
        one = factor.new_ones(values.shape[-1])
        before = torch.ops.aten.native_layer_norm_backward(
            before, values, (values.shape[-1],), mean, rstd, one, one, [True, False, False]
        )[0]
        return before.type_as(tokens), shift, scale, None, None


class GatedSum(torch.autograd.Function):
    """See ``gated_sum``."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, added: Tensor, gate: Tensor, lengths: tuple[int, ...]) -> Tensor:
        """The sum."""
        values, more = tokens.float(), added.float()
        out = torch.empty_like(values)
        for group, place in _slices(lengths):
            torch.addcmul(values[:, place], more[:, place], gate[:, group, None], out=out[:, place])
        ctx.save_for_backward(added, gate)
        ctx.lengths = lengths
        return out.type_as(tokens)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients of tokens, added and gate."""
        added, gate = ctx.saved_tensors
        full, along = gradient.float(), added * gradient.float()
        gates, more = torch.empty_like(gate), torch.empty_like(full)
        for group, place in _slices(ctx.lengths):
            gates[:, group] = _over_tokens(along[:, place], len(gate))
            torch.mul(full[:, place], gate[:, group, None], out=more[:, place])
        return gradient, more.type_as(added), gates, None


def _over_tokens(values: Float[Tensor, "B length D"], batch: int) -> Float[Tensor, "batch D"]:
    """Sum over a group's tokens, and over the samples where all share one modulation (``batch`` 1)."""
    return values.sum(1) if batch == len(values) else values.sum((0, 1))[None]


class RMSNorm(torch.autograd.Function):
    """See ``rms_norm``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, turn: Tensor | None, eps: float) -> Tensor:
        """Normed, and turned if asked."""
        values = x.float()
        length = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
        rstd = length.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        out = torch.mul(values, rstd).mul_(weight)
        if turn is not None:
            _pairs(out, turn).mul_(turn)
        ctx.save_for_backward(x, weight, rstd, turn)
        return out.type_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients of x and weight."""
        x, weight, rstd, turn = ctx.saved_tensors
        before = gradient.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
        if turn is not None:
            _pairs(before, turn).mul_(turn.conj().resolve_conj())
        normed = torch.mul(x.float(), rstd)
        along = before * normed
        weights = along.sum((0, 1))
        share = torch.mv(along.flatten(0, 1), weight).view_as(rstd).div_(-x.shape[-1])
        before.mul_(weight).addcmul_(normed, share).mul_(rstd)
        return before.type_as(x), weights, None, None


def _pairs(x: Float[Tensor, "B L D"], turn: Complex[Tensor, "L 1 half"]) -> Complex[Tensor, "B L heads half"]:
    """Neighbouring channels of every head as complex numbers, a view of contiguous float32 numbers."""
    return torch.view_as_complex(x.unflatten(-1, (-1, turn.shape[-1], 2)))


class SigmoidGELU(torch.autograd.Function):
    """See ``gelu``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """X times a sigmoid."""
        ctx.save_for_backward(x)
        return (x * x).mul_(CUBIC).add_(LINEAR).mul_(x).sigmoid_().mul_(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """With s the sigmoid: s + x s (1 - s) (LINEAR + 3 CUBIC x^2), times the gradient."""
        (x,) = ctx.saved_tensors
        square = x * x
        sigmoid = torch.mul(square, CUBIC).add_(LINEAR).mul_(x).sigmoid_()
        slope = square.mul_(3 * CUBIC).add_(LINEAR).mul_(x)
        slope = slope.addcmul_(slope, sigmoid, value=-1).add_(1).mul_(sigmoid)
        return slope.mul_(gradient)
