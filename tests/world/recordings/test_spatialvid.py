"""SpatialVID's clips: interpolated poses, what is outside their range, bad files."""

import numpy as np
import pytest

from echo.world.camera import rotation_matrices
from echo.world.recordings import RecordingError, open_recordings
from tests.world.recordings.samples import number_of, write_clip


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "recordings"
    for name in ("group_0001/aa", "group_0001/bb", "group_0002/cc"):
        write_clip(folder, name)
    return folder


def opened(folder):
    return open_recordings("spatialvid", folder, folder.parent / "index.safetensors")


def test_frames_poses_caption_and_field_of_view(folder):
    recordings = opened(folder)
    assert recordings.videos == ["group_0001/aa", "group_0001/bb", "group_0002/cc"]
    assert recordings.length("group_0001/bb") == 24
    assert [number_of(f) for f in recordings.frames("group_0002/cc", [13, 2])] == [13, 2]
    poses = recordings.poses("group_0001/aa", range(21))
    np.testing.assert_allclose(poses[:, 5], np.arange(21), atol=1e-9)
    np.testing.assert_allclose(poses[:, 0], 0.1 * np.arange(21), atol=1e-9)
    np.testing.assert_allclose(poses[:, 1:5], 0, atol=1e-9)
    assert recordings.caption("group_0001/aa", 5) == "a walk, clip group_0001/aa"
    np.testing.assert_allclose(np.tan(np.deg2rad(recordings.field_of_view("group_0001/aa")) / 2), 0.5 / 0.7)


def test_frames_after_the_last_pose_have_none(folder):
    recordings = opened(folder)
    assert recordings.report()["poses"] == {"count": 9, "videos": 3, "first": "pose 21 of group_0001/aa",
                                            "why": "annotations/group_0001/aa/poses.npy has poses of frames 0 to 20"
                                            }  # fmt: skip
    with pytest.raises(RecordingError, match="pose 21 of group_0001/bb is missing"):
        recordings.poses("group_0001/bb")


def test_frames_before_the_first_pose_and_poses_beyond_the_video(tmp_path):
    write_clip(tmp_path / "r", "group_0001/aa", frames=15, indexes=[4, 10, 18])
    recordings = open_recordings("spatialvid", tmp_path / "r", tmp_path / "i.safetensors")
    assert recordings.length("group_0001/aa") == 19
    assert recordings.report()["poses"]["first"] == "pose 0 of group_0001/aa"
    assert recordings.report()["frames"] == {"count": 4, "videos": 1, "first": "frame 15 of group_0001/aa",
                                             "why": "videos/group_0001/aa.mp4 has 15 frames"}  # fmt: skip
    np.testing.assert_array_equal(np.flatnonzero(recordings.posed("group_0001/aa")), np.arange(4, 19))


def test_a_quaternion_and_its_negative_are_one_rotation(folder):
    path = folder / "annotations" / "group_0001" / "aa" / "poses.npy"
    before = opened(folder).poses("group_0001/aa", range(21))
    rows = np.load(path)
    rows[1, 3:] *= -3.0
    np.save(path, rows)
    (path.parent / "note").write_text("a folder's time tells of new files")
    after = opened(folder).poses("group_0001/aa", range(21))
    np.testing.assert_allclose(rotation_matrices(after), rotation_matrices(before), atol=1e-9)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("poses.npy", b"\x93NUMPY", "poses.npy: poses of group_0001/bb cannot be read"),
        ("poses.npy", np.zeros((4, 6)), r"poses.npy: .*expected \(N, 7\) finite numbers .*got \(4, 6\)"),
        ("poses.npy", np.zeros((4, 7)), "poses.npy: .*quaternion is zero"),
        ("poses.npy", np.array([{"a": 1}]), r"poses.npy: .*got \(1,\) of object"),
        ("indexes.txt", b"0 0\n1 6\n", "indexes.txt: .*expected 4 rising frame numbers, one per pose, got 2"),
        ("indexes.txt", b"0 zero\n", "indexes.txt, line 1: .*two whole numbers"),
        ("indexes.txt", None, "indexes.txt: frame numbers of the poses of group_0001/bb are missing"),
    ],
)
def test_bad_annotations_spoil_their_clip_alone(folder, file, content, message):
    path = folder / "annotations" / "group_0001" / "bb" / file
    path.unlink()
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=content.dtype == object)
    elif content is not None:
        path.write_bytes(content)
    recordings = opened(folder)
    with pytest.raises(RecordingError, match=message) as error:
        recordings.poses("group_0001/bb")
    assert "\n" not in str(error.value)
    assert recordings.report()["unreadable files"]["count"] == 1
    assert len(recordings.poses("group_0001/aa", range(21))) == 21
    assert number_of(recordings.frames("group_0001/bb", [3])[0]) == 3


def test_a_missing_and_a_truncated_video(folder):
    (folder / "videos" / "group_0001" / "aa.mp4").unlink()
    path = folder / "videos" / "group_0002" / "cc.mp4"
    path.write_bytes(path.read_bytes()[:500])
    recordings = opened(folder)
    with pytest.raises(
        RecordingError, match=r"frame 0 of group_0001/aa is missing \(videos/group_0001/aa.mp4 is not there\)"
    ):
        recordings.frames("group_0001/aa", [0])
    with pytest.raises(RecordingError, match="frame 0 of group_0002/cc is missing .*cc.mp4.*truncated"):
        recordings.frames("group_0002/cc", [0])
    assert number_of(recordings.frames("group_0001/bb", [20])[0]) == 20


def test_no_caption_is_said(folder):
    (folder / "annotations" / "group_0001" / "aa" / "caption.json").unlink()
    recordings = opened(folder)
    assert recordings.report()["captions"] == {"count": 1, "videos": 1, "first": "caption of group_0001/aa"}
    with pytest.raises(RecordingError, match="no caption of group_0001/aa"):
        recordings.caption("group_0001/aa")


def test_intrinsics_of_other_frames_are_named(folder):
    """fx W / (fy H) of 0.56: a clip that was cropped after its cameras were found."""
    notes = folder / "annotations" / "group_0001" / "aa"
    np.save(notes / "intrinsics.npy", np.tile([0.7, 2.5, 0.5, 0.5], (4, 1)))
    (notes / "note").write_text("a folder's time tells of new files")
    recordings = opened(folder)
    with pytest.raises(RecordingError, match=r"frame 0 of group_0001/aa .*ratio of 0.56; expected square pixels"):
        recordings.frames("group_0001/aa", [0])
    assert recordings.present("group_0001/bb").all()
