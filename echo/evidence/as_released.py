"""Policy ``as_released``: every row is handed the evidence that its authors trained it with, and rolled out by theirs.

A row's own entry says which (``evidence`` in ``config/rows.yaml``, ``echo.study.profile.Evidence``). In training the
sources differ from row to row, and two of them look ahead; in a rollout a continuation gets frames of the segment
before. So training and rollout do not follow one chain here, which is what the release does (Echo-Memory at 194be71:
``training_loop.py:170-320`` and ``multichunk_sample_utils.py``; ``run_revisit_stage1.py:503``).

What the rig keeps: the anchor is the last frame before the segment (the release's target repeats its first context
frame), cameras are those of the frames (its continuations have the identity), and no state is carried between segments,
as the release carries none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from echo.evidence.frames import Frames
from echo.evidence.policy import Encoder, Policy, Writer
from echo.evidence.retrieval import NEGLIGIBLE
from echo.evidence.segments import Ranking, Segments
from echo.io.draws import BatchSlice
from echo.io.seeding import torch_generator
from echo.study.config import Study
from echo.study.profile import Evidence, Profile
from echo.study.words import first_target, segments_of
from echo.world.camera import overlap

ANCHOR = Evidence(source="anchor", frames=1)  # of the base, which is no row of the matrix and has no entry


class Rule(Policy):
    """One write a segment, from no state: ``chain`` in training, ``offer`` in rollouts."""

    def __init__(self, profile: Profile | None = None) -> None:
        super().__init__(profile)
        own = profile.evidence if profile is not None else None
        self.entry = own if own is not None else ANCHOR

    def rank(self, study: Study, poses: Mapping[str, np.ndarray]) -> Ranking:
        """The overlap labels: for each segment (S, F) the frames that see what its middle frame sees, then -1."""
        world, frames = study.world, study.segment.frames
        labels = {}
        for video, path in poses.items():
            middles = np.arange(1, segments_of(len(path), frames) + 1) * frames - frames + 1 + (frames - 1) // 2
            seen = overlap(path[middles], path, world.field_of_view, aspect=world.height / world.width) > NEGLIGIBLE
            numbers = np.where(seen, np.arange(len(path)), len(path))
            numbers.sort(axis=1)
            labels[video] = np.where(numbers < len(path), numbers, -1)
        return Ranking(labels)

    def first(self, segment: int, carries: bool, anchor_only: bool = False) -> int:
        """The segment itself: no state is carried, not by a memory that could."""
        return segment

    def offer(
        self,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        anchor_only: bool = False,
        part: BatchSlice | None = None,
    ) -> Frames:
        """The context of a continuation: the last frame of the segment before, and others of it (``continuation``)."""
        numbers = self._continued(segments.study, segment, anchor_only)
        index = np.tile(numbers, (len(latents), 1))
        return segments.seen(latents, index, first_target(segment, segments.study.segment.frames), noise, part)

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
        """The one offer of a training sample, from the row's source; the anchor alone where history is dropped."""
        start = first_target(segment, segments.study.segment.frames)
        part = part or BatchSlice(len(latents), 0, len(latents))
        if self.entry.source == "fov_retrieval" and not anchor_only:
            index = self._sampled(segments, segment, part, noise)
        else:
            index = np.tile(self._fixed(segments.study, segment, anchor_only), (len(latents), 1))
        yield segments.seen(latents, index, start, noise, part)

    def sizes(self, study: Study, segment: int, carries: bool, anchor_only: bool = False) -> tuple[int, ...]:
        """Of the one write of a training sample."""
        if self.entry.source == "fov_retrieval" and not anchor_only:
            return (self.entry.frames,)
        return (len(self._fixed(study, segment, anchor_only)),)

    def sizes_in_rollouts(self, study: Study, segment: int, carries: bool) -> tuple[int, ...]:
        """Of the one write before a segment of a rollout."""
        return (len(self._continued(study, segment)),)

    def drop(self, study: Study) -> float:
        """The row's own probability, where its entry has one."""
        return study.evidence.drop if self.entry.drop is None else self.entry.drop

    def anchor(
        self,
        offered: Frames,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        part: BatchSlice | None = None,
    ) -> Frames:
        """The first of the frames offered: the last before the segment, or, of ``replay``, the target's own last."""
        return offered.span(0, 1)

    def write(
        self, memory: Writer[Encoder], state: dict[str, Tensor] | None, frames: Frames, text: Tensor, backbone: Encoder
    ) -> dict[str, Tensor]:
        """``Memory.write``, always from no state."""
        return memory.write(None, frames, text, backbone)

    def searched(self, segment: int, frames: int, memory: Writer[Any]) -> int:
        """The frames of the segment before that its continuation gets, the anchor apart."""
        return min(self.entry.frames, frames) - 1 if memory.retrieves and segment > 1 else 0

    def keeps_state(self, memory: Writer[Any]) -> bool:
        """Never."""
        return False

    def _continued(self, study: Study, segment: int, anchor_only: bool = False) -> Int[np.ndarray, " K"]:
        """Frame numbers of a continuation's context, the last frame of the segment before first."""
        last, held = first_target(segment, study.segment.frames) - 1, study.segment.frames if segment > 1 else 1
        count = 1 if anchor_only else min(self.entry.frames, held)
        if self.entry.continuation == "uniform":
            return last - held + 1 + continued(held, count)
        stride = study.codec.temporal if self.entry.continuation == "latents" else 1
        return last - np.arange(0, held, stride)[:count]

    def _fixed(self, study: Study, segment: int, anchor_only: bool) -> Int[np.ndarray, " K"]:
        """Frame numbers of a training sample's evidence from a source that draws nothing.

        Of ``replay`` the release's filter leaves the target's last frame, of which it makes K
        (``wan_training_module.py:448-457``, ``:472-476``).
        """
        frames, entry = study.segment.frames, self.entry
        start = first_target(segment, frames)
        if anchor_only or entry.source == "anchor":
            return np.array([start - 1])
        if entry.source == "replay":
            return np.full(entry.frames, start + frames - 1)
        return start - 1 - np.arange(min(entry.frames, frames, start))  # a tail, the newest first

    def _sampled(
        self, segments: Segments, segment: int, part: BatchSlice, noise: torch.Generator
    ) -> Int[np.ndarray, "B K"]:
        """Frame numbers (B, K) drawn from the overlap labels, by generators of the step's own name."""
        frames = segments.study.segment.frames
        draws = torch_generator(noise.initial_seed(), "as released", segment)
        shape = (part.size, 2, segments.poses.shape[1])
        keys = torch.rand(shape, generator=draws, dtype=torch.float64)[part.start : part.stop].numpy()
        labels = [segments.ranking.order[video][segment - 1] for video in segments.videos]
        start = first_target(segment, frames)
        return np.stack([
            sampled(own[own >= 0], start, frames, self.entry.frames, key)
            for own, key in zip(labels, keys, strict=True)
        ])  # fmt: skip


def continued(held: int, count: int) -> Int[np.ndarray, " count"]:
    """Numbers, within a finished segment of ``held`` frames, of the ``count`` that a continuation gets.

    The last one, then the others at even spacing over those before it, the first among them, in order of time (the
    release's ``context_frames_for_next_chunk``).
    """
    if count == 1:
        return np.array([held - 1])
    spaced = np.rint(np.arange(count - 1) * (held - 2) / max(1, count - 2)).astype(np.int64)
    return np.concatenate([[held - 1], spaced])


def sampled(
    labels: Int[np.ndarray, " L"], start: int, frames: int, wanted: int, keys: Float[np.ndarray, "2 F"]
) -> Int[np.ndarray, " K"]:
    """``wanted`` frame numbers: the anchor, and a random sample of those that overlap with the segment's middle frame.

    Frames of the future may be among them. As in the release (``fov_retrieval.py:715``, then the filter of
    ``wan_training_module.py:448-457``): too few labels are filled up with random frames before the middle one; then
    frames of the target are taken out, and copies of the last that is left take their places.

    labels: numbers of the overlapping frames; start: of the segment's first frame; frames: T; keys: random numbers of
    each frame, for the sample and for what fills it up: frames with the smallest are taken.
    """
    anchor, middle = start - 1, start + (frames - 1) // 2
    candidates = labels[labels != anchor]
    picked = candidates[np.argsort(keys[0, candidates], kind="stable")][: wanted - 1]
    before = np.setdiff1d(np.arange(middle), [anchor])
    filled = before[np.argsort(keys[1, before], kind="stable")][: wanted - 1 - len(picked)]
    chosen = np.concatenate([[anchor], picked, filled])
    left = chosen[(chosen < start) | (chosen >= start + frames)]
    return np.concatenate([left, np.full(wanted - len(left), left[-1])])
