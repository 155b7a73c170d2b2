"""The pool of clips: damaged or cut tables are one line, with the command that makes them again."""

from __future__ import annotations

import os
import shutil

import pytest

from echo.io.tensors import read_header, save_tensors
from echo.world.errors import RecordingError
from echo.world.pool import open_pool
from echo.world.recordings import open_recordings
from echo.world.recordings.clips import cut_pool
from tests.world.recordings.samples import clip_study


@pytest.fixture(scope="module")
def clips(turning_pool, tmp_path_factory):
    """The training clips of one study."""
    folder = tmp_path_factory.mktemp("clips")
    cut_pool(clip_study(), "train", folder / "train",
             open_recordings("context_as_memory", turning_pool, folder / "index.safetensors"))  # fmt: skip
    return folder / "train"


def read_all(folder) -> None:
    pool = open_pool(folder)
    for video in pool.videos:
        pool.poses(video)
        pool.caption(video)


def test_what_is_not_there_is_named(clips):
    pool = open_pool(clips)
    with pytest.raises(RecordingError, match="no clip 'x'; it has 7"):
        pool.poses("x")
    with pytest.raises(RecordingError, match="has no frame 33; it has 33"):
        pool.frames(pool.videos[0], [33])
    for read in (pool.depth, pool.ids):
        with pytest.raises(RecordingError, match="clips of recordings have no .* of train_|have no .*asked for train_"):
            read(pool.videos[0])


def _cut_table(folder) -> None:
    lines = (folder / "videos.csv").read_text().splitlines(True)
    (folder / "videos.csv").write_text("".join(lines[:-1]))


def _other_header(folder) -> None:
    save_tensors(folder / "clips.safetensors", {}, read_header(folder / "clips.safetensors") | {"size": 3})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: os.truncate(f / "clips.safetensors", 5000), "clips.safetensors: truncated .*; make it again"),
        (lambda f: os.truncate(f / "clips.safetensors", 3), "clips.safetensors: truncated .*; make it again"),
        (_other_header, "clips.safetensors: expected a header of source, folder, .*; make it again"),
        (lambda f: (f / "videos.csv").unlink(), "videos.csv: videos are missing"),
        (_cut_table, r"videos.csv lists 198 frames, clips.safetensors holds .*231.*; make it again: snakemake"),
        (lambda f: (f / "clips.csv").unlink(), "clips.csv: captions of clips cannot be read .*; make it again"),
        (lambda f: os.truncate(f / "clips.csv", 120), "clips.csv: no caption of train_0.*; make it again"),
    ],
)
def test_a_damaged_or_cut_pool_is_one_line(clips, tmp_path, damage, message):
    shutil.copytree(clips, tmp_path / "pool")
    damage(tmp_path / "pool")
    with pytest.raises(RecordingError if "videos are missing" not in message else Exception, match=message) as error:
        read_all(tmp_path / "pool")
    assert "\n" not in str(error.value)
