"""RealEstate10K's camera files with an mp4 and with folders of frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from echo.world.camera import rotation_matrices
from echo.world.recordings import RecordingError, open_recordings
from echo.world.recordings.realestate10k import nearest
from tests.world.recordings.samples import FX, camera_line, number_of, picture, write_cameras, write_video


@pytest.fixture
def folder(tmp_path):
    """One video as mp4 whose cameras begin at frame 20, one as a folder of frames."""
    folder = tmp_path / "recordings"
    write_cameras(folder / "train" / "house.txt", [round(i * 1e6 / 30) for i in range(20, 60)], aspect=0.5)
    write_video(folder / "train" / "house.mp4", 80)
    stamps = [1000 * i for i in range(6)]
    write_cameras(folder / "flat.txt", stamps)
    (folder / "flat").mkdir()
    for i, stamp in enumerate(stamps):
        Image.fromarray(picture(i)).save(folder / "flat" / f"{stamp}.png")
    (folder / "flat.caption.txt").write_text("a small\nflat\n")
    return folder


def opened(folder):
    return open_recordings("realestate10k", folder, folder.parent / "index.safetensors")


def test_timestamps_choose_the_frames(folder):
    recordings = opened(folder)
    assert recordings.videos == ["flat", "train/house"] and recordings.length("train/house") == 40
    assert [number_of(f) for f in recordings.frames("train/house", [39, 0, 7])] == [59, 20, 27]
    assert [number_of(f) for f in recordings.frames("flat", [5, 1])] == [5, 1]
    assert recordings.size("train/house") == (48, 96) and recordings.size("flat") == (24, 32)
    assert recordings.caption("flat") == "a small flat" and recordings.caption("train/house", 3) == ""
    assert recordings.report() == {}


def test_poses_and_field_of_view(folder):
    recordings = opened(folder)
    poses = recordings.poses("train/house")
    np.testing.assert_allclose(poses[:, 5], 2 * np.arange(40), atol=1e-9)
    np.testing.assert_allclose(poses[:, 0], 0.1 * np.arange(40), atol=1e-9)
    np.testing.assert_allclose(poses[:, 1:5], 0, atol=1e-9)
    np.testing.assert_allclose(np.tan(np.deg2rad(recordings.field_of_view("train/house")) / 2), 0.5 / FX)


def test_a_point_falls_on_the_pixel_that_the_camera_file_says(folder, tmp_path):
    lines = ["address", camera_line(0, [0.1, 0.2, -0.3, 0.9], [0.5, -0.2, 1.0])]
    (folder / "flat.txt").write_text("\n".join(lines))
    recordings = opened(folder)
    row = np.array([float(x) for x in lines[1].split()])
    point = np.array([0.3, -0.6, 4.0])
    x, y, z = row[7:].reshape(3, 4) @ [*point, 1]
    u, v = row[1] * x / z + row[3], row[2] * y / z + row[4]
    pose = recordings.poses("flat")
    seen = (np.array([point[2], point[0], -point[1]]) - pose[0, :3]) @ rotation_matrices(pose)[0]
    across = np.tan(np.deg2rad(recordings.field_of_view("flat")) / 2)
    np.testing.assert_allclose(u, 0.5 + seen[1] / seen[0] / across / 2, atol=1e-9)
    np.testing.assert_allclose(v, 0.5 - seen[2] / seen[0] / across / 2 * 4 / 3, atol=1e-9)


def test_cameras_beyond_the_video_and_missing_frames_are_named(folder):
    write_cameras(folder / "train" / "house.txt", [round(i * 1e6 / 30) for i in range(70, 90)], aspect=0.5)
    (folder / "flat" / "3000.png").unlink()
    recordings = opened(folder)
    assert recordings.report()["frames"] == {"count": 11, "videos": 2, "first": "frame 3 of flat",
                                             "why": "no flat/3000.png or .jpg"}  # fmt: skip
    assert number_of(recordings.frames("train/house", [9])[0]) == 79
    with pytest.raises(
        RecordingError, match=r"frame 10 of train/house is missing \(train/house.mp4 shows no frame within 0.6"
    ):
        recordings.frames("train/house", [10])


def test_bad_camera_files_and_videos_are_one_line_and_spoil_nothing_else(folder):
    text = (folder / "flat.txt").read_text().splitlines()
    house = folder / "train" / "house.mp4"
    house.write_bytes(house.read_bytes()[:1000])
    for line, message in (
        ("1 2 3", "flat.txt, line 8: expected 19 numbers .*, got 3"),
        (text[1].replace("0.8", "wide", 1), "flat.txt, line 8: expected finite numbers, got 'wide'"),
        (" ".join([*text[1].split()[:7], *["2.0"] * 12]), "flat.txt, line 8: .* no rotation and translation"),
    ):
        (folder / "flat.txt").write_text("\n".join([*text, line]))
        recordings = opened(folder)
        report = recordings.report()["unreadable files"]
        assert report["count"] == 2 and "flat.txt" in report["first"]
        with pytest.raises(RecordingError, match=message):
            recordings.poses("flat")
        with pytest.raises(RecordingError, match="house.mp4: train/house is truncated"):
            recordings.frames("train/house", [0])
        assert len(recordings.poses("train/house")) == 40


@given(st.lists(st.integers(0, 2000), min_size=2, max_size=30, unique=True), st.lists(st.integers(0, 2100), min_size=1))
@settings(max_examples=100, deadline=None)
def test_the_nearest_frame_is_the_nearest(times, wanted):
    times, wanted = np.array(sorted(times), float), np.array(wanted, float)
    near, stamps = nearest(wanted, times, times.astype(np.int64))
    away = np.abs(wanted[:, None] - times).min(1)
    np.testing.assert_array_equal(np.abs(wanted - stamps), away)
    assert not near[away > 0.7 * np.median(np.diff(times))].any() and near[away == 0].all()


@pytest.mark.parametrize("video", ["flat", "train/house"])
def test_focal_lengths_that_no_square_pixels_have_are_named(folder, video):
    """As of 16:9 frames, beside a film of 2:1 and images of 4:3: every view would be bent."""
    sound = opened(folder).length(video)
    write_cameras(folder / f"{video}.txt", [round(i * 1e6 / 30) for i in range(20, 60)], aspect=9 / 16)
    recordings = opened(folder)
    with pytest.raises(RecordingError, match=rf"{video}.txt: focal lengths of fx W = .* and fy H = .*square pixels"):
        recordings.frames(video, [0])
    other = ({"flat", "train/house"} - {video}).pop()
    assert sound and recordings.present(other).all()
