"""What is done to a memory before the segment of a return: the history that it is written from is changed.

===============  ====================================================================================================
``erase``        the memory is written from the anchor alone; in streaming, no other frame is ever offered
``swap``         every frame is another scene's, at this case's poses
``shuffle``      the frames, each with its own pose, come in another order
``keep_seen``    frames that did not see the returning view are replaced by the anchor, with the anchor's pose: as if
                 the camera had stood still there
``keep_unseen``  so are the frames that did see it; what is left should be worth as little as nothing
===============  ====================================================================================================

The anchor, which self-attention reads whatever the memory does, is kept in all of them, and so is all noise. Where
evidence is retrieved, the retriever searches the changed history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from echo.evidence.segments import Segments
from echo.io.seeding import generator
from echo.measures.verdict import PROBES
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.words import first_target
from echo.world.camera import overlap

SAW = 0.05  # a frame saw a view if at least this share of the view lies in its image, walls not considered

Poses = Float[np.ndarray, "_ 6"]


def saw(poses: Poses, returned: Poses, field_of_view: float, aspect: float) -> Bool[np.ndarray, " frames"]:
    """Which of the frames at ``poses`` saw any of the views at ``returned``, by the overlap of their fields of view."""
    return overlap(returned, poses, field_of_view, aspect=aspect).max(0) >= SAW


def states(
    sampler: Sampler, batch: CaseBatch, others: torch.Tensor, returned: int
) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """The memory's state before the last segment, one at a time: ``intact``, and after each of ``PROBES``.

    others: for each case, the latents (B, F, C, H, W) of a case of another scene. returned: frames at the end of the
    last segment that show the returning view.
    """
    last = batch.segments.count
    anchor = first_target(last, sampler.study.segment.frames) - 1
    yield "intact", sampler.remember(batch, batch.latents, last)
    for probe in PROBES:
        if probe == "erase":
            yield probe, sampler.remember(batch, batch.latents, last, anchor_only=True)
            continue
        changed = (
            _swapped(batch, others, anchor) if probe == "swap" else _moved(sampler, batch, probe, anchor, returned)
        )
        yield probe, sampler.remember(changed, changed.latents, last)


def _swapped(batch: CaseBatch, others: torch.Tensor, anchor: int) -> CaseBatch:
    """The latents of other cases at this batch's poses; the anchor is kept."""
    latents = others.clone()
    latents[:, anchor] = batch.latents[:, anchor]
    return replace(batch, latents=latents)


def _moved(sampler: Sampler, batch: CaseBatch, probe: str, anchor: int, returned: int) -> CaseBatch:
    """Cases whose frames, with their poses, stand at other places of the history."""
    study, segments = sampler.study, batch.segments
    count = segments.poses.shape[1]
    source = np.stack([
        _source(sampler, probe, video, poses, anchor, returned)
        for video, poses in zip(batch.videos, segments.poses, strict=True)
    ])  # fmt: skip
    source = np.concatenate([source, np.tile(np.arange(anchor, count), (len(source), 1))], 1)
    poses = segments.poses[np.arange(len(source))[:, None], source]
    ranking = sampler.row.policy.rank(study, dict(zip(batch.videos, poses, strict=True)))
    order = torch.from_numpy(source[:, : batch.latents.shape[1]]).to(batch.latents.device)
    clip = torch.arange(len(order), device=order.device)[:, None]
    moved = Segments(study, segments.videos, poses, ranking)
    return replace(batch, segments=moved, latents=batch.latents[clip, order])


def _source(
    sampler: Sampler, probe: str, video: str, poses: Poses, anchor: int, returned: int
) -> Int[np.ndarray, " history"]:
    """For each place of the history before the anchor, the frame that stands there now."""
    history = np.arange(anchor)
    if probe == "shuffle":
        return generator(sampler.study.seed, "probe", probe, video).permutation(anchor)
    world = sampler.study.world
    seen = saw(poses[:anchor], poses[-returned:], world.field_of_view, world.height / world.width)
    return np.where(seen if probe == "keep_seen" else ~seen, history, anchor)
