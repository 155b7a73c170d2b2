"""The tables as one markdown page, formatted to be read."""

from __future__ import annotations

import pandas as pd

from echo.tables.paper import OURS, PAPER_COLUMNS, TABLES

BRANCH_NAMES = {
    "replay": "Replay",
    "loop": "Loop",
    "return_45": "Return 45°",
    "return_strict": "Strict return",
    "recall": "Recall",
}
MEASURE_NAMES = {"psnr": "PSNR ↑", "ssim": "SSIM ↑", "lpips": "LPIPS ↓", "judge": "judge ↑"}
DIGITS = {"psnr": 2, "ssim": 3, "lpips": 3, "judge": 1}
MISSING = "–"

HEADER = """# Result tables

Made by `python -m echo.tables`. A cell is ours: mean and, in brackets, the 95 % interval (bootstrap over scenes). Below
it in *italics* is the paper's number, where it has one. The paper's numbers are of a 1.3 B-parameter video model at
352x640 judged by a vision-language model; ours are of this study's model and world (config/README.md), judged by an
embedded judge. So compare the order of the rows, not the levels. {missing} is a number that was not measured.
"""


def number(value: float, digits: int) -> str:
    """A number or the sign of a missing one; a true minus sign, so that columns line up."""
    return MISSING if pd.isna(value) else f"{value:.{digits}f}".replace("-", "−")


def with_interval(value: float, low: float, high: float, digits: int) -> str:
    """``12.3 [11.9, 12.8]``."""
    if pd.isna(value):
        return MISSING
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def markdown_table(header: list[str], lines: list[list[str]]) -> str:
    """A markdown table, its first column left-aligned and all others right-aligned."""
    rule = [":--"] + ["--:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines)) + "\n"


def _paper_table(table: pd.DataFrame) -> str:
    """A wide table: a line a row, a column a branch and measure."""
    columns = [key for key in (*PAPER_COLUMNS, *OURS) if _any(table, *key)]
    header = ["Row"] + [f"{BRANCH_NAMES[branch]} {MEASURE_NAMES[measure]}" for branch, measure in columns]
    lines = []
    for _, cells in table.groupby("row", sort=False):
        found = {(line.branch, line.measure): line for line in cells.itertuples()}
        texts = []
        for branch, measure in columns:
            line, digits = found[branch, measure], DIGITS[measure]
            text = with_interval(line.value, line.low, line.high, digits)
            texts.append(text if pd.isna(line.paper) else f"{text}<br>*{line.paper:.{max(digits, 2)}f}*")
        lines.append([cells["label"].iloc[0], *texts])
    return markdown_table(header, lines)


def _any(table: pd.DataFrame, branch: str, measure: str) -> bool:
    here = table[(table["branch"] == branch) & (table["measure"] == measure)]
    return bool(here[["paper", "value"]].notna().any(axis=None))


def _counts(summary: pd.DataFrame) -> str:
    measured = summary[summary["value"].notna()]
    lines = [
        [BRANCH_NAMES[branch], f"{here['cases'].max()}", f"{here['scenes'].max()}", f"{here['train_seeds'].max()}"]
        for branch, here in measured.groupby("branch", sort=False)
    ]
    return markdown_table(["Branch", "cases", "scenes", "training seeds"], lines)


def _differences(table: pd.DataFrame, measure: str) -> str:
    """Differences by one measure: a line a row, a column a branch."""
    here = table[table["measure"] == measure]
    branches = list(dict.fromkeys(here["branch"]))
    lines = []
    for _, group in here.groupby("row", sort=False):
        found = {line.branch: line for line in group.itertuples()}
        texts = []
        for branch in branches:
            line = found[branch]
            text = with_interval(line.difference, line.low, line.high, DIGITS[measure])
            texts.append(text if pd.isna(line.p_holm) else f"{text} p={line.p_holm:.2g}")
        lines.append([group["label"].iloc[0], *texts])
    return markdown_table(["Row", *(BRANCH_NAMES[branch] for branch in branches)], lines)


def _probes(table: pd.DataFrame) -> str:
    lines = [
        [
            line.label,
            "yes" if line.remembers else "no",
            with_interval(line.erase_value, line.erase_low, line.erase_high, 2),
            with_interval(line.swap_value, line.swap_low, line.swap_high, 2),
            line.verdict,
        ]
        for line in table.itertuples()
    ]
    return markdown_table(["Row", "should remember", "memory erased", "memory swapped", "verdict"], lines)


def _costs(rows: pd.DataFrame, timings: pd.DataFrame) -> str:
    train = timings[timings["stage"] == "train"].groupby("row")[["seconds", "peak_mb"]].mean()
    lines = []
    for row in rows.itertuples():
        seconds, peak = train.loc[row.row] if row.row in train.index else (float("nan"), float("nan"))
        kept = MISSING if pd.isna(row.state_numbers) else f"{int(row.state_numbers):,}"
        lines.append([row.label, row.family, kept, number(seconds, 0), number(peak, 0)])
    return markdown_table(["Row", "family", "numbers kept", "training seconds", "peak MB"], lines)


def render(frames: dict[str, pd.DataFrame], rows: pd.DataFrame, timings: pd.DataFrame, reference: str) -> str:
    """The page. frames: file name to table, as ``build_tables`` writes them."""
    parts = [HEADER.format(missing=MISSING), _counts(frames["summary.csv"])]
    for table, (title, _) in TABLES.items():
        parts.append(f"## Table {table}: {title}\n\n{_paper_table(frames[f'table{table}.csv'])}")
    compared = frames["differences.csv"]
    for measure in dict.fromkeys(compared["measure"]):
        parts.append(
            f"## Difference to `{reference}`, {MEASURE_NAMES[measure]}\n\n"
            "Paired by case; p of a sign-flip permutation over scenes, Holm-corrected over the rows of a branch.\n\n"
            + _differences(compared, measure)
        )
    parts.append(
        "## Probes\n\nMean absolute change of the return frames, in grey levels of 255, when the memory is erased or "
        "swapped for another scene's.\n\n" + _probes(frames["probes_table.csv"])
    )
    parts.append("## Cost\n\n" + _costs(rows, timings))
    return "\n".join(parts)
