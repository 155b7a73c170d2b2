"""Reference rows: which there are and what they need, read from their source without importing numpy or torch.

A reference row is a module of ``echo/rollout/references`` whose name does not begin with an underscore; it is named in
no other place. ``echo.rollout.known`` says what such a module defines.
"""

from __future__ import annotations

from pathlib import Path

from echo.study import source

FOLDER = Path(__file__).parents[1] / "rollout" / "references"
MODULE = "echo.rollout.references.{}"
FAMILY = "reference"  # in tables, where the rows that are trained have the family of their memory


def reference_names() -> tuple[str, ...]:
    """All reference rows, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")))


def label(name: str) -> str:
    """What tables and figures call a reference row: ``LABEL`` of its module."""
    return str(source.constant(FOLDER / f"{name}.py", "LABEL"))


def needs_depth(name: str) -> bool:
    """Whether a reference row needs true depth, which recordings lack: ``NEEDS_DEPTH`` of its module."""
    return bool(source.constant(FOLDER / f"{name}.py", "NEEDS_DEPTH"))


def reads_truth(name: str) -> bool:
    """Whether a reference row is handed the frames it is to draw, and so is no rival: ``READS_TRUTH`` of its module."""
    return bool(source.constant(FOLDER / f"{name}.py", "READS_TRUTH"))
