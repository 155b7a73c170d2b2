"""Comparisons, case by case: each row against the row ``reference`` and against the reference rows; the probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from echo.io.seeding import generator
from echo.measures.verdict import PROBES, Effect, verdict
from echo.study.references import FAMILY
from echo.study.words import BRANCHES, UNTRAINED
from echo.tables.statistics import holm, paired_difference
from echo.tables.summary import cell

COMPARED = ("psnr", "ssim", "lpips", "judge")
# What the true memory is better by than another scene's, in other measures than dB: columns of probes.csv.xz.
WORTH = {"worth_lpips": "lpips_rise", "worth_judge": "judge_drop", "toward": "toward"}
LEVELS = ("psnr", "lpips")  # measures by which rows are compared with reference rows


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
            values = Values.of(here, measure)
            group = [
                _difference(values, row, reference, branch, measure, resamples, seed)
                for row in rows.to_dict("records")
                if row["row_name"] != reference
            ]
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
            values = Values.of(here, measure)
            lines += [
                _difference(values, row, reference, branch, measure, resamples, seed, tested=False)
                for row in rows[rows["family"] != FAMILY].to_dict("records")
                for reference in references
            ]
    columns = ["row_name", "label", "family", "branch", "measure", "reference", "difference", "low", "high"]
    return pd.DataFrame(lines, columns=[*columns, "cases", "scenes"])


@dataclass(frozen=True)
class Values:
    """One measure on one branch: of each row a value for each training seed and case, NaN where there is none.

    An array for each row instead of a table of cases: pairing two rows is then one subtraction, and there are more than
    a thousand pairs of rows. A row that needs no training stands beside every training seed.

    ``seeds`` (seeds,), sorted; ``scenes`` (cases,): the scene of each case, sorted by the case's name.
    """

    seeds: np.ndarray
    scenes: np.ndarray
    by_row: Mapping[str, Float64[np.ndarray, "seeds cases"]]

    @classmethod
    def of(cls, cases: pd.DataFrame, measure: str) -> Values:
        """From the cases of one branch; columns row_name, train_seed, case, scene and the measure.

        Raises ValueError if a row has a case twice for one training seed.
        """
        cases = cases.dropna(subset=measure)
        again = cases.duplicated(["row_name", "train_seed", "case"])
        if again.any():
            twice = cases[again].iloc[0]
            raise ValueError(f"row {twice['row_name']!r} has case {twice['case']!r} twice for one training seed")
        names, first, case = np.unique(cases["case"].to_numpy(), return_index=True, return_inverse=True)
        of_seed, value = cases["train_seed"].to_numpy(), cases[measure].to_numpy(np.float64)
        trained = of_seed != UNTRAINED
        seeds = np.unique(of_seed[trained]) if trained.any() else np.array([UNTRAINED])
        by_row = {}
        for name, at in cases.groupby("row_name").indices.items():
            by_row[str(name)] = array = np.full((len(seeds), len(names)), np.nan)
            line = np.searchsorted(seeds, of_seed[at]) if trained[at].any() else slice(None)
            array[line, case[at]] = value[at]
        return cls(seeds, cases["scene"].to_numpy()[first], by_row)


def _difference(
    values: Values,
    row: Mapping[str, Any],
    reference: str,
    branch: str,
    measure: str,
    resamples: int,
    seed: int,
    tested: bool = True,
) -> dict[str, Any]:
    """One row of ``differences``; its cells are empty if row and reference share no case.

    ``row``: the row's entry in rows.csv. ``tested``: whether to compute p; a reference row never has one.
    """
    name, tested = row["row_name"], tested and row["family"] != FAMILY
    line = {"row_name": name, "label": row["label"], "family": row["family"], "branch": branch, "measure": measure}
    line |= {"reference": reference, "difference": np.nan, "low": np.nan, "high": np.nan, "p": np.nan, "p_holm": np.nan}
    line |= {"cases": 0, "scenes": 0, "train_seeds": 0}
    if name not in values.by_row or reference not in values.by_row:
        return line
    ours, theirs = values.by_row[name], values.by_row[reference]
    draw = generator(seed, "tables", "difference", branch, measure)
    paired = paired_difference(ours, theirs, values.seeds, values.scenes, resamples, draw, tested)
    line |= {"difference": paired.mean, "low": paired.low, "high": paired.high, "p": paired.p}
    return line | {"cases": paired.cases, "scenes": paired.scenes, "train_seeds": paired.seeds}


def probes_table(
    probes: pd.DataFrame, cases: pd.DataFrame, rows: pd.DataFrame, threshold: float, resamples: int, seed: int
) -> pd.DataFrame:
    """One row per trained row of the study: what each probe does to its returns, what its memory is worth, the verdict.

    Columns: row_name, label, family, remembers; for each probe ``<probe>_value, _low, _high, _cases, _train_seeds`` of
    the change in grey levels of 255, and ``<probe>_drop, _drop_low, _drop_high`` of the dB lost; for each of ``WORTH``
    the same three of what the true memory is better by than another scene's; threshold, verdict.

    dB are on pixels that a given frame shows, where that is known, else on all. Intervals are clustered by the scene
    that cases.csv.xz gives for the case on branch ``recall``.
    """
    scenes = cases[cases["branch"] == "recall"].drop_duplicates("case").set_index("case")["scene"]
    probes = probes[probes["change"].notna()]
    probes = probes.assign(
        scene=probes["case"].map(scenes).fillna(probes["case"]), drop=probes["seen_drop"].fillna(probes["psnr_drop"])
    )
    lines = []
    for row in rows[rows["family"] != FAMILY].to_dict("records"):
        line = {key: row[key] for key in ("row_name", "label", "family", "remembers")}
        own = probes[probes["row_name"] == row["row_name"]]
        for probe in PROBES:
            here = own[own["probe"] == probe]
            cells = cell(here, "change", resamples, seed, "probes", probe)
            line |= {f"{probe}_{key}": cells[key] for key in ("value", "low", "high", "cases", "train_seeds")}
            line |= _with_interval(f"{probe}_drop", cell(here, "drop", resamples, seed, "drops", probe))
        swapped = own[own["probe"] == "swap"]
        for name, column in WORTH.items():
            line |= _with_interval(name, cell(swapped, column, resamples, seed, "worth", name))
        changes = {probe: own.loc[own["probe"] == probe, "change"] for probe in PROBES}
        effect = Effect(line["swap_drop"], line["swap_drop_low"], line["swap_drop_high"])
        found = verdict(row["remembers"], changes, threshold, effect)
        lines.append(line | {"threshold": threshold, "verdict": found.text})
    return pd.DataFrame(lines)


def _with_interval(name: str, cells: dict[str, Any]) -> dict[str, Any]:
    return {name: cells["value"], f"{name}_low": cells["low"], f"{name}_high": cells["high"]}
