"""Replay strip: the same replayed trajectory as each row generates it, the truth on top (the paper's Fig. 5)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echo.figures import style

READS = ("samples/replay.npz", "cases.csv.xz", "rows.csv")
FORMATS = ("jpg",)
CATEGORY = "Rollouts"
CASE = 0  # always the first sampled case, so that nobody picks a flattering one
COLUMNS = 7
INCH = 0.5  # side of a thumbnail


@style.styled()
def draw(tables: Path) -> Figure:
    """Rows by time; under each label the PSNR of that row over the whole case."""
    rows = style.read_rows(tables)
    samples = style.read_samples(tables, "replay", "rows", "cases", "frames", "images", "truth")
    shown = [row for row in rows.index if row in samples["rows"]]
    frames = samples["frames"]
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(COLUMNS, len(frames))).round().astype(int))
    psnr = _psnr(tables, str(samples["cases"][CASE]))
    shape = samples["truth"].shape[-3:-1]
    figure, grid = style.thumbnail_grid(len(shown) + 1, len(chosen), INCH, left=1.4, top=0.25, shape=shape)
    for column, index in enumerate(chosen):
        style.thumbnail(grid[0, column], samples["truth"][CASE, index])
        grid[0, column].set_title(f"frame {frames[index]}", fontsize=7, fontweight="normal", loc="center", pad=3)
    style.side_label(grid[0, 0], "Truth", "black", bold=True)
    for line, row in enumerate(shown, start=1):
        look = rows.loc[row]
        pictures = samples["images"][list(samples["rows"]).index(row), CASE]
        for column, index in enumerate(chosen):
            style.thumbnail(grid[line, column], pictures[index])
        level = f"\n{psnr[row]:.1f} dB" if np.isfinite(psnr.get(row, np.nan)) else ""
        style.side_label(grid[line, 0], look["label"] + level, look["colour"])
    return figure


def _psnr(tables: Path, case: str) -> dict[str, float]:
    """Each row's PSNR on one replay case, over training seeds."""
    cases = pd.read_csv(tables / "cases.csv.xz")
    cases = cases[(cases["branch"] == "replay") & (cases["case"].astype(str) == case)]
    return cases.groupby("row_name")["psnr"].mean().to_dict()
