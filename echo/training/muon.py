"""Muon in single precision: momentum whose matrices are made orthogonal before they are applied.

Jordan et al. 2024 (kellerjordan.github.io/posts/muon). ``torch.optim.Muon`` is the same rule in bfloat16, which a CPU
without bfloat16 units emulates: measured on two cores, 2.0 s a step for this study's 60 matrices, against 0.6 s for
forward and backward. Here equal shapes are stacked and multiplied in float32, and long matrices through the shorter
side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic that pushes singular values towards 1
ITERATIONS = 5
LONG = 1.5  # columns over rows above which the iteration on the Gram matrix takes fewer products


def orthogonalise(matrices: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Nearest semi-orthogonal matrices, roughly: (n, rows, columns) with singular values pushed into [0.7, 1.2]."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    if x.shape[2] > LONG * x.shape[1] and not isinstance(x, DTensor):
        x = _on_the_short_side(x @ x.mT, iterations) @ x
    else:
        for _ in range(iterations):
            gram = x @ x.mT
            x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def _on_the_short_side(gram: Tensor, iterations: int) -> Tensor:
    """What ``iterations`` steps multiply long matrices with, from their Gram matrices (n, rows, rows).

    A step makes p x of x, with p = a + b g + c g^2 and g = x x^T; so g becomes p g p, and the steps' product of p is
    known without x. For ``LONG`` matrices these are fewer products.
    """
    product = p = _quadratic(gram)
    for _ in range(iterations - 1):
        gram = p @ (gram @ p)
        p = _quadratic(gram)
        product = p @ product
    return product


def _quadratic(gram: Tensor) -> Tensor:
    """The polynomial a + b g + c g^2 of matrices g (n, rows, rows)."""
    a, b, c = COEFFICIENTS
    p = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    p.diagonal(dim1=1, dim2=2).add_(a)
    return p


class Muon(Optimizer):
    """Nesterov momentum, orthogonalised; for weight matrices only.

    The update of a rows x columns matrix is scaled by sqrt(max(1, rows / columns)). Raises ValueError for any other
    parameter.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.ndim != 2:
                    raise ValueError(f"Muon takes matrices, got a parameter of shape {tuple(parameter.shape)}")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            by_shape = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for shape, parameters in by_shape.items():
                updates = orthogonalise(torch.stack([self._direction(p, group["momentum"]) for p in parameters]))
                scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                for parameter, update in zip(parameters, updates, strict=True):
                    if group["weight_decay"]:
                        parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(update, alpha=scale)
        return loss

    def _direction(self, parameter: Tensor, momentum: float) -> Tensor:
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        gradient = cast(Tensor, parameter.grad)  # ``step`` asks for parameters that have one
        average = state["momentum"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(average, momentum)
