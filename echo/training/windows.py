"""What the base is trained on: single segments of the base's clips, each with the frame before it.

A window is a trajectory of one segment: frame 0 is the anchor, frames 1 to T are the target, and the evidence is the
anchor alone. So a batch may mix segments of any place in their clips, and only the window is read. Every window is used
once before any is used twice, in another order each time.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from echo.encoding.base_clips import BaseClips
from echo.encoding.text import embed
from echo.evidence.clips import Picked
from echo.evidence.segments import Ranking, Segments
from echo.io.seeding import generator
from echo.study.config import Study
from echo.study.words import segments_of

ANCHOR = np.zeros((1, 1), dtype=np.int64)  # the evidence of a window's only segment: frame 0


class Windows:
    """Windows of ``clips``; number ``clip * segments + segment``, both from 0."""

    def __init__(self, study: Study, clips: BaseClips) -> None:
        """``study``: the ``base_study``. ValueError where the clips are not a whole number of its segments."""
        self.seed, self.clips = study.seed, clips
        self.frames = study.segment.frames
        self.segments = segments_of(clips.poses.shape[1], self.frames)
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)
        self._text: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self.clips) * self.segments

    def choose(self, draws: np.random.Generator, step: int, size: int) -> np.ndarray:
        """Numbers (size,) of a step's windows: the next of this epoch's order; ``draws`` is not used."""
        places = np.arange(step * size, (step + 1) * size)
        return np.array([self._at(*divmod(int(place), len(self))) for place in places])

    def _at(self, epoch: int, place: int) -> int:
        if epoch != self._epoch:
            self._epoch, self._order = epoch, generator(self.seed, "base", "order", epoch).permutation(len(self))
        return int(self._order[place])

    def pick(self, study: Study, chosen: np.ndarray) -> Picked:
        """The windows of numbers ``chosen`` (B,)."""
        names = [f"window_{number}" for number in chosen]
        latents, poses, text = [], [], []
        for number in chosen:
            clip, segment = divmod(int(number), self.segments)
            start, stop = segment * self.frames, (segment + 1) * self.frames + 1
            latents.append(torch.from_numpy(self.clips.latents(clip, start, stop)).float())
            poses.append(self.clips.poses[clip, start:stop])
            text.append(self._embedded(study, self.clips.captions[clip]))
        segments = Segments(study, names, np.stack(poses), Ranking(dict.fromkeys(names, ANCHOR)))
        return Picked(segments, torch.stack(latents), None, torch.stack(text))

    def _embedded(self, study: Study, caption: str) -> Tensor:
        """Text tokens (L, dim) of a caption, padded with zeros to the configured length."""
        if caption not in self._text:
            (tokens,) = embed(study.text, [caption])
            length = 1 if study.text.kind == "none" else study.text.tokens
            self._text[caption] = torch.cat([tokens, tokens.new_zeros(length - len(tokens), tokens.shape[1])])
        return self._text[caption]
