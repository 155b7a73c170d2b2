"""The index of recordings: built once, again when the folder changes, and counted like a plain loop."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.world.errors import RecordingError
from echo.world.recordings import index as index_module
from echo.world.recordings import open_recordings
from echo.world.recordings.index import Index, Scene
from tests.world.recordings.samples import turning_poses, write_scene


def opened(pool):
    return open_recordings("context_as_memory", pool, pool.parent / "index.safetensors")


def test_the_index_is_built_once_and_again_when_the_pool_changes(pool, monkeypatch):
    scans = []
    kind = type(opened(pool))
    scan = kind._scan
    monkeypatch.setattr(kind, "_scan", lambda self, video: scans.append(video) or scan(self, video))
    assert opened(pool).report() == {} and scans == []
    (pool / "frames" / "Town_2" / "0003.png").unlink()
    assert opened(pool).report()["frames"]["count"] == 1 and len(scans) == 3
    opened(pool)
    assert len(scans) == 3
    write_scene(pool, "Attic_3", turning_poses(3))
    assert opened(pool).videos[0] == "Attic_3"


def test_a_damaged_index_is_built_again(pool):
    opened(pool)
    cache = pool.parent / "index.safetensors"
    whole = cache.read_bytes()
    for damaged in (whole[:50], whole[: len(whole) // 2], b"", b"not a tensor file at all"):
        cache.write_bytes(damaged)
        assert len(opened(pool).poses("Town_2")) == 12
    assert cache.read_bytes() == whole
    assert not [name for name in os.listdir(pool.parent) if name.startswith(".index")]


@given(st.lists(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=6), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_the_index_counts_and_names_like_a_plain_loop(tmp_path_factory, videos):
    """Flat arrays against a loop over every frame of every video, saved and loaded again."""
    scenes = {}
    for number, rows in enumerate(videos):
        flags = np.array(rows, dtype=bool).reshape(-1, 3)
        poses = np.where(flags[:, [1]], 1.0, np.nan) * np.arange(6)
        poses = np.where(flags[:, [1]], np.arange(6.0), poses)
        scenes[f"v{number}"] = Scene(flags[:, 0], poses, flags[:, 2], captions=[(0, 1, "x")])
    path = tmp_path_factory.mktemp("index") / "index.safetensors"
    Index.of(scenes).save(path, "mark")
    assert Index.load(path, "another") is None
    index = Index.load(path, "mark")
    for number, scene in enumerate(scenes.values()):
        here = slice(index.starts[number], index.starts[number + 1])
        assert np.array_equal(index.present[here], scene.present)
        assert np.array_equal(index.poses[here], scene.poses, equal_nan=True)
    for column, (kind, one) in enumerate((("frames", "frame"), ("poses", "pose"), ("overlap labels", "overlap label"))):
        places = [(n, i) for n, rows in enumerate(videos) for i, row in enumerate(rows) if not row[column]]
        entry = index.report().get(kind, {"count": 0, "first": None})
        assert entry["count"] == len(places)
        assert entry["first"] == (f"{one} {places[0][1]} of v{places[0][0]}" if places else None)


def test_a_loaded_index_equals_the_one_that_was_saved(pool):
    built = opened(pool).index
    loaded = opened(pool).index
    for name in ("videos", "captions", "sizes", "fields_of_view", "problems"):
        assert getattr(built, name) == getattr(loaded, name)
    for name in ("starts", "present", "poses", "labelled", "where"):
        assert np.array_equal(getattr(built, name), getattr(loaded, name))


def test_more_frames_than_memory_holds_are_refused(pool, monkeypatch):
    monkeypatch.setattr(index_module, "MAX_INDEX_FRAMES", 30)
    with pytest.raises(RecordingError, match="more than 30 frames up to Town_2; give fewer videos"):
        opened(pool)
