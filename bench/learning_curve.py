"""Quality against training steps, which tells a row that does not remember from one that has not learnt yet.

    python -m bench.learning_curve [--study config/config.yaml] [--factors 1 2 4 8] [--rows i2v context_k5 ...]
                                   [--seeds 0 1 ...]

The rows are trained with the study's steps times each factor, each length with its own schedule, and measured as the
study measures them, on its rooms, texts, codec and latents (key ``rig``); factor 1 is the study itself, as its
published tables have it (``results/NAME/tables``). Nothing is chosen by it. Each length is of all its trainings that
there are: column ``train_seeds`` says how many.

It writes to --out: ``cases_xN.csv.xz``, the cases of a factor; of all that are there, ``curve.csv`` (a line for each
factor, row, branch and measure, with the interval of the study's tables), ``gain.csv`` (each row minus ``i2v`` of as
many steps, paired by case: what its memory adds), ``above_copy.csv`` (each row minus the copy of the best past frame,
which needs no training) and ``curve.png``. ``probes_xN.csv`` is the study's table of what the
rows last trained at a factor lose by another scene's memory, each within its own training. What has its cases there, a
row's training by one seed, is not run again; it may be killed and started again, as Snakemake goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
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
from echo.tables.compare import differences
from echo.tables.compressed import write_compressed
from echo.tables.summary import summary

ROWS = ("i2v", "context_k5", "context_k20", "ssm_blockwise")
FACTORS = (1, 2, 4, 8)
BRANCHES = ("recall", "revisit_near", "revisit_far", "return_far_8")
COLOURS = (style.REFERENCE_COLOUR, "#56B4E9", "#0072B2", "#CC79A7", *style.SPARE_COLOURS)
ALONE = "i2v"  # the row without memory
COPY = "copy_best"  # the reference row that a memory of frames has to pass
GAINS = (-0.1, 0, 0.1, 0.3, 1, 3, 10)  # ticks, dB
COLUMNS = ["factor", "steps", "row_name", "label", "branch", "measure", "value", "low", "high", "cases", "train_seeds"]


def longer(config: dict[str, Any], rows: Sequence[str], factor: int, seeds: Sequence[int] = (0,)) -> dict[str, Any]:
    """The study's configuration with ``factor`` times its training steps, for ``rows``, on the rig of the study."""
    steps = parse_study(config, load_rows(ROOT / "config" / "rows.yaml")).train.steps
    changes = {
        "study": f"{config['study']}_x{factor}",
        "rig": config.get("rig") or config["study"],
        "rows": list(rows),
        "train_seeds": list(seeds),
        "reference": ALONE if ALONE in rows else rows[0],
        "train": {"steps": factor * steps},
        "evaluate": {"references": [], "judges": [], "branches": ["replay", *BRANCHES]},
        "chosen_in": [],
    }
    return merged(config, changes)


def measured_cases(
    config: dict[str, Any],
    rows: tuple[str, ...],
    factors: tuple[int, ...],
    cores: int,
    out: Path,
    seeds: tuple[int, ...] = (0,),
) -> None:
    """Train and measure what ``out`` has no cases of; raises UserError for what does not fit, before any run."""
    matrix = load_rows(ROOT / "config" / "rows.yaml")
    wanted = []
    for factor in factors:
        if factor == 1:
            published(config, rows)
            continue
        have = kept(config, factor, out)
        there = set(zip(have["row_name"], have["train_seed"], strict=True))
        absent = {row: [seed for seed in seeds if (row, seed) not in there] for row in rows}
        for missing in sorted({tuple(of_row) for of_row in absent.values() if of_row}):
            whole = longer(config, [row for row in rows if tuple(absent[row]) == missing], factor, missing)
            wanted.append((factor, whole, parse_study(whole, matrix)))
    for factor, whole, study in wanted:
        summary_of(whole, f"{factor} times the steps", cores)
        made = pd.read_csv(Path("runs", study.study, "tables", "cases.csv.xz"))
        made = made[made["row_name"].isin(study.rows)].assign(steps=study.train.steps)
        have = kept(config, factor, out)
        out.mkdir(parents=True, exist_ok=True)
        with atomic_path(out / f"cases_x{factor}.csv.xz") as temporary:
            write_compressed(pd.concat([have, made]) if len(have) else made, temporary)
        shutil.copy(Path("runs", study.study, "tables", "probes_table.csv"), out / f"probes_x{factor}.csv")


def kept(config: dict[str, Any], factor: int, out: Path) -> pd.DataFrame:
    """The cases of a factor that ``out`` has, of all trainings; an empty table if none.

    Raises UserError where they are of other training steps.
    """
    study = parse_study(config, load_rows(ROOT / "config" / "rows.yaml"))
    path, expected = out / f"cases_x{factor}.csv.xz", factor * study.train.steps
    if not path.is_file():
        return pd.DataFrame({"row_name": [], "train_seed": [], "steps": []})
    cases = pd.read_csv(path)
    found = set(cases["steps"])
    if found != {expected}:
        raise UserError(
            f"{path}: of training steps {found}, expected {expected}; move it away, or choose another --out"
        )
    return cases


def published(config: dict[str, Any], rows: tuple[str, ...]) -> pd.DataFrame:
    """The study's own cases of ``rows``, as published, of all its trainings.

    Raises UserError where they are not there, or are of other training steps.
    """
    study = parse_study(config, load_rows(ROOT / "config" / "rows.yaml"))
    folder = Path("results", study.study, "tables")
    if not (folder / "record.json").is_file():
        raise UserError(f"{folder}: no tables there; run the study first: ./run study")
    steps = json.loads((folder / "record.json").read_text())["config"]["train"]["steps"]
    if steps != study.train.steps:
        raise UserError(f"{folder}: of {steps} training steps, expected {study.train.steps}; run the study first")
    cases = pd.read_csv(folder / "cases.csv.xz")
    cases = cases[cases["row_name"].isin(rows)]
    for row in rows:
        if row not in set(cases["row_name"]):
            raise UserError(f"{folder}/cases.csv.xz: nothing of row {row}; choose other --rows, or run it in the study")
    return cases.assign(steps=steps)


def copies(config: dict[str, Any]) -> pd.DataFrame:
    """The cases of the copy of the best past frame, as the study published them; it needs no training."""
    cases = pd.read_csv(Path("results", config["study"], "tables", "cases.csv.xz"))
    return cases[(cases["row_name"] == COPY) & cases["branch"].isin(["replay", *BRANCHES])]


def tables(config: dict[str, Any], rows: tuple[str, ...], out: Path) -> dict[str, pd.DataFrame]:
    """``curve``, ``gain`` and ``above_copy`` of all cases there are, each factor's rows in the order of ``rows``."""
    matrix = load_rows(ROOT / "config" / "rows.yaml")
    study, copied = parse_study(config, matrix), copies(config)
    names = pd.DataFrame(
        [{"row_name": row, "label": matrix[row]["label"], "family": matrix[row]["family"]} for row in rows]
    )
    parts: dict[str, list[pd.DataFrame]] = {"curve": [], "gain": [], "above_copy": []}
    for factor in (1, *sorted(int(path.name[7:-7]) for path in out.glob("cases_x*.csv.xz"))):
        cases = published(config, rows) if factor == 1 else kept(config, factor, out)
        cases = cases[cases["branch"].isin(["replay", *BRANCHES])]
        here, steps = names[names["row_name"].isin(set(cases["row_name"]))], factor * study.train.steps
        cells = summary(cases, here, study.evaluate.bootstrap, study.seed)
        parts["curve"].append(cells[cells["branch"].isin(set(cases["branch"]))].assign(factor=factor, steps=steps))
        for name, other in (("gain", ALONE), ("above_copy", COPY)):
            beside = pd.concat([cases, copied]) if other == COPY else cases
            above = differences(beside, here, other, study.evaluate.bootstrap, study.seed)
            parts[name].append(above.assign(factor=factor, steps=steps, value=above["difference"]))
    made = {name: pd.concat(part)[COLUMNS] for name, part in parts.items()}
    return {name: table[table["measure"].isin(MEASURES)] for name, table in made.items()}


@style.styled()
def draw(curve: pd.DataFrame, gain: pd.DataFrame, copied: pd.DataFrame) -> Figure:
    """Against training steps: PSNR, LPIPS, and PSNR above no memory; a panel for each branch, a line for each row.

    copied: cases of the copy of the best past frame, whose mean is drawn as a dashed line.
    """
    branches = [branch for branch in BRANCHES if branch in set(curve["branch"])]
    figure = style.new_figure(5.4)
    panels = figure.subplots(3, len(branches), sharex=True, sharey="row", squeeze=False)
    drawn = ((curve, "psnr", "PSNR, dB"), (curve, "lpips", "LPIPS"), (gain, "psnr", f"PSNR above {ALONE}, dB"))
    for line, (table, measure, name) in zip(panels, drawn, strict=True):
        for axes, branch in zip(line, branches, strict=True):
            _lines(axes, table[(table["branch"] == branch) & (table["measure"] == measure)])
            if table is curve:
                mean = copied.loc[copied["branch"] == branch, measure].mean()
                axes.axhline(mean, color="#333333", linewidth=0.9, linestyle="--", label="copy of the best past frame")
        line[0].set_ylabel(name)
    for axes, branch in zip(panels[0], branches, strict=True):
        axes.set_title(style.branch_label(branch))
    for axes in panels[2]:
        axes.axhline(0, color="#777777", linewidth=0.8)
        axes.set_yscale("symlog", linthresh=0.1)  # a tenth of a dB is seen beside ten
        axes.set_yticks(GAINS, [f"{gain:g}" for gain in GAINS])
    figure.supxlabel("training steps", fontsize=8.5)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return figure


def _lines(axes: Axes, cells: pd.DataFrame) -> None:
    """One line with its interval for each row of ``cells``, which are of one branch and measure."""
    looks = {row: look for row, *look in zip(ROWS, COLOURS, style.MARKERS, strict=False)}
    spare = iter(list(zip(COLOURS, style.MARKERS, strict=False))[len(ROWS) :])
    for row, own in cells.groupby("row_name", sort=False):
        colour, marker = looks.get(str(row)) or next(spare)
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
    parser.add_argument("--seeds", nargs="+", type=int, help="training seeds; by default the configuration's")
    parser.add_argument("--factors", nargs="+", type=int, default=list(FACTORS), help="times the study's steps")
    parser.add_argument("--out", type=Path, default=Path("results/learning_curve"), help="folder")
    parser.add_argument("--cores", type=int, default=2, help="for Snakemake")
    asked = parser.parse_args()
    config, rows = read_mapping(asked.study), tuple(asked.rows)
    try:
        seeds = tuple(asked.seeds or parse_study(config, load_rows(ROOT / "config" / "rows.yaml")).train_seeds)
        measured_cases(config, rows, tuple(asked.factors), asked.cores, asked.out, seeds)
        made = tables(config, rows, asked.out)
    except UserError as error:
        sys.exit(str(error))
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, table in made.items():
        with atomic_path(asked.out / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g")
    title = "Quality against training steps"
    figure = draw(made["curve"], made["gain"], copies(config))
    saving.save(figure, asked.out / "curve.png", title, source="bench/learning_curve.py")


if __name__ == "__main__":
    main()
