"""A policy of evidence: how past frames reach a memory, and what must survive between segments for it.

A policy is a module of this folder with a class ``Rule(Policy)``, found by the name in ``evidence.policy``. It says
what a memory is handed before each segment and through which of its methods; the state before segment n is then the end
of a chain of writes. Training and rollout both follow that chain, so that they cannot differ (but for
``as_released``, as the release's do). What the policies have in
common: self-attention always has the anchor, the last frame before the segment, and the target; all else of the past
comes through the memory.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from echo.evidence.frames import Frames
from echo.io.draws import BatchSlice
from echo.study.config import Study
from echo.study.profile import Profile

if TYPE_CHECKING:
    from echo.evidence.segments import Ranking, Segments

Encoder = TypeVar("Encoder", contravariant=True)


class Writer(Protocol[Encoder]):
    """What a policy asks of a memory (``echo.memory.base``)."""

    carries: bool
    retrieves: bool

    def write(self, state: dict[str, Tensor] | None, evidence: Frames, text: Tensor, backbone: Encoder) -> Any:
        """Write a ranked set of frames, the anchor first."""
        ...

    def append(self, state: dict[str, Tensor] | None, frames: Frames, text: Tensor, backbone: Encoder) -> Any:
        """Write the next frames of a stream."""
        ...


class Policy(ABC):
    """How evidence reaches the memory of one row; ``profile``: the row's, None where rows are not told apart."""

    def __init__(self, profile: Profile | None = None) -> None:
        self.profile = profile

    @abstractmethod
    def rank(self, study: Study, poses: Mapping[str, np.ndarray]) -> Ranking:
        """What the stage ``evidence`` prepares of a split's trajectories, video name to poses (F, 6)."""

    @abstractmethod
    def first(self, segment: int, carries: bool, anchor_only: bool = False) -> int:
        """The segment (from 1) at which the chain of writes that leads to ``segment`` begins, with no state.

        carries: the memory's own; anchor_only: history is dropped or erased.
        """

    @abstractmethod
    def offer(
        self,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        anchor_only: bool = False,
        part: BatchSlice | None = None,
    ) -> Frames:
        """What a memory is handed for ``segment``, of all frames so far in latents (B, F, C, H, W).

        Frames of the segment itself, and later ones, may not be there yet and are not looked at. ``noise`` and
        ``part`` as in ``Segments.evidence``.
        """

    @abstractmethod
    def sizes(self, study: Study, segment: int, carries: bool, anchor_only: bool = False) -> tuple[int, ...]:
        """How many frames each offer of the chain to ``segment`` has."""

    def sizes_in_rollouts(self, study: Study, segment: int, carries: bool) -> tuple[int, ...]:
        """As ``sizes``, of the chain to a segment of a rollout: the same, where both follow one chain."""
        return self.sizes(study, segment, carries)

    def drop(self, study: Study) -> float:
        """Probability in training that the memory gets the anchor alone."""
        return study.evidence.drop

    @abstractmethod
    def anchor(
        self,
        offered: Frames,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        part: BatchSlice | None = None,
    ) -> Frames:
        """The anchor of a training sample, after the segment's ``offered`` frames were drawn; as ``offer`` has them."""

    @abstractmethod
    def write(
        self, memory: Writer[Encoder], state: dict[str, Tensor] | None, frames: Frames, text: Tensor, backbone: Encoder
    ) -> dict[str, Tensor]:
        """Hand a memory what ``offer`` gave."""

    @abstractmethod
    def searched(self, segment: int, frames: int, memory: Writer[Any]) -> int:
        """Raw frames that must survive until ``segment`` beside the state, because they are searched for evidence.

        frames: T, of a segment.
        """

    @abstractmethod
    def keeps_state(self, memory: Writer[Any]) -> bool:
        """Whether a state survives between segments, and is not written anew for each."""

    def chain(
        self,
        memory: Writer[Any],
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        anchor_only: bool = False,
        part: BatchSlice | None = None,
    ) -> Iterator[Frames]:
        """All that a memory is handed until it is read for ``segment``, in order; arguments as ``offer``'s."""
        for each in range(self.first(segment, memory.carries, anchor_only), segment + 1):
            yield self.offer(segments, latents, each, noise, anchor_only, part)


def policy_of(study: Study, profile: Profile | None = None) -> Policy:
    """The study's policy, for the row of ``profile`` where it is to be one row's."""
    return importlib.import_module(f"echo.evidence.{study.evidence.policy}").Rule(profile)
