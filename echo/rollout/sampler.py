"""Rollout: segment after segment, the model's own frames becoming its history; or, for recall, the true history.

The noise of a case is a function of the study's seed, the branch and the case: the same for all rows, whatever the
batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from echo.encoding.codec import Codec
from echo.encoding.latents import CacheError
from echo.evidence.clips import Clips
from echo.evidence.segments import Segments
from echo.io.seeding import torch_generator
from echo.io.tensors import NotFiniteError, first_not_finite, require_finite
from echo.memory.bank import WAITING
from echo.memory.base import State, state_size
from echo.model import flow
from echo.model.row import Row
from echo.rollout.guide import Guide, negative_of, text_guided
from echo.rollout.kept import Kept
from echo.study.config import Study
from echo.study.profile import Profile
from echo.study.words import BRANCHES, first_target


@dataclass(frozen=True)
class CaseBatch:
    """Cases of one branch. latents (B, F, C, H, W) of the true frames, text (B, L, text_dim).

    negative: the embedded negative prompt (L, text_dim), where the study guides by text.
    """

    branch: str
    videos: list[str]
    segments: Segments
    latents: Tensor
    text: Tensor
    negative: Tensor | None = None

    @classmethod
    def load(cls, study: Study, branch: str, videos: list[str], clips: Clips, device: torch.device | str) -> CaseBatch:
        """The cases ``videos`` of a split; raises CacheError for one that its latents lack."""
        positions = {video: position for position, video in enumerate(clips.videos)}
        for video in videos:
            if video not in positions:
                raise CacheError(f"branch {branch}: no latents of case {video!r} among {len(positions)} videos")
        picked = clips.pick(study, np.array([positions[video] for video in videos]))
        negative = negative_of(study, clips.texts)
        return cls(branch, videos, picked.segments, picked.latents, picked.text, negative).to(device)

    def to(self, device: torch.device | str) -> CaseBatch:
        """The same cases on a device."""
        negative = None if self.negative is None else self.negative.to(device)
        return replace(self, latents=self.latents.to(device), text=self.text.to(device), negative=negative)

    def take(self, numbers: list[int], device: torch.device | str) -> CaseBatch:
        """Some of the cases, by their positions, on a device."""
        videos = [self.videos[number] for number in numbers]
        segments = Segments(self.segments.study, videos, self.segments.poses[numbers], self.segments.ranking)
        latents, text = self.latents[numbers], self.text[numbers]
        return CaseBatch(self.branch, videos, segments, latents, text, self.negative).to(device)


class Sampler:
    """Rolls out one row."""

    def __init__(
        self,
        study: Study,
        row: Row,
        device: torch.device | str = "cpu",
        codec: Codec | None = None,
        guide: Guide | None = None,
    ) -> None:
        """Move the row to the device; ``guide``: what its flow is guided by.

        ``codec`` is needed where segments are coded as a whole: what was generated becomes history frame by frame, so
        it is decoded and each frame encoded alone.
        """
        if study.codec.temporal > 1 and codec is None:
            raise ValueError(f"codec.temporal = {study.codec.temporal}: a rollout needs the codec")
        self.study, self.row, self.device, self.codec = study, row.to(device).eval(), torch.device(device), codec
        self.guide = guide

    @torch.no_grad()
    def rollout(self, batch: CaseBatch) -> tuple[Tensor, np.ndarray]:
        """Generated target latents (B, S, T', C, H, W) of S segments, and the index (S T,) of their frames.

        Raises NotFiniteError where they are not finite.
        """
        last = batch.segments.count
        if BRANCHES[batch.branch].recall:
            state = self.remember(batch, batch.latents, last)
            generated = self.generate(batch, batch.latents, last, state)[:, None]
            self._require_finite(batch, generated)
            return generated, self._frame_index(last, last)
        latents, state, made = batch.latents.clone(), None, []
        latents[:, 1:] = 0  # only the first frame is given
        for segment in range(1, last + 1):
            state = self._advance(state, batch, latents, segment)
            start = first_target(segment, self.study.segment.frames)
            made.append(self.generate(batch, latents, segment, state))
            self._require_finite(batch, made[-1])
            latents[:, start : start + self.study.segment.frames] = self._as_history(made[-1])
        return torch.stack(made, 1), self._frame_index(1, last)

    def _require_finite(self, batch: CaseBatch, generated: Tensor) -> None:
        case = first_not_finite(dict(zip(batch.videos, generated, strict=True)))
        if case is not None:
            raise NotFiniteError(
                f"{self.row.profile.name}: branch {batch.branch}: the latents generated for {case} are not finite (NaN "
                "or infinite); check train.timestep_shift, train.precision and the trained weights"
            )

    def _precision(self) -> torch.autocast:
        """The precision of training, in rollouts too."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.study.train.precision == "bf16")

    def _advance(
        self, state: State | None, batch: CaseBatch, latents: Tensor, segment: int, anchor_only: bool = False
    ) -> State:
        """The state before ``segment`` from the one before the segment before it: what the policy offers is written."""
        policy, noise = self.row.policy, self._context_noise(batch, segment)
        offered = policy.offer(batch.segments, latents, segment, noise, anchor_only).to(self.device)
        first = policy.first(segment, self.row.memory.carries, anchor_only)
        with self._precision():
            return self.row.write(None if segment == first else state, offered, batch.text)

    def _as_history(self, made: Tensor) -> Tensor:
        """Latents (B, T, C, H, W), each frame's own, of a generated segment (B, T', C, H, W)."""
        if self.codec is None or self.study.codec.temporal == 1:
            return made
        frames = self.codec.decode_segments(made.float())
        return rearrange(self.codec.encode(frames), "(b t) c h w -> b t c h w", b=len(made)).to(made)

    @torch.no_grad()
    def remember(self, batch: CaseBatch, latents: Tensor, last: int, anchor_only: bool = False) -> State:
        """The state before segment ``last``, written from the history in ``latents`` as a rollout would write it.

        ``anchor_only`` erases the memory: it was never handed anything but anchors.
        """
        state = None
        for segment in range(self.row.policy.first(last, self.row.memory.carries, anchor_only), last + 1):
            state = self._advance(state, batch, latents, segment, anchor_only)
        if state is None:
            raise ValueError(f"segments count from 1, got last = {last}")
        return state

    @torch.no_grad()
    def generate(self, batch: CaseBatch, latents: Tensor, segment: int, state: State) -> Tensor:
        """Target latents (B, T', C, H, W) of a segment, from the memory's state and the anchor.

        latents: (B, F, C, H, W) of all frames so far, of which the anchor alone is read.
        """
        empty = latents.new_zeros(len(latents), self.study.target_latents, *latents.shape[2:])
        target = batch.segments.target(empty, segment).to(self.device)
        anchor = batch.segments.anchor(latents, segment, self._context_noise(batch, segment)).to(self.device)
        noise = self._noise(batch, segment, target.latents.shape[1:]).to(self.device)

        def velocity(x: Tensor, t: Tensor, text: Tensor = batch.text) -> Tensor:
            return self.row.backbone(target.with_latents(x), t.to(x), anchor, text, read)

        with self._precision():
            read = self.row.read(state, target, anchor)  # once: it depends on cameras and not on what is sampled
            guided = self.guide.guided(velocity, target, anchor, batch.text) if self.guide else velocity
            scale = self.study.sampler.text_guidance
            if scale > 1:
                if batch.negative is None:
                    raise ValueError(f"sampler.text_guidance = {scale:g}: a batch without the embedded negative prompt")
                negative = batch.negative.expand_as(batch.text)
                guided = text_guided(velocity, partial(velocity, text=negative), scale)
            return flow.sample(guided, noise, self.study.sampler.steps, self.row.timestep_shift)

    @torch.no_grad()
    def counts(self, batch: CaseBatch) -> dict[str, int]:
        """What the row keeps and costs at a batch's last segment: size of one case's state, parameters, frames read."""
        state = self.remember(batch, batch.latents, batch.segments.count)
        last = batch.segments.count
        anchor = batch.segments.anchor(batch.latents, last, self._context_noise(batch, last))
        target = batch.segments.target(batch.latents[:, : self.study.target_latents], last)
        read = self.row.read(state, target.to(self.device), anchor.to(self.device))
        return {
            "state_numbers": state_size(state),
            "parameters": sum(p.numel() for p in self.row.parameters()),
            "memory_parameters": sum(p.numel() for p in self.row.memory.parameters()),
            "frames_read": read.frames.count if read.frames is not None else 0,
        }

    @torch.no_grad()
    def kept(self, batch: CaseBatch) -> list[dict[str, int]]:
        """What the row keeps of one case at each segment of the branch, from 1: ``Kept.record``, by segment.

        Counted along the true history: how much is kept does not depend on what is seen.
        """
        memory, policy, state, found = self.row.memory, self.row.policy, None, []
        frame = batch.latents[0, 0]
        for segment in range(1, batch.segments.count + 1):
            state = self._advance(state, batch, batch.latents, segment)
            searched = policy.searched(segment, self.study.segment.frames, memory)
            kept = Kept.of(segment, state, policy.keeps_state(memory), searched, frame)
            found.append(kept.record())
        return found

    @torch.no_grad()
    def held(self, batch: CaseBatch) -> list[list[int]]:
        """Numbers of the past frames that each case's state holds at the last segment, anchor and waiting ones too.

        Empty for memories that keep no frames. Along the true history: which are kept depends on cameras alone.
        """
        state = self.remember(batch, batch.latents, batch.segments.count)
        numbers = [state[name] for name in ("index", f"{WAITING}index") if name in state]
        if not numbers:
            return [[] for _ in batch.videos]
        return [sorted(set(one.tolist())) for one in torch.cat(numbers, 1)]

    def _noise(self, batch: CaseBatch, segment: int, shape: torch.Size) -> Tensor:
        """Standard normal noise (B, *shape) of a segment's target latents."""
        seed = self.study.seed
        return torch.stack([
            torch.randn(shape, generator=torch_generator(seed, "rollout", batch.branch, video, segment))
            for video in batch.videos
        ])  # fmt: skip

    def _context_noise(self, batch: CaseBatch, segment: int) -> torch.Generator:
        # Named by the first case: context noise is drawn for the batch as a whole.
        return torch_generator(self.study.seed, "context", batch.branch, batch.videos[0], segment)

    def _frame_index(self, first: int, last: int) -> np.ndarray:
        """Frame numbers of the targets of segments ``first`` to ``last``."""
        frames = self.study.segment.frames
        return np.arange(first_target(first, frames), first_target(last + 1, frames))


def load_row(study: Study, profile: Profile, train_seed: int, path: Path) -> Row:
    """A trained row from its checkpoint.

    Raises CheckpointError if it is of another row or another rig, NotFiniteError if its weights are not finite.
    """
    row = Row(study, profile, train_seed)
    row.load(path)
    require_finite(row.state_dict(), str(path), "train it again with lower learning rates")
    return row
