"""Means with intervals: every row x branch x measure, and PSNR along the rollout."""

from __future__ import annotations

import numpy as np
import pandas as pd

from echo.io.seeding import generator
from echo.study.words import BRANCHES
from echo.tables import gate
from echo.tables.paper import PAPER_COLUMNS, paper_number
from echo.tables.statistics import interval

MEASURES = (
    "psnr", "ssim", "lpips", "psnr_seen", "psnr_unseen", "first_psnr", "first_ssim", "first_lpips",
    "sharpness", "appearance", "presence", "view", "scene_score", "judge", *gate.MEASURES,
)  # fmt: skip


def cell(cases: pd.DataFrame, measure: str, resamples: int, seed: int, *names: str | int) -> dict[str, float]:
    """Mean of a measure over cases with its 95 % interval over scenes and seeds; NaN if nothing was measured.

    Returns value, low, high, and the numbers of distinct cases, scenes and training seeds behind them. The resampling
    stream is named by ``names`` alone, so that rows with the same scenes have the same resamples.
    """
    values = cases[measure].to_numpy(np.float64)
    present = ~np.isnan(values)  # arrays: there are thousands of cells, and choosing rows of a table takes milliseconds
    scenes, found, seeds = (cases[name].to_numpy()[present] for name in ("scene", "case", "train_seed"))
    value, low, high = (
        interval(values[present], scenes, resamples, generator(seed, "tables", *names), seeds)
        if present.any()
        else (np.nan, np.nan, np.nan)
    )
    counts = {"cases": len(set(found)), "scenes": len(set(scenes)), "train_seeds": len(set(seeds))}
    return {"value": value, "low": low, "high": high, **counts}


def summary(cases: pd.DataFrame, rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """One row per row of the study, branch and measure, in the order of rows.csv.

    Measures that neither a row of the study nor the paper has on a branch are left out. ``departure_share``,
    ``departed`` and the scores that are gated on it: see ``echo.tables.gate``.
    Columns: row_name, label, family, branch, measure, paper, value, low, high, cases, scenes, train_seeds.
    """
    cases = gate.with_gated(cases)
    cases = cases.reindex(columns=[*cases.columns, *(m for m in MEASURES if m not in cases)])  # absent: not measured
    lines = []
    for branch in BRANCHES:
        here = cases[cases["branch"] == branch]
        by_row = dict(list(here.groupby("row_name")))
        for measure in MEASURES:
            if (branch, measure) not in PAPER_COLUMNS and not here[measure].notna().any():
                continue
            for row in rows.itertuples():
                own, stream = by_row.get(row.row_name, here[:0]), gate.plain(measure)
                number = cell(own, measure, resamples, seed, branch, stream)
                lines.append(
                    {
                        "row_name": row.row_name,
                        "label": row.label,
                        "family": row.family,
                        "branch": branch,
                        "measure": measure,
                        "paper": paper_number(row.row_name, branch, measure),
                        **number,
                    }
                )
    columns = ["row_name", "label", "family", "branch", "measure", "paper"]
    columns += ["value", "low", "high", "cases", "scenes", "train_seeds"]
    return pd.DataFrame(lines, columns=columns)


SHARES = {"given": "seen_given", "past": "seen_past"}  # value of ``frames``: column of cases.csv


def seen_shares(cases: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Per branch, the share of the measured pixels seen before: in frames given to rows, and in the whole past.

    Columns: branch, frames (given or past), value, low, high, cases, scenes. The shares depend on the cases
    alone and are the same for all rows; without depth the table is empty.
    """
    lines = []
    once = cases.drop_duplicates(["branch", "case"])
    for branch in BRANCHES:
        for frames, column in SHARES.items():
            here = once[once["branch"] == branch]
            if column in here and here[column].notna().any():
                number = cell(here, column, resamples, seed, "seen", branch)
                lines.append({"branch": branch, "frames": frames, **number})
    return pd.DataFrame(lines, columns=["branch", "frames", "value", "low", "high", "cases", "scenes"])


def drift(frames: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """PSNR of each generated frame of the rollout, for the branches that have ``drift``.

    Columns: row_name, branch, segment, frame, value, low, high, cases, scenes, train_seeds.
    """
    lines = []
    frames = frames[frames["branch"].isin([branch.name for branch in BRANCHES.values() if branch.drift])]
    keys = ["branch", "row_name", "segment", "frame"]
    for (branch, row, segment, frame), here in frames.groupby(keys, sort=True):
        number = cell(here, "psnr", resamples, seed, "drift", branch)
        lines.append({"row_name": row, "branch": branch, "segment": segment, "frame": frame, **number})
    columns = ["row_name", "branch", "segment", "frame", "value", "low", "high", "cases", "scenes", "train_seeds"]
    return pd.DataFrame(lines, columns=columns)
