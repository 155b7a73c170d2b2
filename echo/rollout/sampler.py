"""Rollout: segment after segment, the model's own frames becoming its history; or, for recall, the true history.

The noise of a case is a function of the study's seed, the branch and the case: the same for all rows, whatever the
batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from echo.encoding.codec import Codec
from echo.encoding.latents import Latents
from echo.encoding.text import Texts
from echo.evidence.frames import Frames
from echo.evidence.segments import Ranking, Segments
from echo.io.seeding import torch_generator
from echo.memory.base import State, state_size
from echo.model import flow
from echo.model.row import Row
from echo.study.config import Study
from echo.study.words import BRANCHES, first_target


@dataclass(frozen=True)
class Batch:
    """Cases of one branch. latents (B, F, C, H, W) of the true frames, text (B, L, text_dim)."""

    branch: str
    videos: list[str]
    segments: Segments
    latents: Tensor
    text: Tensor

    @classmethod
    def load(
        cls, study: Study, branch: str, videos: list[str], cache: Latents, texts: Texts, ranking: Ranking, device
    ) -> Batch:
        """Cases ``videos`` of a latent cache."""
        poses = np.stack([cache.poses(video) for video in videos])
        latents = torch.stack([cache.get(video) for video in videos])
        text = torch.stack([texts.of(video) for video in videos])
        return cls(branch, videos, Segments(study, videos, poses, ranking), latents.to(device), text.to(device))


class Player:
    """Rolls one row out. ``codec`` is needed where segments are coded as a whole: what was generated becomes history
    frame by frame, so it is decoded and each frame encoded alone."""

    def __init__(self, study: Study, row: Row, device: torch.device | str = "cpu", codec: Codec | None = None):
        if study.codec.temporal > 1 and codec is None:
            raise ValueError(f"codec.temporal = {study.codec.temporal}: a rollout needs the codec")
        self.study, self.row, self.device, self.codec = study, row.to(device).eval(), torch.device(device), codec

    @torch.no_grad()
    def play(self, batch: Batch) -> tuple[Tensor, np.ndarray]:
        """Generated target latents (B, S, T', C, H, W) of S segments, and the numbers (S T,) of the frames they are."""
        segments, last = batch.segments, batch.segments.count
        if BRANCHES[batch.branch].recall:
            state = self.remember(batch, batch.latents, last)
            return self.generate(batch, batch.latents, last, state)[:, None], self._numbers(last, last)
        latents, state, made = batch.latents.clone(), None, []
        latents[:, 1:] = 0  # only the first frame is given
        for number in range(1, last + 1):
            evidence = segments.evidence(latents, number, self._context_noise(batch, number)).to(self.device)
            state = self._write(state, evidence, batch.text)
            start = first_target(number, self.study.segment.frames)
            made.append(self.generate(batch, latents, number, state))
            latents[:, start : start + self.study.segment.frames] = self._as_history(made[-1])
        return torch.stack(made, 1), self._numbers(1, last)

    def _precision(self) -> torch.autocast:
        """The precision of training, in rollouts too."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.study.train.precision == "bf16")

    def _write(self, state: State | None, evidence: Frames, text: Tensor) -> State:
        with self._precision():
            return self.row.write(state, evidence, text)

    def _as_history(self, made: Tensor) -> Tensor:
        """Latents (B, T, C, H, W), each frame's own, of a generated segment (B, T', C, H, W)."""
        if self.study.codec.temporal == 1:
            return made
        frames = self.codec.decode_segments(made.float())
        return self.codec.encode(frames).unflatten(0, (len(made), -1)).to(made)

    @torch.no_grad()
    def remember(self, batch: Batch, latents: Tensor, last: int, anchor_only: bool = False) -> State:
        """The state before segment ``last``, written from the history in ``latents`` as a rollout would write it.

        ``anchor_only`` erases the memory: its writes see each segment's anchor and nothing else.
        """
        state = None
        for number in range(1 if self.row.memory.carries else last, last + 1):
            noise = self._context_noise(batch, number)
            evidence = batch.segments.evidence(latents, number, noise, anchor_only).to(self.device)
            state = self._write(state, evidence, batch.text)
        return state

    @torch.no_grad()
    def generate(self, batch: Batch, latents: Tensor, number: int, state: State) -> Tensor:
        """Target latents (B, T', C, H, W) of segment ``number``, from the memory's state and the anchor in ``latents``
        (B, F, C, H, W)."""
        empty = latents.new_zeros(len(latents), self.study.target_latents, *latents.shape[2:])
        target = batch.segments.target(empty, number).to(self.device)
        anchor = batch.segments.evidence(latents, number, self._context_noise(batch, number), anchor_only=True)
        anchor = anchor.to(self.device)
        noise = self._noise(batch, number, target.latents.shape[1:]).to(self.device)

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            return self.row(target.with_latents(x), t.to(x), anchor, batch.text, state)

        with self._precision():
            return flow.sample(velocity, noise, self.study.sampler.steps, self.study.train.timestep_shift)

    @torch.no_grad()
    def counts(self, batch: Batch) -> dict[str, int]:
        """What the row keeps and costs at a batch's last segment: numbers in one case's state, parameters, frames."""
        state = self.remember(batch, batch.latents, batch.segments.count)
        last = batch.segments.count
        anchor = batch.segments.evidence(batch.latents, last, self._context_noise(batch, last), anchor_only=True)
        target = batch.segments.target(batch.latents[:, : self.study.target_latents], last)
        read = self.row.read(state, target.to(self.device), anchor.to(self.device))
        return {
            "state_numbers": state_size(state),
            "parameters": sum(p.numel() for p in self.row.parameters()),
            "memory_parameters": sum(p.numel() for p in self.row.memory.parameters()),
            "frames_read": read.frames.count if read.frames is not None else 0,
        }

    def _noise(self, batch: Batch, number: int, shape) -> Tensor:
        seed = self.study.seed
        return torch.stack([
            torch.randn(shape, generator=torch_generator(seed, "rollout", batch.branch, video, number))
            for video in batch.videos
        ])  # fmt: skip

    def _context_noise(self, batch: Batch, number: int) -> torch.Generator:
        # Named by the first case: context noise is drawn for the batch as a whole.
        return torch_generator(self.study.seed, "context", batch.branch, batch.videos[0], number)

    def _numbers(self, first: int, last: int) -> np.ndarray:
        frames = self.study.segment.frames
        return np.arange(first_target(first, frames), first_target(last + 1, frames))


def load_row(study: Study, name: str, train_seed: int, path: Path) -> Row:
    """A trained row from its checkpoint; raises CheckpointError if it is another row's or another rig's."""
    row = Row(study, study.profiles[name], train_seed)
    row.load(path)
    return row
