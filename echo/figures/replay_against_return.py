"""Replay against return (the paper's Fig. 7): ranks by the one beside ranks by the other.

Does the row that follows a real trajectory best also come back best?

Each panel ranks the rows twice, by replay on the left and by return on the right; a line that climbs is a row that
replay undervalues. References, which need no training, take their places among the rows as thin lines; shifts and
the correlations (Pearson's r of the numbers, Spearman's of the ranks) are of the rows alone. The last panel has the
shifts of the judged return, ours and the paper's, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from echo.figures import FigureError, style, untrained

READS = ("summary.csv", "rank_correlation.csv", "rows.csv")
PANELS = (  # column of summary.csv, (branch, measure) of the return, title, name of the return's rank
    ("value", ("return_strict", "psnr"), "Ours: strict return", "return PSNR"),
    ("value", ("return_45", "judge"), "Ours: 45° return, judged", "judge"),
    ("paper", ("return_45", "judge"), "Paper: open domain, judged", "judge"),
)

SHIFTS = {"ours": "o", "the paper's": "D"}  # whose judged return: its marker


@style.styled()
def draw(tables: Path) -> Figure:
    """Three slope charts of ranks, ours by PSNR, ours by the judge and the paper's, and how far each row shifts."""
    rows, references = style.read_rows(tables), untrained.read_references(tables)
    summary = style.read(tables, "summary.csv")
    ranked = [_values(summary, rows, references, column, target) for column, target, _, _ in PANELS]
    count = max(len(values) for values in ranked)
    if max((~values.index.isin(references.index)).sum() for values in ranked) < 2:
        raise FigureError(f"{tables / 'summary.csv'}: ranking needs two rows with replay and return, found {count}")
    figure = style.new_figure(1.6 + 2 * 0.165 * count)
    intervals = style.read(tables, "rank_correlation.csv").set_index(["branch", "measure"])
    *panels, last = figure.subplots(2, 2).flat
    for axes, values, (column, target, title, name) in zip(panels, ranked, PANELS, strict=True):
        interval = _interval(intervals, target) if column == "value" else ""
        _slopes(axes, values, rows, references, count, name, interval)
        axes.set_title(title, loc="center")
    _shifts(last, rows, {name: values["shift"].dropna() for name, values in zip(SHIFTS, ranked[1:], strict=True)})
    whose = style.shapes_legend({f"shift: {name}": marker for name, marker in SHIFTS.items()})
    whose[1].set_markerfacecolor("none")
    figure.legend(handles=[*style.family_legend(rows), *whose], loc="outside lower center", ncols=4)
    return figure


def _values(
    summary: pd.DataFrame, rows: pd.DataFrame, references: pd.DataFrame, column: str, target: tuple[str, str]
) -> pd.DataFrame:
    """Rows and references that have both numbers: ``replay`` (PSNR) and ``back``, and their places.

    ``place_*``: among all of them, 1 the best, ties in row order, so that lines do not coincide. ``shift``: how many
    ranks a row climbs from replay to return among the rows alone, equal ones sharing a rank; missing for references.
    """
    cells = summary.set_index(["branch", "measure", "row_name"])[column].dropna()
    names = [*rows.index, *references.index]
    values = pd.DataFrame(
        {
            "replay": {row: cells.get(("replay", "psnr", row), np.nan) for row in names},
            "back": {row: cells.get((*target, row), np.nan) for row in names},
        }
    ).dropna()
    places = values.rank(ascending=False, method="first").astype(int)
    ranks = values[values.index.isin(rows.index)].rank(ascending=False, method="min").astype(int)
    return values.join(places.add_prefix("place_")).assign(shift=ranks["replay"] - ranks["back"])


def _slopes(
    axes: Axes,
    values: pd.DataFrame,
    rows: pd.DataFrame,
    references: pd.DataFrame,
    count: int,
    name: str,
    interval: str,
) -> None:
    trained = values[values.index.isin(rows.index)]
    if len(trained) < 2:
        axes.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes, color="#777777")
        axes.set_axis_off()
        return
    two = trained.melt(
        value_vars=["place_replay", "place_back"], var_name="side", value_name="rank", ignore_index=False
    )
    two = two.rename_axis("row_name").reset_index().assign(side=lambda t: (t["side"] == "place_back").astype(float))
    looks = rows.loc[trained.index]
    lines = style.estimates(
        axes, two.rename(columns={"rank": "value"}).assign(low=np.nan, high=np.nan), "side",
        colours=looks["colour"].to_dict(), markers=dict.fromkeys(looks.index, "o"),
        faces={row.row_name: style.face(row) for row in looks.itertuples()},
        dashes={row.row_name: (4, 2) if row.hollow else "" for row in looks.itertuples()},
    )  # fmt: skip
    for row, line in trained.iterrows():
        lines[row].set_clip_on(False)
        shift = int(line["shift"])
        sign = f"▲{shift}" if shift > 0 else f"▼{-shift}" if shift < 0 else "="
        _ends(axes, line, rows.loc[row, "label"], f"  {sign}", color=rows.loc[row, "colour"])
    for reference in references[references.index.isin(values.index)].itertuples():
        line = values.loc[reference.row_name]
        axes.plot([0, 1], [line["place_replay"], line["place_back"]], **untrained.look(reference))
        _ends(axes, line, reference.label, "", color=untrained.COLOUR, style="italic")
    agreement, linear = _spearman(trained), trained["replay"].corr(trained["back"])
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(count + 0.5, 0.5)
    axes.set_xticks([0, 1], ["replay PSNR", name])
    axes.set_yticks([])
    axes.set_ylabel("")
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    found = (
        f"rank correlation {agreement:.2f}{interval}\nr = {linear:.2f}"
        if np.isfinite(agreement)
        else "no correlation: all alike"
    )
    axes.set_xlabel(found.replace("-", "−"))


def _shifts(axes: Axes, rows: pd.DataFrame, shifts: Mapping[str, pd.Series]) -> None:
    """How many ranks each row climbs from replay to the judged return; the paper's riser first.

    ``shifts``: by the name of whose they are, shifts by row.
    """
    papers = shifts["the paper's"].reindex(rows.index)
    table = rows.assign(shift=papers).sort_values("shift", ascending=False, kind="stable", na_position="last")
    style.label_lines(axes, table, rows)
    for whose, marker in SHIFTS.items():
        for place, row in enumerate(table.itertuples()):
            if row.row_name in shifts[whose].index:
                face = style.face(row) if whose == "ours" else "none"
                axes.plot(shifts[whose][row.row_name], place, marker=marker, color=row.colour, markerfacecolor=face)
    axes.axvline(0, color=style.REFERENCE_COLOUR, linewidth=0.7, zorder=0)
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_title("Rank shift, judged", loc="center")
    axes.set_xlabel("ranks climbed from replay to return")


def _interval(table: pd.DataFrame, target: tuple[str, str]) -> str:
    """The 95 % interval of ours, where there is one."""
    low, high = table.loc[target, ["low", "high"]] if target in table.index else (np.nan, np.nan)
    return f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else ""


def _ends(axes: Axes, line: pd.Series, label: str, after: str, **look: Any) -> None:
    """A row's name and number left of its line, and its number right of it."""
    axes.text(-0.05, line["place_replay"], f"{label}  {line['replay']:.1f}", ha="right", va="center", fontsize=6.5,
              **look)  # fmt: skip
    axes.text(1.05, line["place_back"], f"{line['back']:.1f}{after}", va="center", fontsize=6.5, **look)


def _spearman(values: pd.DataFrame) -> float:
    """Spearman's correlation: Pearson's of the average ranks."""
    ranks = values[["replay", "back"]].rank()
    return ranks["replay"].corr(ranks["back"])
