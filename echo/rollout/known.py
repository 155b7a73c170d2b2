"""What a reference row may use of one case, and what a reference row is.

A reference row needs no training: it says what a trained row must beat to be worth its cost. It may use what a row is
given, and nothing that only a row that generates would have:

===========================================  =======================  =================================================
branches                                     given                    drawn
===========================================  =======================  =================================================
with own history (replay, loop, returns)     frame 0                  every later frame, from frame 0 and the poses
with true history (``Branch.recall``)        all frames before the    the last segment
                                             last segment
===========================================  =======================  =================================================

So where the history is a row's own, copying the best given frame is copying the first one. A row's own past is no
reference's to use: frames that were generated from frame 0 hold nothing more about the room than frame 0 does.

A reference row is a module of ``echo/rollout/references`` with

- ``LABEL``: what tables and figures call it;
- ``NEEDS_DEPTH``: whether it needs the true depth of the given frames; recordings have none, and it is left out there;
- ``READS_TRUTH``: whether it is handed the true frames that it is to draw: a ceiling, not a rival;
- ``draw(known, codec)``: the frames at ``known.targets``. What it draws passes through the codec, as every row's output
  does, so that levels compare; modules say where that is not so;
- ``kept(known)``: how many numbers it keeps of what was given, or None where that means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Float32, Float64, UInt8
from torch import Tensor

from echo.encoding.codec import Codec
from echo.encoding.latents import Latents
from echo.study.config import Study
from echo.study.references import MODULE
from echo.study.words import generated_frames, given_frames

if TYPE_CHECKING:
    from echo.world.pool import Pool


@dataclass(frozen=True)
class Known:
    """Given frames of one case with their latents, poses and depth, and the poses to be drawn.

    latents: each frame coded alone, normalised. depth: planar, in metres; None unless it was asked for. truth: the
    frames at ``targets``; None unless the reference reads them. segment: frames of a segment. aspect: height / width.
    """

    frames: UInt8[np.ndarray, "given height width 3"]
    latents: Float[Tensor, "given c h w"]
    poses: Float64[np.ndarray, "given 6"]
    depth: Float32[np.ndarray, "given height width"] | None
    targets: Float64[np.ndarray, "targets 6"]
    truth: UInt8[np.ndarray, "targets height width 3"] | None
    segment: int
    field_of_view: float
    seed: int

    @property
    def aspect(self) -> float:
        """Height of a frame over its width."""
        return self.frames.shape[1] / self.frames.shape[2]


class Reference(Protocol):
    """A module of ``echo/rollout/references``."""

    LABEL: str
    NEEDS_DEPTH: bool
    READS_TRUTH: bool
    draw: Callable[[Known, Codec], np.ndarray]
    kept: Callable[[Known], int | None]


def load_reference(name: str) -> Reference:
    """The module of a reference row."""
    return cast(Reference, import_module(MODULE.format(name)))


def known_of(study: Study, branch: str, video: str, pool: Pool, latents: Latents, reference: Reference) -> Known:
    """What ``reference`` is handed of one case of a branch."""
    frames = study.segment.frames
    given, drawn = (np.array(some(branch, frames)) for some in (given_frames, generated_frames))
    poses = pool.poses(video)
    return Known(
        pool.frames(video, given),
        latents.get(video)[: len(given)],
        poses[given],
        pool.depth(video)[: len(given)] if reference.NEEDS_DEPTH else None,
        poses[drawn],
        pool.frames(video, drawn) if reference.READS_TRUTH else None,
        frames,
        study.world.field_of_view,
        study.seed,
    )


def decode_chosen(known: Known, chosen: np.ndarray, codec: Codec) -> UInt8[np.ndarray, "targets height width 3"]:
    """Given frames of numbers ``chosen`` (targets,), each decoded from its latent; the same frame is decoded once."""
    which, place = np.unique(chosen, return_inverse=True)
    return codec.decode(known.latents[which]).numpy()[place]


def through_codec(known: Known, frames: np.ndarray, codec: Codec) -> UInt8[np.ndarray, "targets height width 3"]:
    """Frames at ``known.targets`` coded and decoded as a row's targets are: segment by segment."""
    segments = rearrange(torch.from_numpy(np.ascontiguousarray(frames)), "(s t) h w c -> s t h w c", t=known.segment)
    return codec.decode_segments(codec.encode_segments(segments)).numpy()
