"""Where the numbers of a page are from: a number in prose, and the cell of a table that it is a rounded copy of.

A source is a line of text, one for each number or run of numbers:

    10.2 9.4 11.1 = probes_table.csv context_k5 swap_drop swap_drop_low swap_drop_high

A table (of the study's tables, or a path from the repository's root), words that pick one line of it by the values of
its text columns, or of one of them (``study=matched``), and for each number a column. ``config train.steps`` is a key
of the study's configuration as its record holds it; ``said WHY`` stands for a number that no table has, and the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from tests.conftest import ROOT

NUMBER = re.compile(r"(?<![\w.°])[−-]?\d[\d,]*(?:\.\d+)?(?![\w°]|\.\d)")
ABOUT = ["family", "label", "remembers", "verdict"]  # text columns that pick no line
NOT_PROSE = re.compile(r"<!--.*?-->|`[^`]*`|\]\([^)]*\)", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A number as the page has it, and where it is from. ``line``: of the file of sources."""

    line: int
    number: str
    text: str
    value: float | None


def numbers(text: str, names: Iterable[str] = ()) -> list[tuple[int, str]]:
    """Numbers of a text with the line (from 0) that each is on, without those in code, links and ``names``."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, re.sub(r"\d", "_", name))
    blank = NOT_PROSE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return [(blank[: found.start()].count("\n"), found[0]) for found in NUMBER.finditer(blank)]


def agrees(number: str, value: float) -> bool:
    """Whether a number is ``value`` rounded to as many decimals; a sign counts where the number has one."""
    plain = number.replace(",", "").replace("−", "-")
    decimals = len(plain.partition(".")[2])
    return plain.lstrip("-") == f"{abs(value):.{decimals}f}" and (not plain.startswith("-") or value < 0)


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs and items of lists with the line (from 1) that each begins on; no tables, pictures or code."""
    start, block = 0, []
    for at, line in enumerate([*text.splitlines(), ""], 1):
        begins = line.startswith(("- ", "#", "|", "!", "    "))
        if block and (begins or not line.strip()):
            yield start, "\n".join(block)
            block = []
        if line.strip() and not line.startswith(("|", "!", "    ")):
            start = start if block else at
            block.append(line)


def sources(file: Path, tables: Path) -> dict[str, list[Source]]:
    """Sources by the paragraph, named by its first words in square brackets, from a file of them.

    Raises ValueError, with the line, where a source picks no cell or several.
    """
    found: dict[str, list[Source]] = {}
    part = ""
    for at, line in enumerate(file.read_text().splitlines(), 1):
        if line.startswith("[") and line.endswith("]"):
            part = line[1:-1]
            found[part] = []
        elif line.strip() and not line.startswith("#"):
            said, _, source = line.partition(" = ")
            try:
                values = _values(source.split(), len(said.split()), tables)
            except (ValueError, KeyError, OSError) as error:
                raise ValueError(f"{file.name} line {at}: {line!r}: {error}") from None
            found[part] += [
                Source(at, number, source, value) for number, value in zip(said.split(), values, strict=True)
            ]
    return found


def _values(words: list[str], count: int, tables: Path) -> list[float | None]:
    if words[0] == "said":
        return [None] * count
    if words[0] == "config":
        value = json.loads((tables / "record.json").read_text())["config"]
        for key in words[1].split("."):
            value = value[key]
        return [float(value)]
    path = ROOT / words[0] if "/" in words[0] else tables / words[0]
    keys, columns = words[1:-count], words[-count:]
    line = _line(path, tuple(keys))
    return [float(line[column]) for column in columns]


@cache
def read(path: Path) -> pd.DataFrame:
    """A table, read once."""
    return pd.read_csv(path)


def _line(path: Path, keys: tuple[str, ...]) -> pd.Series:
    table = read(path)
    text = table.select_dtypes(exclude="number").drop(columns=ABOUT, errors="ignore")
    plain = {key for key in keys if "=" not in key}
    here = table[[plain <= {str(value) for value in line} for line in text.itertuples(index=False)]]
    for column, _, value in (key.partition("=") for key in keys if "=" in key):
        here = here[here[column].astype(str) == value]
    if len(here) != 1:
        raise ValueError(f"{len(here)} lines of {path.name} have {', '.join(keys)}; expected one")
    return here.iloc[0]


def candidates(number: str, tables: Path, words: str, most: int = 3) -> list[str]:
    """Sources that would give a number, of lines whose row is named in ``words``, as they are written in the file."""
    found = []
    for path in sorted(tables.glob("*.csv")):
        table = read(path)
        if "row_name" not in table or path.stem.startswith("table"):
            continue
        for line in table[[str(name) in words for name in table["row_name"]]].to_dict("records"):
            keys = [value for key, value in line.items() if isinstance(value, str) and key not in ABOUT]
            found += [
                f"{path.name} {' '.join(keys)} {column}"
                for column, value in line.items()
                if isinstance(value, float) and agrees(number, value)
            ]
    return found[:most]
