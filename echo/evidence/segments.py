"""One segment of a trajectory as the model meets it: its evidence, its anchor, its target views.

Training and rollout both come through here, so that context handling cannot differ between them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from echo.evidence.frames import Frames, view
from echo.evidence.retrieval import rank
from echo.io.draws import BatchSlice
from echo.io.tensors import load_tensors, save_tensors
from echo.study.config import Study
from echo.study.words import first_target, segments_of


class Ranking:
    """Evidence of every segment of every video, ranked once and shared by all rows.

    order: video name to (segments, K) frame numbers, -1 where history is shorter than K.
    """

    def __init__(self, order: dict[str, np.ndarray]) -> None:
        self.order = order

    @classmethod
    def of(cls, study: Study, poses: dict[str, np.ndarray]) -> Ranking:
        """Rank all segments of the trajectories ``poses``: video name to (F, 6)."""
        order, frames, world = {}, study.segment.frames, study.world
        aspect = world.height / world.width
        for video, path in poses.items():
            ranks = np.full((segments_of(len(path), frames), study.evidence.frames), -1, dtype=np.int64)
            for number in range(1, len(ranks) + 1):
                start = first_target(number, frames)
                targets = np.arange(start, start + frames)
                best = rank(path, start, targets, study.evidence, world.field_of_view, aspect)
                ranks[number - 1, : len(best)] = best
            order[video] = ranks
        return cls(order)

    def save(self, path: Path) -> None:
        """Write as safetensors, atomically."""
        save_tensors(path, self.order)

    @classmethod
    def load(cls, path: Path) -> Ranking:
        """Read what ``save`` wrote, empty or not; raises TensorFileError for a damaged file."""
        return cls(load_tensors(path, "np"))

    def of_segment(self, videos: list[str], segment: int) -> np.ndarray:
        """Frame numbers (B, K) of one segment's evidence, best first; all videos have the same history."""
        picked = np.stack([self.order[video][segment - 1] for video in videos])
        known = picked[0] >= 0
        return picked[:, known]


class Segments:
    """Frames of a batch of trajectories, segment by segment.

    poses: (B, F, 6). Latents are given to each call, because in a rollout they come to be one segment after another.
    """

    def __init__(self, study: Study, videos: list[str], poses: np.ndarray, ranking: Ranking) -> None:
        self.study, self.videos, self.poses, self.ranking = study, videos, poses, ranking
        self.grid = study.grid

    @property
    def count(self) -> int:
        """Segments in each trajectory."""
        return segments_of(self.poses.shape[1], self.study.segment.frames)

    def target(self, latents: Tensor, segment: int) -> Frames:
        """The segment's own frames, of its target latents (B, T', C, H, W).

        A latent that covers several frames has the camera of the last of them: frames 0, 4, 8, ... of a segment, as
        Wan's autoencoder codes the first frame alone.
        """
        start = first_target(segment, self.study.segment.frames)
        index = np.arange(start, start + self.study.segment.frames, self.study.codec.temporal)
        return self._view(latents, np.tile(index, (len(latents), 1)), start)

    def own(self, latents: Tensor, targets: Tensor | None, segment: int) -> Tensor:
        """Target latents (B, T', C, H, W) of a segment.

        Taken from the frames' own latents (B, F, C, H, W), or from ``targets`` (B, S, T', C, H, W) where segments are
        coded as a whole.
        """
        if targets is not None:
            return targets[:, segment - 1]
        start = first_target(segment, self.study.segment.frames)
        return latents[:, start : start + self.study.segment.frames]

    def evidence(
        self,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        anchor_only: bool = False,
        part: BatchSlice | None = None,
    ) -> Frames:
        """E: the anchor, then retrieved frames by rank, seen from the segment's first target frame.

        ``noise`` draws the context noise, where the study asks for it; ``part``: which samples of a batch these are,
        all of it by default.
        """
        index = self.ranking.of_segment(self.videos, segment)
        index = index[:, :1] if anchor_only else index
        return self.seen(latents, index, first_target(segment, self.study.segment.frames), noise, part)

    def anchor(self, latents: Tensor, segment: int, noise: torch.Generator, part: BatchSlice | None = None) -> Frames:
        """The last frame before a segment, seen from the segment's first target frame; arguments as ``evidence``'s."""
        start = first_target(segment, self.study.segment.frames)
        return self.seen(latents, np.full((len(latents), 1), start - 1), start, noise, part)

    def seen(
        self,
        latents: Tensor,
        index: np.ndarray,
        reference: int,
        noise: torch.Generator,
        part: BatchSlice | None = None,
    ) -> Frames:
        """Frames ``index`` (B, F) of the history in latents (B, F, C, H, W), as a model meets them.

        They are seen from frame ``reference``, with context noise where the study asks for it; ``noise`` and ``part``
        as in ``evidence``.
        """
        clip = torch.arange(len(index), device=latents.device)[:, None]
        frames = self._view(latents[clip, torch.from_numpy(index).to(latents.device)], index, reference)
        level = self.study.train.context_noise
        if not level:
            return frames
        part = part or BatchSlice(len(latents), 0, len(latents))
        drawn = part.normal(frames.latents.shape, noise).to(latents)
        return frames.with_latents((1 - level) * frames.latents + level * drawn)

    def _view(self, latents: Tensor, index: np.ndarray, reference: int) -> Frames:
        """Latents (B, F, C, H, W) of frames ``index`` (B, F), seen from frame ``reference``."""
        return view(latents, self.poses, index, reference, self.grid, self.study.world.field_of_view)
