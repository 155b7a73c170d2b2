"""Source code as what it does, and what it imports: read from syntax trees, without importing anything.

A module's behaviour is its syntax tree without comments, docstrings and layout. What a module depends on are the
modules of this package that it imports anywhere, at its top or inside a function, and what these import in turn;
imports under ``if TYPE_CHECKING`` are for readers of types alone and do not count.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "echo"


def behaviour(path: Path) -> str:
    """Digest of a Python file's syntax tree without docstrings: it changes when what the code does changes."""
    return _behaviour(path, path.stat().st_mtime_ns)


def module_file(root: Path, module: str) -> Path | None:
    """The file of a module (``echo.io.files``) below ``root``, the folder of the package; None if there is none."""
    parts = module.split(".")[1:]
    for path in (root.joinpath(*parts).with_suffix(".py") if parts else None, root.joinpath(*parts, "__init__.py")):
        if path is not None and path.is_file():
            return path
    return None


def imports(path: Path, root: Path) -> tuple[str, ...]:
    """Modules of this package that the file at ``path`` imports, sorted; packages on the way to them included."""
    return _imports(path, root, path.stat().st_mtime_ns)


def closure(root: Path, *modules: str, leave_out: tuple[str, ...] = ()) -> dict[str, Path]:
    """The modules, all that they import and what these import in turn: name to file, sorted by name.

    ``leave_out``: modules, and packages with all that is in them, that are neither listed nor followed.
    """
    waiting, found = list(modules), {}
    while waiting:
        module = waiting.pop()
        if module in found or any(module == name or module.startswith(f"{name}.") for name in leave_out):
            continue
        path = module_file(root, module)
        if path is not None:
            found[module] = path
            waiting += imports(path, root)
    return dict(sorted(found.items()))


def constant(path: Path, name: str) -> object:
    """The literal value of ``name = ...`` at a module's top, or None if it has none."""
    for node in _parsed(path, path.stat().st_mtime_ns).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return ast.literal_eval(node.value)
    return None


@cache
def _behaviour(path: Path, written: int) -> str:
    return hashlib.sha256(ast.dump(_parsed(path, written)).encode()).hexdigest()


@cache
def _parsed(path: Path, written: int) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
    return tree


@cache
def _imports(path: Path, root: Path, written: int) -> tuple[str, ...]:
    found: set[str] = set()
    waiting: list[ast.AST] = [_parsed(path, written)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            found.add(str(node.module))
            found |= {f"{node.module}.{a.name}" for a in node.names if module_file(root, f"{node.module}.{a.name}")}
        waiting += ast.iter_child_nodes(node)
    parents = {".".join(name.split(".")[:end]) for name in found for end in range(2, name.count(".") + 1)}
    return tuple(sorted(found | parents))


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
