"""Pools that would break a reader: one line that names what is wrong, nothing read outside, nothing huge allocated."""

from __future__ import annotations

import re
import shutil
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echo.world.errors import PoolError
from echo.world.layout import read_cameras, read_captions, read_info, read_overlapping
from echo.world.recordings import open_recordings
from echo.world.recordings.realestate10k import read_camera_lines
from echo.world.recordings.spatialvid import read_caption, read_field_of_view, read_poses
from tests.world.recordings.hostile import ACCEPTED, CAM, CASES, LAYOUTS, SECRET, read_all, write_sound

MOST_BYTES = 200 * 2**20  # of these tiny pools a reader may allocate; what they ask for are terabytes

_opened: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple) -> None:
    if _watching and event in ("open", "os.scandir", "os.listdir") and isinstance(arguments[0], str | bytes | Path):
        _opened.append(str(arguments[0]))


sys.addaudithook(_watch)


@pytest.fixture(scope="session")
def sound(tmp_path_factory) -> dict[str, Path]:
    """A sound folder of every layout."""
    folders = {layout: tmp_path_factory.mktemp(layout) / "pool" for layout in LAYOUTS}
    for layout, folder in folders.items():
        write_sound(layout, folder)
    return folders


@pytest.fixture
def watched():
    """The paths that are opened while a test reads."""
    global _watching
    _opened.clear()
    _watching = True
    yield _opened
    _watching = False


def damaged(sound, layout: str, tmp_path: Path, damage) -> Path:
    folder = tmp_path / "pool"
    shutil.copytree(sound[layout], folder)
    # Beside it lies a copy in which every link that leads out finds what it asks for.
    shutil.copytree(sound[layout], tmp_path / SECRET)
    for file in [path for path in (tmp_path / SECRET).rglob("*") if path.is_file()]:
        if not (tmp_path / SECRET / file.name).exists():
            shutil.copy(file, tmp_path / SECRET / file.name)
    damage(folder)
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sound_folder_has_no_problems(sound, layout):
    assert read_all(layout, sound[layout]) == []


def test_there_are_at_least_37_hostile_pools():
    assert len(CASES) >= 37 and len({case.name for case in CASES}) == len(CASES)
    assert {case.layout for case in CASES} == set(LAYOUTS)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_pool_is_one_line(sound, tmp_path, watched, case):
    folder = damaged(sound, case.layout, tmp_path, case.damage)
    watched.clear()
    tracemalloc.start()
    try:
        messages = read_all(case.layout, folder)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    assert any(re.search(case.pattern, message) for message in messages), messages
    assert all(len(message.splitlines()) == 1 and len(message) < 1000 for message in messages)
    outside = tmp_path / SECRET
    assert not [path for path in watched if Path(path).resolve().is_relative_to(outside.resolve())]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_an_oddity_is_read_as_it_is_meant(sound, tmp_path, case):
    folder = damaged(sound, case.layout, tmp_path, case.damage)
    assert read_all(case.layout, folder) == []
    recordings = open_recordings(case.layout, folder, tmp_path / "index.safetensors")
    assert recordings.caption("a") in ("fine", "first half of a")


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\ufeff"])
def test_a_caption_keeps_characters_at_which_splitlines_splits(sound, tmp_path, character):
    def damage(folder: Path) -> None:
        (folder / "captions.txt").write_text(f"a/0_5.mp4\tone{character}two\nb/0_5.mp4\tfine\n")

    folder = damaged(sound, CAM, tmp_path, damage)
    assert read_all(CAM, folder) == []
    assert open_recordings(CAM, folder, tmp_path / "index.safetensors").caption("a") == f"one{character}two"


@pytest.mark.parametrize(("file", "limit"), [("captions.txt", "MAX_TEXT_BYTES"), ("jsons/a.json", "MAX_JSON_BYTES")])
def test_a_huge_text_file_is_refused_by_its_size(sound, tmp_path, file, limit):
    """A sparse file: it takes no room on disk, and reading it would take more memory than there is."""

    def damage(folder: Path) -> None:
        with (folder / file).open("r+b") as opened:
            opened.truncate(2**40)

    folder = damaged(sound, CAM, tmp_path, damage)
    assert any(re.search(rf"{file}: .*1,099,511,627,776 bytes; expected at most", m) for m in read_all(CAM, folder))


READERS = {
    "captions.txt": lambda path: read_captions(path),
    "videos.csv": lambda path: read_info(path),
    "a.json": lambda path: read_cameras(path, "a"),
    "0.json": lambda path: read_overlapping(path, "a", 6),
    "a.txt": lambda path: read_camera_lines(path, "a"),
    "caption.json": lambda path: read_caption(path, 6),
    "intrinsics.npy": lambda path: read_field_of_view(path, "a"),
    "poses.npy": lambda path: read_poses(path, path.with_name("indexes.txt"), "a", 6),
}
SEEDS = {
    "captions.txt": b"a/0_5.mp4\tx\n",
    "videos.csv": b"video,split,room,anchor,trajectory,frames\na,train,a,,train,6\n",
    "a.json": b'{"CineCameraActor": {"0": {"position": [0, 0, 0], "rotation": [0, 0, 0]}}}',
    "0.json": b'{"overlapping_frames": [0, 1]}',
    "a.txt": b"url\n0 0.8 1.4 0.5 0.5 0 0 1 0 0 0 0 1 0 0 0 0 1 0\n",
    "caption.json": b'{"Caption": {"SceneSummary": "x"}}',
    "intrinsics.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4), }",
    "poses.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 7), }",
}


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_value_or_one_line(tmp_path, name, data):
    """Random bytes, and sound content with a part of it replaced by random bytes."""
    seed, path = SEEDS[name], tmp_path / name
    start = data.draw(st.integers(0, len(seed)))
    stop = data.draw(st.integers(start, len(seed)))
    content = seed[:start] + data.draw(st.binary(max_size=40)) + seed[stop:]
    path.write_bytes(data.draw(st.sampled_from([content, content * 2, data.draw(st.binary(max_size=200))])))
    (tmp_path / "indexes.txt").write_bytes(data.draw(st.sampled_from([b"0 0\n", content])))
    try:
        READERS[name](path)
    except PoolError as error:
        assert len(str(error).splitlines()) == 1 and name in str(error) or "indexes.txt" in str(error)
