"""A set with its truth, as a pool."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from echo.protocol.errors import ProtocolError
from echo.protocol.export import truth_of
from echo.protocol.truth import TrueCases, entries_of
from echo.world.pool import Pool

NAME = "revisit_near_000"


def test_it_is_a_pool_of_its_cases(cases):
    assert isinstance(cases, Pool) and cases.length(NAME) == 25 == len(cases.frames(NAME))
    assert np.array_equal(cases.frames(NAME, [24, 0, 17]), cases.frames(NAME)[[24, 0, 17]])
    assert list(cases.info.columns) == ["split", "room", "anchor", "trajectory", "frames"]
    assert [entry.name for entry in entries_of(cases.set, "return_45")] == ["return_45_000", "return_45_001"]
    for asked in (cases.depth, cases.ids, lambda name: cases.overlapping(name, 0)):
        with pytest.raises(ProtocolError, match=f"{NAME}: a case set keeps no "):
            asked(NAME)


def test_the_truth_of_another_set_is_refused(exported, tmp_path):
    folder = exported[0]
    with pytest.raises(ProtocolError, match="no truth of Echo-1 there; export it again"):
        TrueCases(folder, tmp_path)
    held = json.loads((truth_of(folder) / "truth.json").read_text())
    (tmp_path / "truth.json").write_text(json.dumps(held | {"definition": "0" * 16}))
    with pytest.raises(ProtocolError, match="the truth of Echo-1 0000"):
        TrueCases(folder, tmp_path)


def test_a_damaged_truth_is_one_line(exported, tmp_path):
    shutil.copytree(truth_of(exported[0]), tmp_path / "t")
    (tmp_path / "t" / NAME / "00020.png").write_bytes(b"no picture")
    with pytest.raises(ProtocolError, match=f"{NAME}: .*00020.png.*export the cases again"):
        TrueCases(exported[0], tmp_path / "t").frames(NAME)
    (tmp_path / "t" / NAME / "known.safetensors").write_bytes(b"")
    with pytest.raises(ProtocolError, match=f"{NAME}: its truth cannot be read"):
        TrueCases(exported[0], tmp_path / "t")
