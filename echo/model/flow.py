"""Rectified flow: a straight path from data to noise, its velocity learnt by the model, an Euler sampler back.

x_t = (1 - t) x_0 + t e,  v = e - x_0,  t in [0, 1]; loss: mean of (v_model - v)^2 over the target frames only.
Liu et al. 2022 (arXiv 2209.03003); timestep shift as in Esser et al. 2024 (arXiv 2403.03206), equation 23.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

RELEASED_LEVELS, RELEASED_LOWEST = 1000, 0.003 / 1.002  # of the release's scheduler in training


def shift(t: Tensor, amount: float) -> Tensor:
    """T' = s t / (1 + (s - 1) t): more of the path at high noise for s > 1."""
    return amount * t / (1 + (amount - 1) * t)


def interpolate(clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """x_t (B, ...) between ``clean`` at t = 0 and ``noise`` at t = 1; t: (B,)."""
    t = t.view(-1, *[1] * (clean.ndim - 1))
    return (1 - t) * clean + t * noise


def velocity(clean: Tensor, noise: Tensor) -> Tensor:
    """dx_t/dt, what the model learns."""
    return noise - clean


def loss(predicted: Tensor, clean: Tensor, noise: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error (scalar) of a predicted velocity; ``weight`` (B,): of each sample's share, None for equal."""
    error = (predicted - velocity(clean, noise)).square()
    return error.mean() if weight is None else (weight * error.flatten(1).mean(1)).mean()


def bell(t: Tensor, amount: float) -> Tensor:
    """The release's weight (B,) of a sample's loss at noise level t (B,), for a timestep shift of ``amount``.

    w(t) = (y(t) - y_min) / mean (y - y_min),  y(t) = exp(-2 (t - 1/2)^2), minimum and mean over the release's levels:
    1000 from 1 down to 0.003 / 1.002, shifted. Echo-Memory at 194be71, ``flow_match.py:33-38``, which takes the weight
    of the nearest of these levels.
    """
    path = shift(torch.linspace(1, RELEASED_LOWEST, RELEASED_LEVELS, dtype=torch.float64), amount)
    heights = torch.exp(-2 * (path - 0.5).square())
    lowest, mean = heights.min().item(), heights.mean().item()
    return ((torch.exp(-2 * (t.double() - 0.5).square()) - lowest).clamp(min=0) / (mean - lowest)).to(t)


def levels(steps: int, amount: float) -> Tensor:
    """Noise levels (steps + 1,) from 1 to 0 that the sampler visits."""
    return shift(torch.linspace(1, 0, steps + 1), amount)


@torch.no_grad()
def sample(model: Callable[[Tensor, Tensor], Tensor], noise: Tensor, steps: int, amount: float) -> Tensor:
    """Euler steps from ``noise`` (B, ...) to data; ``model(x_t, t)`` takes t (B,) and returns the velocity."""
    x = noise
    path = levels(steps, amount)
    for now, following in zip(path[:-1], path[1:], strict=True):
        x = x + (following - now) * model(x, now.expand(len(x)))
    return x
