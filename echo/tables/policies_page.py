"""The page of the studies side by side: agreement with the paper, what explains the spread, ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from echo.io.files import atomic_path, write_text
from echo.tables.cells import MISSING, branch_name, literal, markdown_table, with_interval
from echo.tables.policies import Compared, agreement_with_paper, explained, rank_table, read_compared
from echo.tables.read import TableError

MEASURES = {"psnr": "PSNR", "lpips": "LPIPS", "judge": "judge"}
FEWEST_STUDIES = 2


def write_policies(tables: Sequence[Path], out: Path, resamples: int, seed: int = 0) -> None:
    """Write ``ranks.csv``, ``paper_agreement.csv``, ``explained.csv`` and ``policies.md`` to the folder ``out``.

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
    shares = explained(studies)
    if ranks.empty:
        raise TableError(f"policies: {', '.join(names)} have no outcome of three rows that all of them measured")
    for name, table in (("ranks", ranks), ("paper_agreement", agreement), ("explained", shares)):
        with atomic_path(out / f"{name}.csv") as temporary:
            table.round(4).to_csv(temporary, index=False)
    write_text(out / "policies.md", page(studies, agreement, shares))


def page(studies: Sequence[Compared], agreement: pd.DataFrame, shares: pd.DataFrame) -> str:
    """As Markdown."""
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
        parts.append(f"{branch_name(str(branch))}, {MEASURES[str(measure)]}:")
        parts.append(markdown_table(["factor", "levels", "alone", "beyond the others", "not told apart from"], cells))
    return "\n\n".join(part.strip() for part in parts) + "\n"
