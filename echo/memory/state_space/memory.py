"""State-space memory: a recurrence along time around chosen blocks, one trajectory a spatial token.

written: the retrieved frames pass through the blocks one after the other, each attending within itself only, and every
recurrent block moves its state on. They come in order of time or, where a short kernel would never reach the frame
that matters, with the best one last. read: in the same blocks the anchor and the target go on from that state, so that
history enters by the state alone. The state is carried from segment to segment; it is never zeroed in between.
``ssm_blockwise_v1`` keeps the two faults of the first release, on purpose: context after the target in a causal scan,
and a state that starts from zero at every call. Nothing of the past can reach the target; the probes must show it.
Paper: Table 7. Cells: ``average``, an exponential moving average with a learnt rate a channel; ``gated_average``, the
same with what enters and what leaves it bounded (the released causal v2); ``convolution``, a depthwise causal
convolution of kernel 3 on twice the width (the paper's hybrid).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from echo.memory.base import Memory, Sizes
from echo.memory.state_space.settings import Settings
from echo.model.backbone import ReadOut


class Residual(nn.Module):
    """Scale of what a recurrence adds to the tokens."""

    def __init__(self, gate: str):
        super().__init__()
        self.bounds = {"zero": None, "bounded": (0.1, 1.0), "narrow": (0.1, 0.2)}[gate]
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, added: Tensor) -> Tensor:
        if self.bounds is None:
            return self.gate.tanh() * added
        low, high = self.bounds
        return (low + (high - low) * self.gate.sigmoid()) * added


class AverageCell(nn.Module):
    """s_f = a s_(f-1) + (1 - a) v_f for every channel, y = W (s * silu(g)). State: (B, N, D)."""

    def __init__(self, width: int, gate: str):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, width)
        self.rate = nn.Parameter(torch.linspace(-1.0, 3.0, width))  # sigmoid: half-lives from 0.5 to 14 frames
        self.residual = Residual(gate)

    def start(self, tokens: Tensor) -> Tensor:
        """The state before the first frame of tokens (B, F, N, D)."""
        return tokens.new_zeros(tokens.shape[0], *tokens.shape[2:])

    def forward(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, F, N, D) and the state before them to tokens and the state after them."""
        value, gate = self.activate(*self.enter(self.norm(tokens)).chunk(2, -1))
        keep = self.rate.sigmoid()
        states = []
        for frame in ((1 - keep) * value).unbind(1):
            state = torch.addcmul(frame, keep, state)
            states.append(state)
        read = torch.stack(states, 1) if states else value
        return tokens + self.residual(self.leave(read * gate)), state

    def activate(self, value: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """What enters the state, and the factor on what is read of it."""
        return value, functional.silu(gate)


class GatedAverageCell(AverageCell):
    """s_f = a s_(f-1) + (1 - a) tanh(v_f) for every channel, y = W (s * sigmoid(g)); a starts at a half."""

    def __init__(self, width: int, gate: str):
        super().__init__(width, gate)
        nn.init.zeros_(self.rate)

    def activate(self, value, gate):
        return value.tanh(), gate.sigmoid()


class ConvolutionCell(nn.Module):
    """Depthwise causal convolution of kernel 3 along time on twice the width. State: its last two inputs."""

    KERNEL = 3
    EXPAND = 2

    def __init__(self, width: int, gate: str):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, self.EXPAND * width)
        self.leave = nn.Linear(self.EXPAND * width, width)
        self.kernel = nn.Parameter(torch.randn(self.KERNEL, self.EXPAND * width) * self.KERNEL**-0.5)
        self.residual = Residual(gate)

    def start(self, tokens: Tensor) -> Tensor:
        """Zeros (B, 2, N, 2D): nothing before the first frame."""
        batch, _, cells, width = tokens.shape
        return tokens.new_zeros(batch, self.KERNEL - 1, cells, self.EXPAND * width)

    def forward(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, F, N, D) and the state before them to tokens and the state after them."""
        inputs = torch.cat([state, self.enter(self.norm(tokens))], 1)
        count = tokens.shape[1]
        mixed = sum(self.kernel[k] * inputs[:, k : k + count] for k in range(self.KERNEL))
        return tokens + self.residual(self.leave(functional.silu(mixed))), inputs[:, count:]


CELLS = {"average": AverageCell, "gated_average": GatedAverageCell, "convolution": ConvolutionCell}


class StateSpaceMemory(Memory):
    """One state a recurrent block; with the context after the target, the stored context itself."""

    def __init__(self, settings: Settings, sizes: Sizes):
        super().__init__()
        self.settings, self.sizes = settings, sizes
        self.carries, self.acts = settings.carry_state, settings.acts
        self.blocks = frozenset(range(0, sizes.layers, settings.every))
        self.cells = nn.ModuleDict({str(b): CELLS[settings.cell](sizes.width, settings.gate) for b in self.blocks})

    def write(self, state, evidence, text, backbone):
        history = evidence.span(1, None)
        if self.settings.order == "time":
            history = history.chronological()
        else:
            history = history.take(torch.arange(history.count).flip(0).expand(len(history.index), -1))
        after = self.settings.context == "after_target"
        # Fresh states, and where the first release kept its context: no frames yet.
        none = evidence.latents.new_zeros(len(evidence.latents), 0, self.sizes.tokens, self.sizes.width)
        starts = {name: cell.start(none) for name, cell in self.cells.items()}
        before = state if state is not None and self.carries else starts
        written = {name: none for name in starts} if after else dict(before)

        def remember(index: int, tokens: Tensor) -> Tensor:
            name = str(index)
            if name not in self.cells:
                return tokens
            moved, final = self.cells[name](tokens, before[name])
            written[name] = tokens if after else final
            return moved

        if history.count:
            backbone.clean_pass(history, text, max(self.blocks), remember, self.acts)
        return written

    def read(self, state, backbone):
        return ReadOut(state=state)

    def at_block(self, index, tokens, state):
        name, count = str(index), tokens.shape[1]
        cell = self.cells[name]
        if self.settings.context == "after_target":
            moved, _ = cell(torch.cat([tokens, state[name]], 1), cell.start(tokens))
            return moved[:, :count]
        return cell(tokens, state[name])[0]


def build(settings, sizes):
    return StateSpaceMemory(settings, sizes)
