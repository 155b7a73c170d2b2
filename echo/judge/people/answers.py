"""Files of answers: what the page saves, read strictly.

Decided on purpose: a byte order mark, semicolons with decimal commas, quotes, and empty lines are what spreadsheet
programs make of such a file, and are read. Anything else that is not exactly an answer is refused with its file and
line, since a file that was damaged in one place may be in others: another header, a score that no slider gives, a pair
twice by one rater, two pages in one file, a name that a spreadsheet would take for a formula.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from echo.io.errors import UserError
from echo.judge.people.questions import COLUMNS, STEP, fits
from echo.judge.rubric import TOP, WEIGHTS, Scores

PERSON, SCRIPT = "person", "script"
PAIR, PAGE, NUMBER = (
    re.compile(r"p[0-9a-f]{16}"),
    re.compile(r"q[0-9a-f]{16}"),
    re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?"),
)
LONGEST_NAME = 40
MENDS = "save the answers again from the page, and give that file unchanged"


class AnswersError(UserError):
    """A file that is not what the page saves."""


@dataclass(frozen=True)
class Answer:
    """One rater's scores of one showing of a pair; ``seconds``: how long it was looked at; ``where``: file and line."""

    pair: str
    showing: int
    scores: Scores
    seconds: float
    rater: str
    by: str
    page: str
    where: str


def read_answers(paths: Sequence[Path]) -> list[Answer]:
    """All answers of these files. Raises AnswersError, which names file and line."""
    found: dict[tuple[str, str, int], Answer] = {}
    for path in paths:
        pages: dict[str, Answer] = {}
        for answer in _of_file(Path(path)):
            before = found.setdefault((answer.rater, answer.pair, answer.showing), answer)
            if before is not answer:
                raise AnswersError(
                    f"{answer.where}: {answer.rater} has answered pair {answer.pair} before ({before.where}); give "
                    "each rater's last file alone, and two raters two names"
                )
            pages.setdefault(answer.page, answer)
            if len(pages) > 1:
                first = next(iter(pages.values()))
                raise AnswersError(
                    f"{answer.where}: saved by page {answer.page}, {first.where} by page {first.page}; expected one "
                    f"page in one file; {MENDS}"
                )
    return list(found.values())


def _of_file(path: Path) -> Iterator[Answer]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise AnswersError(
            f"{path}: no such file; expected answers that the page of `snakemake people` saved"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise AnswersError(f"{path}: cannot be read as UTF-8 text ({error}); {MENDS}") from None
    separator = ";" if ";" in text.partition("\n")[0] else ","
    lines = csv.reader(text.splitlines(), delimiter=separator, strict=True)
    try:
        if tuple(next(lines, ())) != COLUMNS:
            raise AnswersError(f"{path}, line 1: expected the header {','.join(COLUMNS)}; {MENDS}")
        for fields in lines:
            if any(fields):
                yield _answer(fields, separator == ";", f"{path}, line {lines.line_num}")
    except csv.Error as error:
        raise AnswersError(f"{path}, line {lines.line_num}: {error}; {MENDS}") from None


def _answer(fields: list[str], decimal_comma: bool, where: str) -> Answer:
    """The answer of one line; raises AnswersError."""

    def refuse(name: str, expected: str) -> AnswersError:
        return AnswersError(f"{where}: {name} = {held[name]!r}, expected {expected}; {MENDS}")

    def number(name: str) -> float | None:
        text = held[name].replace(",", ".") if decimal_comma else held[name]
        return float(text) if NUMBER.fullmatch(text) else None

    if len(fields) != len(COLUMNS):
        raise AnswersError(f"{where}: {len(fields)} fields, expected {len(COLUMNS)}; {MENDS}")
    held: dict[str, str] = dict(zip(COLUMNS, fields, strict=True))
    for name, pattern, expected in (("pair", PAIR, "p"), ("page", PAGE, "q")):
        if not pattern.fullmatch(held[name]):
            raise refuse(name, f"{expected} and 16 hexadecimal digits")
    if held["showing"] not in ("1", "2"):
        raise refuse("showing", "1 or 2")
    scores = {name: number(name) for name in WEIGHTS}
    for name, score in scores.items():
        if score is None or not fits(score):
            raise refuse(name, f"0 to {TOP:g} in steps of {STEP:g}")
    seconds = number("seconds")
    if seconds is None:
        raise refuse("seconds", "a number of seconds")
    if not _is_name(held["rater"]):
        raise refuse(
            "rater", f"a name of at most {LONGEST_NAME} letters and digits, with spaces, dots or hyphens inside"
        )
    if held["by"] not in (PERSON, SCRIPT):
        raise refuse("by", f"{PERSON} or {SCRIPT}")
    given = Scores(**scores)  # pyright: ignore[reportArgumentType] none is missing
    return Answer(held["pair"], int(held["showing"]), given, seconds, held["rater"], held["by"], held["page"], where)


def _is_name(name: str) -> bool:
    """What the page takes for a name (``NAME`` in answers.js): it begins with a letter or digit of any script."""
    kinds = [unicodedata.category(letter)[0] for letter in name]
    inside = all(kind in "LMN" or letter in " ._-" for kind, letter in zip(kinds, name, strict=True))
    return inside and len(name) <= LONGEST_NAME and kinds[:1] in (["L"], ["N"])
