"""Comparisons, case by case: each row against the row ``reference`` and against the reference rows; the probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from echo.io.seeding import generator
from echo.measures.verdict import PROBES, probe_verdict
from echo.study.references import FAMILY
from echo.study.words import BRANCHES, UNTRAINED
from echo.tables.statistics import holm, paired_difference
from echo.tables.summary import cell

COMPARED = ("psnr", "ssim", "lpips", "judge")
LEVELS = ("psnr", "lpips")  # measures by which rows are compared with reference rows
KEYS = ["train_seed", "case"]  # columns that pair two rows' cases of one branch
PAIRED = ["row_name", "branch", "scene", *KEYS]


def differences(cases: pd.DataFrame, rows: pd.DataFrame, reference: str, resamples: int, seed: int) -> pd.DataFrame:
    """Row minus reference, paired by training seed and case, for each branch and measure (LPIPS: negative is better).

    Columns: row_name, label, family, branch, measure, reference, difference, low, high, p, p_holm, cases, scenes,
    train_seeds. Holm's correction covers the rows compared on one branch by one measure. A row that was not run on a
    branch has empty cells; a measure that no row has on a branch is left out. Reference rows, which need no training,
    have differences and intervals but are not tested: their p is empty.
    """
    lines = []
    for branch in BRANCHES:
        for measure in COMPARED:
            here = cases[cases["branch"] == branch]
            if measure not in here or here[measure].notna().sum() == 0:
                continue
            by_row = _by_row(here, measure)
            group = [
                _difference(by_row, row, reference, branch, measure, resamples, seed)
                for row in rows.to_dict("records")
                if row["row_name"] != reference
            ]
            for line in group:
                line["p"] = np.nan if line["family"] == FAMILY else line["p"]
            measured = [line for line in group if np.isfinite(line["p"])]
            for line, p in zip(measured, holm([line["p"] for line in measured]), strict=True):
                line["p_holm"] = p
            lines += group
    columns = ["row_name", "label", "family", "branch", "measure", "reference", "difference", "low", "high"]
    return pd.DataFrame(lines, columns=[*columns, "p", "p_holm", "cases", "scenes", "train_seeds"])


def against_references(cases: pd.DataFrame, rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Each trained row minus each reference row, paired by case, for each branch, in PSNR and LPIPS.

    Columns: row_name, label, family, branch, measure, reference, difference, low, high, cases, scenes. A reference row
    needs no training: it is paired with each training seed of a row. Cells are empty if either was not measured.
    """
    lines = []
    references = rows[rows["family"] == FAMILY]["row_name"]
    for branch in BRANCHES:
        here = cases[cases["branch"] == branch]
        for measure in LEVELS:
            if measure not in here or here[measure].notna().sum() == 0:
                continue
            by_row = _by_row(here, measure)
            lines += [
                _difference(by_row, row, reference, branch, measure, resamples, seed)
                for row in rows[rows["family"] != FAMILY].to_dict("records")
                for reference in references
            ]
    columns = ["row_name", "label", "family", "branch", "measure", "reference", "difference", "low", "high"]
    return pd.DataFrame(lines, columns=[*columns, "cases", "scenes"])


def _by_row(cases: pd.DataFrame, measure: str) -> dict[str, pd.DataFrame]:
    """The cases of each row that have a value of ``measure``."""
    return dict(list(cases[[*PAIRED, measure]].dropna(subset=measure).groupby("row_name")))


def _beside(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """``ours``; if it is a reference row, repeated for each training seed of ``theirs``."""
    if not (ours["train_seed"] == UNTRAINED).all():
        return ours
    seeds = theirs["train_seed"].unique()
    return pd.concat([ours.assign(train_seed=seed) for seed in seeds], ignore_index=True)


def _difference(
    by_row: Mapping[str, pd.DataFrame],
    row: Mapping[str, Any],
    reference: str,
    branch: str,
    measure: str,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """One row of ``differences``; its cells are empty if row and reference share no case.

    ``by_row``: the measured cases of each row. ``row``: the row's entry in rows.csv.
    """
    name = row["row_name"]
    line = {"row_name": name, "label": row["label"], "family": row["family"], "branch": branch, "measure": measure}
    line |= {"reference": reference, "difference": np.nan, "low": np.nan, "high": np.nan, "p": np.nan, "p_holm": np.nan}
    line |= {"cases": 0, "scenes": 0, "train_seeds": 0}
    if name not in by_row or reference not in by_row:
        return line
    ours, theirs = _beside(by_row[name], by_row[reference]), _beside(by_row[reference], by_row[name])
    shared = pd.MultiIndex.from_frame(ours[KEYS]).isin(pd.MultiIndex.from_frame(theirs[KEYS]))
    if shared.any():
        line |= {"cases": ours.loc[shared, "case"].nunique(), "scenes": ours.loc[shared, "scene"].nunique()}
        draw = generator(seed, "tables", "difference", branch, measure)
        both = pd.concat([ours, theirs])
        paired = paired_difference(both, name, reference, measure, resamples=resamples, generator=draw)
        line |= {"difference": paired.mean, "low": paired.low, "high": paired.high, "p": paired.p}
        line["train_seeds"] = paired.seeds
    return line


def probes_table(
    probes: pd.DataFrame, cases: pd.DataFrame, rows: pd.DataFrame, threshold: float, resamples: int, seed: int
) -> pd.DataFrame:
    """One row per trained row of the study: what each probe changes, and the verdict.

    Columns: row_name, label, family, remembers, then value, low, high, cases, train_seeds of each probe, threshold,
    verdict.

    The change is the mean absolute change of the return frames in grey levels of 255; its interval is clustered by
    the scene that cases.csv.gz gives for the case on branch ``recall``.
    """
    scenes = cases[cases["branch"] == "recall"].drop_duplicates("case").set_index("case")["scene"]
    probes = probes[probes["change"].notna()]
    probes = probes.assign(scene=probes["case"].map(scenes).fillna(probes["case"]))
    lines = []
    for row in rows[rows["family"] != FAMILY].to_dict("records"):
        line = {key: row[key] for key in ("row_name", "label", "family", "remembers")}
        changes = {}
        for probe in PROBES:
            here = probes[(probes["row_name"] == row["row_name"]) & (probes["probe"] == probe)]
            changes[probe] = here["change"]
            cells = cell(here, "change", resamples, seed, "probes", probe)
            line |= {f"{probe}_{key}": cells[key] for key in ("value", "low", "high", "cases", "train_seeds")}
        line |= {"threshold": threshold, "verdict": probe_verdict(row["remembers"], changes, threshold).text}
        lines.append(line)
    return pd.DataFrame(lines)
