"""The Context-as-Memory reader: values, what is missing by name, and the index's life."""

import json

import numpy as np
import pytest
from PIL import Image

from echo.world.errors import PoolError
from echo.world.recordings import RecordingError, open_recordings
from echo.world.recordings.index import report_lines
from echo.world.rooms.rendered_pool import RenderedPool
from tests.world.recordings.samples import number_of, turning_poses, write_scene


def opened(pool):
    return open_recordings("context_as_memory", pool, pool.parent / "index.safetensors")


def test_frames_poses_and_captions(pool):
    recordings = opened(pool)
    assert recordings.videos == ["Castle_0", "Forest_1", "Town_2"]
    assert recordings.length("Town_2") == 12 and recordings.size("Town_2") == (24, 32)
    frames = recordings.frames("Forest_1", [7, 2, 7])
    assert frames.dtype == np.uint8 and [number_of(frame) for frame in frames] == [7, 2, 7]
    np.testing.assert_allclose(recordings.poses("Castle_0"), turning_poses(12), atol=1e-12)  # centimetres on disk
    np.testing.assert_allclose(recordings.poses("Castle_0", [5])[0], turning_poses(12)[5], atol=1e-12)
    assert recordings.caption("Town_2", 0) == "first half of Town_2"
    assert recordings.caption("Town_2", 11) == "second half of Town_2"
    assert recordings.overlapping("Town_2", 0) == [0, 1, 2]
    assert recordings.field_of_view("Town_2") is None
    assert report_lines(recordings.report()) == ["nothing is missing"]


def test_it_reads_what_pool_reads(pool):
    """A pool with this project's table is in metres, and both readers agree on all of it."""
    (pool / "videos.csv").write_text("video,split,room,anchor,trajectory,frames\n" + "".join(
        f"{scene},train,{scene},,train,12\n" for scene in ("Castle_0", "Forest_1", "Town_2")))  # fmt: skip
    ours, theirs = RenderedPool(pool), opened(pool)
    for video in ours.videos:
        assert np.array_equal(ours.poses(video), theirs.poses(video))
        assert np.array_equal(ours.frames(video), theirs.frames(video, range(12)))
        assert ours.caption(video, 3) == theirs.caption(video, 3)
        assert ours.overlapping(video, 4) == theirs.overlapping(video, 4)


def test_what_is_missing_is_named_counted_and_never_made_up(pool):
    (pool / "frames" / "Forest_1" / "0004.png").unlink()
    (pool / "frames" / "Forest_1" / "0006.png").unlink()
    cameras = json.loads((pool / "jsons" / "Town_2.json").read_text())
    del cameras["CineCameraActor"]["9"]
    (pool / "jsons" / "Town_2.json").write_text(json.dumps(cameras))
    (pool / "overlap_labels" / "Castle_0" / "3.json").unlink()
    recordings = opened(pool)
    report = recordings.report()
    assert report["frames"] == {"count": 2, "videos": 1, "first": "frame 4 of Forest_1",
                                "why": "no frames/Forest_1/0004.png"}  # fmt: skip
    assert report["poses"] == {"count": 1, "videos": 1, "first": "pose 9 of Town_2",
                               "why": "jsons/Town_2.json has no camera 9"}  # fmt: skip
    assert report["overlap labels"] == {"count": 1, "videos": 1, "first": "overlap label 3 of Castle_0",
                                        "why": "no overlap_labels/Castle_0/3.json"}  # fmt: skip
    with pytest.raises(RecordingError, match="frame 4 of Forest_1 is missing"):
        recordings.frames("Forest_1", [0, 4])
    with pytest.raises(RecordingError, match="pose 9 of Town_2 is missing"):
        recordings.poses("Town_2")
    with pytest.raises(RecordingError, match="overlap label 3 of Castle_0 is missing"):
        recordings.overlapping("Castle_0", 3)
    assert np.array_equal(np.flatnonzero(~recordings.posed("Town_2")), [9])
    assert number_of(recordings.frames("Forest_1", [5])[0]) == 5


def test_a_scene_without_poses_or_without_frames_is_all_missing(pool):
    (pool / "jsons" / "Castle_0.json").unlink()
    for path in (pool / "frames" / "Town_2").iterdir():
        path.unlink()
    (pool / "frames" / "Town_2").rmdir()
    report = opened(pool).report()
    assert report["poses"]["count"] == 12 and report["poses"]["first"] == "pose 0 of Castle_0"
    assert report["frames"]["count"] == 12 and report["frames"]["first"] == "frame 0 of Town_2"


def test_a_broken_pose_file_spoils_its_scene_alone(pool):
    (pool / "jsons" / "Forest_1.json").write_text('{"CineCameraActor": {"0": {"position": [1, 2]')
    recordings = opened(pool)
    report = recordings.report()
    assert report["unreadable files"]["count"] == 1 and "Forest_1.json" in report["unreadable files"]["first"]
    with pytest.raises(RecordingError, match="pose 0 of Forest_1 is missing .*Forest_1.json"):
        recordings.poses("Forest_1")
    assert len(recordings.poses("Town_2")) == 12
    assert number_of(recordings.frames("Forest_1", [3])[0]) == 3


def test_a_pose_that_is_not_finite_is_no_pose(pool):
    cameras = json.loads((pool / "jsons" / "Town_2.json").read_text())
    cameras["CineCameraActor"]["2"]["position"] = [0.0, float("nan"), 1.0]
    (pool / "jsons" / "Town_2.json").write_text(json.dumps(cameras))
    with pytest.raises(RecordingError, match="Town_2.*finite"):
        opened(pool).poses("Town_2")


def test_a_corrupt_png_is_one_line_and_nothing_else_is_lost(pool):
    path = pool / "frames" / "Forest_1" / "0005.png"
    path.write_bytes(path.read_bytes()[:40])
    recordings = opened(pool)
    with pytest.raises(PoolError, match="0005.png: frame of Forest_1 cannot") as error:
        recordings.frames("Forest_1", [4, 5])
    assert "\n" not in str(error.value)
    assert [number_of(f) for f in recordings.frames("Forest_1", [4, 6])] == [4, 6]


def test_a_frame_of_another_size_is_named(pool):
    path = pool / "frames" / "Forest_1" / "0005.png"
    Image.fromarray(np.zeros((5, 7, 3), np.uint8)).save(path)
    with pytest.raises(PoolError, match="0005.png: frame of Forest_1 has 7 x 5 pixels, 0004.png has 32 x 24"):
        opened(pool).frames("Forest_1", [4, 5])


def test_outside_a_video_and_unknown_videos(pool):
    recordings = opened(pool)
    with pytest.raises(RecordingError, match="Town_2 has no frame 12; it has 12"):
        recordings.frames("Town_2", [12])
    with pytest.raises(RecordingError, match="no frame -1"):
        recordings.poses("Town_2", [-1])
    with pytest.raises(RecordingError, match="no video 'Nowhere'; it has 3"):
        recordings.length("Nowhere")


def test_scenes_in_folders_of_scenes(tmp_path):
    write_scene(tmp_path / "pool", "L1/clip_a", turning_poses(4))
    write_scene(tmp_path / "pool", "L2/clip_b", turning_poses(5))
    recordings = opened(tmp_path / "pool")
    assert recordings.videos == ["L1/clip_a", "L2/clip_b"] and recordings.length("L2/clip_b") == 5
    assert recordings.caption("L2/clip_b", 4) == "second half of L2/clip_b"


@pytest.mark.parametrize("source", ["context_as_memory", "realestate10k", "spatialvid"])
def test_a_wrong_folder_says_what_was_expected(tmp_path, source):
    (tmp_path / "holiday.jpeg").write_text("")
    with pytest.raises(RecordingError, match=f"no {source} recordings there; expected .*docs/data.md") as error:
        open_recordings(source, tmp_path, tmp_path / "cache")
    assert "\n" not in str(error.value)
    with pytest.raises(RecordingError, match="no such recordings; expected one of context_as_memory"):
        open_recordings("polaroids", tmp_path, tmp_path / "cache")


def test_the_pool_itself_is_only_read(pool):
    before = sorted(str(path) for path in pool.rglob("*"))
    opened(pool).frames("Town_2", [1])
    assert sorted(str(path) for path in pool.rglob("*")) == before
