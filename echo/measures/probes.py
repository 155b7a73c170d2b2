"""Probes: does the output depend on the memory at all? Two interventions on the state before the last segment.

``erase``: the memory is written from the anchor alone; in streaming, no other frame is ever offered. ``swap``: it is
written from another scene's frames, paired with this case's poses; the anchor is kept. Everything else is unchanged,
including the noise. The return frames of a row that should remember must change, however little; those of a row that
is inert by design must not change in any pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from echo.io.errors import UserError
from echo.measures.images import psnr
from echo.measures.verdict import PROBES, probe_verdict
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.config import Study
from echo.study.profile import Profile
from echo.study.words import first_target


class MemoryProbeError(UserError):
    """A memory that has no effect, or one that has an effect although it should have none."""


class SceneError(UserError):
    """Cases that are all of one scene, so that no scene can be swapped for another."""


def other_scene(scenes: list[str]) -> list[int]:
    """For each case, the position of the next case (cyclically) of another scene.

    Raises SceneError if all cases are of one scene.
    """
    count = len(scenes)
    picks = []
    for i in range(count):
        steps = (k % count for k in range(i + 1, i + count))
        pick = next((k for k in steps if scenes[k] != scenes[i]), None)
        if pick is None:
            raise SceneError(
                f"the swap probe needs cases of at least two scenes, all {count} are of {scenes[0]!r}; raise "
                "evaluate.probe_cases, or the number of rooms"
            )
        picks.append(pick)
    return picks


@torch.no_grad()
def probe(
    sampler: Sampler, batch: CaseBatch, scenes: list[str], decode: Callable[[Tensor], np.ndarray], truth: np.ndarray
) -> pd.DataFrame:
    """A table (probe, case, change, psnr_drop) for recall cases.

    decode: maps a segment's target latents (T', C, H, W) to its last 2 frames (2, H, W, 3) uint8.
    truth: (B, 2, H, W, 3) uint8, the true return view.
    change: mean absolute change of the return frames, in grey levels of 255; psnr_drop: dB lost against the truth.
    """
    last = batch.segments.count
    anchor = first_target(last, sampler.study.segment.frames) - 1
    swapped = batch.latents[other_scene(scenes)]
    swapped[:, anchor] = batch.latents[:, anchor]
    states = {
        "intact": sampler.remember(batch, batch.latents, last),
        "erase": sampler.remember(batch, batch.latents, last, anchor_only=True),
        "swap": sampler.remember(batch, swapped, last),
    }
    shown = {}
    for name, state in states.items():
        latents = sampler.generate(batch, batch.latents, last, state)
        shown[name] = np.stack([decode(case) for case in latents])
    rows = []
    for i, video in enumerate(batch.videos):
        intact = psnr(shown["intact"][i], truth[i]).mean()
        for name in PROBES:
            change = np.abs(shown[name][i].astype(float) - shown["intact"][i]).mean()
            rows.append((name, video, change, intact - psnr(shown[name][i], truth[i]).mean()))
    return pd.DataFrame(rows, columns=["probe", "case", "change", "psnr_drop"])


def verdict(profile: Profile, table: pd.DataFrame, study: Study) -> None:
    """Raise MemoryProbeError, naming the row, if its mean change contradicts its profile."""
    threshold = study.evaluate.probe_threshold
    changes = {str(name): list(here) for name, here in table.groupby("probe").change}
    if not probe_verdict(profile.remembers, changes, threshold).fails:
        return
    if profile.remembers:
        still = ", ".join(f"{name} {value:.3f}" for name, value in table.groupby("probe").change.mean().items())
        raise MemoryProbeError(
            f"{profile.name}: this memory does nothing: the return frames change by {still} grey levels on average, "
            "expected more than 0 under each probe"
        )
    worst = table.loc[table.change.idxmax()]
    raise MemoryProbeError(
        f"{profile.name}: inert by design, yet probe {worst.probe} changes {worst.case} by {worst.change:.4f} grey "
        "levels, expected exactly 0"
    )
