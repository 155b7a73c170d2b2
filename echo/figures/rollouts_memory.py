"""Rollouts of the row `evaluate.shown`: the first cases of each branch, true, as generated, and the difference."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from echo.figures import rollouts, style

READS = ("samples/rollouts.npz",)
FORMATS = ("jpg",)
CATEGORY = "Rollouts"
ROW = 1  # of the rows in samples/rollouts.npz


@style.styled()
def draw(tables: Path) -> Figure:
    """Two frames of each case: half-way and the last."""
    return rollouts.panels(tables, ROW)
