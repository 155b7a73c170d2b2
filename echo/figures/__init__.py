"""The study's figures: one module a figure, each with ``READS`` (its input files) and ``draw(tables) -> Figure``.

``python -m echo.figures NAME --tables DIR --out FILE.png`` draws one and imports only that figure's module. What a
workflow needs to know to rebuild exactly what changed is read from the source without importing matplotlib:

- ``names()``: the figures there are;
- ``reads(name)``: the files in the tables folder that the figure reads;
- ``digest(name)``: a hash of the code that draws it, blind to comments, docstrings and formatting.

To add a figure, add a module here that defines ``READS`` and ``draw``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from echo.io.errors import UserError
from echo.study.source import behaviour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
PACKAGE = "echo.figures"


class FigureError(UserError):
    """A figure that cannot be drawn: one line that names the figure or file, and what was expected."""


def _source(module: str) -> ast.Module:
    return ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))


def _declared_reads(tree: ast.Module) -> tuple[str, ...] | None:
    """The value of a module's ``READS = (...)``, or None if it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "READS" for t in node.targets):
            return tuple(ast.literal_eval(node.value))
    return None


def names() -> tuple[str, ...]:
    """All figures, in alphabetical order."""
    modules = sorted(path.stem for path in FOLDER.glob("*.py"))
    return tuple(module for module in modules if _declared_reads(_source(module)) is not None)


def _check(name: str) -> None:
    if not (name.isidentifier() and (FOLDER / f"{name}.py").is_file() and _declared_reads(_source(name)) is not None):
        raise FigureError(f"unknown figure {name!r}; there are {', '.join(names())}")


def reads(name: str) -> tuple[str, ...]:
    """Files in the tables folder that the figure reads."""
    _check(name)
    return _declared_reads(_source(name))


def _imported(tree: ast.Module) -> set[str]:
    """Modules of this package that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE + "."):
            found.add(node.module.removeprefix(PACKAGE + "."))
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix(PACKAGE + ".") for a in node.names if a.name.startswith(PACKAGE + ".")}
    return {module for module in found if (FOLDER / f"{module}.py").is_file()}


def digest(name: str) -> str:
    """16 hexadecimal digits that change when the code that draws the figure does.

    The code: the figure's module, ``style`` and whatever else of this package they import, as syntax trees without
    docstrings, so that comments and formatting do not count.
    """
    _check(name)
    waiting, seen = [name, "style"], {}
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen[module] = behaviour(FOLDER / f"{module}.py")
            waiting += _imported(_source(module))
    text = "\n".join(f"{module}\n{seen[module]}" for module in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def draw(name: str, tables: str | Path) -> Figure:
    """Draw one figure from a tables folder; raises FigureError where a file it reads is not there."""
    tables = Path(tables)
    for file in reads(name):
        if not (tables / file).is_file():
            raise FigureError(f"figure {name}: {tables / file} is not there; it reads {', '.join(reads(name))}")
    return importlib.import_module(f"{PACKAGE}.{name}").draw(tables)


def draw_to(name: str, tables: Path, out: Path) -> None:
    """Draw one figure to the file ``out``, whose suffix gives the format; errors as ``draw``."""
    figure = draw(name, tables)
    from echo.figures.style import save

    save(figure, out)
