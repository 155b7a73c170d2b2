"""From the rows' own files to the study's tables: frames, cases, probes, rows, timings, pictures for the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from echo.io.files import atomic_path
from echo.measures.cases import Rollout
from echo.study.config import Study
from echo.study.provenance import STAGES, read_record
from echo.world.pool import open_pool

FRAMES = [
    "row",
    "train_seed",
    "branch",
    "split",
    "scene",
    "anchor",
    "case",
    "segment",
    "frame",
    "psnr",
    "ssim",
    "lpips",
]
CASES = ["row", "train_seed", "branch", "split", "scene", "anchor", "case", "psnr", "ssim", "lpips", "first_psnr",
         "first_ssim", "first_lpips", "appearance", "presence", "view", "scene_score", "judge"]  # fmt: skip
PROBES = ["row", "train_seed", "probe", "case", "change", "psnr_drop"]
ROWS = ["row", "family", "label", "remembers", "state_numbers", "parameters", "memory_parameters", "frames_read"]
SAMPLE_CASES = {"replay": 1, "loop": 1, "return_45": 3, "return_strict": 3, "recall": 3}
POOL_SCENES = 5
DECIMALS = 5


def runs(study: Study) -> list[tuple[str, int]]:
    """(row, training seed) pairs of a study."""
    return [(row, seed) for row in study.rows for seed in study.train_seeds]


def gather(study: Study, folder: Path, tables: Path) -> None:
    """Write ``tables`` from the run folder ``folder``; each file atomically."""
    measured = {run: folder / "measures" / f"{run[0]}-{run[1]}" for run in runs(study)}
    frames = _join(measured, lambda path: pd.read_parquet(path / "frames.parquet"))
    cases = _join(measured, lambda path: pd.read_csv(path / "cases.csv"))
    judged = _join(
        {run: folder / "judge" / study.evaluate.judge / f"{run[0]}-{run[1]}.csv" for run in runs(study)}, pd.read_csv
    )
    cases = cases.merge(judged, on=["row", "train_seed", "branch", "case"], how="left", validate="one_to_one")
    probes = _join({run: folder / "probes" / f"{run[0]}-{run[1]}.csv" for run in runs(study)}, pd.read_csv)
    with atomic_path(tables / "frames.parquet") as temporary:
        frames[FRAMES].to_parquet(temporary, index=False)
    for name, table, columns in (("cases", cases, CASES), ("probes", probes, PROBES),
                                 ("rows", _rows(study, folder), ROWS)):  # fmt: skip
        _csv(tables / f"{name}.csv", table[columns])
    _csv(tables / "timings.csv", timings(study, folder))
    for branch in study.evaluate.branches:
        _samples(study, folder, branch, tables / "samples" / f"{branch}.npz")
    _pool_sample(study, folder, tables / "samples" / "pool.npz")


def timings(study: Study, folder: Path) -> pd.DataFrame:
    """stage, row, seconds, peak_mb of every recorded stage, in order of the study's flow."""
    rows = []
    for path in sorted(folder.rglob("*record.json")):
        record = read_record(path)
        rows.append((record["stage"], record["row"] or "", record["seconds"], record["peak_mb"]))
    table = pd.DataFrame(rows, columns=["stage", "row", "seconds", "peak_mb"])
    order = [stage for stage in STAGES if stage != "tables"]
    rank = {name: i for i, name in enumerate([*study.rows, ""])}
    keys = pd.DataFrame({"stage": table.stage.map(order.index), "row": table.row.map(rank)})
    return table.loc[keys.sort_values(["stage", "row"], kind="stable").index]


def _join(files: dict[tuple[str, int], Path], read) -> pd.DataFrame:
    parts = [read(path).assign(row=row, train_seed=seed) for (row, seed), path in files.items()]
    return pd.concat(parts, ignore_index=True)


def _rows(study: Study, folder: Path) -> pd.DataFrame:
    """One line a row: what it is and what it keeps, as its rollout counted it."""
    lines = []
    for row in study.rows:
        record = read_record(folder / "rollout" / f"{row}-{study.train_seeds[0]}" / "record.json")
        profile = study.profiles[row]
        lines.append({"row": row, "family": profile.family, "label": profile.label, "remembers": profile.remembers,
                      **record["counts"]})  # fmt: skip
    return pd.DataFrame(lines)


def _csv(path: Path, table: pd.DataFrame) -> None:
    with atomic_path(path) as temporary:
        table.round(DECIMALS).to_csv(temporary, index=False)


def _samples(study: Study, folder: Path, branch: str, path: Path) -> None:
    """A few cases of a branch, all rows of the first training seed, at a few frames, with the truth."""
    rollouts = {row: Rollout.load(folder / "rollout" / f"{row}-{study.train_seeds[0]}" / f"{branch}.safetensors")
                for row in study.rows}  # fmt: skip
    one = next(iter(rollouts.values()))
    cases = _spread_cases(one.cases, SAMPLE_CASES[branch])
    last, index = int(one.index[-1]), one.index
    wanted = np.unique(np.linspace(0, last, 9).round().astype(int)) if branch in ("replay", "loop") else None
    if wanted is None:
        far = last - study.segment.frames  # the last frame of the way out
        wanted = np.array([0, far, last])
    pool = open_pool(folder / "pool" / ("in_domain" if branch in ("replay", "loop") else "open_domain"))
    truth = np.stack([pool.frames(case, wanted) for case in cases])
    images = np.repeat(truth[None], len(rollouts), 0)  # frames that a row was given are shown as they are
    for r, rollout in enumerate(rollouts.values()):
        for c, case in enumerate(cases):
            for f, frame in enumerate(wanted):
                if frame in index:
                    where = int(np.flatnonzero(index == frame)[0])
                    images[r, c, f] = rollout.frames[rollout.cases.index(case), where]
    _npz(path, rows=np.array(list(rollouts)), cases=np.array(cases), frames=wanted, images=images, truth=truth)


def _spread_cases(cases: list[str], count: int) -> list[str]:
    """Cases evenly spread over a branch's list, which has its scenes take turns."""
    return [cases[i] for i in np.linspace(0, len(cases) - 1, count + 2).round().astype(int)[1:-1]]


def _pool_sample(study: Study, folder: Path, path: Path) -> None:
    """First views of a few open-domain scenes with each of their identities."""
    pool = open_pool(folder / "pool" / "open_domain")
    info = pool.info[pool.info.trajectory == "return_strict"]
    scenes, anchors = list(info.room.unique())[:POOL_SCENES], list(info.anchor.unique())
    images = np.stack([np.stack([pool.frames(info.index[(info.room == s) & (info.anchor == a)][0], [0])[0]
                                 for a in anchors]) for s in scenes])  # fmt: skip
    _npz(path, images=images, labels=np.array(scenes), columns=np.array(anchors))


def _npz(path: Path, **arrays: np.ndarray) -> None:
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)
