"""Recurrent cells: tokens (B, F, N, D) and a state in, tokens and the next state out, along time, token by token.

Every cell starts with a layer norm, unless told not to, and adds what it reads to the tokens through a ``Residual``.
Scanning a sequence in pieces, each from the state the piece before it left, gives what one scan of the whole gives.
"""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from echo.memory.base import Sizes
from echo.memory.state_space.settings import Settings

BOUNDS = {"zero": None, "bounded": (0.1, 1.0), "narrow": (0.1, 0.2)}


class Residual(nn.Module):
    """Scale of what a recurrence adds to the tokens: tanh(g) for ``zero``, else between ``BOUNDS`` by sigmoid(g)."""

    def __init__(self, gate: str) -> None:
        super().__init__()
        self.bounds = BOUNDS[gate]
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, added: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """``added``, scaled."""
        if self.bounds is None:
            return self.gate.tanh() * added
        low, high = self.bounds
        return (low + (high - low) * self.gate.sigmoid()) * added


class AverageCell(nn.Module):
    """s_f = a s_(f-1) + (1 - a) v_f for every channel, y = W (s * silu(g)). State: (B, N, D)."""

    def __init__(self, width: int, gate: str, norm: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()
        self.enter = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, width)
        self.rate = nn.Parameter(torch.linspace(-1.0, 3.0, width))  # sigmoid: half-lives from 0.5 to 14 frames
        self.residual = Residual(gate)

    def start(self, tokens: Float[Tensor, "B F N D"]) -> Float[Tensor, "B N D"]:
        """The state before the first of the frames of tokens (B, F, N, D): zeros (B, N, D)."""
        return tokens.new_zeros(tokens.shape[0], *tokens.shape[2:])

    def forward(
        self, tokens: Float[Tensor, "B F N D"], state: Float[Tensor, "B N D"]
    ) -> tuple[Float[Tensor, "B F N D"], Float[Tensor, "B N D"]]:
        """Tokens (B, F, N, D) and the state (B, N, D) before them to new tokens and the state after them."""
        value, gate = self.activate(*self.enter(self.norm(tokens)).chunk(2, -1))
        keep = self.rate.sigmoid()
        states = []
        for frame in ((1 - keep) * value).unbind(1):
            state = torch.addcmul(frame, keep, state)
            states.append(state)
        read = torch.stack(states, 1) if states else value
        return tokens + self.residual(self.leave(read * gate)), state

    def activate(
        self, value: Float[Tensor, "B F N D"], gate: Float[Tensor, "B F N D"]
    ) -> tuple[Float[Tensor, "B F N D"], Float[Tensor, "B F N D"]]:
        """What enters the state, and the factor on what is read of it."""
        return value, functional.silu(gate)


class GatedAverageCell(AverageCell):
    """s_f = a s_(f-1) + (1 - a) tanh(v_f) for every channel, y = W (s * sigmoid(g)); a starts at a half.

    As released, with the norm (causal v2) and without (the paper's row): block_wise_ssm.py:26-34 and 66-78.
    """

    def __init__(self, width: int, gate: str, norm: bool = True) -> None:
        super().__init__(width, gate, norm)
        nn.init.zeros_(self.rate)

    def activate(
        self, value: Float[Tensor, "B F N D"], gate: Float[Tensor, "B F N D"]
    ) -> tuple[Float[Tensor, "B F N D"], Float[Tensor, "B F N D"]]:
        """Both bounded: tanh of what enters, sigmoid on what leaves."""
        return value.tanh(), gate.sigmoid()


class ConvolutionCell(nn.Module):
    """Depthwise causal convolution of kernel 3 along time on twice the width. State: its last two inputs."""

    KERNEL = 3
    EXPAND = 2

    def __init__(self, width: int, gate: str, norm: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()
        self.enter = nn.Linear(width, self.EXPAND * width)
        self.leave = nn.Linear(self.EXPAND * width, width)
        self.kernel = nn.Parameter(torch.randn(self.KERNEL, self.EXPAND * width) * self.KERNEL**-0.5)
        self.residual = Residual(gate)

    def start(self, tokens: Float[Tensor, "B F N D"]) -> Float[Tensor, "B 2 N 2*D"]:
        """Zeros (B, 2, N, 2D): nothing before the first of the frames of tokens (B, F, N, D)."""
        batch, _, cells, width = tokens.shape
        return tokens.new_zeros(batch, self.KERNEL - 1, cells, self.EXPAND * width)

    def forward(
        self, tokens: Float[Tensor, "B F N D"], state: Float[Tensor, "B 2 N 2*D"]
    ) -> tuple[Float[Tensor, "B F N D"], Float[Tensor, "B 2 N 2*D"]]:
        """Tokens (B, F, N, D) and the state (B, 2, N, 2D) before them to new tokens and the state after them."""
        inputs = torch.cat([state, self.enter(self.norm(tokens))], 1)
        count = tokens.shape[1]
        mixed = cast(Tensor, sum(self.kernel[k] * inputs[:, k : k + count] for k in range(self.KERNEL)))
        return tokens + self.residual(self.leave(self.activate(mixed))), inputs[:, count:]

    def activate(self, mixed: Float[Tensor, "B F N inner"]) -> Float[Tensor, "B F N inner"]:
        """What leaves the convolution, made nonlinear."""
        return functional.silu(mixed)


class LinearConvolutionCell(ConvolutionCell):
    """The same convolution with a bias and without an activation, its weights drawn as torch's ``Conv1d`` draws them.

    As released: videossm_hybrid.py:17-20 and 31-38.
    """

    def __init__(self, width: int, gate: str, norm: bool = True) -> None:
        super().__init__(width, gate, norm)
        bound = self.KERNEL**-0.5  # of inputs to each output: depthwise, the kernel alone
        nn.init.uniform_(self.kernel, -bound, bound)
        self.bias = nn.Parameter(torch.empty(self.EXPAND * width).uniform_(-bound, bound))

    def activate(self, mixed: Float[Tensor, "B F N inner"]) -> Float[Tensor, "B F N inner"]:
        """What leaves the convolution, and the bias."""
        return mixed + self.bias


Cell = AverageCell | ConvolutionCell
CELLS: dict[str, type[Cell]] = {
    "average": AverageCell,
    "gated_average": GatedAverageCell,
    "convolution": ConvolutionCell,
    "linear_convolution": LinearConvolutionCell,
}


def cells_of(settings: Settings, sizes: Sizes) -> nn.ModuleDict:
    """A row's cells by the number of their block, fresh."""
    blocks = range(0, sizes.layers, settings.every)
    return nn.ModuleDict({str(b): CELLS[settings.cell](sizes.width, settings.gate, settings.norm) for b in blocks})
