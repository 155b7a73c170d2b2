"""Judges on returned views with a known fault: how surely each score tells it, whether it falls as the fault grows.

    python -m bench.judges [--judges embedded ...] [--rooms 64] [--out results/judges]

Rooms are of the split ``choosing``, of a seed that no study uses, at the default study's size, through its shipped
codec; the judges' maps were fitted on others (``bench.fit_judges``). Each judge is asked a second time about the first
``AGAIN`` rooms. It writes ``scores.csv.xz`` (a line for each judge and pair), ``calibration.csv`` (a line for each
judge, edit, amount and score), ``summary.csv`` (a line for each judge and score) and ``calibration.png`` to --out, and
prints the totals. A judge with settings is an entry of ``judges`` of --config.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from bench.choose import ROOT
from echo.encoding.codec import Codec, load_codec
from echo.encoding.shipped import verified
from echo.figures import saving, style
from echo.io.files import atomic_path
from echo.judge import build_judge
from echo.judge.calibration import SCORES, calibration, judged, summary
from echo.judge.edits import AMOUNTS, Frame, Pair, pairs
from echo.measures.stages import weights
from echo.study.config import Study, load_study
from echo.study.judges import judge_weights
from echo.study.shipped import find_shipped
from echo.tables.compressed import write_compressed
from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.library import load_library, texture_resolution

SEED = 9002  # of no study and no other benchmark
AGAIN = 8  # rooms about which judges are asked twice
UNITS = {
    "turned": "degrees",
    "stepped": "metres",
    "recoloured": "share",
    "moved": "metres",
    "blurred": "pixels",
    "noisy": "grey levels",
    "blocky": "pixels",
}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#4d4d4d")  # of the scores, the total last


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "config" / "config.yaml")
    parser.add_argument("--judges", nargs="+", default=["embedded", "embedded_vgg", "oracle"])
    parser.add_argument("--rooms", type=int, default=64)
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--out", type=Path, default=Path("results/judges"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    study = load_study(given.config)
    shown = edited(study, range(given.rooms), fetch_assets(given.resources / "assets"))
    twice = [pair for pair in shown if pair.room < AGAIN]
    parts, again = [], []
    for name in given.judges:
        one = study.judged_by(name)
        judge = build_judge(one.judge_kind, fetched(given.resources, one.judge_kind), one.judge_settings)
        parts.append(judged(name, judge, shown))
        again.append(judged(name, judge, twice))
    scores = pd.concat(parts, ignore_index=True)
    table, short = calibration(scores), summary(scores, pd.concat(again, ignore_index=True))
    totals = table[table["score"] == "total"].set_index(["judge", "edit", "amount"])
    print(totals[["mean", "auroc", "low", "high", "monotone", "yes"]].round(2).to_string())
    print(short.set_index(["judge", "score"]).round(2).to_string())
    given.out.mkdir(parents=True, exist_ok=True)
    with atomic_path(given.out / "scores.csv.xz") as temporary:
        write_compressed(scores.round(4), temporary)
    for name, values in (("calibration", table), ("summary", short)):
        with atomic_path(given.out / f"{name}.csv") as temporary:
            values.to_csv(temporary, index=False, float_format="%.4g")
    saving.save(draw(table), given.out / "calibration.png", "Judges on known edits", source="bench/judges.py")


def edited(study: Study, numbers: Iterable[int], assets: Path) -> list[Pair]:
    """All pairs of the rooms ``numbers`` at the study's size, through its shipped codec."""
    library = load_library(assets, texture_resolution(study.world.height))
    codec: Codec = load_codec(verified(find_shipped(study.base.shipped), "codec"))

    def through(frame: Frame) -> Frame:
        return codec.decode(codec.encode(torch.from_numpy(frame[None])))[0].numpy()

    size, field_of_view = study.world.height, study.world.field_of_view
    return [pair for number in numbers for pair in pairs(SEED, number, size, field_of_view, library, through)]


def fetched(folder: Path, kind: str) -> Path:
    """The folder of weights below ``folder``, with those that the judge of the module ``kind`` needs."""
    if names := judge_weights(kind):
        weights.run(folder / "weights", names)
    return folder / "weights"


@style.styled()
def draw(table: pd.DataFrame) -> Figure:
    """One line of panels for each judge: mean of each score (of 5; the total over 20) against the amount, by edit."""
    judges = list(dict.fromkeys(table["judge"]))
    edits = [edit for edit, amounts in AMOUNTS.items() if len(amounts) > 1]
    single = [edit for edit, amounts in AMOUNTS.items() if len(amounts) == 1]
    figure = style.new_figure(0.6 + 2.9 * len(judges))
    panels = figure.subplots(2 * len(judges), 4, sharey=True, squeeze=False)
    for line, judge in enumerate(judges):
        own = table[table["judge"] == judge]
        places = panels[2 * line : 2 * line + 2].ravel()
        for axes, edit in zip(places, edits, strict=False):
            for score, colour in zip(SCORES, COLOURS, strict=True):
                here = own[(own["edit"] == edit) & (own["score"] == score)]
                axes.plot(range(len(here)), here["mean"] / (20 if score == "total" else 1), marker=".", color=colour,
                          linewidth=1.6 if score == "total" else 1, label=score)  # fmt: skip
            axes.set_xticks(range(len(AMOUNTS[edit])), [f"{amount:g}" for amount in AMOUNTS[edit]], fontsize=6.5)
            axes.set_title(f"{edit} ({UNITS[edit]})", fontsize=8)
        axes = places[len(edits)]
        for score, colour, shift in zip(SCORES, COLOURS, np.linspace(-0.25, 0.25, len(SCORES)), strict=True):
            here = own[(own["score"] == score) & own["edit"].isin(single)].set_index("edit").loc[single]
            axes.plot(np.arange(len(single)) + shift, here["mean"] / (20 if score == "total" else 1), ".", color=colour)
        axes.set_xticks(range(len(single)), single, fontsize=6.5, rotation=45, ha="right")
        axes.set_title("without an amount", fontsize=8)
        places[0].set_ylabel(f"{judge}\nmean score", fontsize=8)
    panels[0, 0].set_ylim(-0.15, 5.3)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


if __name__ == "__main__":
    main()
