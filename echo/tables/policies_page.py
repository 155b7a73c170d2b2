"""The page of the studies side by side: agreement with the paper, what explains the spread, ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from echo.io.files import atomic_path, write_text
from echo.tables.cells import MISSING, branch_name, literal, markdown_table, with_interval
from echo.tables.policies import (
    Compared,
    agreement_with_paper,
    explained,
    rank_moves,
    rank_table,
    read_compared,
    shared_outcomes,
)
from echo.tables.read import TableError

MEASURES = {"psnr": "PSNR", "lpips": "LPIPS", "judge": "judge"}
FEWEST_STUDIES = 2


def write_policies(tables: Sequence[Path], out: Path, resamples: int, seed: int = 0) -> None:
    """Write the tables of ``echo.tables.policies`` as CSV, and ``policies.md``, to the folder ``out``.

    tables: folders of at least two studies' tables, in the order in which ranks are to move. Raises TableError for
    fewer, for two of one study, and where they have no outcome of the same rows.
    """
    if len(tables) < FEWEST_STUDIES:
        raise TableError(f"policies: {len(tables)} tables, expected those of two studies at least; run another study")
    studies = [read_compared(path) for path in tables]
    names = [study.name for study in studies]
    if len(set(names)) < len(names):
        raise TableError(f"policies: a study given twice: {', '.join(names)}")
    ranks, agreement = rank_table(studies), agreement_with_paper(studies, resamples, seed)
    moves, shares = rank_moves(studies, resamples, seed), explained(studies)
    if ranks.empty:
        raise TableError(f"policies: {', '.join(names)} have no outcome of three rows that all of them measured")
    made = {"ranks": ranks, "paper_agreement": agreement, "moves": moves, "explained": shares}
    for name, table in made.items():
        with atomic_path(out / f"{name}.csv") as temporary:
            table.round(4).to_csv(temporary, index=False)
    write_text(out / "policies.md", page(studies, agreement, moves, shares))


def page(studies: Sequence[Compared], agreement: pd.DataFrame, moves: pd.DataFrame, shares: pd.DataFrame) -> str:
    """As Markdown."""
    outcomes = shared_outcomes(studies)
    pairs = [
        [literal(str(one)), literal(str(other)), str(apart) or "nothing",
         *(with_interval(float(line["value"]), float(line["low"]), float(line["high"]), 2)
           for _, line in here.set_index(["branch", "measure"]).loc[outcomes].iterrows())]
        for (one, other, apart), here in moves.groupby(["one", "other", "differ_in"], sort=False)
    ]  # fmt: skip
    listed = ", ".join(f"{study.policy} (`{study.name}`)" for study in studies)
    lines = [
        [f"{one.policy} (`{one.study}`)", branch_name(str(one.branch)), MEASURES[str(one.measure)],
         with_interval(float(one.value), float(one.low), float(one.high), 2), f"{one.rows}", f"{one.train_seeds}"]
        for one in agreement.itertuples()
    ]  # fmt: skip
    parts = [
        "# Evidence and recipe",
        f"Made by `python -m echo policies` from the tables of {listed}. How ranks move: `ranks.png`, `ranks.csv`.",
        "## Agreement with the paper's published columns",
        "Spearman's rank correlation over rows, with the 95 % interval of a bootstrap over rooms (and trainings).",
        markdown_table(["study", "branch", "measure", "rank correlation", "rows", "trainings"], lines),
        "## How far ranks move from one study to another",
        "Rank correlation between two studies' rows, with an interval as above; 1: no row changes its place. Pairs "
        "that differ in the fewest factors first: where one alone differs, what moves is its work. Clipping goes with "
        "the loss weight.",
        markdown_table(["study", "and", "differ in", *(_outcome(*one) for one in outcomes)], pairs),
        "## What explains the spread between rows",
        "Of the variance of all studies' rows: R² of a linear model with a factor's levels alone, and what R² loses "
        "where it is taken out of the model with all factors: nothing, for factors that change together.",
    ]
    for (branch, measure), here in shares.groupby(["branch", "measure"], sort=False):
        cells = [
            [str(one.factor), f"{one.levels}", f"{one.alone:.2f}", f"{one.beyond:.2f}",
             literal(str(one.not_told_from)) or MISSING]
            for one in here.itertuples()
        ]  # fmt: skip
        parts.append(f"{_outcome(str(branch), str(measure))}:")
        parts.append(markdown_table(["factor", "levels", "alone", "beyond the others", "not told apart from"], cells))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _outcome(branch: str, measure: str) -> str:
    return f"{branch_name(branch)}, {MEASURES[measure]}"
