"""Studies side by side that differ in evidence and recipe: how ranks move, and which factor explains how much.

The paper ranks its rows by numbers that were trained on other evidence, at other shifts, row by row. Four comparisons
of committed tables (``summary.csv``, ``cases.csv.xz``, ``rows.csv``, ``constants.csv``, ``record.json`` of each study):

- ``rank_table``: each row's rank in each study, best first; ``spatial_released`` takes the place of ``spatial``.
- ``agreement_with_paper``: Spearman's rank correlation of a study's rows with the published column, with an interval by
  a bootstrap over rooms (and the luck of trainings, drawn row by row), as in ``echo.tables.rank_correlation``.
- ``rank_moves``: each pair of studies, the factors in which their rows differ, and the rank correlation between the two
  studies' rows. Where one factor alone differs, it is that factor that moves the ranks, or none does.
- ``explained``: of the spread of all cells (study and row), the share that a factor explains: ``alone``, R2 of a linear
  model with that factor's levels and nothing else, and ``beyond``, what R2 loses where the factor is taken out of the
  model with all of them. Factors that change together (the recipe's, in one study) have no share of their own beyond
  the others: ``not_told_from`` names those that a factor cannot be told apart from in these studies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from echo.io.seeding import generator
from echo.study.profile import AS_RELEASED
from echo.study.provenance import read_record
from echo.tables.paper import PAPER_COLUMNS, paper, papers_name
from echo.tables.rank_correlation import FEWEST, HIGHER_IS_BETTER, REFERENCE_FAMILY, spearman
from echo.tables.read import TableError
from echo.tables.resampling import Nested, limits
from echo.tables.side_by_side import READS

# What rows are ranked by: branch and measure, the first that two studies have. The paper's own are among them.
OUTCOMES = (("return_45", "judge"), ("replay", "psnr"), ("loop", "psnr"), ("recall", "psnr"), ("revisit_far", "psnr"))
FACTORS = ("memory", "module", "evidence", "shift", "freeze", "loss weight", "sampling")
RANKS = ["study", "policy", "row", "label", "family", "branch", "measure", "value", "rank"]
AGREEMENT = ["study", "policy", "branch", "measure", "rows", "value", "low", "high", "scenes", "train_seeds"]
MOVES = ["one", "other", "differ_in", "branch", "measure", "rows", "value", "low", "high"]
EXPLAINED = ["branch", "measure", "factor", "levels", "cells", "alone", "beyond", "not_told_from"]


@dataclass(frozen=True)
class Compared:
    """What is read of one study's tables."""

    name: str
    policy: str
    config: dict[str, Any]
    rows: pd.DataFrame
    summary: pd.DataFrame
    constants: pd.DataFrame
    tables: Path

    @cached_property
    def cases(self) -> pd.DataFrame:
        """Its measured cases."""
        return pd.read_csv(self.tables / "cases.csv.xz", dtype={"row_name": str, "branch": str, "scene": str})

    def means(self, branch: str, measure: str) -> pd.Series:
        """The trained rows' means by the paper's name of the row, higher is better."""
        names = self.rows.loc[self.rows["family"] != REFERENCE_FAMILY, "row_name"]
        here = self.summary[(self.summary["branch"] == branch) & (self.summary["measure"] == measure)]
        here = here[here["row_name"].isin(names) & here["value"].notna()]
        values = HIGHER_IS_BETTER[measure] * here["value"].to_numpy(np.float64)
        return pd.Series(values, index=[papers_name(name) for name in here["row_name"]])

    def factors(self, row: str) -> dict[str, str]:
        """The level of each of ``FACTORS`` for a row, by its own name."""
        own = self.constants[self.constants["row_name"] == row].set_index("constant")["value"].astype(str)
        train, sampler = self.config["train"], self.config["sampler"]
        return {
            "memory": papers_name(row),
            "module": "as released" if row.endswith(AS_RELEASED) else "ours",
            "evidence": own.get("evidence", self.policy) if self.policy == "as_released" else self.policy,
            "shift": own.get("timestep_shift", f"{train['timestep_shift']:g}"),
            "freeze": ", ".join(train.get("frozen", [])) or "none",
            "loss weight": train.get("loss_weight", "none"),
            "sampling": f"{sampler['steps']} steps, guidance {sampler.get('text_guidance', 1.0):g}, by a base "
            f"{sampler.get('guidance', 1.0):g}",
        }


def read_compared(tables: Path) -> Compared:
    """Read one study's tables; raises TableError, naming the file, where one is not there or names no policy."""
    for name in READS:
        if not (tables / name).is_file():
            raise TableError(f"{tables / name}: no such file; of each study {', '.join(READS)} are read")
    config = read_record(tables / "record.json").get("config", {})
    if "policy" not in config.get("evidence", {}):
        raise TableError(f"{tables / 'record.json'}: no config.evidence.policy; the stage `tables` writes it")
    rows, summary, constants = (
        pd.read_csv(tables / name) for name in ("rows.csv", "summary.csv", "constants.csv")
    )  # fmt: skip
    return Compared(config["study"], config["evidence"]["policy"], config, rows, summary, constants, tables)


def shared_outcomes(studies: Sequence[Compared]) -> list[tuple[str, str]]:
    """Of ``OUTCOMES`` those that every study has of at least ``FEWEST`` of the same rows."""
    return [outcome for outcome in OUTCOMES if len(_shared_rows(studies, *outcome)) >= FEWEST]


def rank_table(studies: Sequence[Compared]) -> pd.DataFrame:
    """One line (``RANKS``) for each study, shared outcome and row that all studies have; rank 1 is best."""
    lines = []
    for branch, measure in shared_outcomes(studies):
        shared = _shared_rows(studies, branch, measure)
        for study in studies:
            means = study.means(branch, measure)[shared]
            ranks = means.rank(ascending=False)
            about = study.rows.assign(row=study.rows["row_name"].map(papers_name)).set_index("row")
            lines += [
                (study.name, study.policy, row, about.loc[row, "label"], about.loc[row, "family"], branch, measure,
                 HIGHER_IS_BETTER[measure] * means[row], ranks[row])
                for row in shared
            ]  # fmt: skip
    return pd.DataFrame(lines, columns=RANKS)


def agreement_with_paper(studies: Sequence[Compared], resamples: int, seed: int = 0) -> pd.DataFrame:
    """One line (``AGREEMENT``) for each study and published column of which it has ``FEWEST`` rows at least."""
    lines = []
    for study in studies:
        for (branch, measure), column in PAPER_COLUMNS.items():
            if measure not in HIGHER_IS_BETTER:
                continue
            published = HIGHER_IS_BETTER[measure] * paper()[column].dropna()
            means = study.means(branch, measure)
            shared = [row for row in published.index if row in means.index]
            if len(shared) < FEWEST:
                continue
            theirs = published[shared].to_numpy(np.float64)
            value = spearman(means[shared].to_numpy(np.float64)[None], theirs[None])[0]
            interval = _interval(study, branch, measure, shared, theirs, resamples, seed)
            lines.append((study.name, study.policy, branch, measure, len(shared), value, *interval))
    return pd.DataFrame(lines, columns=AGREEMENT)


def rank_moves(studies: Sequence[Compared], resamples: int, seed: int = 0) -> pd.DataFrame:
    """One line (``MOVES``) for each pair of studies and shared outcome; pairs that differ in the fewest factors first.

    The interval is of a bootstrap over each study's rooms (and trainings); studies of as many rooms draw the same ones.
    """
    lines = []
    for one, other in combinations(studies, 2):
        apart = differing(one, other)
        for branch, measure in shared_outcomes(studies):
            shared = _shared_rows([one, other], branch, measure)
            means = [study.means(branch, measure)[shared].to_numpy(np.float64)[None] for study in (one, other)]
            drawn = [_resampled(study, branch, measure, shared, resamples, seed) for study in (one, other)]
            low, high = np.nan, np.nan
            if drawn[0] is not None and drawn[1] is not None:
                low, high = _limits(spearman(drawn[0], drawn[1]))
            key = (one.name, other.name, ", ".join(apart), branch, measure, len(shared))
            lines.append((len(apart), *key, spearman(*means)[0], low, high))
    lines.sort(key=lambda line: line[0])
    return pd.DataFrame([line[1:] for line in lines], columns=MOVES)


def differing(one: Compared, other: Compared) -> list[str]:
    """The factors in which a row of one study differs from the same row of the other; evidence by policy."""
    rows = [{papers_name(name): study.factors(name) for name in study.rows["row_name"]} for study in (one, other)]
    shared = [row for row in rows[0] if row in rows[1]]
    return [
        factor
        for factor in FACTORS
        if (
            one.policy != other.policy
            if factor == "evidence"
            else any(rows[0][r][factor] != rows[1][r][factor] for r in shared)
        )
    ]


def explained(studies: Sequence[Compared]) -> pd.DataFrame:
    """One line (``EXPLAINED``) for each shared outcome and factor that has more than one level in these studies."""
    lines = []
    for branch, measure in shared_outcomes(studies):
        shared = _shared_rows(studies, branch, measure)
        values, levels = [], []
        for study in studies:
            own = {papers_name(name): name for name in study.rows["row_name"]}
            values += [study.means(branch, measure)[row] for row in shared]
            levels += [study.factors(own[row]) for row in shared]
        cells, numbers = pd.DataFrame(levels), np.array(values, dtype=np.float64)
        varied = [factor for factor in FACTORS if cells[factor].nunique() > 1]
        whole = r_squared(cells, varied, numbers)
        for factor in varied:
            others = [other for other in varied if other != factor]
            lines.append((
                branch, measure, factor, cells[factor].nunique(), len(cells), r_squared(cells, [factor], numbers),
                max(0.0, whole - r_squared(cells, others, numbers)), ", ".join(_alike(cells, factor, others)),
            ))  # fmt: skip
    return pd.DataFrame(lines, columns=EXPLAINED)


def r_squared(cells: pd.DataFrame, factors: Iterable[str], values: Float64[np.ndarray, " cells"]) -> float:
    """Share of the values' variance that a least-squares model with these factors' levels explains."""
    columns = [np.ones((len(cells), 1))]
    columns += [pd.get_dummies(cells[factor]).to_numpy(np.float64) for factor in factors]
    design = np.concatenate(columns, 1)
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    total = np.square(values - values.mean()).sum()
    return float(1 - np.square(values - fitted).sum() / total) if total else float("nan")


def _alike(cells: pd.DataFrame, factor: str, others: Iterable[str]) -> list[str]:
    """The other factors that change exactly where this one does."""
    own = pd.factorize(cells[factor])[0]
    return [other for other in others if (pd.factorize(cells[other])[0] == own).all()]


def _shared_rows(studies: Sequence[Compared], branch: str, measure: str) -> list[str]:
    """Rows, by the paper's names, that all studies have measured; in the first one's order."""
    each = [study.means(branch, measure).index for study in studies]
    return [row for row in each[0] if all(row in names for names in each)]


def _interval(
    study: Compared, branch: str, measure: str, rows: list[str], theirs: np.ndarray, resamples: int, seed: int
) -> tuple[float, float, int, int]:
    """Limits of the rank correlation with fixed numbers, and the rooms and training seeds behind it."""
    cases = _cases(study, branch, measure, rows)
    scenes, seeds = (max(len(set(part[name])) for part in cases.values()) for name in ("scene", "train_seed"))
    drawn = _resampled(study, branch, measure, rows, resamples, seed)
    if drawn is None:
        return np.nan, np.nan, scenes, seeds
    return *_limits(spearman(drawn, np.broadcast_to(theirs, drawn.shape))), scenes, seeds


def _cases(study: Compared, branch: str, measure: str, rows: list[str]) -> dict[str, pd.DataFrame]:
    """The measured cases of each row, by the paper's name of it."""
    cases = study.cases[(study.cases["branch"] == branch) & study.cases[measure].notna()]
    cases = cases.assign(row=cases["row_name"].map(papers_name))
    return {row: cases[cases["row"] == row] for row in rows}


def _resampled(
    study: Compared, branch: str, measure: str, rows: list[str], resamples: int, seed: int
) -> Float64[np.ndarray, "resamples rows"] | None:
    """Means of the rows over drawn rooms and trainings, higher is better; None where there are too few rooms."""
    nested = {row: Nested.of(part[measure].to_numpy(np.float64), part["scene"].to_numpy(), part["train_seed"])
              for row, part in _cases(study, branch, measure, rows).items()}  # fmt: skip
    if any(one.counts.shape[1] < 2 for one in nested.values()):
        return None
    drawn = [
        one.resampled(resamples, generator(seed, "tables", "policies", branch),
                      generator(seed, "tables", "policies", "seeds", row))
        for row, one in nested.items()
    ]  # fmt: skip
    return HIGHER_IS_BETTER[measure] * np.stack(drawn, axis=1)


def _limits(found: np.ndarray) -> tuple[float, float]:
    """The interval of drawn correlations, of those that there are."""
    found = found[np.isfinite(found)]
    low, high = limits(found) if found.size else (np.nan, np.nan)
    return float(low), float(high)
