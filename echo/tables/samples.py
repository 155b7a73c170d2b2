"""Pictures of a few cases, for the figures: what each row shows, and the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from echo.io.files import atomic_path
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.words import BRANCHES
from echo.tables.complete import Expected, Run, raise_faults

if TYPE_CHECKING:
    from echo.world.pool import Pool

POOL_SCENES = 5
STRIP = 9  # frames of a strip along the whole trajectory


def branch_sample(
    study: Study, expected: Expected, branch: str, rollouts: Mapping[str, Path], pool: Pool, out: Path
) -> None:
    """Write a few cases of a branch to ``out``: all rows of the first training seed, at a few frames, with the truth.

    Arrays: ``rows`` (R,), ``cases`` (n,), ``frames`` (f,) numbers, ``images`` (R, n, f, H, W, 3) and ``truth``
    (n, f, H, W, 3) uint8. ``rollouts``: the row's folder of rollouts, by row. Raises TableError for a rollout of other
    cases or frames than the study's.
    """
    loaded = {row: _load(folder / f"{branch}.safetensors", Run(row, study.train_seeds[0]), expected, branch)
              for row, folder in rollouts.items()}  # fmt: skip
    cases = spread(expected.cases[branch], BRANCHES[branch].samples)
    generated = list(expected.frames[branch])
    wanted = shown_frames(branch, generated[-1], study.segment.frames)
    truth = np.stack([pool.frames(case, wanted) for case in cases])
    images = np.repeat(truth[None], len(loaded), 0)  # frames that a row was given are shown as they are
    for r, rollout in enumerate(loaded.values()):
        for c, case in enumerate(cases):
            for f, frame in enumerate(wanted):
                if frame in generated:
                    images[r, c, f] = rollout.frames[rollout.cases.index(case), generated.index(frame)]
    _save(out, rows=np.array(list(loaded)), cases=np.array(cases), frames=wanted, images=images, truth=truth)


def pool_sample(pool: Pool, out: Path) -> None:
    """Write the first views of a few scenes of a pool, each with all its identities, to ``out``.

    Arrays: ``images`` (scenes, identities, H, W, 3) uint8, ``labels`` (scenes,), and ``columns`` (identities,) where
    all the scenes have the same ones.
    """
    info: pd.DataFrame = pool.info[pool.info.trajectory == "return_strict"]
    scenes = list(info.room.unique())[:POOL_SCENES]
    videos = [info.index[info.room == scene][np.argsort(info.anchor[info.room == scene])] for scene in scenes]
    images = np.stack([np.stack([pool.frames(video, [0])[0] for video in own]) for own in videos])
    anchors = [list(info.anchor[own]) for own in videos]
    same = {"columns": np.array(anchors[0])} if all(own == anchors[0] for own in anchors) else {}
    _save(out, images=images, labels=np.array(scenes), **same)


def shown_frames(branch: str, last: int, segment: int) -> np.ndarray:
    """Numbers of the frames shown: a strip along the way, or three views.

    Of a return its first, farthest and last one; of a revisit the middle of the way out, which it comes back to, the
    one before the way back, and the last.
    """
    if BRANCHES[branch].returns or BRANCHES[branch].revisits:
        return np.array([segment if BRANCHES[branch].revisits else 0, last - segment, last])
    return np.unique(np.linspace(0, last, STRIP).round().astype(int))


def spread(cases: Sequence[str], count: int) -> list[str]:
    """``count`` cases evenly spread over a branch's list, in which scenes take turns."""
    return [cases[int(i)] for i in np.linspace(0, len(cases) - 1, count + 2).round().astype(int)[1:-1]]


def _load(path: Path, run: Run, expected: Expected, branch: str) -> Rollout:
    rollout = Rollout.load(path)
    if list(rollout.cases) != list(expected.cases[branch]) or list(rollout.index) != list(expected.frames[branch]):
        phrase = f"branch {branch}: its cases or frames are not the study's"
        raise_faults({path: [phrase]}, {path: run})
    return rollout


def _save(path: Path, **arrays: np.ndarray) -> None:
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # pyright: ignore[reportArgumentType] no array is named allow_pickle
