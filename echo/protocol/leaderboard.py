"""Results of many models as one table and page; what cannot be compared never stands in one column.

A *group* is what decides whether numbers of images compare: the set's name, size, segments, frame rate and definition,
and the version of the measures. Each group has a table of its own. Points of a judge stand in a column for each digest
of a judge. A result that is damaged, of another format or measured by another version, or that a name gives twice in
one group, is refused in one line.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from echo.io.files import atomic_path, digest, write_text
from echo.protocol import page
from echo.protocol.errors import ProtocolError
from echo.protocol.manifest import Digest, Size
from echo.protocol.rows import JUDGED
from echo.protocol.words import MEASURES, SCORE_FORMAT, branch_of
from echo.study.words import BRANCHES
from echo.world.errors import PoolError
from echo.world.untrusted import locate, read_json

TABLE, PAGE = "leaderboard.csv", "index.html"
SHOWN = {
    "psnr": ("PSNR", 1), "psnr_seen": ("PSNR seen", 1), "lpips": ("LPIPS", 3), "realism": ("kernel distance", 2),
    "departed": ("departed", 2), "gated_first_psnr": ("closure", 1),
}  # fmt: skip
MODEL = "model"
Text = Annotated[str, Field(max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Cell(_Part):
    """A mean with its interval over rooms; None where nothing was measured, or rooms are too few."""

    mean: float | None
    low: float | None
    high: float | None
    cases: int


class RowOf(_Part):
    """A row's cells, by branch and measure; ``drift`` is a list, and is not shown here."""

    label: Text
    branches: dict[Literal[tuple(BRANCHES)], dict[str, Any]]  # pyright: ignore[reportInvalidTypeForm]

    def cell(self, branch: str, measure: str) -> Cell | None:
        """A cell; None for one that is not there."""
        held = self.branches.get(branch, {}).get(measure)
        return None if held is None else Cell.model_validate(held)


class SetOf(_Part):
    """The set that was answered."""

    name: Text
    size: Size
    field_of_view: float
    segment_frames: int
    frames_per_second: float
    definition: Digest
    pixels: Digest
    branches: dict[Literal[tuple(BRANCHES)], int]  # pyright: ignore[reportInvalidTypeForm]


class Named(_Part):
    """A model's name."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class Given(_Part):
    """Its answers."""

    sha256: Digest
    failed: dict[str, str]


class Result(_Part):
    """``score.json``, as far as a leaderboard reads it."""

    format: Literal[SCORE_FORMAT]  # pyright: ignore[reportInvalidTypeForm]
    set: SetOf
    measures: str
    judges: dict[str, str]
    model: Named
    answers: Given
    rows: dict[str, RowOf]
    certificate: dict[str, Any] = {}

    @property
    def group(self) -> str:
        """Digest of what must be equal for numbers to compare."""
        return digest([*self.set.model_dump(exclude={"pixels", "branches"}).values(), self.measures])


@dataclass(frozen=True)
class Board:
    """Results by group, and a line for each file that was refused."""

    groups: dict[str, list[Result]]
    refused: list[str]


def read_board(folder: Path) -> Board:
    """All results (``*.json``, ``*.json.gz``) of a folder; raises ProtocolError for one without any."""
    folder = Path(folder)
    paths = sorted(path for kind in ("*.json", "*.json.gz") for path in folder.rglob(kind)) if folder.is_dir() else []
    if not paths:
        raise ProtocolError(f"{folder}: no results there; expected score.json files of `python -m echo score`")
    groups: dict[str, list[Result]] = {}
    refused, seen = [], {}
    for path in paths:
        name = str(path.relative_to(folder))
        try:
            result = _read(folder, name)
        except ProtocolError as error:
            refused.append(f"{name}: {error}")
            continue
        key = result.group, result.model.name
        if key in seen:
            refused.append(
                f"{name}: {result.model.name!r} is in {seen[key]} too, for the same cases; give one of the two"
            )
            continue
        seen[key] = name
        groups.setdefault(result.group, []).append(result)
    return Board(groups, refused)


def _read(folder: Path, name: str) -> Result:
    try:
        result = Result.model_validate(read_json(locate(folder, name), "a result"))
        for row in result.rows.values():
            for branch in row.branches:
                for measure in (*SHOWN, *map(JUDGED.format, result.judges)):
                    row.cell(branch, measure)
    except PoolError as error:
        raise ProtocolError(str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ProtocolError(f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}") from None
    if result.measures != MEASURES:
        raise ProtocolError(
            f"measured by version {result.measures}, this is version {MEASURES}; score its answers again"
        )
    if MODEL not in result.rows:
        raise ProtocolError("has no row of the model")
    return result


def table(board: Board) -> pd.DataFrame:
    """One line per group, row, branch and measure; reference rows once a group, as its first result has them."""
    lines = []
    for group, results in board.groups.items():
        made = results[0].set
        about = {"group": group, "set": made.name, "size": f"{made.size[0]}x{made.size[1]}",
                 "definition": made.definition}  # fmt: skip
        for name, row, judges in _rows(results):
            for branch in _ordered(made):
                for measure in (*SHOWN, *(JUDGED.format(judge) for judge in judges)):
                    cell = row.cell(branch, measure)
                    if cell is not None and cell.mean is not None:
                        column = _column(measure, judges)
                        lines.append({**about, "row": name, "branch": branch, "measure": column, **cell.model_dump()})
    columns = ["group", "set", "size", "definition", "row", "branch", "measure", "mean", "low", "high", "cases"]
    return pd.DataFrame(lines, columns=columns)


def _rows(results: list[Result]) -> list[tuple[str, RowOf, dict[str, str]]]:
    """Name, row and judges: the models, then the reference rows of the first result that has any."""
    rows = [(result.model.name, result.rows[MODEL], result.judges) for result in results]
    with_references = next((result for result in results if len(result.rows) > 1), None)
    if with_references is not None:
        rows += [(row.label, row, with_references.judges) for key, row in with_references.rows.items() if key != MODEL]
    return rows


def _column(measure: str, judges: Mapping[str, str]) -> str:
    """A measure's column: a judge's has its digest, as points of two versions of it do not compare."""
    judge = measure.partition(":")[2]
    return f"{measure}@{judges[judge][:8]}" if judge in judges and measure.startswith("judge:") else measure


def render(board: Board) -> str:
    """The page: a table a group."""
    parts = ["<h1>Leaderboard</h1>", "<p>Each table is of one set of cases, at one size; numbers of two tables do not "
             "compare. Means, and 95 % intervals over rooms; reference rows need no model.</p>"]  # fmt: skip
    for results in board.groups.values():
        made = results[0].set
        cases = sum(made.branches.values())
        parts.append(f"<h2>{html.escape(made.name)}, {made.size[0]} x {made.size[1]}, {cases} cases <span class=soft>"
                     f"segments of {made.segment_frames} at {made.frames_per_second:g} a second, definition "
                     f"{made.definition}</span></h2>")  # fmt: skip
        for branch in _ordered(made):
            parts += [f"<p><b>{html.escape(branch_of(branch).label)}</b></p>", _branch(results, branch)]
        differ = [result.model.name for result in results if result.set.pixels != made.pixels]
        if differ:
            names = html.escape(", ".join(differ))
            parts.append(f"<p class=soft>Rendered with other last bits than the first: {names}.</p>")
    parts += [f'<p class="soft">refused: {html.escape(line)}</p>' for line in board.refused]
    return page.filled("Leaderboard", "\n".join(parts), [], 1)


def _branch(results: list[Result], branch: str) -> str:
    rows = _rows(results)
    columns = list(dict.fromkeys(
        _column(measure, judges) for _, _, judges in rows for measure in (*SHOWN, *map(JUDGED.format, judges))
    ))  # fmt: skip
    cells = {}
    for number, (_, row, judges) in enumerate(rows):
        for measure in (*SHOWN, *map(JUDGED.format, judges)):
            cell = row.cell(branch, measure)
            if cell is not None and cell.mean is not None:
                cells[number, _column(measure, judges)] = cell
    present = [column for column in columns if any(key[1] == column for key in cells)]
    head = "".join(f"<th>{html.escape(SHOWN.get(name, (name, 0))[0])}</th>" for name in present)
    models, lines = len(results), []
    order = sorted(range(models), key=lambda number: _rank(cells.get((number, "lpips"))))
    for number in [*order, *range(models, len(rows))]:
        name = html.escape(rows[number][0])
        failed = len(results[number].answers.failed) if number < models else 0
        said = f" <small>{failed} failed</small>" if failed else ""
        values = "".join(f"<td>{_shown(cells.get((number, column)), SHOWN.get(column, ('', 0))[1])}</td>"
                         for column in present)  # fmt: skip
        kind = "model" if number < models else "reference"
        lines.append(f'<tr class="{kind}"><td>{name}{said}</td>{values}</tr>')
    body = "".join(lines)
    return f'<div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _ordered(made: SetOf) -> list[str]:
    return [branch for branch in BRANCHES if branch in made.branches]


def _rank(cell: Cell | None) -> float:
    return float("inf") if cell is None or cell.mean is None else cell.mean


def _shown(cell: Cell | None, digits: int) -> str:
    if cell is None or cell.mean is None:
        return ""
    limits = "" if cell.low is None or cell.high is None else (
        f" <small>{cell.low:.{digits}f} to {cell.high:.{digits}f}</small>"
    )  # fmt: skip
    return f"{cell.mean:.{digits}f}{limits}"


def write_board(board: Board, out: Path) -> None:
    """Write the table and the page."""
    with atomic_path(Path(out) / TABLE) as temporary:
        table(board).to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    write_text(Path(out) / PAGE, render(board))
