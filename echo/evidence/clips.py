"""Training clips: the latents, poses and text of a split, read batch by batch, so that a split may exceed memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from echo.encoding.latents import Latents
from echo.encoding.text import Texts
from echo.evidence.segments import Ranking, Segments
from echo.study.config import Study


class Picked(NamedTuple):
    """Some clips.

    latents: (B, F, C, H, W); targets: (B, S, T', C, H, W) where segments are coded as a whole; text: (B, L, E).
    """

    segments: Segments
    latents: Tensor
    targets: Tensor | None
    text: Tensor


class ClipSource(Protocol):
    """Where a training draws its clips from."""

    def choose(self, draws: np.random.Generator, step: int, size: int) -> np.ndarray:
        """Numbers (size,) of a step's clips; a function of ``draws`` and ``step`` alone."""
        ...

    def pick(self, study: Study, chosen: np.ndarray) -> Picked:
        """The clips of numbers ``chosen`` (B,)."""
        ...


@dataclass(frozen=True)
class Clips:
    """A split's cache, its captions' embeddings and its evidence."""

    cache: Latents
    texts: Texts
    ranking: Ranking

    @classmethod
    def load(cls, study: Study, latents: Path, text: Path, ranking: Path) -> Clips:
        """The clips of a latent cache."""
        return cls(Latents(latents), Texts(text, study.text), Ranking.load(ranking))

    def verify_share(self, share: int, shares: int) -> None:
        """Verify this process's share of the shards, before any is read (``Latents.verify_share``)."""
        self.cache.verify_share(share, shares)

    @property
    def videos(self) -> list[str]:
        """Names of all clips."""
        return self.cache.videos

    def choose(self, draws: np.random.Generator, step: int, size: int) -> np.ndarray:
        """Numbers (size,) of a step's clips: any, each once where there are as many; ``step`` is not used."""
        count = len(self.videos)
        return draws.choice(count, size, replace=size > count)

    def pick(self, study: Study, chosen: np.ndarray) -> Picked:
        """The clips of numbers ``chosen`` (B,)."""
        names = self.videos
        some = [names[number] for number in chosen]
        segments = Segments(study, some, np.stack([self.cache.poses(name) for name in some]), self.ranking)
        whole = study.codec.temporal > 1
        return Picked(
            segments,
            torch.stack([self.cache.get(name) for name in some]),
            torch.stack([self.cache.targets(name) for name in some]) if whole else None,
            torch.stack([self.texts.of(name) for name in some]),
        )
