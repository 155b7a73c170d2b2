"""Image measures of a row's rollouts, as two tables: one row per generated frame, and one row per case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int, UInt8

from echo.measures import departed, departure, seen
from echo.measures.images import Frames, PerFrame, gradient_energy, psnr, ssim
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.words import BRANCHES, RETURN_FRAMES

if TYPE_CHECKING:
    from echo.world.pool import Pool

CEILING = 100.0  # dB: cap on the PSNR of (nearly) identical frames, so that means stay finite
METRICS = ("psnr", "ssim", "lpips")
# The first columns of both tables: row and training seed of the rollouts, and the case.
CASE = ("row_name", "train_seed", "case", "branch", "split", "scene", "anchor")
FRAME_COLUMNS = (*CASE, "segment", "frame", "psnr")
FIRST = tuple(f"first_{name}" for name in METRICS)
CASE_COLUMNS = (*CASE, *METRICS, *FIRST, *seen.COLUMNS, "sharpness", *departed.COLUMNS)

Metric: TypeAlias = Callable[[Frames, Frames], PerFrame]
Metrics: TypeAlias = dict[str, Metric]


def measure_rollouts(
    study: Study,
    row: str,
    seed: int,
    rollouts: Mapping[str, Path],
    pools: Mapping[str, Pool],
    lpips: Metric,
    masks: Path | None = None,
    ssim: Metric = ssim,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frame table (``FRAME_COLUMNS``) and the case table (``CASE_COLUMNS``) of one row and training seed.

    rollouts: the file of each branch's rollout; pools: by split; masks: the file of seen pixels, if there is depth.
    Frames are read case by case.
    Raises RolloutError if a rollout or the masks do not cover exactly the study's cases.
    """
    tables, found = [], seen.load_seen(masks) if masks else {}
    for branch, path in rollouts.items():
        rollout, pool = Rollout.load(path), pools[BRANCHES[branch].split(study.evaluate.splits)]
        rollout.check(study, branch, pool.info, path)
        own = seen.check_seen(found, branch, rollout.cases, masks) if masks else None
        view = study.world.field_of_view
        tables.append(measure_branch(rollout, branch, study.segment.frames, view, pool, lpips, own, ssim))
    frames, cases = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    for table in (frames, cases):
        table.insert(0, "row_name", row)
        table.insert(1, "train_seed", seed)
    return frames, cases


def measure_branch(
    rollout: Rollout,
    branch: str,
    segment_frames: int,
    field_of_view: float,
    pool: Pool,
    lpips: Metric,
    masks: seen.SeenBranch | None = None,
    ssim: Metric = ssim,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frame table and the case table of one branch, without the columns for row and training seed.

    Each generated frame's PSNR is against the true one. A case's ``psnr, ssim, lpips`` are defined by its branch
    (``Branch.measure``): for a replay, the mean over its frames; for a loop, the mean over mirrored pairs (way out i,
    way back 4T - i) of the model's own frames; for a return, recall or revisit, the final view against the true one.
    ``first_*``: the last frames against the given first frame; NaN if the branch does not end at the first view
    (``Branch.ends_at_first``). ``seen_*`` and ``psnr_*seen``: see ``echo.measures.seen``; NaN without ``masks``.
    ``sharpness``: gradient energy of the generated frames divided by that of the true ones; 1 means equally sharp.
    ``departure`` and what follows from it: see ``echo.measures.departed``; NaN if the branch's camera need not leave.
    """
    metrics: Metrics = {"psnr": _finite_psnr, "ssim": ssim, "lpips": lpips}
    frames, cases = [], []
    for video, generated in zip(rollout.cases, rollout.frames, strict=True):
        truth, info = pool.frames(video), pool.info.loc[video]
        case = {
            "case": video,
            "branch": branch,
            "split": info["split"],
            "scene": info["room"],
            "anchor": info["anchor"],
        }
        own = _own_measures(branch, generated, truth[rollout.index], rollout.index, metrics)
        first = _against_first(branch, generated, truth[0], metrics)
        numbers = {"segment": (rollout.index - 1) // segment_frames + 1, "frame": rollout.index}
        frames.append(pd.DataFrame({**case, **numbers, "psnr": _finite_psnr(generated, truth[rollout.index])}))
        apart = seen.on_seen(masks, branch, video, generated, truth[rollout.index], rollout.index)
        sharpness = _sharpness(generated, truth[rollout.index])
        left = _departure(branch, generated, truth, pool.poses(video), rollout.index, field_of_view)
        cases.append({**case, **own, **first, **apart, "sharpness": sharpness, **left})
    return pd.concat(frames, ignore_index=True), pd.DataFrame(cases)


def _own_measures(
    branch: str, generated: Frames, truth: Frames, index: Int[np.ndarray, " frames"], metrics: Metrics
) -> dict[str, float]:
    """A case's psnr, ssim and lpips as its branch defines them; index: frame numbers in the trajectory.

    SSIM and LPIPS take most of the time that measuring takes, so they are computed of the frames that count alone.
    """
    kind = BRANCHES[branch].measure
    shown, wanted = generated, truth
    if kind == "view":
        shown, wanted = generated[-RETURN_FRAMES:], truth[-RETURN_FRAMES:]
    elif kind == "mirrored":
        last = index[-1]
        out = [position for position, number in enumerate(index) if number < last - number]
        back = [int(np.flatnonzero(index == last - index[position])[0]) for position in out]
        shown, wanted = generated[back], generated[out]
    return {name: metric(shown, wanted).mean() for name, metric in metrics.items()}


def _against_first(
    branch: str, generated: Frames, first: UInt8[np.ndarray, "height width 3"], metrics: Metrics
) -> dict[str, float]:
    """``first_psnr, first_ssim, first_lpips`` of a case: its last frames against the first, or NaN."""
    way = BRANCHES[branch]
    if not way.ends_at_first:
        return dict.fromkeys(FIRST, np.nan)
    back = generated[-RETURN_FRAMES if way.returns else -1 :]
    given = np.repeat(first[None], len(back), 0)
    return {f"first_{name}": metric(back, given).mean() for name, metric in metrics.items()}


def _departure(
    branch: str,
    generated: departure.Generated,
    truth: Frames,
    poses: Float64[np.ndarray, "frames 6"],
    index: Int[np.ndarray, " generated"],
    field_of_view: float,
) -> dict[str, float]:
    """``departed.COLUMNS`` of a case; truth, poses: of the whole trajectory; index: numbers of the generated frames.

    All true frames before the first generated one were given.
    """
    if not departed.departs(branch):
        return dict.fromkeys(departed.COLUMNS, np.nan)
    numbers = np.concatenate([np.arange(index[0]), index])
    return departure.departure(truth[: index[0]], generated, poses[numbers], field_of_view)


def _finite_psnr(a: Frames, b: Frames) -> PerFrame:
    """PSNR, at most ``CEILING``."""
    return np.minimum(psnr(a, b), CEILING)


def _sharpness(generated: Frames, truth: Frames) -> float:
    """Gradient energy of generated frames over that of the true ones; NaN if the true ones have a single colour."""
    true = gradient_energy(truth).sum()
    return float(gradient_energy(generated).sum() / true) if true > 0 else np.nan
