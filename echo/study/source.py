"""Source code as what it does: the text of a module's syntax tree, blind to comments, docstrings and layout."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


def behaviour(path: Path) -> str:
    """The syntax tree of a Python file as text, without docstrings: it changes when what the code does changes."""
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, written: int) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
    return ast.dump(tree)
