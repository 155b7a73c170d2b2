"""The paper's tables (arXiv 2606.09803), and ours beside them.

``reference/paper_tables.csv`` holds the paper's numbers. Its in-domain loop is our ``loop``, and its open-domain score
by a vision-language model corresponds to our judge's score on ``return_45``. Branches that the paper does not have
(``return_strict``, ``recall``) follow with an empty cell for the paper. Rows that the paper does not have come at the
end of their family's table; families that it does not have, at the end of table 1. A row as its authors trained it
stands for the paper's row, and takes its place where the study has it alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from echo.study.profile import AS_RELEASED
from echo.tables.files import PAPER_TABLES

REFERENCE = Path(__file__).parent / "reference" / "paper_tables.csv"
PAPER_COLUMNS = {  # (branch, measure): column of the paper's numbers
    ("replay", "psnr"): "replay_psnr",
    ("replay", "ssim"): "replay_ssim",
    ("replay", "lpips"): "replay_lpips",
    ("loop", "psnr"): "indomain_psnr",
    ("loop", "ssim"): "indomain_ssim",
    ("loop", "lpips"): "indomain_lpips",
    ("return_45", "judge"): "opendomain_vlm",
}
OURS = (("return_45", "psnr"), ("return_strict", "psnr"), ("return_strict", "judge"), ("recall", "psnr"))
NUMBERS = ["value", "low", "high", "cases", "scenes", "train_seeds"]


@cache
def paper() -> pd.DataFrame:
    """The paper's numbers, indexed by row; ``table`` holds the numbers of its tables, separated by semicolons."""
    return pd.read_csv(REFERENCE, dtype={"table": str}).set_index("row_name")


def papers_name(row: str) -> str:
    """The paper's row that a row stands for: ``spatial`` for ``spatial_released``."""
    return row.removesuffix(AS_RELEASED)


def paper_number(row: str, branch: str, measure: str) -> float:
    """The paper's number, or NaN if it has none."""
    column = PAPER_COLUMNS.get((branch, measure))
    if column is None or papers_name(row) not in paper().index:
        return float("nan")
    return float(paper().loc[papers_name(row), column])


def rows_of_table(number: int, rows: pd.DataFrame) -> list[str]:
    """Rows of one of the paper's tables, then the study's own rows in it; table 1 ends with reference rows."""
    family = PAPER_TABLES[number].family
    names = set(rows["row_name"])
    instead = {papers_name(row): row for row in names if row != papers_name(row) and papers_name(row) not in names}
    own = rows[~rows["row_name"].isin([*paper().index, *(instead[row] for row in instead if row in paper().index)])]
    if family is None:
        extra = own[~own["family"].isin([table.family for table in PAPER_TABLES.values() if table.family])]
    else:
        extra = own[own["family"] == family]
    listed = [row for row, tables in paper()["table"].items() if str(number) in tables.split(";")]
    return [instead.get(row, row) for row in listed] + list(extra["row_name"])


def paper_table(number: int, summary: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """One of the paper's tables: one row per row of the study, branch and measure.

    Columns: table, row_name, label, branch, measure, paper, value, low, high, cases, scenes, train_seeds. A row that
    the study did not run keeps the paper's number and has empty cells beside it.
    """
    labels = dict(zip(rows["row_name"], rows["label"], strict=True))
    wanted = [
        {
            "table": number,
            "row_name": row,
            "label": labels[row] if row in labels else paper().loc[row, "variant"],
            "branch": branch,
            "measure": measure,
            "paper": paper_number(row, branch, measure),
        }
        for row in rows_of_table(number, rows)
        for branch, measure in (*PAPER_COLUMNS, *OURS)
    ]
    ours = summary[["row_name", "branch", "measure", *NUMBERS]]
    table = pd.DataFrame(wanted).merge(ours, how="left", on=["row_name", "branch", "measure"])
    counts = ["cases", "scenes", "train_seeds"]
    table[counts] = table[counts].fillna(0).astype(int)
    return table
