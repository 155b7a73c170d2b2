"""The tables as one markdown page, formatted for reading."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import pandas as pd

from echo.measures.verdict import GATE, PROBES
from echo.study.references import FAMILY, reads_truth
from echo.study.words import BRANCHES
from echo.tables.cells import (
    MISSING,
    branch_name,
    literal,
    markdown_table,
    number,
    row_label,
    verdict_word,
    with_interval,
)
from echo.tables.closure_page import closure_page
from echo.tables.constants import constants_page
from echo.tables.files import PAPER_TABLES
from echo.tables.judges_page import judges_page
from echo.tables.paper import OURS, PAPER_COLUMNS
from echo.tables.read import Inputs

MEASURE_NAMES = {"psnr": "PSNR ↑", "ssim": "SSIM ↑", "lpips": "LPIPS ↓", "judge": "judge ↑"}
ALL_BRANCHES = "all"
DIGITS = {"psnr": 2, "ssim": 3, "lpips": 3, "judge": 1}

HEADER = """# Result tables

Made by the stage `tables`. A cell has our mean and, in brackets, its 95 % interval: a bootstrap over scenes and, if
there are several training seeds, Student's t over trainings (docs/statistics.md: what such an interval covers). The
paper's number, if there is one, is below it in *italics*. The paper's numbers are for a 1.3 B-parameter video model at
352x640, judged by a vision-language model; ours are for this study's model and world (config/README.md), judged by
{judge}. So compare the order of the rows, not the levels. {missing} marks a number that was not measured.

Rows in *italics* are reference rows, which need no training (`echo/rollout/known.py` says what each may use). They are
measured like the others but not tested; a row is worth its cost only if it beats the references that keep no more than
it does.

*Its memory* says in a word whether a row's memory is worth anything to its returns, however little (Probes, below).
"""


def _paper_table(table: pd.DataFrame, references: Collection[str], verdicts: Mapping[str, str]) -> str:
    """A wide table: one row per row of the study, one column per branch and measure; ``references`` in italics.

    ``verdicts``: on each row's memory; one that was not probed has none.
    """
    columns = [key for key in (*PAPER_COLUMNS, *OURS) if _any(table, *key)]
    header = ["Row", "Its memory"] + [f"{branch_name(branch)} {MEASURE_NAMES[measure]}" for branch, measure in columns]
    lines = []
    for row, cells in table.groupby("row_name", sort=False):
        by_column = {(line.branch, line.measure): line for line in cells.itertuples()}
        texts = []
        for branch, measure in columns:
            line, digits = by_column[branch, measure], DIGITS[measure]
            text = with_interval(line.value, line.low, line.high, digits)
            texts.append(text if pd.isna(line.paper) else f"{text}<br>*{line.paper:.{max(digits, 2)}f}*")
        name = literal(cells["label"].iloc[0])
        said = verdict_word(verdicts[str(row)]) if row in verdicts else MISSING
        lines.append([f"*{name}*" if row in references else name, said, *texts])
    return markdown_table(header, lines)


def _any(table: pd.DataFrame, branch: str, measure: str) -> bool:
    here = table[(table["branch"] == branch) & (table["measure"] == measure)]
    return bool(here[["paper", "value"]].notna().any(axis=None))


def _counts(summary: pd.DataFrame) -> str:
    measured = summary[summary["value"].notna()]
    lines = [
        [branch_name(branch), f"{here['cases'].max()}", f"{here['scenes'].max()}", f"{here['train_seeds'].max()}"]
        for branch, here in measured.groupby("branch", sort=False)
    ]
    return markdown_table(["Branch", "cases", "scenes", "training seeds"], lines)


def _differences(table: pd.DataFrame, measure: str) -> str:
    """Differences by one measure: one row per row of the study, one column per branch."""
    here = table[table["measure"] == measure]
    branches = list(dict.fromkeys(here["branch"]))
    lines = []
    for _, group in here.groupby("row_name", sort=False):
        by_branch = {line.branch: line for line in group.itertuples()}
        texts = []
        for branch in branches:
            line = by_branch[branch]
            text = with_interval(line.difference, line.low, line.high, DIGITS[measure])
            texts.append(text if pd.isna(line.p_holm) else f"{text} p={line.p_holm:.2g}")
        lines.append([row_label(group.iloc[0]), *texts])
    return markdown_table(["Row", *(branch_name(branch) for branch in branches)], lines)


def _levels(summary: pd.DataFrame, measure: str) -> str:
    """A measure of all rows and reference rows: one column per branch on which any of them was measured."""
    here = summary[(summary["measure"] == measure) & summary["value"].notna()]
    branches = [branch for branch in BRANCHES if (here["branch"] == branch).any()]
    lines = []
    for _, group in here.groupby("row_name", sort=False):
        by_branch = {line.branch: line for line in group.itertuples()}
        texts = [
            with_interval(line.value, line.low, line.high, DIGITS.get(measure, 2)) if line else MISSING
            for line in map(by_branch.get, branches)
        ]
        lines.append([row_label(group.iloc[0]), *texts])
    return markdown_table(["Row", *map(branch_name, branches)], lines)


def _seen(summary: pd.DataFrame, shares: pd.DataFrame) -> str:
    """Shares of seen pixels by branch, and each row's quality on seen and on never-seen pixels."""
    share = {(line.branch, line.frames): with_interval(100 * line.value, 100 * line.low, 100 * line.high, 1)
             for line in shares.itertuples()}  # fmt: skip
    branches = list(dict.fromkeys(shares["branch"]))
    lines = [[branch_name(branch), share[branch, "given"], share[branch, "past"]] for branch in branches]
    return (
        "Share of the measured pixels whose surface is visible in a given frame (what a row could remember), and in "
        "any earlier frame, in %, from true depth.\n\n"
        + markdown_table(["Branch", "in given frames", "in any earlier frame"], lines)
        + "\n### PSNR on pixels that a given frame shows\n\n" + _levels(summary, "psnr_seen")
        + "\n### PSNR on pixels that no given frame shows\n\n" + _levels(summary, "psnr_unseen")
    )  # fmt: skip


def _against(table: pd.DataFrame, measure: str) -> str:
    """How far each row is from its best reference: one column per branch, the reference named in each cell."""
    rivals = [name for name in table["reference"].unique() if not reads_truth(name)]
    here = table[(table["measure"] == measure) & table["difference"].notna() & table["reference"].isin(rivals)]
    branches = [branch for branch in BRANCHES if (here["branch"] == branch).any()]
    sign = -1 if measure == "lpips" else 1
    lines = []
    for _, group in here.groupby("row_name", sort=False):
        texts = []
        for branch in branches:
            at = group[group["branch"] == branch]
            if at.empty:
                texts.append(MISSING)
                continue
            line = at.loc[(sign * at["difference"]).idxmin()]
            cell = with_interval(line["difference"], line["low"], line["high"], DIGITS[measure])
            texts.append(f"{cell} {line['reference']}")
        lines.append([row_label(group.iloc[0]), *texts])
    return markdown_table(["Row", *map(branch_name, branches)], lines)


def _probes(table: pd.DataFrame) -> str:
    """Change of the return frames, and the verdict."""
    lines = []
    for line in table.to_dict("records"):
        changes = [_spread(line, f"{probe}_value", f"{probe}_low", f"{probe}_high", 2) for probe in GATE]
        lines.append([literal(line["label"]), "yes" if line["remembers"] else "no", *changes, line["verdict"]])
    return markdown_table(["Row", "should remember", "memory erased", "memory swapped", "verdict"], lines)


def _certificates(table: pd.DataFrame) -> str:
    """What is lost, in dB, under each intervention, and what the memory is worth in other measures."""
    columns = {**{f"{probe}_drop": 2 for probe in PROBES}, "worth_lpips": 3, "worth_judge": 1, "toward": 2}
    lines = []
    for line in table.to_dict("records"):
        cells = [_spread(line, name, f"{name}_low", f"{name}_high", digits) for name, digits in columns.items()]
        lines.append([literal(line["label"]), *cells])
    names = ["erased, dB", "swapped, dB", "shuffled, dB", "only what saw the view, dB", "only what did not, dB",
             "swapped, LPIPS", "swapped, judge", "toward the other scene, dB"]  # fmt: skip
    return markdown_table(["Row", *names], lines)


def _spread(line: Mapping[Hashable, Any], value: str, low: str, high: str, digits: int) -> str:
    """A line's value with its interval, by the names of their columns."""
    return with_interval(line[value], line[low], line[high], digits)


def _audit(table: pd.DataFrame, reference: str) -> str:
    """In what trained rows differ from the reference row, beside their memory; what may not differ stands in bold."""
    if table.empty:
        return "No row was trained here: all are released checkpoints.\n"
    text = "From the records of the trainings: what rows share, and where one differs in more than its memory.\n\n"
    lines = []
    for aspect, here in table[~table["may_differ"]].groupby("aspect", sort=False):
        other = here[here["differs"]]
        own = here.loc[here["row_name"] == reference, "value"]
        found = other.groupby(["row_name", "value"], sort=False).size()
        rows = [
            f"**{name}: {literal(str(value))}**" + (f" ({count} trainings)" if count > 1 else "")
            for (name, value), count in found.items()
        ]
        lines.append([str(aspect), literal(str(own.iloc[0])) if len(own) else MISSING, ", ".join(rows) or "none"])
    return text + markdown_table(["aspect", f"`{reference}`", "rows that differ"], lines)


def _costs(rows: pd.DataFrame, timings: pd.DataFrame) -> str:
    train = timings[timings["stage"] == "train"].groupby("row_name")[["seconds", "peak_mb"]].mean()
    lines = []
    for row in rows.itertuples():
        seconds, peak = train.loc[row.row_name] if row.row_name in train.index else (float("nan"), float("nan"))
        kept = MISSING if pd.isna(row.kept_numbers) else f"{int(row.kept_numbers):,}"
        name = f"*{literal(row.label)}*" if row.family == FAMILY else literal(row.label)
        lines.append([name, row.family, kept, number(seconds, 0), number(peak, 0)])
    return markdown_table(["Row", "family", "state size (numbers)", "training seconds", "peak MB"], lines)


def _by_branch(table: pd.DataFrame, rows: pd.DataFrame, digits: int) -> str:
    """A wide table of values with intervals: one row per row of the study, one column per branch."""
    cells = {(line.row_name, line.branch): line for line in table.itertuples()}
    branches = list(dict.fromkeys(table["branch"]))
    lines = []
    for row in rows.itertuples():
        here = [cells.get((row.row_name, branch)) for branch in branches]
        texts = [MISSING if one is None else with_interval(one.value, one.low, one.high, digits) for one in here]
        lines.append([literal(row.label), *texts])
    names = ["All" if branch == ALL_BRANCHES else branch_name(branch) for branch in branches]
    return markdown_table(["Row", *names], lines)


def _realism(table: pd.DataFrame, rows: pd.DataFrame) -> str:
    floors = table.drop_duplicates("branch")
    text = ", ".join(
        f"{'all' if line.branch == ALL_BRANCHES else BRANCHES[str(line.branch)].label} {number(line.floor, 3)}"
        for line in floors.itertuples()
    )
    return f"{_by_branch(table, rows, 3)}\nFloor: {text}.\n"


def _ranks(table: pd.DataFrame) -> str:
    lines = [
        [
            f"{branch_name(line.branch)} {MEASURE_NAMES[line.measure]}",
            f"{line.rows}",
            with_interval(line.value, line.low, line.high, 2),
            MISSING if pd.isna(line.paper) else f"{number(line.paper, 2)} ({line.paper_rows} rows)",
        ]
        for line in table.itertuples()
    ]
    return markdown_table(["Return", "rows", "rank correlation with replay PSNR", "paper"], lines)


def _seeds(summary: pd.DataFrame) -> str:
    """A sentence for the page if the intervals rest on one training seed."""
    if summary["train_seeds"].max() > 1:
        return ""
    return (
        "All numbers are from one training seed: the intervals are over scenes and say nothing about other trainings.\n"
    )


def render(frames: dict[str, pd.DataFrame], inputs: Inputs, reference: str) -> str:
    """The page. ``frames``: file name to table, as ``build_tables`` writes them; ``inputs``: the gathered files."""
    rows = inputs.rows
    summary = frames["summary.csv"]
    references = set(rows[rows["family"] == FAMILY]["row_name"])
    probed = frames["probes_table.csv"]
    verdicts = dict(zip(probed["row_name"], probed["verdict"], strict=True))
    judges = list(dict.fromkeys(inputs.judgements["judge_name"]))
    judge = f"the judge `{judges[0]}`" if judges else "no judge"
    parts = [HEADER.format(missing=MISSING, judge=judge), _counts(summary), _seeds(summary)]
    for number_in_paper, table in PAPER_TABLES.items():
        name = f"table{number_in_paper}.csv"
        parts.append(f"## Table {number_in_paper}: {table.title}\n\n{_paper_table(frames[name], references, verdicts)}")
        if number_in_paper == 1:
            parts.append(constants_page(frames["table2.csv"]))
    parts.append(judges_page(frames["table3.csv"], frames["agreement.csv"], inputs.judgements, inputs.missing_answers))
    if len(references):
        parts.append("## Rows and references, PSNR\n\n" + _levels(frames["summary.csv"], "psnr"))
        parts.append("## Rows and references, LPIPS\n\n" + _levels(frames["summary.csv"], "lpips"))
        for measure in dict.fromkeys(frames["against_references.csv"]["measure"]):
            parts.append(
                f"## Difference to the best reference, {MEASURE_NAMES[measure]}\n\nPaired by case, with its interval "
                "and the name of the best reference row among those that are not given the truth.\n\n"
                + _against(frames["against_references.csv"], measure)
            )
    if len(frames["seen.csv"]):
        parts.append("## Seen and never-seen pixels\n\n" + _seen(frames["summary.csv"], frames["seen.csv"]))
    parts.extend(filter(None, [closure_page(summary)]))
    compared = frames["differences.csv"]
    for measure in dict.fromkeys(compared["measure"]):
        parts.append(
            f"## Difference to `{reference}`, {MEASURE_NAMES[measure]}\n\n"
            "Paired by case and training seed; p of a permutation test that flips the signs of whole scenes and, with "
            "several training seeds, adds the luck of trainings; Holm-corrected over the rows of a branch.\n\n"
            + _differences(compared, measure)
        )
    parts.append(
        "## Replay against return\n\nRank correlation over rows, with its 95 % interval.\n\n"
        + _ranks(frames["rank_correlation.csv"])
    )
    parts.append(
        "## Realism: kernel distance ↓\n\nBetween generated and true frames, as sets. The floor is the 95th "
        "percentile, over splits, of the distance between true frames of two halves of the scenes.\n\n"
        + _realism(inputs.realism, rows)
    )
    sharpness = summary[summary["measure"] == "sharpness"]
    parts.append(
        "## Sharpness\n\nGradient energy of generated frames over that of the true ones; 1 is as sharp.\n\n"
        + _by_branch(sharpness, rows, 2)
    )
    parts.append(
        "## Probes\n\nMean absolute change of the return frames, in grey levels of 255, when the memory is erased or "
        "swapped for another scene's. A row remembers if its returns are better with its own memory than with a "
        "swapped one.\n\n" + _probes(frames["probes_table.csv"])
    )
    parts.append(
        "## Certificates\n\nWhat the returns lose when the memory is changed: erased; swapped for another scene's; "
        "given the same frames in another order; left only those that saw the returning view, or only those that did "
        "not. PSNR on pixels that a given frame shows, where that is known; positive is lost. Last, by how much a "
        "swapped memory moves the output toward the other scene's return.\n\n"
        + _certificates(frames["probes_table.csv"])
    )
    parts.append("## Audit\n\n" + _audit(inputs.audit, reference))
    parts.append("## Cost\n\n" + _costs(rows, inputs.timings))
    return "\n".join(parts)
