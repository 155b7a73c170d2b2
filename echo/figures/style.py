"""What all figures share: colours, fonts, reading tables, thumbnails, and writing a file with reproducible bytes.

Colours are Okabe and Ito's, told apart by colour-blind readers; within a family rows differ by marker. A row that
is inert by design is drawn hollow. Nothing here uses pyplot, so drawing a figure has no side effect.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from echo.figures import FigureError
from echo.io.files import atomic_path

REFERENCE_ROW = "i2v"
REFERENCE_COLOUR = "#4d4d4d"
FAMILIES = {  # family: (colour, name)
    "context": ("#0072B2", "raw context frames"),
    "compression": ("#D55E00", "compressed context"),
    "spatial": ("#009E73", "spatial"),
    "state_space": ("#AA4499", "state space"),
}
SPARE_COLOURS = ("#56B4E9", "#B8860B", "#882255", "#999933")
MARKERS = "osD^vPX<>*hp"
BRANCHES = {
    "replay": "replay",
    "loop": "180° loop",
    "return_45": "45° return",
    "return_strict": "strict return",
    "recall": "recall",
}
PREDICTED = {  # what a reader needs to know of a branch in half a line
    "recall": "recall: the true past, then the way back",
    "return_strict": "strict return: own frames become the past",
}
SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 5,
}


def styled():
    """A context in which figures take the study's fonts and lines; decorate ``draw`` with ``@styled()``."""
    return matplotlib.rc_context(SETTINGS)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches; its parts are laid out so that they do not overlap."""
    figure = Figure(figsize=(width, height), layout="constrained", dpi=200)
    FigureCanvasAgg(figure)
    return figure


def read(tables: Path, name: str) -> pd.DataFrame:
    """A csv of the tables folder; raises FigureError if it has no line."""
    frame = pd.read_csv(tables / name)
    if frame.empty:
        raise FigureError(f"{tables / name}: the table has no line, so there is nothing to draw")
    return frame


def read_rows(tables: Path) -> pd.DataFrame:
    """rows.csv, indexed by row, with the ``colour``, ``marker`` and ``hollow`` each row has in every figure."""
    rows = read(tables, "rows.csv").set_index("row", drop=False)
    own = [family for family in dict.fromkeys(rows["family"]) if family not in FAMILIES]
    spare = {family: SPARE_COLOURS[i % len(SPARE_COLOURS)] for i, family in enumerate(own)}
    colours, markers, count = [], [], {}
    for row, family in zip(rows["row"], rows["family"], strict=True):
        count[family] = count.get(family, -1) + 1
        markers.append(MARKERS[count[family] % len(MARKERS)])
        plain = FAMILIES[family][0] if family in FAMILIES else spare[family]
        colours.append(REFERENCE_COLOUR if row == REFERENCE_ROW else plain)
    return rows.assign(colour=colours, marker=markers, hollow=~rows["remembers"].astype(bool))


def family_name(family: str) -> str:
    """How figures call a family."""
    return FAMILIES[family][1] if family in FAMILIES else family.replace("_", " ")


def face(row) -> str:
    """Fill of a row's marker: white for a row that is inert by design."""
    return "white" if row.hollow else row.colour


def family_legend(rows: pd.DataFrame) -> list[Line2D]:
    """Legend entries: a disc a family, and a hollow one for rows that are inert by design."""
    found = rows[rows["row"] != REFERENCE_ROW].drop_duplicates("family")
    handles = [_disc(row.colour, row.colour, family_name(row.family)) for row in found.itertuples()]
    if rows["hollow"].any():
        handles.append(_disc("white", REFERENCE_COLOUR, "inert by design"))
    return handles


def row_legend(rows: pd.DataFrame) -> list[Line2D]:
    """Legend entries: each row's marker, colour and label."""
    return [_disc(face(row), row.colour, row.label, row.marker) for row in rows.itertuples()]


def _disc(inside: str, edge: str, label: str, marker: str = "o") -> Line2D:
    return Line2D([], [], linestyle="", marker=marker, markerfacecolor=inside, markeredgecolor=edge, label=label)


def errors(value, low, high) -> np.ndarray:
    """Interval ends as the (2, n) distances below and above that matplotlib's error bars take; NaN stays NaN."""
    value, low, high = (np.atleast_1d(np.asarray(x, float)) for x in (value, low, high))
    return np.maximum(np.stack([value - low, high - value]), 0)


def read_samples(tables: Path, name: str, *arrays: str) -> dict[str, np.ndarray]:
    """Arrays of ``samples/<name>.npz``; raises FigureError that names a missing array."""
    path = tables / "samples" / f"{name}.npz"
    with np.load(path, allow_pickle=False) as file:
        missing = [array for array in arrays if array not in file]
        if missing:
            raise FigureError(f"{path}: no array {missing[0]!r}; expected {', '.join(arrays)}")
        return {array: file[array] for array in file.files}


def thumbnail(axes: Axes, picture: np.ndarray | None, edge: str | None = None) -> None:
    """Show a frame (H, W, 3) uint8 without ticks, in a thin frame of colour ``edge``; None is a grey field."""
    if picture is None:
        axes.set_facecolor("#eeeeee")
        axes.set_box_aspect(1)
    else:
        axes.imshow(picture, interpolation="lanczos" if picture.shape[0] < 256 else "antialiased")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(edge is not None)
        spine.set_color(edge)
        spine.set_linewidth(1.4)


def thumbnail_grid(
    lines: int,
    columns: int,
    inch: float,
    *,
    left: float,
    top: float,
    right: float = 0.05,
    bottom: float = 0.05,
    gap: float = 0.03,
    foot: float = 0.0,
) -> tuple[Figure, np.ndarray]:
    """A figure of lines x columns square panels of ``inch`` each, at exact places; all measures in inches.

    foot: room under each panel for a line of text. Returns the figure and its (lines, columns) array of axes.
    """
    width = left + columns * inch + (columns - 1) * gap + right
    height = top + lines * (inch + foot) + (lines - 1) * gap + bottom
    figure = Figure(figsize=(width, height), dpi=200)
    FigureCanvasAgg(figure)
    grid = np.empty((lines, columns), object)
    for line in range(lines):
        for column in range(columns):
            x = left + column * (inch + gap)
            y = height - top - line * (inch + foot + gap) - inch
            grid[line, column] = figure.add_axes((x / width, y / height, inch / width, inch / height))
    return figure, grid


def side_label(axes: Axes, text: str, colour: str, bold: bool = False) -> None:
    """A horizontal label left of a thumbnail."""
    axes.set_ylabel(
        text, rotation=0, ha="right", va="center", labelpad=5, color=colour, fontsize=8,
        fontweight="bold" if bold else "normal",
    )  # fmt: skip


def save(figure: Figure, out: Path) -> None:
    """Write the figure atomically; equal figures give equal bytes (no date, no version)."""
    formats = {".png": {"Software": None}, ".pdf": {"CreationDate": None, "Producer": None, "Creator": None}}
    formats[".svg"] = {"Date": None, "Creator": None}
    if out.suffix not in formats:
        raise FigureError(f"{out}: cannot write {out.suffix or 'a file without suffix'}; use {', '.join(formats)}")
    with atomic_path(out) as temporary, matplotlib.rc_context({"svg.hashsalt": "echo"}):
        figure.savefig(temporary, metadata=formats[out.suffix], dpi=200, facecolor="white")
