"""The part of the page of tables that is about judges: the paper's Table 3 with ours, and how far each pair agrees."""

from __future__ import annotations

import pandas as pd

from echo.tables.agreement import ALL
from echo.tables.cells import MISSING, branch_name, literal, markdown_table, number, with_interval

ALONE = """This study has one judge, `{judge}`: how far judges agree needs a second one (`evaluate.judges`,
docs/judges.md), and `snakemake judges` makes its scores.
"""
STATISTICS = {"pearson": "Pearson", "spearman": "Spearman", "alpha": "Krippendorff's alpha", "rows": "rank of rows"}


def judges_page(table3: pd.DataFrame, agreement: pd.DataFrame, judgements: pd.DataFrame, missing: pd.DataFrame) -> str:
    """Sections in markdown. ``table3``, ``agreement``: as computed; ``judgements``, ``missing``: as gathered."""
    judges = list(dict.fromkeys(judgements["judge_name"]))
    parts = [
        "## Table 3: Judges\n\nTotals of 100 on the paper's branch, the 45° return: mean and spread over cases of "
        "trained rows, and how far each judge is from the first one. The paper's judges, in *italics*, saw the paper's "
        "videos.\n\n" + _table3(table3)
    ]
    if len(judges) == 1:
        parts.append(ALONE.format(judge=judges[0]))
    if len(agreement):
        parts.append(
            "## Agreement of judges\n\nOn the returns of trained rows that both judges scored; intervals over rooms. "
            "The mean absolute difference is in points of 100 for the total and of 5 for the others. Alpha is ordinal, "
            "of scores to the nearest half point of 5; the rank of rows is Kendall's tau-b of their means.\n\n"
            + "\n".join(_pair(here) for _, here in agreement.groupby(["judge", "other"], sort=False))
        )
    parts.append("## Answers of judges\n\nOf all measured rows, on all returns.\n\n" + _answers(judgements, missing))
    return "\n".join(parts)


def _table3(table: pd.DataFrame) -> str:
    lines = []
    for line in table.to_dict("records"):
        paper = line["source"] == "paper"
        name, against = (literal(str(line[column])) for column in ("judge", "against"))
        difference, pearson = (
            number(line[column], digits)
            if paper
            else with_interval(line[column], line[f"{column}_low"], line[f"{column}_high"], digits)
            for column, digits in (("difference", 1), ("pearson", 2))
        )
        cases = MISSING if pd.isna(line["cases"]) else f"{line['cases']}"
        cells = [number(line["mean"], 1), number(line["std"], 1), against, difference, pearson, cases]
        lines.append([f"*{name}*" if paper else f"`{name}`", *cells])
    header = ["Judge", "mean", "deviation", "against", "mean absolute difference", "Pearson", "cases"]
    return markdown_table(header, lines)


def _pair(table: pd.DataFrame) -> str:
    """The agreement of two judges: one row for each branch and score."""
    judge, other = table["judge"].iloc[0], table["other"].iloc[0]
    lines = []
    for (branch, score), here in table.groupby(["branch", "score"], sort=False):
        by_name = {str(line.statistic): line for line in here.itertuples()}
        digits = {"difference": 1 if score == "total" else 2, **dict.fromkeys(STATISTICS, 2)}
        cells = [(by_name[name], places) for name, places in digits.items()]
        texts = [with_interval(line.value, line.low, line.high, places) for line, places in cells]
        name = "All returns" if branch == ALL else branch_name(str(branch))
        lines.append([f"{name}, {score}", f"{here['pairs'].iloc[0]}", *texts])
    header = ["Branch and score", "cases", "mean absolute difference", *STATISTICS.values()]
    return f"### `{judge}` and `{other}`\n\n{markdown_table(header, lines)}"


def _answers(judgements: pd.DataFrame, missing: pd.DataFrame) -> str:
    """How many cases each judge left without a total, and the reasons that it reported, counted by answers."""
    lines = []
    for judge, own in judgements.groupby("judge_name", sort=False):
        counts = missing[missing["judge_name"] == judge].groupby("reason")["answers"].sum()
        reasons = "; ".join(f"{literal(str(reason))} ({count} answers)" for reason, count in counts.items())
        lines.append([f"`{judge}`", f"{len(own)}", f"{own['score'].isna().sum()}", reasons or MISSING])
    return markdown_table(["Judge", "cases", "without a total", "reported reasons"], lines)
