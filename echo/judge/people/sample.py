"""The pairs of a page: a sample of a study's returned views, and controls whose answer is known.

A control is a first view beside one through the study's codec, of which everything comes that a row draws: its own
(``same``), which should score near 5, or another room's (``other``), which should score near 0 but for its view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from echo.io.errors import UserError
from echo.io.seeding import generator
from echo.judge.people.pairs import Pair, balanced
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.words import BRANCHES, RETURN_FRAMES, UNTRAINED

if TYPE_CHECKING:
    from echo.world.pool import Pool

SAME, OTHER, OF_ROW = "same", "other", "row"
KEY = ("pair", "kind", "row_name", "train_seed", "branch", "case")  # columns of the table of what was shown
Coded = Callable[[UInt8[np.ndarray, "height width 3"]], UInt8[np.ndarray, "height width 3"]]


class PeopleError(UserError):
    """A study that has nothing for people to judge, or rollouts that are not of its rows."""


@dataclass(frozen=True)
class Origin:
    """Where a pair comes from: a row's case, or a control (``kind``), whose ``row_name`` is empty."""

    pair: Pair
    kind: str
    row_name: str
    branch: str
    case: str


def of_rows(study: Study, folders: Mapping[str, Path], pools: Mapping[str, Pool]) -> list[Origin]:
    """Pairs of the study's rows and reference rows, as many as ``study.people`` leaves beside controls and repeats.

    folders: of each row's rollouts, one file a branch; pools: by split. Raises PeopleError for a study without branches
    that return, RolloutError for rollouts that are not of its cases.
    """
    branches = returning(study)
    count = study.people.pairs - study.people.repeats - study.people.controls
    draw = generator(study.seed, "people", "pairs")
    wanted: dict[tuple[str, str], list[int]] = {}
    names = list(folders)
    for row, branch, case in balanced(len(names), len(branches), study.evaluate.cases, count, draw):
        wanted.setdefault((names[row], branches[branch]), []).append(case)
    found = []
    for (name, branch), numbers in wanted.items():
        path, pool = folders[name] / f"{branch}.safetensors", _pool(study, branch, pools)
        rollout = Rollout.load(path)
        rollout.check(study, branch, pool.info, path)
        for number in numbers:
            case = rollout.cases[number]
            returned = rollout.frames[number, -RETURN_FRAMES:].copy()  # or all of the rollout would stay in memory
            pair = Pair(pool.frames(case, [0])[0], returned, str(pool.info.anchor[case]) or None)
            found.append(Origin(pair, OF_ROW, name, branch, case))
    return found


def controls(study: Study, pools: Mapping[str, Pool], coded: Coded) -> list[Origin]:
    """``study.people.controls`` pairs whose answer is known, ``same`` and ``other`` by turns.

    coded: what the codec makes of a frame. A split with one room has no ``other``, and so only half of them.
    """
    branch = returning(study)[0]
    pool = _pool(study, branch, pools)
    info = choose_cases(study, branch, pool.info)
    order = info.iloc[generator(study.seed, "people", "controls").permutation(len(info))]
    found = []
    for number in range(study.people.controls):
        case, room = str(order.index[number % len(order)]), order.room.iloc[number % len(order)]
        others = order.index[order.room != room]
        kind = OTHER if number % 2 else SAME
        if kind == OTHER and not len(others):
            continue
        last = case if kind == SAME else str(others[number % len(others)])
        first, returned = pool.frames(case, [0])[0], coded(pool.frames(last, [0])[0])
        pair = Pair(first, np.stack([returned] * RETURN_FRAMES), str(info.anchor[case]) or None)
        found.append(Origin(pair, kind, "", branch, case))
    return found


def key(origins: list[Origin], study: Study) -> pd.DataFrame:
    """What was shown (``KEY``), a line for each origin; raters never see it, and answers are read without it."""
    lines = []
    for one in origins:
        seed = study.train_seeds[0] if one.row_name in study.rows else UNTRAINED
        lines.append((one.pair.id, one.kind, one.row_name, seed, one.branch, one.case))
    return pd.DataFrame(lines, columns=[*KEY]).sort_values([*KEY], ignore_index=True)


def read_key(path: Path) -> pd.DataFrame:
    """What ``key`` says, from a page's ``pairs.csv``; raises PeopleError for another file."""
    try:
        table = pd.read_csv(path, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise PeopleError(f"{path}: cannot be read ({error}); expected the pairs.csv beside a page") from None
    if tuple(table) != KEY:
        raise PeopleError(f"{path}: expected the columns {', '.join(KEY)}; give the pairs.csv beside a page")
    return table


def returning(study: Study) -> list[str]:
    """The study's branches that end at the first view, which is what people compare with; PeopleError without any."""
    found = [branch for branch in study.evaluate.branches if BRANCHES[branch].returns]
    if not found:
        known = ", ".join(name for name, branch in BRANCHES.items() if branch.returns)
        raise PeopleError(f"evaluate.branches: none comes back to the first view; people need one of {known}")
    return found


def _pool(study: Study, branch: str, pools: Mapping[str, Pool]) -> Pool:
    return pools[BRANCHES[branch].split(study.evaluate.splits)]
