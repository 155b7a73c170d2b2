"""Cells and tables in markdown."""

from __future__ import annotations

import re

import pandas as pd

from echo.study.references import FAMILY
from echo.study.words import BRANCHES

MISSING = "–"


def branch_name(branch: str) -> str:
    """A branch's label, as a heading."""
    label = BRANCHES[branch].label
    return label[0].upper() + label[1:]


def literal(text: str) -> str:
    """Text escaped for a markdown table: an unescaped bar would end the cell."""
    return text.replace("|", "\\|")


def row_label(row: pd.Series) -> str:
    """A row's label, by its ``label`` and ``family``; in italics for a reference row."""
    text = literal(row["label"])
    return f"*{text}*" if row["family"] == FAMILY else text


def verdict_word(verdict: str) -> str:
    """A verdict on a row's memory in a word or two, without its reason: *remembers*, *inert*, *broken*."""
    return re.split(r"[:;,]", verdict, maxsplit=1)[0]


def number(value: float, digits: int) -> str:
    """A formatted number, or ``MISSING``; with a true minus sign, so that columns line up."""
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
