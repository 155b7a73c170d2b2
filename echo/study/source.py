"""Source code as what it does, and what it imports: read from syntax trees, without importing anything.

A module's behaviour is its syntax tree without comments, docstrings and layout. What a module depends on are the
modules of this package that it imports anywhere, at its top or inside a function, and what these import in turn;
imports under ``if TYPE_CHECKING`` are for readers of types alone and do not count.

What was found in a file is kept by the hash of its contents (``echo.study.kept``): hundreds of jobs parse it once.
"""

from __future__ import annotations

import ast
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from echo.study import kept

PACKAGE = "echo"


class Found(NamedTuple):
    """What is read from one file."""

    behaviour: str  # digest of the syntax tree without docstrings
    imports: list[str]  # modules of this package
    from_imports: list[str]  # names imported from them, which may be modules too
    constants: dict[str, str]  # what is assigned at the module's top, as source


def behaviour(path: Path) -> str:
    """Digest of a Python file's syntax tree without docstrings: it changes when what the code does changes."""
    return _read(path, path.stat().st_mtime_ns).behaviour


def module_file(root: Path, module: str) -> Path | None:
    """The file of a module (``echo.io.files``) below ``root``, the folder of the package; None if there is none."""
    stem = os.path.join(root, *module.split(".")[1:])
    for path in (f"{stem}.py" if "." in module else "", os.path.join(stem, "__init__.py")):
        if os.path.isfile(path):
            return Path(path)
    return None


def imports(path: Path, root: Path) -> tuple[str, ...]:
    """Modules of this package that the file at ``path`` imports, sorted; packages on the way to them included."""
    return _resolved(path, root, path.stat().st_mtime_ns)


def closure(root: Path, *modules: str, leave_out: tuple[str, ...] = ()) -> dict[str, Path]:
    """The modules, all that they import and what these import in turn: name to file, sorted by name.

    ``leave_out``: modules, and packages with all that is in them, that are neither listed nor followed.
    """
    waiting, found, inside = list(modules), {}, tuple(f"{name}." for name in leave_out)
    while waiting:
        module = waiting.pop()
        if module in found or module in leave_out or module.startswith(inside):
            continue
        path = module_file(root, module)
        if path is not None:
            found[module] = path
            waiting += imports(path, root)
    return dict(sorted(found.items()))


def constant(path: Path, name: str) -> object:
    """The literal value of ``name = ...`` at a module's top, or None if it has none."""
    text = _read(path, path.stat().st_mtime_ns).constants.get(name)
    return None if text is None else ast.literal_eval(text)


@cache
def _read(path: Path, written: int) -> Found:
    contents = path.read_bytes()
    return Found(*kept.get(hashlib.sha256(contents).hexdigest(), lambda: parse(contents.decode())))


@cache
def _resolved(path: Path, root: Path, written: int) -> tuple[str, ...]:
    found = _read(path, written)
    names = {*found.imports, *(name for name in found.from_imports if module_file(root, name))}
    parents = {".".join(name.split(".")[:end]) for name in names for end in range(2, name.count(".") + 1)}
    return tuple(sorted(names | parents))


def parse(text: str) -> Found:
    """What a file with this text does, imports and defines."""
    tree = ast.parse(text)
    imported, from_imported = _imports(tree)
    constants = {
        target.id: ast.unparse(node.value)
        for node in reversed(tree.body)  # the first assignment counts
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return Found(digest, sorted(imported), sorted(from_imported), constants)


def _imports(tree: ast.Module) -> tuple[set[str], set[str]]:
    modules: set[str] = set()
    names: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            modules.add(str(node.module))
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        waiting += ast.iter_child_nodes(node)
    return modules, names


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
