"""The part of the page of tables that is about closure, and about the cameras that have to leave first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from echo.measures.departed import departs
from echo.study.words import BRANCHES
from echo.tables.cells import MISSING, branch_name, markdown_table, number, row_label, with_interval
from echo.tables.gate import gated

HEAD = f"""## Closure and departure

Closure is the PSNR of the last frames against the first one; a camera that never leaves has it for nothing. Beside it
stands the closure of the cases that departed alone: {MISSING} if fewer than half did, as it cannot be told then.
`summary.csv` has all return scores so (`gated_`).

"""
DEPARTURE = """
### Departure

Cases that departed, in %, and the share of the true cameras' angle that is covered, in % of it, as followed in the
generated frames alone (docs/branches.md). A case departs if it covers at least half; one that cannot be followed does
not, and is in no share.

"""


def closure_page(summary: pd.DataFrame) -> str:
    """The section in markdown, of summary.csv; nothing where departure was not measured."""
    if not (summary["measure"] == "departed").any():
        return ""
    closure = {"first_psnr": "closure, dB", gated("first_psnr"): "of the departed, dB"}
    ends = [branch for branch in BRANCHES if BRANCHES[branch].ends_at_first]
    left = {"departed": "departed", "departure_share": "angle"}
    return (
        HEAD + _table(summary, ends, closure, lambda line: with_interval(line.value, line.low, line.high, 1))
        + DEPARTURE + _table(summary, filter(departs, BRANCHES), left, lambda line: number(100 * line.value, 0))
    )  # fmt: skip


def _table(summary: pd.DataFrame, branches: Iterable[str], names: Mapping[str, str], text: Callable[[Any], str]) -> str:
    """One row per row of the study, one column per branch and measure of ``names`` that any row has."""
    wanted = [(branch, measure) for branch in branches for measure in names]
    measured = set(summary.loc[summary["value"].notna(), ["branch", "measure"]].itertuples(index=False, name=None))
    columns = [key for key in wanted if key in measured]
    lines = []
    for _, group in summary.groupby("row_name", sort=False):
        cells = {(line.branch, line.measure): line for line in group.itertuples()}
        lines.append([row_label(group.iloc[0]), *(text(cells[key]) if key in cells else MISSING for key in columns)])
    return markdown_table(["Row", *(f"{branch_name(branch)}: {names[measure]}" for branch, measure in columns)], lines)
