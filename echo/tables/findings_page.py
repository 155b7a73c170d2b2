"""The paper's findings under each evidence policy: the page docs/findings.md, from the tables of several studies.

Each study says by ``echo.tables.findings`` whether a finding holds; here the studies stand side by side, a column
each, in the order of ``echo.tables.files.REPORTED``. A policy without a study is said to be missing, with the command
that would make one. Every number is a cell of a study's tables, rounded; its test traces each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from echo.tables.cells import markdown_table, number
from echo.tables.files import REPORTED
from echo.tables.findings import (
    DIGITS,
    DISAGREE,
    FAILS,
    FINDINGS,
    HOLDS,
    MISSING,
    NULL,
    OPEN,
    OUTCOMES,
    PAPERS,
    Finding,
    find,
    outcome_name,
    sure,
    with_p,
)
from echo.tables.read import TableError
from echo.tables.told import TITLES, Told, read_told, unsaid

NONE = "no study"
INTRODUCTION = """# Findings

Written by `snakemake findings` from the tables of the studies below; a test traces every number to a cell of them.
[How sure a number is](statistics.md) says what intervals, p and the verdicts mean.
"""
HOLD = """## Whether the paper's findings hold

The judge on the 45° return is the paper's own outcome; there a copy of the first frame scores what the codec allows.
The far revisit cannot be copied.

"""
EVIDENCE = """## What says so

The first row minus the second, with its interval, and p after Holm's correction; LPIPS: less is better. *Seen from*:
the smallest true difference that such a study would have found in 80 of 100 times.

"""
SCALE = (
    "Levels at the paper's scale: its model has 1.3 B parameters and sees recorded worlds at 352 x 640; here a small "
    "model sees rendered rooms ([scale](scale.md)), and another judge looks ([judges](judges.md))."
)


def findings_page(folders: Sequence[Path]) -> str:
    """The page (markdown), from tables folders; raises TableError where there is none or two are of one study."""
    if not folders:
        names = " or ".join(one.study for one in REPORTED.values())
        raise TableError(f"results: no tables of {names}; run a study first")
    studies = [read_told(folder) for folder in folders]
    if len({one.name for one in studies}) < len(studies):
        raise TableError(f"{folders[-1]}: a study is given twice; expected one tables folder a study")
    order = list(REPORTED)
    studies.sort(key=lambda one: order.index(one.policy) if one.policy in order else len(order))
    missing = [policy for policy in order if policy not in {one.policy for one in studies}]
    return "\n".join([
        INTRODUCTION,
        _studies(studies, missing),
        HOLD + _verdicts(studies, missing),
        "## Where it agrees with the paper\n\n" + "".join(map(_agreement, studies)) + "\n" + _beside_paper(studies),
        "## How sure\n\n" + "".join(map(_sure, studies)),
        "## What it cannot say\n\n" + _limits(studies, missing),
        EVIDENCE + "\n".join(_evidence(finding, studies) for finding in FINDINGS) + "\n" + _ranks(studies),
        "## Which rows remember\n\nWhat the return loses, in dB, when the memory is swapped for another scene's.\n\n"
        + _by_row(studies, _memory),
        "## What memories keep\n\nNumbers kept of one case at the last segment.\n\n" + _by_row(studies, _kept),
    ])  # fmt: skip


def _studies(studies: Sequence[Told], missing: Sequence[str]) -> str:
    lines = [
        [one.policy, f"`{one.name}`", f"{one.seeds}", f"{_most(one.contrasts['scenes'])}",
         f"[tables](../{one.folder}/tables.md)"]
        for one in studies
    ]  # fmt: skip
    lines += [[policy, NONE, "–", "–", f"`{REPORTED[policy].command}`"] for policy in missing]
    return markdown_table(["Evidence", "study", "training seeds", "rooms a branch", "from, or made by"], lines)


def _verdicts(studies: Sequence[Told], missing: Sequence[str]) -> str:
    lines = [
        [title, outcome_name(*outcome), *(one.verdict(title, *outcome) for one in studies), *[NONE] * len(missing)]
        for title in TITLES
        for outcome in OUTCOMES
    ]
    return markdown_table(["Finding", "outcome", *(one.heading for one in studies), *missing], lines)


def _agreement(one: Told) -> str:
    """One item a study: the findings by what is told of them on all outcomes together."""
    groups: dict[str, list[str]] = {}
    for title in TITLES:
        words = {one.verdict(title, *outcome) for outcome in OUTCOMES}
        word = words.pop() if len(words) == 1 else "not the same by every outcome"
        groups.setdefault(word, []).append(title)
    order = [HOLDS, FAILS, OPEN, MISSING]
    texts = [f"*{word}*: {', '.join(titles)}" for word, titles in sorted(
        groups.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))]  # fmt: skip
    return f"- **{one.heading}**: by all outcomes {'; '.join(texts)}.\n"


def _beside_paper(studies: Sequence[Told]) -> str:
    """The paper's differences beside ours, on its own outcome."""
    lines = []
    for finding in FINDINGS:
        for row, other in finding.claims:
            found = [find(one.contrasts, row, other, *PAPERS) for one in studies]
            papers = [sign * line["paper"] for line, sign in filter(None, found)]
            ours = ["–" if one is None else number(one[1] * one[0]["difference"], DIGITS[PAPERS[1]]) for one in found]
            lines.append([f"`{row}` minus `{other}`", number(papers[0], 1) if papers else "–", *ours])
    header = ["45° return, judge", "paper", *(one.heading for one in studies)]
    return "Compare signs and order, not sizes: the judges are different ones.\n\n" + markdown_table(header, lines)


def _sure(one: Told) -> str:
    null = [(find(one.contrasts, *NULL, *outcome), outcome) for outcome in OUTCOMES]
    texts = [f"{number(abs(found[0]['difference']), DIGITS[measure])} in {outcome_name(branch, measure)}"
             for found, (branch, measure) in null if found is not None]  # fmt: skip
    pair = f"  Two trainings of one profile (`{NULL[0]}`, `{NULL[1]}`) differ by {', '.join(texts)}.\n" if texts else ""
    return f"- **{one.heading}**: {sure(one.seeds)}{pair}"


def _limits(studies: Sequence[Told], missing: Sequence[str]) -> str:
    items = [f"Anything about *{policy}* evidence: no study with it is committed." for policy in missing]
    for one in studies:
        items += [f"{one.heading}: {text}" for text in unsaid(one)]
    return "".join(f"- {item}\n" for item in [*items, SCALE])


def _evidence(finding: Finding, studies: Sequence[Told]) -> str:
    """A table for one finding: its contrasts by outcome, a column a study."""
    lines = []
    for row, other in finding.claims:
        for branch, measure in OUTCOMES:
            found = [find(one.contrasts, row, other, branch, measure) for one in studies]
            cells = ["–" if one is None else f"{with_p(*one, measure)}; *seen from* "
                     f"{number(one[0]['detectable'], DIGITS[measure])}" for one in found]  # fmt: skip
            lines.append([f"`{row}` minus `{other}`", outcome_name(branch, measure), *cells])
    header = ["Contrast", "outcome", *(one.heading for one in studies)]
    return f"### {finding.title}\n\n{markdown_table(header, lines)}"


def _ranks(studies: Sequence[Told]) -> str:
    """Rank correlations over rows of replay PSNR with each outcome."""
    lines = []
    for branch, measure in OUTCOMES:
        found = [one.ranks[(one.ranks["branch"] == branch) & (one.ranks["measure"] == measure)] for one in studies]
        papers = [line["paper"].iloc[0] for line in found if len(line)]
        cells = [f"{number(line['value'].iloc[0], 2)} ({number(line['low'].iloc[0], 2)} to "
                 f"{number(line['high'].iloc[0], 2)})" if len(line) else "–" for line in found]  # fmt: skip
        lines.append([outcome_name(branch, measure), number(papers[0], 2) if papers else "–", *cells])
    header = ["Rank correlation of replay PSNR with", "paper", *(one.heading for one in studies)]
    return f"### {DISAGREE}\n\n{markdown_table(header, lines)}"


def _by_row(studies: Sequence[Told], cell: Callable[[Told, str], str]) -> str:
    """A line a row that needs training, a column a study."""
    labels = {line.row_name: line.label for one in studies for line in one.probes.itertuples()}
    lines = [[f"`{row}`", *(cell(one, row) for one in studies)] for row in labels]
    return markdown_table(["Row", *(one.heading for one in studies)], lines)


def _memory(one: Told, row: str) -> str:
    here = one.probes[one.probes["row_name"] == row]
    if here.empty:
        return "–"
    line = here.iloc[0]
    numbers = [number(line[f"swap_drop{end}"], 2) for end in ("", "_low", "_high")]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]}), {line['verdict']}"


def _kept(one: Told, row: str) -> str:
    here = one.rows.loc[one.rows["row_name"] == row, "kept_numbers"].dropna()
    return "–" if here.empty else f"{int(here.iloc[0]):,}"


def _most(values: pd.Series) -> int:
    return int(values.max()) if len(values) else 0
