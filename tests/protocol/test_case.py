"""A case as a model meets it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from echo.protocol.case import load_case, load_set
from echo.protocol.errors import ProtocolError
from echo.world.camera import relative_actions

NAME = "revisit_near_000"


def test_all_conventions_are_of_one_path(exported):
    case = load_case(exported[0], NAME)
    assert case.numbers == range(17, 25) and case.size == (48, 64)
    assert np.array_equal(case.relative, relative_actions(case.poses, case.poses[17]))
    assert case.camera_to_world.shape == (25, 4, 4) and case.intrinsics[0, 2] == 32
    assert np.allclose(case.plucker(8)[17:], np.load(case.folder / "plucker.npy"))
    assert len(case.actions) == 24 and case.actions[-1] == []
    assert np.array_equal(case.last, case.given_frames[-1])


def test_a_swapped_history_is_anothers_but_for_the_last_frame(exported):
    own, other = (load_case(exported[0], name) for name in (NAME, "revisit_near_001"))
    swapped = own.swapped(other)
    assert np.array_equal(swapped.given_frames[:-1], other.given_frames[:-1])
    assert np.array_equal(swapped.last, own.last) and swapped.caption == own.caption
    with pytest.raises(ProtocolError, match="another length"):
        own.swapped(load_case(exported[0], "return_45_000"))


def test_a_damaged_case_is_one_line(exported, tmp_path):
    shutil.copytree(exported[0], tmp_path / "c")
    path = tmp_path / "c" / "cases" / NAME / "case.json"
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, "poses": held["poses"][:-1]}))
    with pytest.raises(ProtocolError, match="poses: expected a row of 6 for each of 25 frames"):
        load_case(tmp_path / "c", NAME)
    path.write_text(json.dumps({**held, "caption": 3}))
    with pytest.raises(ProtocolError, match="case.json: caption: "):
        load_case(tmp_path / "c", NAME)
    (path.parent / "first.png").write_bytes(b"")
    (path.parent / "history" / "00003.png").unlink()
    path.write_text(json.dumps(held))
    with pytest.raises(ProtocolError, match=f"{NAME}: .*00003.png"):
        _ = load_case(tmp_path / "c", NAME).given_frames
    with pytest.raises(ProtocolError, match="expected a folder that"):
        load_set(tmp_path)
