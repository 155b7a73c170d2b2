"""The findings on one page, made from the tables: each of the paper's, whether it holds here, and what says so.

A finding is told by contrasts that were named before the study ran (``echo.tables.contrasts``), each with the sign that
the finding claims, on three outcomes: the paper's own (our judge on the 45 degree return, where copying the first frame
solves the task) and two of ours that copying does not solve (PSNR and LPIPS of the far revisit). On one outcome it

- *holds* if every one of its contrasts has the claimed sign with p below 0.05 after Holm's correction,
- *does not hold* if one has the other sign so,
- *cannot be told* otherwise, and is *not measured* if a row or a measure is missing.

With several training seeds p is over rooms and trainings (``echo.tables.statistics``), and that is all. With one it is
over rooms alone, and the only word on the luck of trainings is ``NULL``, two trainings of one profile. A difference is
then told only beyond ``BEYOND`` times theirs: the limit of Student's t at the 5 % level, from one number of that luck.
Without the pair nothing is told of one seed, and no rank correlation is. ``docs/statistics.md`` has why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t

from echo.study.words import BRANCHES
from echo.tables.cells import number
from echo.tables.contrasts import LEVEL, LOWER_IS_BETTER
from echo.tables.paper import papers_name

OUTCOMES = (("return_45", "judge"), ("revisit_far", "psnr"), ("revisit_far", "lpips"))
PAPERS = ("return_45", "judge")  # the paper's own outcome
NAMES = {"judge": "judge", "psnr": "PSNR", "lpips": "LPIPS"}
DIGITS = {"judge": 1, "psnr": 2, "lpips": 3}
HOLDS, FAILS, OPEN, MISSING = "holds", "does not hold", "cannot be told", "not measured"


@dataclass(frozen=True)
class Finding:
    """One of the paper's findings; ``claims``: contrasts as (row, other), the first being claimed the better one."""

    title: str
    claims: tuple[tuple[str, str], ...]


# The paper's six, arXiv 2606.09803; that replay and return disagree is told by the rank correlation.
FINDINGS = (
    Finding("Block-wise state space wins", (("ssm_blockwise", "context_k20"), ("ssm_blockwise", "ssm_hybrid"))),
    Finding("Raw context is strong", (("context_k5", "i2v"),)),
    Finding("Spatial memory is below no memory", (("i2v", "spatial"),)),
    Finding("The read-out is the bottleneck", (("spatial_cross_attn", "spatial_inject_none"),)),
    Finding(
        "Compression is fragile", (("context_k5", "compress_length_r4"), ("compress_hybrid_r4", "compress_length_r4"))
    ),
)
NULL = ("spatial", "spatial_concat_text")  # the same profile on other batches
BEYOND = float(t.ppf(1 - LEVEL / 2, 1))  # 12.7
DISAGREE = "Pixel replay and semantic return disagree"


def findings(contrasts: pd.DataFrame, ranks: pd.DataFrame, rows: pd.DataFrame, probes: pd.DataFrame) -> str:
    """The page (markdown). ``contrasts``, ``ranks``, ``rows``, ``probes``: tables of the study, by ``build``."""
    seeds = int(contrasts["train_seeds"].max()) if len(contrasts) else 0
    parts = [
        "# Findings\n\nMade by the stage `tables` from contrasts.csv, rank_correlation.csv, rows.csv and "
        "probes_table.csv of this folder. " + sure(seeds),
        "## The paper's findings, here\n\nOn the paper's own outcome, the judge on the 45 degree return, a copy of the "
        "first frame scores what the codec allows; the far revisit cannot be copied.\n\n" + _table(contrasts, ranks),
        "## What says so\n\n" + "\n".join(_evidence(finding, contrasts) for finding in FINDINGS) + _ranks(ranks),
        "## Which rows remember\n\n" + _remembering(probes),
        "## What memories cost\n\n" + _costs(rows),
    ]
    return "\n".join(parts)


def told(finding: Finding, contrasts: pd.DataFrame, branch: str, measure: str) -> str:
    """Whether a finding holds on one outcome."""
    sides = [_side(contrasts, *claim, branch, measure) for claim in finding.claims]
    if any(side is None for side in sides):
        return MISSING
    if any(side == -1 for side in sides):
        return FAILS
    return HOLDS if all(side == 1 for side in sides) else OPEN


def disagree(ranks: pd.DataFrame, branch: str, measure: str) -> str:
    """Whether replay and return rank rows differently: holds if the interval of their correlation is below one half.

    Its interval has the luck of trainings in it from two seeds on; of one it cannot be told.
    """
    here = ranks[(ranks["branch"] == branch) & (ranks["measure"] == measure)]
    if here.empty or here[["low", "high"]].isna().any(axis=None):
        return MISSING
    line = here.iloc[0]
    if line["train_seeds"] < 2:
        return OPEN
    return HOLDS if line["high"] < 0.5 else FAILS if line["low"] > 0.5 else OPEN


def find(contrasts: pd.DataFrame, row: str, other: str, branch: str, measure: str) -> tuple[pd.Series, int] | None:
    """A contrast's line, in whichever direction it was named, and 1 or -1 to turn it to ``row`` minus ``other``.

    Rows are named as the paper's: ``spatial`` is ``spatial_released`` too, in a study of rows as released.
    """
    here = contrasts[(contrasts["branch"] == branch) & (contrasts["measure"] == measure)]
    one, two = here["row_name"].map(papers_name), here["other"].map(papers_name)
    for first, second, sign in ((row, other, 1), (other, row, -1)):
        lines = here[(one == first) & (two == second)]
        if len(lines):
            return lines.iloc[0], sign
    return None


def _side(contrasts: pd.DataFrame, row: str, other: str, branch: str, measure: str) -> int | None:
    """1 if ``row`` is beyond chance the better, -1 if the worse, 0 if it cannot be told; None if not measured."""
    found = find(contrasts, row, other, branch, measure)
    if found is None or np.isnan(found[0]["p_holm"]):
        return None
    line, sign = found
    if not line["p_holm"] < LEVEL or abs(line["difference"]) <= _luck(contrasts, line):
        return 0
    better = sign * line["difference"] * (-1 if measure in LOWER_IS_BETTER else 1)
    return 1 if better > 0 else -1


def _luck(contrasts: pd.DataFrame, line: pd.Series) -> float:
    """What the luck of trainings may make of a contrast and is not in its p; infinite where nothing is known of it."""
    if line["train_seeds"] > 1:
        return 0.0
    null = find(contrasts, *NULL, line["branch"], line["measure"])
    return np.inf if null is None else BEYOND * abs(null[0]["difference"])


def _table(contrasts: pd.DataFrame, ranks: pd.DataFrame) -> str:
    header = ["finding", *(outcome_name(*outcome) for outcome in OUTCOMES)]
    lines = [[finding.title, *(told(finding, contrasts, *outcome) for outcome in OUTCOMES)] for finding in FINDINGS]
    lines.append([DISAGREE, *(disagree(ranks, *outcome) for outcome in OUTCOMES)])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *lines)) + "\n"


def _evidence(finding: Finding, contrasts: pd.DataFrame) -> str:
    """One item a finding: its contrasts with their numbers."""
    texts = []
    for row, other in finding.claims:
        for branch, measure in OUTCOMES:
            found = find(contrasts, row, other, branch, measure)
            if found is not None:
                seen = number(found[0]["detectable"], DIGITS[measure])
                texts.append(
                    f"  - `{row}` minus `{other}`, {outcome_name(branch, measure)}: {with_p(*found, measure)} after "
                    f"correction; differences from {seen} would have been seen"
                )
    return "\n".join([f"- **{finding.title}**", *(texts or ["  - not measured"])])


def with_p(line: pd.Series, sign: int, measure: str) -> str:
    """A contrast's difference, interval and p, turned by ``sign``: ``1.2 (0.9 to 1.5), p = 0.004``."""
    ends = sorted((sign * line["low"], sign * line["high"]))
    texts = [number(value, DIGITS[measure]) for value in (sign * line["difference"], *ends)]
    return f"{texts[0]} ({texts[1]} to {texts[2]}), p = {line['p_holm']:.2g}"


def _ranks(ranks: pd.DataFrame) -> str:
    lines = [f"\n- **{DISAGREE}**: rank correlation over rows of replay PSNR with"]
    for branch, measure in OUTCOMES:
        here = ranks[(ranks["branch"] == branch) & (ranks["measure"] == measure)]
        if len(here):
            line = here.iloc[0]
            paper = "" if pd.isna(line["paper"]) else f"; the paper's {number(line['paper'], 2)}"
            spread = f"({number(line['low'], 2)} to {number(line['high'], 2)})"
            lines.append(f"  - {outcome_name(branch, measure)}: {number(line['value'], 2)} {spread}{paper}")
    return "\n".join(lines) + "\n"


def _remembering(probes: pd.DataFrame) -> str:
    header = ["row", "memory effect, dB", "verdict"]
    lines = [
        [line["label"], f"{number(line['swap_drop'], 2)} ({number(line['swap_drop_low'], 2)} to "
         f"{number(line['swap_drop_high'], 2)})", line["verdict"]]
        for line in probes.to_dict("records")
    ]  # fmt: skip
    return (
        "What the return loses when the memory is swapped for another scene's, on pixels that a given frame shows "
        "where that is known.\n\n"
        + "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * 3, *lines)) + "\n"
    )  # fmt: skip


def _costs(rows: pd.DataFrame) -> str:
    kept = rows.dropna(subset="kept_numbers").set_index("row_name")["kept_numbers"].rename(papers_name)
    trained = [row for row in ("context_k5", "context_k20", "ssm_blockwise") if row in kept]
    listed = ", ".join(f"`{row}` {int(kept[row]):,}" for row in trained)
    return f"Numbers kept of one case at the last segment: {listed or MISSING}.\n"


def outcome_name(branch: str, measure: str) -> str:
    """An outcome's name in the text."""
    return f"{BRANCHES[branch].label}, {NAMES[measure]}"


def sure(seeds: int) -> str:
    """What so many training seeds can say, as a line."""
    if seeds > 1:
        return f"{seeds} training seeds; intervals and p are over rooms and trainings.\n"
    return (
        "One training seed: intervals and p are over rooms and say nothing about other trainings. So no difference is "
        f"told that is not beyond {BEYOND:.1f} times that of two trainings of one profile (`{NULL[0]}` minus "
        f"`{NULL[1]}`), and no rank correlation.\n"
    )
