"""The page of the studies side by side: agreement with the paper, ranks, what one factor changes, what explains it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from echo.io.files import atomic_path, write_text
from echo.tables.cells import MISSING, branch_name, literal, markdown_table, with_interval
from echo.tables.changes import changes
from echo.tables.contrasts import LEVEL
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
SHOWN = "psnr"  # of the changes; the others are in their table
FEWEST_STUDIES = 2


def write_policies(tables: Sequence[Path], out: Path, resamples: int, seed: int = 0) -> None:
    """Write the tables of ``echo.tables.policies`` and ``changes`` as CSV, and ``policies.md``, to the folder ``out``.

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
    changed = changes(studies, resamples, seed)
    made = {"ranks": ranks, "paper_agreement": agreement, "moves": moves, "changes": changed, "explained": shares}
    for name, table in made.items():
        with atomic_path(out / f"{name}.csv") as temporary:
            table.round(4).to_csv(temporary, index=False)
    write_text(out / "policies.md", page(studies, agreement, moves, changed, shares))


def page(
    studies: Sequence[Compared],
    agreement: pd.DataFrame,
    moves: pd.DataFrame,
    changed: pd.DataFrame,
    shares: pd.DataFrame,
) -> str:
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
        *_changes(changed),
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


def _changes(changed: pd.DataFrame) -> list[str]:
    """The section on pairs of studies that differ in one factor, a table for each; no section where there is none."""
    here = changed[changed["measure"] == SHOWN]
    if here.empty:
        return []
    parts = [
        "## What one factor changes in each row",
        "Studies that differ in one factor alone: the change of PSNR in dB, paired by case and training seed, "
        f"with 95 % intervals over rooms (and trainings); bold where p is below {LEVEL:g} after Holm's correction over "
        "the rows of a column. LPIPS and the judge: `changes.csv`. A row that the factor does not touch has exactly 0. "
        "With one training each, a change holds the luck of two trainings, which no interval over rooms covers.",
    ]
    for (one, other, factor), pair in here.groupby(["one", "other", "factor"], sort=False):
        branches, seeds = list(dict.fromkeys(pair["branch"])), pair["train_seeds"].max()
        lines = [
            [literal(str(label)), *(_change(own[own["branch"] == branch]) for branch in branches)]
            for label, own in pair.groupby("label", sort=False)
        ]
        trainings = "one training" if seeds == 1 else f"{seeds} trainings"
        parts.append(f"`{other}` minus `{one}` ({factor}; {trainings} each):")
        parts.append(markdown_table(["row", *(branch_name(branch) for branch in branches)], lines))
    return parts


def _change(cell: pd.DataFrame) -> str:
    """One row on one branch, or ``MISSING``."""
    if cell.empty:
        return MISSING
    found = cell.iloc[0]
    text = with_interval(found["change"], found["low"], found["high"], 2)
    return f"**{text}**" if found["p_holm"] < LEVEL else text


def _outcome(branch: str, measure: str) -> str:
    return f"{branch_name(branch)}, {MEASURES[measure]}"
