"""The released recurrent rows: their frames stand in self-attention, and the recurrence scans that sequence.

Write: the K-1 best retrieved frames as they are; of a stream, a bank of as many (``echo.memory.bank``). Read: these
frames, clean, before the anchor, and in each recurrent block a scan of the whole sequence from a state of zeros. So
nothing is kept between segments but frames, and history reaches the target by self-attention; what the recurrence adds
is one more way for it to spread along the sequence. Where the context comes after the target, the scan meets the target
first: its state there is blind to the context, but what it makes of the context's own tokens is attended to in the
blocks that follow, so that the row is not inert.
Release: action_blocks.py:136-148 calls the recurrence after self-attention, on all tokens, and both modules
(block_wise_ssm.py:64-93, videossm_hybrid.py:22-38) start from zeros. Their sequence has the context after the target,
newest first; ``backbone.layout`` may have it before, and the scan is made in the order that the row asks for.
"""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from echo.evidence.frames import Frames
from echo.memory.bank import Bank
from echo.memory.base import FrameEncoder, Memory, ReadCameras, ReadOut, Sizes, State
from echo.memory.state_space.cells import Cell, cells_of
from echo.memory.state_space.settings import Settings


class AttendedMemory(Memory):
    """K-1 frames beside the anchor, and a recurrence without a state of its own."""

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__()
        self.settings, self.sizes = settings, sizes
        self.retrieves = settings.attended > 1
        self.bank = Bank(settings.attended - 1, 1, sizes)
        self.cells = cells_of(settings, sizes)
        # Where the sequence is not in the order of the scan.
        self.turned = (settings.context == "after_target") != sizes.target_first

    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The retrieved frames of the first K, by rank."""
        return evidence.span(1, self.settings.attended).tensors()

    def append(
        self, state: State | None, frames: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The frames as far as the bank has room for them, and the anchor of the segment to come."""
        return self.bank.append(state, frames)

    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """The stored frames in order of time, and a scan of the sequence in each recurrent block."""
        if self.bank.wrote(state):
            frames = self.bank.frames(state, cameras.reference)
        else:
            frames = Frames(**state).chronological()
        hooks = {int(name): partial(self._scan, name, cameras.target.count) for name in self.cells}
        return ReadOut(
            frames=frames if frames is not None and frames.count else None,
            hooks=hooks,
            hook_point=self.settings.hook_point,
            mixture=1.0 if self.settings.mixture else None,
        )

    def _scan(self, name: str, count: int, tokens: Float[Tensor, "B F N D"]) -> Float[Tensor, "B F N D"]:
        """The sequence's tokens after one block's cell; the target has ``count`` frames."""
        cell = cast(Cell, self.cells[name])
        if not self.turned:
            return cell(tokens, cell.start(tokens))[0]
        clean, target = self.sizes.split_target(tokens, count)
        parts = [clean.flip(1), target] if self.sizes.target_first else [target, clean.flip(1)]
        moved = cell(torch.cat(parts, 1), cell.start(tokens))[0]
        first, last = moved.split([part.shape[1] for part in parts], 1)
        clean, target = (first, last) if self.sizes.target_first else (last, first)
        return self.sizes.join_target(clean.flip(1), target)
