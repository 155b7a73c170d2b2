"""Random numbers of a batch that is shared among processes and micro-batches: each sees its own samples' draws."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class BatchSlice:
    """Samples ``start`` to ``stop`` of a batch of ``size``: a process's share of a step, or a micro-batch of it.

    Noise is drawn for the whole batch and cut, so that a batch sees the same draws however it is shared.
    """

    size: int
    start: int
    stop: int

    def normal(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """Standard normal noise of ``shape``, whose first dimension is this slice's samples."""
        return torch.randn(self.size, *shape[1:], generator=generator)[self.start : self.stop]

    def uniform(self, generator: torch.Generator) -> Tensor:
        """One number in [0, 1) per sample, spread evenly: each of the whole batch's ``size`` equal bins holds one."""
        drawn = (torch.arange(self.size) + torch.rand(self.size, generator=generator)) / self.size
        return drawn[self.start : self.stop]
