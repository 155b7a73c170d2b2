"""Quality against training steps, which tells a row that does not remember from one that has not learnt yet.

    python -m bench.learning_curve [--study config/config.yaml] [--factors 1 2 4 8] [--rows i2v context_k5 ...]

The rows are trained with the study's steps times each factor, each length with its own schedule, and measured as the
study measures them, on its rooms, texts, codec and latents (key ``rig``); factor 1 is the study itself, as its
published tables have it (``results/NAME/tables``), of the same training seeds. Nothing is chosen by it. It writes
``curve.csv`` (a line for each factor, row, branch and measure, with the interval of the study's tables) and
``curve.png`` to --out. It may be killed and started again: Snakemake goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.choose import MEASURES, ROOT, merged, summary_of
from echo.figures import saving, style
from echo.io.errors import UserError
from echo.io.files import atomic_path
from echo.study.config import load_rows, parse_study
from echo.study.reading import read_mapping
from echo.tables.summary import summary

ROWS = ("i2v", "context_k5", "context_k20", "ssm_blockwise")
FACTORS = (1, 2, 4, 8)
BRANCHES = ("recall", "revisit_near", "revisit_far", "return_far_8")
COLOURS = (style.REFERENCE_COLOUR, "#56B4E9", "#0072B2", "#CC79A7", *style.SPARE_COLOURS)
COLUMNS = ["factor", "steps", "row_name", "label", "branch", "measure", "value", "low", "high", "cases", "train_seeds"]


def longer(config: dict[str, Any], rows: tuple[str, ...], factor: int) -> dict[str, Any]:
    """The study's configuration with ``factor`` times its training steps, for ``rows``, on the rig of the study."""
    steps = parse_study(config, load_rows(ROOT / "config" / "rows.yaml")).train.steps
    changes = {
        "study": f"{config['study']}_x{factor}",
        "rig": config.get("rig") or config["study"],
        "rows": list(rows),
        "train": {"steps": factor * steps},
        "evaluate": {"references": [], "judges": [], "branches": ["replay", *BRANCHES]},
        "chosen_in": [],
    }
    return merged(config, changes)


def curve(config: dict[str, Any], rows: tuple[str, ...], factors: tuple[int, ...], cores: int) -> pd.DataFrame:
    """The table of the curve, COLUMNS; raises UserError for a study that does not fit, or whose run fails."""
    matrix = load_rows(ROOT / "config" / "rows.yaml")
    studies = {factor: (whole := longer(config, rows, factor), parse_study(whole, matrix)) for factor in factors}
    parts = [published(config, rows)] if 1 in factors else []
    for factor, (whole, study) in studies.items():
        if factor > 1:
            own = summary_of(whole, f"{factor} times the steps", cores)
            parts.append(own.assign(factor=factor, steps=study.train.steps))
    table = pd.concat(parts)[COLUMNS]
    return table[table["measure"].isin(MEASURES) & table["branch"].isin(["replay", *BRANCHES])]


def published(config: dict[str, Any], rows: tuple[str, ...]) -> pd.DataFrame:
    """The study's own cells of ``rows``, from its published cases of the configuration's training seeds.

    Raises UserError where they are not there, or are of other training steps.
    """
    study = parse_study(config, load_rows(ROOT / "config" / "rows.yaml"))
    folder = Path("results", study.study, "tables")
    if not (folder / "record.json").is_file():
        raise UserError(f"{folder}: no tables there; run the study first: ./run study")
    steps = json.loads((folder / "record.json").read_text())["config"]["train"]["steps"]
    if steps != study.train.steps:
        raise UserError(f"{folder}: of {steps} training steps, expected {study.train.steps}; run the study first")
    cases = pd.read_csv(folder / "cases.csv.gz")
    cases = cases[cases["row_name"].isin(rows) & cases["train_seed"].isin(study.train_seeds)]
    listed = pd.read_csv(folder / "rows.csv")
    listed = listed[listed["row_name"].isin(rows)]
    for row in rows:
        if row not in set(cases["row_name"]):
            raise UserError(f"{folder}/cases.csv.gz: nothing of row {row} with training seeds {study.train_seeds}")
    found = summary(cases, listed, study.evaluate.bootstrap, study.seed)
    return found.assign(factor=1, steps=steps)


@style.styled()
def draw(table: pd.DataFrame) -> Figure:
    """PSNR (above) and LPIPS (below) against training steps, one panel for each branch, one line for each row."""
    branches = [branch for branch in BRANCHES if branch in set(table["branch"])]
    figure = style.new_figure(3.9)
    panels = figure.subplots(2, len(branches), sharex=True, sharey="row", squeeze=False)
    for line, (measure, name) in zip(panels, (("psnr", "PSNR, dB"), ("lpips", "LPIPS")), strict=True):
        for axes, branch in zip(line, branches, strict=True):
            _lines(axes, table[(table["measure"] == measure) & (table["branch"] == branch)])
        line[0].set_ylabel(name)
    for axes, branch in zip(panels[0], branches, strict=True):
        axes.set_title(style.branch_label(branch))
    figure.supxlabel("training steps", fontsize=8.5)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _lines(axes: Axes, cells: pd.DataFrame) -> None:
    """One line with its interval for each row of ``cells``, which are of one branch and measure."""
    for (_, own), colour, marker in zip(cells.groupby("row_name", sort=False), COLOURS, style.MARKERS, strict=False):
        axes.plot(own["steps"], own["value"], marker=marker, color=colour, label=own["label"].iloc[0])
        axes.fill_between(own["steps"], own["low"], own["high"], color=colour, alpha=0.15, linewidth=0)
    steps = sorted(set(cells["steps"]))
    axes.set_xscale("log", base=2)
    axes.set_xticks(steps, [str(count) for count in steps], fontsize=7)
    axes.minorticks_off()


def main() -> None:
    """The command line; errors meant for users are one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, default=ROOT / "config" / "config.yaml", help="its configuration")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), help="rows of config/rows.yaml")
    parser.add_argument("--factors", nargs="+", type=int, default=list(FACTORS), help="times the study's steps")
    parser.add_argument("--out", type=Path, default=Path("results/learning_curve"), help="folder")
    parser.add_argument("--cores", type=int, default=2, help="for Snakemake")
    asked = parser.parse_args()
    try:
        table = curve(read_mapping(asked.study), tuple(asked.rows), tuple(asked.factors), asked.cores)
    except UserError as error:
        sys.exit(str(error))
    asked.out.mkdir(parents=True, exist_ok=True)
    with atomic_path(asked.out / "curve.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    title = "Quality against training steps"
    saving.save(draw(table), asked.out / "curve.png", title, source="bench/learning_curve.py")


if __name__ == "__main__":
    main()
