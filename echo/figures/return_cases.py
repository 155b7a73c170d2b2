"""Return cases: what memories show when the camera is back at the first view (the paper's Fig. 8)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echo.figures import PICTURES, style

READS = ("samples/recall.npz", "samples/return_strict.npz", "cases.csv.xz", "rows.csv")
FORMATS = ("jpg",)
CATEGORY = "Rollouts"
CASES = 2  # the first sampled cases of each branch, so that nobody picks flattering ones
INCH = 0.64  # side of a thumbnail


@style.styled()
def draw(tables: Path) -> Figure:
    """One line per case, of recall and of strict return: first frame, farthest view, true return, chosen rows' returns.

    The rows are the one without memory and of each family the one with the best mean PSNR on recall. Under each return
    stand its PSNR to the true view and the judge's score out of 100.
    """
    rows = style.read_rows(tables)
    scores = _scores(tables)
    there = [branch for branch in ("recall", "return_strict") if (tables / PICTURES[branch]).is_file()]
    lines = [line for branch in there for line in _lines(tables, branch)]
    shown = _chosen(tables, rows[[any(row in line["returns"] for line in lines) for row in rows.index]])
    heads = [("first frame", "black"), ("farthest view", "black"), ("true return", "black")]
    heads += [(rows.loc[row, "label"], rows.loc[row, "colour"]) for row in shown]
    figure, grid = style.thumbnail_grid(
        len(lines),
        len(heads),
        INCH,
        left=0.6,
        top=0.9,
        right=0.7,
        bottom=0.25,
        foot=0.18,
        shape=lines[0]["truth"][0].shape[:2],
    )
    for axes, (text, colour) in zip(grid[0], heads, strict=True):
        axes.annotate(
            text, (0.3, 1.05), xycoords="axes fraction", rotation=40, ha="left", va="bottom", color=colour, fontsize=7.5
        )
    for panels, line in zip(grid, lines, strict=True):
        for axes, picture in zip(panels, line["truth"], strict=False):
            style.thumbnail(axes, picture, edge="black")
        for axes, row in zip(panels[3:], shown, strict=True):
            style.thumbnail(axes, line["returns"].get(row))
            axes.set_xlabel(scores.get((row, line["branch"], line["case"]), "–"), fontsize=7, labelpad=2)
        style.side_label(panels[0], style.branch_label(line["branch"]).replace(" ", "\n"), "black", bold=True)
    figure.text(
        0.5,
        0.01,
        "under each returned view: PSNR to the true view in dB · judge's score of 100",
        ha="center",
        va="bottom",
        fontsize=7.5,
    )
    return figure


def _chosen(tables: Path, rows: pd.DataFrame) -> list[str]:
    """The reference row, and of each family the row with the best mean PSNR on recall (without it, on all branches)."""
    cases = pd.read_csv(tables / "cases.csv.xz")
    here = cases[cases["branch"] == "recall"] if (cases["branch"] == "recall").any() else cases
    means = here.groupby("row_name")["psnr"].mean().reindex(rows.index)
    alone = style.reference_row(rows)
    best = means[means.index != alone].dropna().groupby(rows["family"], sort=False).idxmax()
    return [row for row in rows.index if row in {alone, *best}]


def _lines(tables: Path, branch: str) -> list[dict]:
    """The first cases of a branch: true first frame, farthest view and return, and each row's returned view."""
    samples = style.read_samples(tables, branch, "rows", "cases", "frames", "images", "truth")
    truth, images = samples["truth"], samples["images"]
    order = np.argsort(samples["frames"])
    first, middle, last = order[0], order[len(order) // 2], order[-1]
    return [
        {
            "branch": branch,
            "case": str(samples["cases"][case]),
            "truth": [truth[case, first], truth[case, middle], truth[case, last]],
            "returns": {str(row): images[i, case, last] for i, row in enumerate(samples["rows"])},
        }
        for case in range(min(CASES, len(samples["cases"])))
    ]


def _scores(tables: Path) -> dict[tuple[str, str, str], str]:
    """(row, branch, case) to ``PSNR · judge`` over training seeds; a missing score is a dash."""
    cases = pd.read_csv(tables / "cases.csv.xz")
    if "judge" not in cases:
        cases["judge"] = np.nan
    means = cases.groupby(["row_name", "branch", "case"])[["psnr", "judge"]].mean()

    def text(value: float, digits: int) -> str:
        return "–" if np.isnan(value) else f"{value:.{digits}f}"

    return {key: f"{text(psnr, 1)} · {text(judge, 0)}" for key, psnr, judge in means.itertuples()}
