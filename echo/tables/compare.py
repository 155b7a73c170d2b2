"""Comparisons: each row against the reference row, case by case, and what the probes say of each row's memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from echo.io.seeding import generator
from echo.tables.statistics import holm, paired_difference
from echo.tables.summary import BRANCHES, cell

COMPARED = ("psnr", "ssim", "lpips", "judge")
PROBES = ("erase", "swap")
KEYS = ["train_seed", "case"]  # what pairs two rows' lines of one branch
PAIRED = ["row", "branch", "scene", *KEYS]


def differences(cases: pd.DataFrame, rows: pd.DataFrame, reference: str, resamples: int, seed: int) -> pd.DataFrame:
    """Row minus reference, paired by training seed and case, for each branch and measure (LPIPS: negative is better).

    Columns: row, label, family, branch, measure, reference, difference, low, high, p, p_holm, cases, scenes.
    Holm's correction covers the rows compared on one branch by one measure. A row that was not run on a branch has an
    empty line; a measure that no row has on a branch is left out.
    """
    lines = []
    for branch in BRANCHES:
        for measure in COMPARED:
            here = cases[cases["branch"] == branch]
            if measure not in here or here[measure].notna().sum() == 0:
                continue
            by_row = dict(list(here[[*PAIRED, measure]].dropna(subset=measure).groupby("row")))
            group = [
                _difference(by_row, row, reference, branch, measure, resamples, seed)
                for row in rows.itertuples()
                if row.row != reference
            ]
            measured = [line for line in group if np.isfinite(line["p"])]
            for line, p in zip(measured, holm([line["p"] for line in measured]), strict=True):
                line["p_holm"] = p
            lines += group
    columns = ["row", "label", "family", "branch", "measure", "reference", "difference", "low", "high"]
    return pd.DataFrame(lines, columns=[*columns, "p", "p_holm", "cases", "scenes"])


def _difference(
    by_row: dict[str, pd.DataFrame], row, reference: str, branch: str, measure: str, resamples: int, seed: int
) -> dict:
    """One line of ``differences``; empty where row and reference share no case. by_row: their measured cases."""
    line = {"row": row.row, "label": row.label, "family": row.family, "branch": branch, "measure": measure}
    line |= {"reference": reference, "difference": np.nan, "low": np.nan, "high": np.nan, "p": np.nan, "p_holm": np.nan}
    line |= {"cases": 0, "scenes": 0}
    if row.row not in by_row or reference not in by_row:
        return line
    ours, theirs = by_row[row.row], by_row[reference]
    shared = pd.MultiIndex.from_frame(ours[KEYS]).isin(pd.MultiIndex.from_frame(theirs[KEYS]))
    if shared.any():
        line |= {"cases": ours.loc[shared, "case"].nunique(), "scenes": ours.loc[shared, "scene"].nunique()}
        draw = generator(seed, "tables", "difference", branch, measure)
        both = pd.concat([ours, theirs])
        found = paired_difference(both, row.row, reference, measure, resamples=resamples, generator=draw)
        line |= {"difference": found.mean, "low": found.low, "high": found.high, "p": found.p}
    return line


def verdict(remembers: bool, changes: dict[str, pd.Series], threshold: float) -> str:
    """What the probes say of one row.

    changes: probe to the change of each case, in grey levels of 255. A row that remembers must move on average by
    more than ``threshold`` under every probe: one that moves when erased but not when swapped uses its memory as a
    constant. A row that does not remember must not move at all in any case.
    """
    if not all(len(changes[probe]) for probe in PROBES):
        return "not measured"
    if remembers:
        still = [probe for probe in PROBES if not changes[probe].mean() > threshold]
        return f"FAILS: does not move when memory is {_done(still)}" if still else "moves, as it should"
    moved = [probe for probe in PROBES if changes[probe].max() > 0]
    return f"FAILS: moves when memory is {_done(moved)}" if moved else "inert, as it should be"


def _done(probes: list[str]) -> str:
    return " or ".join({"erase": "erased", "swap": "swapped"}[probe] for probe in probes)


def probes_table(
    probes: pd.DataFrame, cases: pd.DataFrame, rows: pd.DataFrame, threshold: float, resamples: int, seed: int
) -> pd.DataFrame:
    """One line a row: row, label, family, remembers, then value, low, high, cases of each probe, threshold, verdict.

    The change is the mean absolute change of the return frames in grey levels of 255; its interval is clustered by
    the scene that cases.csv gives for the case on branch ``recall``.
    """
    scenes = cases[cases["branch"] == "recall"].drop_duplicates("case").set_index("case")["scene"]
    probes = probes[probes["change"].notna()]
    probes = probes.assign(scene=probes["case"].map(scenes).fillna(probes["case"]))
    lines = []
    for row in rows.itertuples():
        line = {"row": row.row, "label": row.label, "family": row.family, "remembers": row.remembers}
        changes = {}
        for probe in PROBES:
            here = probes[(probes["row"] == row.row) & (probes["probe"] == probe)]
            changes[probe] = here["change"]
            number = cell(here, "change", resamples, seed, "probes", probe)
            line |= {f"{probe}_{key}": number[key] for key in ("value", "low", "high", "cases")}
        line |= {"threshold": threshold, "verdict": verdict(row.remembers, changes, threshold)}
        lines.append(line)
    return pd.DataFrame(lines)
