"""Ranks from study to study: how each row moves as evidence and recipe change.

Not one study's figure, so that it has no ``READS``: it is drawn from ``ranks.csv`` of several studies side by side.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echo.figures import style


@style.styled()
def draw_ranks(ranks: pd.DataFrame) -> Figure:
    """A slope chart of each outcome: a column a study, a line a row, rank 1 on top.

    ranks: as ``echo.tables.policies.rank_table`` makes it.
    """
    outcomes = list(ranks[["branch", "measure"]].drop_duplicates().itertuples(index=False, name=None))
    studies = list(dict.fromkeys(ranks["study"]))
    policies = ranks.drop_duplicates("study").set_index("study")["policy"]
    # A study is known by its policy, where no other study has that too.
    names = {study: policy if (policies == policy).sum() == 1 else study for study, policy in policies.items()}
    count = ranks["row"].nunique()
    across = min(2, len(outcomes))
    down = -(-len(outcomes) // across)
    figure = style.new_figure(down * (0.8 + 0.17 * count))
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    for axes in panels[len(outcomes) :]:
        axes.set_axis_off()
    for axes, (branch, measure) in zip(panels, outcomes, strict=False):
        here = ranks[(ranks["branch"] == branch) & (ranks["measure"] == measure)]
        for _, line in here.groupby("row", sort=False):
            ordered = line.set_index("study").loc[studies]
            axes.plot(
                np.arange(len(studies)), ordered["rank"], color=_colour(str(ordered["family"].iloc[0])), marker="o",
                markersize=4, clip_on=False,
            )  # fmt: skip
        for rank, equal in here[here["study"] == studies[-1]].groupby("rank"):
            axes.annotate(
                ", ".join(equal["label"]), (len(studies) - 1, float(str(rank))), (6, 0), fontsize=6,
                textcoords="offset points", va="center", color=_colour(str(equal["family"].iloc[-1])),
                annotation_clip=False,
            )  # fmt: skip
        axes.set_xlim(-0.1, len(studies) - 0.9)
        axes.set_ylim(count + 0.5, 0.5)
        listed = [str(names[study]).replace("_", " ") for study in studies]
        axes.set_xticks(range(len(studies)), listed, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(1, count + 1))
        axes.set_title(f"{style.branch_label(branch)}, {'judge' if measure == 'judge' else measure.upper()}")
        axes.grid(axis="x")
    for axes in panels[: len(outcomes) : across]:
        axes.set_ylabel("rank among the rows\nthat all studies have")
    return figure


def _colour(family: str) -> str:
    return style.FAMILIES[family][0] if family in style.FAMILIES else style.REFERENCE_COLOUR
