"""The pool: open-domain rooms, each with all identity anchors (the paper's Fig. 6)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from echo.figures import FigureError, style

READS = ("samples/pool.npz",)
FORMATS = ("jpg",)
INCH = 1.0  # side of a thumbnail, or what a page leaves


@style.styled()
def draw(tables: Path) -> Figure:
    """Scenes by identities: ``images`` (n, k, H, W, 3), ``labels`` (n,) of the scenes, ``columns`` (k,) if there."""
    samples = style.read_samples(tables, "pool", "images", "labels")
    images, labels = samples["images"], samples["labels"]
    if images.ndim != 5 or labels.shape != images.shape[:1]:
        raise FigureError(
            f"{tables / 'samples/pool.npz'}: images {images.shape} and labels {labels.shape} do not fit; expected "
            "(n, k, H, W, 3) and (n,)"
        )
    scenes, identities = images.shape[:2]
    columns = samples.get("columns", np.array([""] * identities))
    left = 0.75
    inch = min(INCH, (style.PAGE - left - 0.05) / identities - 0.03)
    figure, grid = style.thumbnail_grid(scenes, identities, inch, left=left, top=0.25, shape=images.shape[2:4])
    for line, panels in enumerate(grid):
        for axes, picture in zip(panels, images[line], strict=True):
            style.thumbnail(axes, picture)
        style.side_label(panels[0], style.literal(labels[line]).replace("_", " "), "black")
    for axes, text in zip(grid[0], columns, strict=True):
        axes.set_title(style.literal(text).replace("_", " "), fontsize=7.5, fontweight="normal", loc="center", pad=3)
    return figure
