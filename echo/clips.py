"""Training clips: the latents, poses and text of a split, and the batch of a step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from echo.config import Study
from echo.latents import Latents
from echo.segments import Ranking, Segments


@dataclass(frozen=True)
class Clips:
    """Training clips in memory: latents (n, F, C, H, W), poses (n, F, 6), text (n, L, text_dim)."""

    videos: list[str]
    latents: Tensor
    poses: np.ndarray
    text: Tensor
    ranking: Ranking

    @classmethod
    def load(cls, folder: Path, ranking: Path) -> Clips:
        """All clips of a latent cache."""
        cache = Latents(folder)
        videos = list(cache.videos)
        return cls(
            videos,
            torch.stack([torch.as_tensor(cache.get(v)) for v in videos]),
            np.stack([cache.poses(v) for v in videos]),
            torch.stack([torch.as_tensor(cache.text(v)) for v in videos]),
            Ranking.load(ranking),
        )

    def pick(self, study: Study, chosen: np.ndarray) -> tuple[Segments, Tensor, Tensor]:
        """Segments, latents and text of the clips ``chosen`` (B,)."""
        where = torch.from_numpy(chosen)
        segments = Segments(study, [self.videos[i] for i in chosen], self.poses[chosen], self.ranking)
        return segments, self.latents[where], self.text[where]
