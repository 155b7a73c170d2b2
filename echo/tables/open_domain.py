"""Tables of rollouts from lone first frames: what the judge says of each, and each row's mean over pictures.

There is no truth, so there are no measures against it. Intervals are over pictures, and training seeds where there are
several; the paper's numbers are from eight pictures and its own judge.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from echo.measures.closure import COLUMNS as CLOSURE
from echo.tables.cells import branch_name, literal, markdown_table, number, with_interval
from echo.tables.complete import SCORES
from echo.tables.paper import paper_number
from echo.tables.summary import cell

FILES = ("open_domain.csv", "open_domain_rows.csv", "open_domain.md", "record.json")  # beside the strips
MEASURES = {"judge": 1, **dict.fromkeys(SCORES[:-1], 2), "first_psnr": 2, "first_lpips": 3}  # and digits on the page
CASE_COLUMNS = ("row_name", "train_seed", "branch", "picture", "anchor", "judged_by", *SCORES, "missing", *CLOSURE)
ROW_COLUMNS = ("row_name", "label", "branch", "judged_by", "measure", "paper", "value", "low", "high", "pictures",
               "train_seeds")  # fmt: skip

PAGE = """# Lone first frames

Made by the stage `open_domain`: {pictures} pictures, with the judge's four scores from 0 to 5 and their total from 0 to
100. In brackets the 95 % interval by bootstrap over pictures; with few pictures it is too narrow. The paper's numbers
are from its eight pictures and its own judge: another judge's level says nothing beside them.

*First frame* columns compare the last frames with the first one. They are no measure of memory: a camera that never
leaves scores best, as the copy of the first frame, in italics with what else needs no training, shows.
"""


def row_table(cases: pd.DataFrame, labels: Mapping[str, str], resamples: int, seed: int) -> pd.DataFrame:
    """A line (``ROW_COLUMNS``) for each branch, judge, row and measure: the mean over pictures with its interval.

    cases: ``CASE_COLUMNS``; labels: of rows and reference rows, in their order. Missing scores are left out:
    ``pictures`` counts those that have one.
    """
    named = cases.rename(columns={"picture": "case"}).assign(scene=cases["picture"])
    lines = []
    for (branch, judge), here in named.groupby(["branch", "judged_by"], sort=False):
        for row, label in labels.items():
            for measure in MEASURES:
                own = here[here["row_name"] == row]
                held = cell(own, measure, resamples, seed, "open_domain", str(branch), measure)
                line = {"row_name": row, "label": label, "branch": branch, "judged_by": judge, "measure": measure}
                paper = paper_number(row, str(branch), measure)
                lines.append({**line, **held, "paper": paper, "pictures": held["cases"]})
    return pd.DataFrame(lines, columns=[*ROW_COLUMNS])


def page(rows: pd.DataFrame, pictures: int, untrained: tuple[str, ...]) -> str:
    """The tables as markdown. pictures: how many there are; untrained: reference rows."""
    parts = [PAGE.format(pictures=pictures)]
    header = ["Row", "judge", "paper", "pictures judged", "appearance", "presence", "view", "scene"]
    header += ["first frame PSNR, dB", "first frame LPIPS"]
    for (branch, judge), here in rows.groupby(["branch", "judged_by"], sort=False):
        lines = []
        for row, of_row in here.groupby("row_name", sort=False):
            by_measure = {line.measure: line for line in of_row.itertuples()}
            texts = {
                name: with_interval(line.value, line.low, line.high, MEASURES[name])
                for name, line in by_measure.items()
            }
            label, judged = literal(of_row["label"].iloc[0]), by_measure["judge"]
            others = [texts[name] for name in MEASURES if name != "judge"]
            counts = [number(judged.paper, 2), f"{judged.pictures} of {pictures}"]
            lines.append([f"*{label}*" if row in untrained else label, texts["judge"], *counts, *others])
        parts.append(f"\n## {branch_name(str(branch))}, judged by `{judge}`\n\n{markdown_table(header, lines)}")
    return "".join(parts)
