"""The folders that are written: what is in them, that both spellings of a path render the same, and going on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import av
import numpy as np
import pytest
from PIL import Image

from echo.measures.seen import measured_positions
from echo.protocol.case import load_case
from echo.protocol.errors import ProtocolError
from echo.protocol.export import truth_of, write_set
from echo.protocol.rooms import DrawnRoom, scenes
from echo.protocol.steps import StepSize, parse, play
from echo.world.geometry import seen
from echo.world.rooms.render import render_room
from tests.protocol.conftest import BRANCHES, SETTING

NAME = "revisit_near_001"


@pytest.fixture(scope="module")
def room(assets):
    return DrawnRoom("open_domain", 1, 8, assets)


def test_discrete_and_continuous_spellings_render_the_same_frames(exported, cases, room):
    """From actions.txt alone, played from the first pose, to the very pixels of the set."""
    lines = (exported[0] / "cases" / NAME / "actions.txt").read_text().splitlines()
    poses = cases.poses(NAME)
    played = play(poses[0], np.array([parse(line) for line in lines]), StepSize.of(8))
    assert np.array_equal(played, poses)
    assert np.array_equal(render_room(room.room, played, (48, 64), 75.0, room.library(64)).rgb, cases.frames(NAME))


def test_what_a_model_gets(exported, cases):
    folder, made = exported
    assert {path.name for path in folder.iterdir()} == {"set.json", "README.md", "schema.json", "cases"}
    assert [entry.name for entry in made.cases] == [f"{b}_{i:03d}" for i in range(2) for b in BRANCHES]
    case = load_case(folder, NAME)
    assert (case.about.given, case.about.frames, len(case.given_frames)) == (17, 25, 17)
    with av.open(str(case.folder / "history.mp4")) as container:
        video = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert video.shape == (17, 48, 64, 3) and np.abs(video.astype(int) - case.given_frames).mean() < 6
    assert np.load(case.folder / "plucker.npy", allow_pickle=False).shape == (8, 6, 8, 6)
    assert not (folder / "cases" / "return_45_000" / "history").exists()
    mask = np.asarray(Image.open(case.folder / "mask.png"))
    assert mask.dtype == bool and 0.02 < mask.mean() < 0.3
    assert "history" in (folder / "README.md").read_text() and made.definition in (folder / "README.md").read_text()


def test_no_true_frame_to_generate_is_among_the_cases(exported, cases):
    true = {cases.frames(NAME, [number]).tobytes() for number in range(17, 25)}
    held = {np.asarray(Image.open(path).convert("RGB"))[None].tobytes() for path in exported[0].rglob("*.png")}
    assert len(held) > 20 and not true & held


def test_seen_pixels_are_those_of_true_depth(cases, room):
    view = room.view("revisit_near", (48, 64))
    masks, poses = cases.seen(NAME), cases.poses(NAME)
    assert list(masks.index) == list(np.arange(17, 25)[measured_positions("revisit_near", np.arange(17, 25))])
    wanted = seen(view.depth[24], poses[24], view.depth[:17], poses[:17], 75.0)
    assert np.array_equal(masks.given[0, -1], wanted) and 0.5 < wanted.mean() <= 1
    assert np.array_equal(cases.masks(NAME)[-1], view.masks[-1])


def test_an_export_that_was_killed_goes_on(exported, assets, tmp_path):
    folder, made = exported
    shutil.copytree(folder, tmp_path / "c")
    shutil.copytree(truth_of(folder), tmp_path / "t")
    (tmp_path / "t" / NAME / "known.safetensors").unlink()
    (tmp_path / "c" / "set.json").unlink()
    kept = tmp_path / "t" / "return_45_000" / "00001.png"
    before = kept.stat().st_mtime_ns
    again = write_set(SETTING, scenes(SETTING, 2, BRANCHES, assets), tmp_path / "c", tmp_path / "t")
    assert again.definition == made.definition and again.pixels == made.pixels
    assert kept.stat().st_mtime_ns == before and (tmp_path / "t" / NAME / "known.safetensors").is_file()


def test_another_set_or_foreign_files_are_not_overwritten(exported, tmp_path):
    with pytest.raises(ProtocolError, match="holds Echo-1 of other settings"):
        write_set(replace(SETTING, rate=4.0), [], exported[0], tmp_path)
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ProtocolError, match="holds other files"):
        write_set(SETTING, [], tmp_path, tmp_path.with_name("truth"))
    with pytest.raises(ProtocolError, match="must lie outside"):
        write_set(SETTING, [], exported[0], exported[0] / "truth")


def test_the_schema_describes_what_is_written(exported):
    schema = json.loads((exported[0] / "schema.json").read_text())
    case = json.loads((exported[0] / "cases" / NAME / "case.json").read_text())
    assert set(schema["case"]["required"]) == set(case)
    assert case["swap"] == "revisit_near_000"
