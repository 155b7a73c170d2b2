"""Fit the maps from raw agreements to scores of the judges that measure agreements.

    python -m bench.fit_judges [--rooms 64] [--resources resources]

On rooms of the split ``choosing`` that ``bench.judges`` never shows. For each judge and score the way is chosen (what
was set by hand, isotonic or logistic regression) that is nearest to the targets on rooms held out of its fitting
(``echo.judge.fitting``). It writes ``echo/judge/judges/_<judge>_maps.py`` and ``results/judges/fit.csv``, the errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from bench.choose import ROOT
from bench.judges import edited, fetched
from echo.io.files import atomic_path, write_text
from echo.judge import build_judge
from echo.judge.agreement import CHUNK, AgreementJudge
from echo.judge.edits import Pair
from echo.judge.fitting import FOLDS, errors, fit_maps, held_out_errors, with_targets
from echo.judge.maps import SCORES, Map, Maps
from echo.study.config import load_study
from echo.study.judges import FOLDER, judge_names, settings_of
from echo.world.rooms.assets import fetch_assets

FIRST = 1000  # number of the first room; those of ``bench.judges`` begin at 0
# Set by hand for the embedded judge before any of this was measured, and tried for the others as well.
POWER = 0.7
HEAD = '''"""Maps of this judge's agreements to scores. Written by ``python -m bench.fit_judges``."""

from echo.judge.maps import Map

'''
RISE = np.linspace(0, 1, 17)
HAND: Maps = {
    "appearance": Map((*map(float, 0.2 + 0.8 * RISE[:-1]), 1 - 1e-6), tuple(map(float, 5 * RISE**POWER))),
    "presence": Map((0.4, 0.8), (0.0, 5.0)),
    "view": Map((0.25, 1 - 1e-6), (0.0, 5.0)),
    "scene": Map((0.35, 1 - 1e-6), (0.0, 5.0)),
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "config" / "config.yaml")
    parser.add_argument("--rooms", type=int, default=64)
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    given = parser.parse_args()
    if given.rooms < FOLDS:
        parser.error(f"--rooms {given.rooms}: expected at least {FOLDS}, for as many folds")
    torch.set_num_threads(1)
    study = load_study(given.config)
    assets = fetch_assets(given.resources / "assets")
    shown = edited(study, range(FIRST, FIRST + given.rooms), assets)
    tables = []
    for name in judge_names():
        if settings_of(name).model_fields:
            continue  # a model that must be asked: it measures no agreements
        judge = build_judge(name, fetched(given.resources, name))
        if isinstance(judge, AgreementJudge):
            maps, table = fitted(name, judge, shown)
            tables.append(table)
            write_text(FOLDER / f"_{name}_maps.py", module_of(maps))
    with atomic_path(ROOT / "results" / "judges" / "fit.csv") as temporary:
        pd.concat(tables).to_csv(temporary, index=False, float_format="%.4g")


def raw_agreements(judge: AgreementJudge, pairs: Sequence[Pair]) -> pd.DataFrame:
    """A line for each pair: room, edit, amount and the raw agreements."""
    chunks = [pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK)]
    found = [pd.DataFrame(dict(judge.agreements([pair.case for pair in chunk]))) for chunk in chunks]
    lines = pd.DataFrame([(pair.room, pair.edit, pair.amount) for pair in pairs], columns=["room", "edit", "amount"])
    return lines.join(pd.concat(found, ignore_index=True))


def fitted(name: str, judge: AgreementJudge, pairs: Sequence[Pair]) -> tuple[Maps, pd.DataFrame]:
    """The judge's new maps, and a line for each way: its error by score on held-out rooms, and which was chosen."""
    lines = with_targets(raw_agreements(judge, pairs))
    held_out = held_out_errors(lines, HAND)
    chosen = {score: str(held_out[score].idxmin()) for score in SCORES}
    maps = fit_maps(lines, chosen, HAND)
    held_out.loc["chosen, on the rooms of its fit"] = errors(lines, maps)
    print(f"{name}: {', '.join(f'{score} {way}' for score, way in chosen.items())}\n{held_out.round(3).to_string()}")
    return maps, held_out.rename_axis("way").reset_index().assign(judge=name)


def module_of(maps: Maps) -> str:
    """The source of a module with these maps, as ruff formats it."""
    parts = [f'    "{name}": Map(\n{_numbers(maps[name].raw)}{_numbers(maps[name].score)}    ),\n' for name in SCORES]
    return f"{HEAD}MAPS = {{\n{''.join(parts)}}}\n"


def _numbers(values: Sequence[float]) -> str:
    """A tuple, one number a line where they do not fit in one."""
    words = [f"{value:.7g}" for value in values]
    words = [word if "." in word else f"{word}.0" for word in words]
    line = f"        ({', '.join(words)}),\n"
    if len(line) <= 121:
        return line
    return "        (\n" + "".join(f"            {word},\n" for word in words) + "        ),\n"


if __name__ == "__main__":
    main()
