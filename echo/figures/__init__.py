"""The study's figures: one module per figure, each with ``READS`` (its input files) and ``draw(tables) -> Figure``.

``draw_to`` draws one into a file, ``draw`` returns it; both import only that figure's module. What a workflow needs to
know to redraw exactly what changed is read from the source, without importing matplotlib:

- ``names()``: the figures there are;
- ``formats(name)``: the formats of its committed files; ``files(branches)``: all these files' names, for a study with
  these branches: a figure of pictures from other branches alone is none of its figures;
- ``reads(name, branches)``: the files in the tables folder that the figure reads, pictures of other branches left out;
- ``about(name)``: its title, its description and its category in Snakemake's report;

To add a figure, add a module here that defines ``READS`` and ``draw``; the first line of its docstring is its title, a
colon, and what it shows. ``CATEGORY`` names another category of the report than "Figures". ``FORMATS`` names other
formats than PNG: ``("jpg",)`` for a figure made of pictures, whose colours a PNG's palette cannot hold. Moving pictures
are made of rollouts and not of tables (``videos.py``, the rule ``video``).
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from echo.io.errors import UserError
from echo.study import source
from echo.study.words import BRANCHES
from echo.tables.files import sample_file

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

PICTURES = {branch: sample_file(branch) for branch in BRANCHES}
FOLDER = Path(__file__).parent
PACKAGE = "echo.figures"


class FigureError(UserError):
    """A figure that cannot be drawn: one line that names the figure or file, and what was expected."""


def _declared_reads(name: str) -> tuple[str, ...] | None:
    """The value of a module's ``READS = (...)``, or None if there is no such module or it has none."""
    path = FOLDER / f"{name}.py"
    value = source.constant(path, "READS") if name.isidentifier() and path.is_file() else None
    return None if value is None else tuple(cast("tuple[str, ...]", value))


def names() -> tuple[str, ...]:
    """All figures, in alphabetical order."""
    return tuple(name for name in sorted(path.stem for path in FOLDER.glob("*.py")) if _declared_reads(name))


def formats(name: str) -> tuple[str, ...]:
    """The formats that a study's results have the figure in: ``FORMATS`` of its module, by default PNG alone."""
    return tuple(cast("tuple[str, ...]", source.constant(FOLDER / f"{name}.py", "FORMATS") or ("png",)))


def files(branches: Iterable[str] = tuple(BRANCHES)) -> tuple[str, ...]:
    """The files of the folder of figures of a study with these branches: each figure in each of its formats."""
    drawn = [name for name in names() if _has_pictures(name, reads(name, branches))]
    return tuple(f"{name}.{suffix}" for name in drawn for suffix in formats(name))


def reads(name: str, branches: Iterable[str] = tuple(BRANCHES)) -> tuple[str, ...]:
    """Files in the tables folder that the figure reads, of a study with these branches.

    Raises FigureError for a name that is no figure.
    """
    declared = _declared_reads(name)
    if not declared:
        raise FigureError(f"unknown figure {name!r}; there are {', '.join(names())}")
    absent = set(PICTURES.values()) - {PICTURES[branch] for branch in branches}
    return tuple(file for file in declared if file not in absent)


def _has_pictures(name: str, files: Iterable[str]) -> bool:
    """Whether ``files`` have pictures of one of the figure's branches, or it shows none of any."""
    declared = set(PICTURES.values()) & set(reads(name))
    return not declared or bool(declared & set(files))


@dataclass(frozen=True)
class About:
    """What a figure says of itself, in its file, on the page of captions and in a report; ``source``: its module."""

    title: str
    text: str
    category: str
    source: str


def about(name: str) -> About:
    """From the module's docstring and its ``CATEGORY``; raises FigureError for a name that is no figure."""
    reads(name)
    path = FOLDER / f"{name}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or name
    category = str(source.constant(path, "CATEGORY") or "Figures")
    return About(text.partition(":")[0].replace("`", ""), text, category, f"echo/figures/{path.name}")


def draw(name: str, tables: str | Path) -> Figure:
    """Draw one figure from a tables folder; raises FigureError where a file it reads is not there."""
    return _module(name, Path(tables)).draw(Path(tables))


def samples(name: str, tables: str | Path) -> dict[str, np.ndarray]:
    """The arrays of ``samples/<name>.npz`` of a tables folder, its pictures unpacked."""
    from echo.figures.style import read_samples

    return read_samples(Path(tables), name)


def _module(name: str, tables: Path) -> ModuleType:
    """The figure's module, once the files that it reads are known to be there; pictures of one branch are enough."""
    there = [file for file in reads(name) if (tables / file).is_file()]
    for file in reads(name):
        if file not in there and not (file in PICTURES.values() and _has_pictures(name, there)):
            raise FigureError(f"figure {name}: {tables / file} is not there; it reads {', '.join(reads(name))}")
    return importlib.import_module(f"{PACKAGE}.{name}")


def draw_to(name: str, tables: str | Path, out: str | Path) -> None:
    """Draw one figure from a tables folder into the file ``out``, in the format of its suffix.

    Suffixes: .png, .jpg, .pdf, .svg. Equal tables give equal bytes. Raises FigureError as ``draw`` does, and for
    another suffix.
    """
    from echo.figures import saving

    said = about(name)
    saving.save(draw(name, tables), Path(out), said.title, said.text, said.source)
