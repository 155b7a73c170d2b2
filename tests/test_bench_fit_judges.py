"""The maps that are shipped are what the benchmark wrote, and what it writes is what it fitted."""

from importlib import import_module

import numpy as np
import pytest

from bench.fit_judges import HAND, fitted, module_of
from echo.judge.agreement import AgreementJudge
from echo.judge.base import Case, Truth
from echo.judge.edits import AMOUNTS, Pair
from echo.judge.maps import SCORES, Map
from echo.study.judges import FOLDER

FILES = sorted(FOLDER.glob("_*_maps.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_maps_are_as_the_benchmark_writes_them(path):
    assert path.read_text() == module_of(import_module(f"echo.judge.judges.{path.stem}").MAPS)


def test_a_written_module_holds_the_maps():
    maps = {**HAND, "view": Map((-0.25, 0.5, 1 - 1e-6), (0.0, 1 / 3, 5.0))}
    read = {}
    exec(module_of(maps), read)
    for name in SCORES:
        np.testing.assert_allclose(read["MAPS"][name].raw, maps[name].raw, atol=1e-6)
        np.testing.assert_allclose(read["MAPS"][name].score, maps[name].score, atol=1e-6)


def test_each_score_is_mapped_in_the_way_of_the_least_error_on_rooms_held_out():
    """A judge whose agreements are brightness: bright views are right, and no score is told from another."""
    frame = np.zeros((4, 4, 3), np.uint8)
    truth, pairs = Truth(frame[None], frame[None, ..., 0] > 0), []
    for room in range(8):
        for edit, amounts in AMOUNTS.items():
            for amount in amounts:
                level = 40 + room if edit in ("unrelated", "other_room", "removed", "replaced") else 200 + room
                last = frame + np.uint8(level)
                pairs.append(Pair(room, edit, float(amount), frame, last, frame[..., 0] > 0, "vase", truth))
    judge = AgreementJudge(lambda cases: dict.fromkeys(SCORES, brightness(cases)), HAND)
    maps, table = fitted("bright", judge, pairs)
    ways = table[table["way"].isin(["hand", "isotonic", "logistic"])].set_index("way")
    for score in SCORES:
        chosen = ways[score].idxmin()
        assert (maps[score] is HAND[score]) == (chosen == "hand")
    assert ways.loc["isotonic", "scene"] < ways.loc["hand", "scene"] and (table["judge"] == "bright").all()


def brightness(cases: list[Case]) -> np.ndarray:
    return np.array([case.returned.mean() / 255 for case in cases])
