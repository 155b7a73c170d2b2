"""State-space memory: a recurrence along time around chosen blocks, one trajectory for each spatial token.

Write: the retrieved frames pass through the blocks, each attending to itself only, and every recurrent block updates
its state frame by frame. They come in order of time or, where a short kernel would never reach the frame that matters,
with the best one last. Of a stream: every frame, once, in order. Read: in the same blocks the scan of the anchor and
the target starts from that state, so history enters through the state alone. The state is carried from segment to
segment; it is never zeroed in between.
``ssm_blockwise_v1`` keeps two faults of the released recurrence, on purpose, and lets history enter by nothing else:
context after the target in a causal scan, and a state that starts from zero at every call, so that of a stream it has
what was offered last. Nothing of the past can reach the target; the probes must show it. The row as the authors trained
it is not inert: its frames also stand in self-attention (``attended.py``, and docs/released.md).
Paper: Table 7. Cells (``cells.py``): ``average``, an exponential moving average with a learnt rate for each channel;
``gated_average``, the same with what enters and what leaves it bounded (both released ones); ``convolution``, a
depthwise causal convolution of kernel 3 on twice the width (the paper's hybrid); ``linear_convolution``, that with a
bias and without an activation (the released hybrid).
"""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from echo.evidence.frames import Frames
from echo.memory.base import FrameEncoder, Memory, ReadCameras, ReadOut, Sizes, State
from echo.memory.state_space.attended import AttendedMemory
from echo.memory.state_space.cells import Cell, cells_of
from echo.memory.state_space.settings import Settings


class StateSpaceMemory(Memory):
    """One state for each recurrent block; with the context after the target, the stored context itself."""

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__()
        self.settings, self.sizes = settings, sizes
        self.carries = settings.carry_state
        self.after_target = settings.context == "after_target"
        self.cells = cells_of(settings, sizes)

    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The state of each recurrent block after the retrieved frames, by the block's number."""
        return self._passed(state, self._ordered(evidence.span(1, None)), text, backbone)

    def append(
        self, state: State | None, frames: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The state of each recurrent block after the frames, the anchor of the segment to come included."""
        return self._passed(state, frames, text, backbone)

    def _passed(
        self, state: State | None, history: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The state after frames in the order in which they are written; without frames, the state before."""
        none = history.latents.new_zeros(len(history.latents), 0, self.sizes.tokens, self.sizes.width)
        before = state
        if before is None or not self.carries:
            before = {name: self._cell(name).start(none) for name in self.cells}
        # The first release kept its context itself: no frames yet.
        written = dict.fromkeys(self.cells, none) if self.after_target else dict(before)

        def update(name: str, tokens: Float[Tensor, "B F N D"]) -> Float[Tensor, "B F N D"]:
            moved, after = self.cells[name](tokens, before[name])
            written[name] = tokens if self.after_target else after
            return moved

        if history.count:
            hooks = {int(name): partial(update, name) for name in self.cells}
            backbone.clean_pass(history, text, hooks, self.settings.hook_point)
        return written

    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """A scan of the sequence in each recurrent block, from that block's state."""
        hooks = {int(name): partial(self._scan, name, stored=state[name]) for name in self.cells}
        return ReadOut(hooks=hooks, hook_point=self.settings.hook_point)

    def _cell(self, name: str) -> Cell:
        return cast(Cell, self.cells[name])  # a ModuleDict does not say of which modules it is

    def _ordered(self, history: Frames) -> Frames:
        """Frames in the order in which they are written: by time, or by rank with the best one last."""
        if self.settings.order == "time":
            return history.chronological()
        backwards = torch.arange(history.count).flip(0)
        return history.take(repeat(backwards, "K -> B K", B=len(history.index)))

    def _scan(self, name: str, tokens: Float[Tensor, "B F N D"], stored: Tensor) -> Float[Tensor, "B F N D"]:
        """The sequence's tokens after one block's cell; ``stored`` is the cell's state, or the context's tokens."""
        cell = self._cell(name)
        if self.after_target:
            moved, _ = cell(torch.cat([tokens, stored], 1), cell.start(tokens))
            return moved[:, : tokens.shape[1]]
        return cell(tokens, stored)[0]


def build(settings: Settings, sizes: Sizes) -> Memory:
    """The memory of a row, its parameters drawn from torch's generator."""
    return AttendedMemory(settings, sizes) if settings.attended else StateSpaceMemory(settings, sizes)
