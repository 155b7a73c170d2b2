"""Cutting clips and reading them as a pool."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from echo.rollout.cases import choose_cases as choose_cases
from echo.world.camera import overlap
from echo.world.errors import RecordingError
from echo.world.layout import COLUMNS
from echo.world.pool import open_pool
from echo.world.recordings import open_recordings
from echo.world.recordings.clip_choice import Wanted, splits
from echo.world.recordings.clip_paths import turns
from echo.world.recordings.clips import cut_pool
from tests.world.recordings.samples import clip_study, number_of, turning_poses, write_scene

SPLITS = ("train", "in_domain", "open_domain")


def recordings_of(folder, tmp_path):
    return open_recordings("context_as_memory", folder, tmp_path / "index.safetensors")


@pytest.fixture(scope="module")
def cut(turning_pool, tmp_path_factory):
    """All splits of one study."""
    folder, study = tmp_path_factory.mktemp("cut"), clip_study()
    recordings = recordings_of(turning_pool, folder)
    records = {split: cut_pool(study, split, folder / split, recordings) for split in SPLITS}
    return study, recordings, {split: open_pool(folder / split) for split in SPLITS}, records


def test_counts_lengths_and_tables(cut):
    study, recordings, pools, records = cut
    assert [len(pools[split].videos) for split in SPLITS] == [7, 8, 8]
    assert records["in_domain"] == {"missing": {}, "clips": {"replay": 4, "loop": 4}}
    lengths = {"train": 33, "replay": 25, "loop": 33, "return_45": 17, "return_strict": 25}
    for split, pool in pools.items():
        assert ["video", *pool.info.reset_index().columns[1:]] == COLUMNS
        assert pool.videos == sorted(pool.videos) and set(pool.info.split) == {split}
        assert all(pool.info.anchor == "") and set(pool.info.room) <= set(recordings.videos)
        for video in pool.videos:
            assert pool.length(video) == lengths[pool.info.trajectory[video]] == len(pool.poses(video))
            assert pool.info.room[video] in video
    for branch, split in (("replay", "in_domain"), ("loop", "in_domain"), ("return_strict", "open_domain")):
        assert len(choose_cases(study, branch, pools[split].info)) == study.evaluate.cases


def test_frames_and_poses_are_the_recordings_own(cut):
    study, recordings, pools, _ = cut
    for pool in pools.values():
        for video in pool.videos:
            recording, numbers = pool.recorded(video)
            assert np.array_equal(pool.poses(video), recordings.poses(recording, numbers))
            frames = pool.frames(video, [0, 9, -1 + len(numbers)])
            assert frames.shape == (3, study.world.height, study.world.width, 3)
            recorded = recordings.frames(recording, numbers[[0, 9, -1]])
            assert [number_of(f) for f in recorded] == [n for n in numbers[[0, 9, -1]]]
            # The middle column of a fitted frame is that of the recorded one: its middle digit.
            np.testing.assert_allclose(frames[:, 8, 8], recorded[:, 12, 16], atol=1)
            half = "first" if numbers[0] < 75 else "second"
            assert pool.caption(video) == f"{half} half of {recording}"


def test_splits_share_no_frame_and_held_out_videos_are_unseen(cut):
    study, recordings, pools, _ = cut
    seen = {split: {(pool.recorded(v)[0], int(n)) for v in pool.videos for n in pool.recorded(v)[1]}
            for split, pool in pools.items()}  # fmt: skip
    assert not seen["train"] & seen["in_domain"]
    held_out = {video for video, _ in seen["open_domain"]}
    assert len(held_out) == study.world.held_out_videos
    assert not held_out & {video for video, _ in seen["train"] | seen["in_domain"]}
    stretches = splits(Wanted.of(study), recordings)
    for split in SPLITS:
        allowed = {(s.video, n) for s in stretches[split] for n in range(s.first, s.stop)}
        assert seen[split] <= allowed


def test_clips_of_a_kind_share_no_frames(cut):
    _, _, pools, _ = cut
    for pool in (pools["in_domain"], pools["open_domain"]):
        for _, group in pool.info.groupby("trajectory"):
            played = [(pool.recorded(v)[0], int(n)) for v in group.index for n in np.unique(pool.recorded(v)[1])]
            assert len(played) == len(set(played))


def test_loops_and_returns_leave_and_come_back(cut):
    study, _, pools, _ = cut
    frames, view = study.segment.frames, study.world.field_of_view
    for pool in (pools["in_domain"], pools["open_domain"]):
        for video in pool.videos:
            poses, kind = pool.poses(video), pool.info.trajectory[video]
            if kind == "loop":
                assert np.array_equal(poses, poses[::-1])
                assert 75 <= abs(turns(poses[:1], poses[2 * frames : 2 * frames + 1])[0]) <= 105
            elif kind == "return_45":
                assert 30 <= abs(turns(poses[:1], poses[frames : frames + 1])[0]) <= 60
            elif kind == "return_strict":
                assert overlap(poses[:1], poses[2 * frames : 2 * frames + 1], view).max() == 0
            if kind.startswith("return"):
                assert (poses[-2:] == poses[0]).all()
                shown = pool.frames(video, [0, len(poses) - 2, len(poses) - 1])
                assert (shown[1:] == shown[0]).all()


def test_masks_and_overlap_labels(cut):
    _, _, pools, _ = cut
    pool = pools["in_domain"]
    video = next(v for v in pool.videos if v.endswith("loop"))
    masks = pool.masks(video)
    assert masks.shape == (33, 16, 16) and masks[:, 4:12, 4:12].all() and masks.sum() == 33 * 64
    numbers = pool.recorded(video)[1]
    expected = [i for i, n in enumerate(numbers) if abs(int(n) - int(numbers[3])) <= 2]
    assert pool.overlapping(video, 3) == expected and 29 in expected


def test_the_same_study_cuts_the_same_and_another_seed_does_not(cut, turning_pool, tmp_path):
    study, recordings, pools, _ = cut
    for split in SPLITS:
        cut_pool(study, split, tmp_path / split, recordings)
        for name in ("clips.safetensors", "clips.csv", "videos.csv"):
            assert (tmp_path / split / name).read_bytes() == (pools[split].folder / name).read_bytes()
    cut_pool(study.model_copy(update={"seed": 1}), "train", tmp_path / "other", recordings)
    assert open_pool(tmp_path / "other").videos != pools["train"].videos


def test_stride(turning_pool, tmp_path):
    recordings = recordings_of(turning_pool, tmp_path)
    study = clip_study(stride=2, in_domain_rooms=4)
    cut_pool(study, "train", tmp_path / "train", recordings)
    pool = open_pool(tmp_path / "train")
    assert all((np.diff(pool.recorded(video)[1]) == 2).all() for video in pool.videos)


def test_clips_avoid_what_is_missing_and_say_what_that_is(turning_pool, tmp_path, capsys):
    folder = tmp_path / "pool"
    shutil.copytree(turning_pool, folder)
    for scene in range(6):
        (folder / "frames" / f"Scene_{scene}" / "0050.png").unlink()
    cameras = json.loads((folder / "jsons" / "Scene_0.json").read_text())
    del cameras["CineCameraActor"]["20"]
    (folder / "jsons" / "Scene_0.json").write_text(json.dumps(cameras))
    recordings = recordings_of(folder, tmp_path)
    for split in SPLITS:
        record = cut_pool(clip_study(), split, tmp_path / split, recordings)
        assert record["missing"]["frames"] == {"count": 6, "videos": 6, "first": "frame 50 of Scene_0",
                                               "why": "no frames/Scene_0/0050.png"}  # fmt: skip
        assert record["missing"]["poses"]["first"] == "pose 20 of Scene_0"
        pool = open_pool(tmp_path / split)
        for video in pool.videos:
            recording, numbers = pool.recorded(video)
            assert 50 not in numbers and (recording != "Scene_0" or 20 not in numbers)
            assert len(pool.frames(video)) == len(numbers)
    assert "missing frames: 6 in 6 videos, first: frame 50 of Scene_0" in capsys.readouterr().out


def test_too_few_clips_says_how_many_and_what_to_change(turning_pool, tmp_path):
    recordings = recordings_of(turning_pool, tmp_path)
    with pytest.raises(RecordingError, match=r"too few clips: return_45: \d+ of 900 .*open_domain_rooms: \d"):
        cut_pool(clip_study(open_domain_rooms=900), "open_domain", tmp_path / "open", recordings)
    with pytest.raises(RecordingError, match=r"too few clips: train: \d+ of 9000 \(33 frames in a row\)"):
        cut_pool(clip_study(train_rooms=9000), "train", tmp_path / "train", recordings)
    with pytest.raises(RecordingError, match="held_out_videos = 6, but 6 videos have frames"):
        cut_pool(clip_study(held_out_videos=6), "train", tmp_path / "train", recordings)
    assert not list(tmp_path.glob("*/clips.safetensors"))


def test_a_camera_that_never_turns_gives_no_returns(tmp_path):
    for scene in range(3):
        write_scene(tmp_path / "pool", f"Still_{scene}", turning_poses(80, degrees=0.0), labels=False)
    recordings = recordings_of(tmp_path / "pool", tmp_path)
    with pytest.raises(RecordingError, match="return_45: 0 of 4 .*turning .*no number of rooms fits"):
        cut_pool(clip_study(), "open_domain", tmp_path / "open", recordings)


def test_a_turn_too_slow_for_the_stride_is_played_faster(tmp_path):
    for scene in range(3):
        write_scene(tmp_path / "pool", f"Slow_{scene}", turning_poses(150, degrees=2.0), labels=False)
    recordings = recordings_of(tmp_path / "pool", tmp_path)
    cut_pool(clip_study(held_out_videos=2, open_domain_rooms=4), "open_domain", tmp_path / "open", recordings)
    lines = pd.read_csv(tmp_path / "open" / "clips.csv")
    assert set(lines.stride[lines.kind == "return_45"]) == {2} or set(lines.stride) <= {2, 3, 4}
    assert (lines.turn.abs()[lines.kind == "return_45"].between(30, 60)).all()


def test_videos_and_captions_that_look_like_numbers_stay_text(tmp_path):
    folder = tmp_path / "pool"
    for scene in ("0007", "1e3", "NA"):
        write_scene(folder, scene, turning_poses(80), labels=False)
    (folder / "captions.txt").write_text("".join(f"{s}/0_79.mp4\t00{n}\n" for n, s in enumerate(("0007", "1e3", "NA"))))
    cut_pool(clip_study(held_out_videos=1), "train", tmp_path / "train", recordings_of(folder, tmp_path))
    pool = open_pool(tmp_path / "train")
    assert set(pool.info.room) <= {"0007", "1e3", "NA"}
    for video in pool.videos:
        assert len(pool.frames(video, [0])) == 1
        assert pool.caption(video) == {"0007": "000", "1e3": "001", "NA": "002"}[pool.info.room[video]]
