"""What follows from a study's tables, in sentences: the end of each notebook, whatever the study.

A sentence says no more than its table does: "beyond chance" is p below 0.05 after Holm's correction, "above" an
interval beyond 0. With one training seed both are over rooms alone, which each text says.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from echo.study.references import FAMILY
from echo.study.words import BRANCHES
from echo.tables.cells import number
from echo.tables.compare import Values
from echo.tables.contrasts import LEVEL
from echo.tables.findings import DIGITS, OUTCOMES, disagree, outcome_name
from echo.tables.results import Results
from echo.tables.statistics import paired_difference

BEST_COPY = "copy_best"  # of past frames; copying solves no far revisit
HARDEST = ("revisit_far", "revisit_near", "return_strict", "recall")  # the first of these that a study has
RESAMPLES = 2000


class Text(str):
    """Markdown that a notebook renders."""

    def _repr_markdown_(self) -> str:
        return str(self)


def answer(results: Results) -> Text:
    """Which rows bring the view back better than no memory, and than a copy."""
    differences = results["differences"]
    branch = hardest(differences)
    here = differences[(differences["branch"] == branch) & (differences["family"] != FAMILY)]
    psnr = here[here["measure"] == "psnr"]
    better = psnr[(psnr["p_holm"] < LEVEL) & (psnr["difference"] > 0)]
    reference = psnr["reference"].iloc[0]
    against = results["against_references"]
    against = against[(against["branch"] == branch) & (against["reference"] == BEST_COPY)]
    above = set(against.query("measure == 'psnr' and low > 0")["row_name"])
    nearer = set(against.query("measure == 'lpips' and high < 0")["row_name"])
    copies = (
        f"Above a copy of the best past frame in PSNR: {_names(psnr, above)}; in LPIPS: {_names(psnr, nearer)}; in "
        f"both: {_names(psnr, above & nearer)}."
        if len(against)
        else "A copy of the best past frame was not measured."
    )
    return _text(
        f"On the {label(branch)} {len(better)} of {len(psnr)} rows are better than `{reference}` beyond chance, in "
        f"PSNR: {_names(psnr, set(better['row_name']))}.",
        copies,
        *_sure(psnr),
    )


def replay_and_return(results: Results) -> Text:
    """Whether rows that replay well return well."""
    ranks = results["rank_correlation"]
    lines = []
    for branch, measure in OUTCOMES:
        line = ranks[(ranks["branch"] == branch) & (ranks["measure"] == measure)].dropna(subset="value")
        if line.empty:
            continue
        one = line.iloc[0]
        spread = "" if pd.isna(one["low"]) else f" ({number(one['low'], 2)} to {number(one['high'], 2)})"
        paper = "" if pd.isna(one["paper"]) else f"; the paper's is {number(one['paper'], 2)}"
        lines.append(
            f"Replay and {outcome_name(branch, measure)}: rank correlation {number(one['value'], 2)}{spread} over "
            f"{one['rows']} rows{paper}. That the two disagree: **{disagree(ranks, branch, measure)}**."
        )
    return _text(*(lines or ["Too few rows were measured for a rank correlation."]))


def length_and_cost(results: Results) -> Text:
    """Which rows cannot be told from the best one, and which of them keeps the fewest numbers."""
    cases, rows = results["cases"], results["rows"]
    trained = rows[rows["family"] != FAMILY].set_index("row_name")
    branch = hardest(cases)
    values = Values.of(cases[cases["branch"] == branch], "psnr")
    means = {row: float(np.nanmean(values.by_row[row])) for row in trained.index if row in values.by_row}
    best = max(means, key=lambda row: means[row])
    level = {best}
    for row in set(means) - {best}:
        draw = np.random.default_rng(0)
        found = paired_difference(values.by_row[best], values.by_row[row], values.seeds, values.scenes, RESAMPLES, draw,
                                  tested=False)  # fmt: skip
        level |= set() if found.low > 0 else {row}
    kept = trained["kept_numbers"]
    least = min(level, key=lambda row: (kept[row], row))
    fewest = f"Of all these {trained.loc[least, 'label']} keeps the fewest numbers, {int(kept[least]):,}."
    if len(level) > 1 and len({kept[row] for row in level}) == 1:
        fewest = "All of them keep as many."
    return _text(
        f"On the {label(branch)} {trained.loc[best, 'label']} is best in PSNR, with {number(means[best], 1)} dB and "
        f"{int(kept[best]):,} numbers kept.",
        f"Not told apart from it: {_names(trained.reset_index(), level - {best})}.",
        fewest,
    )


def cases(results: Results) -> Text:
    """On how many rooms the best row is nearer to the truth than a copy, and on how many it is not."""
    table, rows = results["cases"], results["rows"]
    branch = hardest(table)
    here = table[table["branch"] == branch].groupby(["scene", "row_name"])["psnr"].mean().unstack()
    labels = rows.set_index("row_name")["label"]
    trained = [row for row in rows.loc[rows["family"] != FAMILY, "row_name"] if row in here]
    best = here[trained].mean().idxmax()
    if BEST_COPY not in here:
        return _text(f"On the {label(branch)} {labels[best]} is best; a copy of the best past frame was not measured.")
    gain = (here[best] - here[BEST_COPY]).dropna()
    return _text(
        f"On the {label(branch)} {labels[best]}, the best row on the whole, is nearer to the truth than a copy of the "
        f"best past frame in {(gain > 0).sum()} of {len(gain)} rooms.",
        f"Its PSNR minus that copy's is from {number(gain.min(), 1)} dB (room {gain.idxmin()}) to "
        f"{number(gain.max(), 1)} dB (room {gain.idxmax()}).",
    )


def probes(results: Results) -> Text:
    """Whether rows move when their memory is changed, as they should."""
    table = results["probes_table"]
    moved = table[["erase_value", "swap_value"]].max(axis=1) > table["threshold"]
    should = table["remembers"]
    lines = [f"Moved by an erased or a swapped memory, as they should be: {_labels(table[should & moved])}."]
    lines.append(f"Hardly moved, though their memory has past frames: {_labels(table[should & ~moved])}.")
    if (~should).any():
        wrong = table[~should & moved]
        still = f"These moved: {_labels(wrong)}" if len(wrong) else "none of them moved"
        lines.append(f"Wired to nothing by design: {_labels(table[~should])}; {still}.")
    return _text(*lines, "Moving is not yet remembering: certificates say what a memory is worth.")


def certificates(results: Results) -> Text:
    """Which rows remember, and what they remember."""
    table = results["probes_table"]
    found = table[table["verdict"].str.startswith("remembers")].sort_values("swap_drop", ascending=False)
    if found.empty:
        return _text("For no row is an effect of its memory shown.")
    listed = [f"{line['label']} ({number(line['swap_drop'], 2)} dB)" for line in found.to_dict("records")]
    seen, unseen = found["keep_seen_drop"], found["keep_unseen_drop"]
    lines = [f"A row remembers if a swapped memory costs it more than 0, by its interval: {', '.join(listed)}."]
    if seen.notna().any() and unseen.notna().any():
        lines.append(
            f"Left only the frames that saw the returning view they lose {_range(seen)} dB, left only the others "
            f"{_range(unseen)} dB."
        )
    none = table[table["remembers"] & ~table.index.isin(found.index)]
    if len(none):
        lines.append(f"No effect is shown for {_labels(none)}: they cannot remember, or have not learnt to yet.")
    return _text(*lines)


def statistics(results: Results) -> Text:
    """How many of the named contrasts are told, and what could have been."""
    named = results["contrasts"].dropna(subset="p_holm")
    if named.empty:
        return _text("No contrast was named before this study ran (`evaluate.contrasts`).")
    lines = []
    for branch, measure in OUTCOMES:
        here = named[(named["branch"] == branch) & (named["measure"] == measure)]
        if len(here):
            told = here[here["p_holm"] < LEVEL]
            outcome = outcome_name(branch, measure)
            pairs = [f"`{line['row_name']}` and `{line['other']}`" for line in told.to_dict("records")]
            lines.append(
                f"{outcome[0].upper()}{outcome[1:]}: {len(told)} of {len(here)} "
                f"named contrasts are beyond chance ({'; '.join(pairs) or 'none'}); the smallest true difference that "
                f"such a study finds is {_range(here['detectable'], DIGITS[measure])}, by contrast."
            )
    return _text(*lines, *_sure(named))


def judges(results: Results) -> Text:
    """Whether a finding about rows depends on the judge."""
    table = results["agreement"]
    here = table[(table["score"] == "total") & (table["statistic"] == "rows") & (table["branch"] == "all")]
    here = here.dropna(subset="value")
    if here.empty:
        return _text("One judge: whether another would rank the rows alike was not asked.")
    lowest = here.loc[here["value"].idxmin()]
    worst = f"`{lowest['judge']}` and `{lowest['other']}`"
    spread = "" if pd.isna(lowest["low"]) else f" ({number(lowest['low'], 2)} to {number(lowest['high'], 2)})"
    count = len(set(here["judge"]) | set(here["other"]))
    return _text(
        f"{count} judges; for each pair Kendall's rank correlation of the rows is at least "
        f"{number(lowest['value'], 2)}{spread}, its value for {worst}. At 1 all put them in one order, at 0 "
        "their orders have nothing in common.",
        "None of that says that they are right: what each can see is in the table of edits above.",
    )


def hardest(table: pd.DataFrame) -> str:
    """The branch that asks most of a memory among those of a table."""
    there = set(table["branch"])
    return next((branch for branch in (*HARDEST, *BRANCHES) if branch in there), "recall")


def label(branch: str) -> str:
    """A branch's name in a sentence."""
    return BRANCHES[branch].label


def _names(rows: pd.DataFrame, wanted: set[str]) -> str:
    """Labels of the rows ``wanted``, in the table's order."""
    return _labels(rows[rows["row_name"].isin(wanted)])


def _labels(rows: pd.DataFrame) -> str:
    labels = list(dict.fromkeys(rows["label"]))
    return ("; " if any("," in label for label in labels) else ", ").join(labels) or "none"


def _range(values: pd.Series, digits: int = 1) -> str:
    low, high = (number(round(end, digits) + 0.0, digits) for end in (min(values), max(values)))  # no "-0.0"
    return low if low == high else f"{low} to {high}"


def _sure(table: pd.DataFrame) -> list[str]:
    if table["train_seeds"].max() > 1:
        return []
    return ["One training seed: that is over rooms alone and says nothing about other trainings."]


def _text(*sentences: str) -> Text:
    return Text("\n".join(f"- {sentence}" for sentence in sentences))
