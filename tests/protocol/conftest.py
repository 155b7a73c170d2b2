"""One small set of Echo-1's cases, written once: two rooms, two branches, frames of 48 x 64 pixels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from echo.protocol.answers import SWAPPED
from echo.protocol.export import truth_of, write_set
from echo.protocol.files import write_frames
from echo.protocol.manifest import CaseSet
from echo.protocol.measure import Meter
from echo.protocol.references import copied
from echo.protocol.rooms import scenes
from echo.protocol.scenes import Setting
from echo.protocol.score import Answers, score
from echo.protocol.truth import TrueCases
from echo.world.rooms.assets import fetch_assets
from tests.conftest import ROOT

SETTING = Setting("Echo-1", (48, 64), 75.0, 8, 8.0)
BRANCHES = ("return_45", "revisit_near")


@pytest.fixture(scope="session")
def assets() -> Path:
    return fetch_assets(ROOT / "resources" / "assets")


@pytest.fixture(scope="session")
def exported(assets, tmp_path_factory) -> tuple[Path, CaseSet]:
    """The folder of the cases, and what its set.json holds."""
    folder = tmp_path_factory.mktemp("protocol") / "cases"
    return folder, write_set(SETTING, scenes(SETTING, 2, BRANCHES, assets), folder, truth_of(folder))


@pytest.fixture(scope="session")
def cases(exported) -> TrueCases:
    return TrueCases(exported[0], truth_of(exported[0]))


@pytest.fixture(scope="session")
def meter(cases, weights) -> Meter:
    return Meter(cases, weights)


@pytest.fixture(scope="session")
def copies(cases, tmp_path_factory) -> Path:
    """Answers of the copy of the best past frame, also where the history is another case's."""
    folder = tmp_path_factory.mktemp("answers") / "copies"
    for entry in cases.set.cases:
        case, numbers = cases.of(entry.name), range(entry.given, entry.frames)
        write_frames(folder / entry.name, copied("copy_best", case), numbers)
        if case.about.swap:
            other = case.swapped(cases.of(case.about.swap))
            write_frames(folder / SWAPPED / entry.name, copied("copy_best", other), numbers)
    how = {
        "command": "python /home/anna/copy.py {case} {out}",
        "options": {"row": "copy_best", "run": "/home/anna/mini"},
    }
    record = {"model": "copies", "definition": cases.set.definition, "how": how, "failed": {}}
    (folder / "answers.json").write_text(json.dumps(record))
    return folder


@pytest.fixture(scope="session")
def result(cases, copies, weights) -> dict:
    """The copies' score, with reference rows and a judge beside them."""
    return score(Answers(copies, cases), weights, "copies", {"oracle": {}})
