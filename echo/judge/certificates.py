"""What a memory is worth: quality of the return with the true memory, less that with a changed one, case by case.

The *memory effect* is the loss under ``swap``: everything is the same but for whose history the memory was written
from. On pixels that a given frame shows (``echo.measures.seen``), since memory is about those. ``toward`` says whether
the swapped memory is read as a memory: the output moves toward the other scene's return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from echo.judge.base import Judge, judge_many, returned_case
from echo.judge.rubric import overall
from echo.measures.cases import CEILING, Metric
from echo.measures.images import psnr
from echo.measures.probed import Probed, other_scene
from echo.measures.seen import SeenBranch, psnr_inside
from echo.measures.verdict import PROBES
from echo.study.words import RETURN_FRAMES

if TYPE_CHECKING:
    from echo.world.pool import Pool

JUDGED = ("intact", "swap")
COLUMNS = ("probe", "case", "change", "psnr_drop", "seen_drop", "lpips_rise", "judge_drop", "toward")


def certificates(
    probed: Probed,
    scenes: Sequence[str],
    pool: Pool,
    lpips: Metric,
    judge: Judge,
    masks: SeenBranch | None,
    depth: bool = False,
) -> pd.DataFrame:
    """A line (``COLUMNS``) for each probe and case.

    change: mean absolute change of the return frames, in grey levels of 255. psnr_drop, seen_drop: dB lost against the
    truth, on all pixels and on those that a given frame shows (NaN without ``masks``). lpips_rise: LPIPS gained.
    judge_drop: points of 100 lost, under ``swap`` alone; NaN where the judge gave no score. toward: dB by which the
    frames come nearer to the other scene's return, under ``swap`` alone.

    scenes: of each case; masks: of branch ``recall``, whose first cases these are; depth: whether the pool has any.
    """
    truth = np.stack([pool.frames(case)[-RETURN_FRAMES:] for case in probed.cases])
    of_others = truth[other_scene(list(scenes))]
    frames, changes = probed.frames, probed.changes
    inside = None if masks is None else masks.given[[masks.cases.index(case) for case in probed.cases], -RETURN_FRAMES:]
    decibels = {name: _psnr(shown, truth) for name, shown in frames.items()}
    on_seen = {name: _seen(shown, truth, inside) for name, shown in frames.items()}
    distances = {name: _each(lpips, shown, truth) for name, shown in frames.items()}
    points = _points(probed, pool, judge, depth)
    toward = _psnr(frames["swap"], of_others) - _psnr(frames["intact"], of_others)
    nothing = np.full(len(probed.cases), np.nan)
    parts = []
    for probe in PROBES:
        swapped = probe == "swap"
        parts.append(
            pd.DataFrame(
                {
                    "probe": probe,
                    "case": probed.cases,
                    "change": changes[probe],
                    "psnr_drop": decibels["intact"] - decibels[probe],
                    "seen_drop": on_seen["intact"] - on_seen[probe],
                    "lpips_rise": distances[probe] - distances["intact"],
                    "judge_drop": points["intact"] - points["swap"] if swapped else nothing,
                    "toward": toward if swapped else nothing,
                },
                columns=[*COLUMNS],
            )
        )
    return pd.concat(parts, ignore_index=True)


def _each(metric: Metric, shown: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """A metric of each case, the mean over its frames."""
    flat = (frames.reshape(-1, *frames.shape[2:]) for frames in (shown, truth))
    return metric(*flat).reshape(shown.shape[:2]).mean(1)


def _psnr(shown: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """PSNR of each case in dB, at most ``CEILING``."""
    return _each(lambda a, b: np.minimum(psnr(a, b), CEILING), shown, truth)


def _seen(shown: np.ndarray, truth: np.ndarray, inside: np.ndarray | None) -> np.ndarray:
    """PSNR of each case on the pixels of ``inside``; NaN without them."""
    if inside is None:
        return np.full(len(shown), np.nan)
    error = np.square(shown.astype(np.float64) - truth).mean(-1)
    return np.array([psnr_inside(one, mask) for one, mask in zip(error, inside, strict=True)])


def _points(probed: Probed, pool: Pool, judge: Judge, depth: bool) -> dict[str, np.ndarray]:
    """The judge's points of 100 for each case of each of ``JUDGED``; NaN where a score is missing."""
    intact, changed = JUDGED
    shown = zip(probed.cases, probed.frames[intact], strict=True)
    cases = [returned_case(pool, case, frames, depth) for case, frames in shown]
    cases += [replace(case, last=frames) for case, frames in zip(cases, probed.frames[changed], strict=True)]
    scores = judge_many(judge, cases)
    return dict(zip(JUDGED, np.reshape([overall(one) for one in scores], (len(JUDGED), -1)), strict=True))
