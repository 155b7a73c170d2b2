"""What the two figures of rollouts share: a grid of the first cases of each branch.

Nobody picks the cases: they are the first ones of each branch. Panels show the pictures' own pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure

from echo.figures import style

ARRAYS = ("rows", "branches", "cases", "frames", "images", "truth")
INCH = 0.32  # side of a thumbnail: 64 pixels as they are
SIDES = ("true", "generated", "difference")


def panels(tables: Path, row: int, moments: Sequence[int] | None = None) -> Figure:
    """A figure of the cases of row number ``row`` of the sample: a branch has a line for each of ``SIDES``.

    Columns: cases, and for each the ``moments`` (positions among its frames), by default half-way and the last.
    """
    samples = style.read_samples(tables, "rollouts", *ARRAYS)
    truth, images, branches = samples["truth"], samples["images"][row], samples["branches"]
    shown = [(truth.shape[2] - 1) // 2, truth.shape[2] - 1] if moments is None else list(moments)
    columns = [(case, moment) for case in range(truth.shape[1]) for moment in shown]
    figure, grid = style.thumbnail_grid(
        len(SIDES) * len(branches),
        len(columns),
        INCH,
        left=1.1,
        top=0.35,
        gap=0.01,
        right=0.05,
        bottom=0.05,
        shape=truth.shape[-3:-1],
    )
    for b, branch in enumerate(branches):
        drawn = dict(zip(SIDES, (truth[b], images[b], difference(truth[b], images[b])), strict=True))
        for place, side in enumerate(SIDES):
            line = grid[len(SIDES) * b + place]
            for axes, (case, moment) in zip(line, columns, strict=True):
                style.thumbnail(axes, drawn[side][case, moment])
            name = f"{style.branch_label(str(branch))}\n{side}" if place == 0 else side
            style.side_label(line[0], name, "black", bold=place == 0)
            line[0].yaxis.label.set_fontsize(style.SMALLEST)
    name = style.literal(samples["rows"][row])
    figure.text(0.01, 0.995, f"{name}: first cases of each branch", va="top", fontsize=7, fontweight="bold")
    return figure


def difference(
    one: UInt8[np.ndarray, "*shape 3"], other: UInt8[np.ndarray, "*shape 3"]
) -> UInt8[np.ndarray, "*shape 3"]:
    """How far two pictures are apart, channel by channel: black where they are equal."""
    return np.abs(one.astype(np.int16) - other).astype(np.uint8)
