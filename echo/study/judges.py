"""Judges: which there are and what they need, read from their source without importing numpy or torch.

A judge is a module of ``echo/judge/judges`` whose name does not begin with an underscore; no other place names it.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from echo.study import source

FOLDER = Path(__file__).parents[1] / "judge" / "judges"


def judge_names() -> tuple[str, ...]:
    """All judges, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")))


def judge_weights(name: str) -> tuple[str, ...]:
    """Files of ``echo.io.weights`` that a judge needs: its module's ``WEIGHTS``; none without it."""
    return tuple(cast("tuple[str, ...]", source.constant(FOLDER / f"{name}.py", "WEIGHTS") or ()))
