"""Conventions are told apart by what frames show: a scene that is drawn from known poses, written in either way."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from echo.world.camera import pixel_rays, rotation_matrices
from echo.world.recordings import RecordingError, open_recordings
from echo.world.recordings.pose_check import agreement, correlation
from echo.world.recordings.poses import from_camera_to_world
from tests.world.recordings.samples import write_clip

VIEW, SIZE, FRAMES = 70.0, (36, 64), 24


def drawn(pose: np.ndarray) -> np.ndarray:
    """A far panorama, seen from a pose: waves over the directions."""
    rays = pixel_rays(SIZE, VIEW) @ rotation_matrices(pose[None])[0].T
    unit = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    draw = np.random.default_rng(0)
    waves = sum(np.sin(unit @ draw.normal(0, 6, 3) + draw.uniform(0, 6)) for _ in range(12))
    return np.clip(128 + 25 * waves, 0, 255).astype(np.uint8)[..., None].repeat(3, -1)


def cameras() -> tuple[Rotation, np.ndarray]:
    """Camera-to-world rotations and centres in OpenCV's axes of a camera that turns, nods and walks a little."""
    steps = np.arange(FRAMES)
    turned = Rotation.from_euler("YX", np.stack([2.5 * steps, 5 * np.sin(steps / 4)], 1), degrees=True)
    return turned, np.stack([0.002 * steps, np.zeros(FRAMES), 0.001 * steps], 1)


def both(turned: Rotation, centres: np.ndarray) -> dict[str, np.ndarray]:
    """Our poses, as read rightly, and as if what is written were the inverse."""
    back = turned.inv()
    return {
        "right": from_camera_to_world(turned.as_matrix(), centres),
        "inverted": from_camera_to_world(back.as_matrix(), -back.apply(centres)),
    }


def test_the_right_convention_agrees_and_the_other_does_not():
    conventions = both(*cameras())
    frames = np.stack([drawn(pose) for pose in conventions["right"]])
    found = agreement(conventions, lambda numbers: frames[numbers], VIEW)
    assert found.right == "right" and found.pairs >= 5
    assert found.by_convention["right"] > 0.95 and found.by_convention["inverted"] < 0.6
    swapped = {"one": conventions["inverted"], "other": conventions["right"]}
    assert agreement(swapped, lambda numbers: frames[numbers], VIEW).right == "other"


def test_a_camera_that_hardly_turns_cannot_tell():
    still = {name: np.zeros((FRAMES, 6)) for name in ("right", "inverted")}
    found = agreement(still, lambda numbers: np.zeros((len(numbers), *SIZE, 3), np.uint8), VIEW)
    assert found.right is None and found.pairs == 0


def test_a_frame_agrees_with_itself_and_not_with_what_it_does_not_share():
    pose = np.array([0.0, 0, 1, 0, 0, 20])
    grey = drawn(pose)[..., 0].astype(float)
    assert correlation(grey, grey, pose, pose, VIEW) == pytest.approx(1)
    assert correlation(grey, grey, pose, pose + [0, 0, 0, 0, 0, 120], VIEW) == 0


def test_the_switch_reads_poses_the_other_way(tmp_path):
    write_clip(tmp_path / "r", "g/a")
    names = ("world_to_camera", "camera_to_world")
    poses = {name: open_recordings("spatialvid", tmp_path / "r", tmp_path / f"{name}.i", name).poses("g/a", range(21))
             for name in names}  # fmt: skip
    np.testing.assert_allclose(poses["camera_to_world"][:, 5], -poses["world_to_camera"][:, 5], atol=1e-9)
    again = open_recordings("spatialvid", tmp_path / "r", tmp_path / f"{names[0]}.i", names[1])  # the other's index
    np.testing.assert_allclose(again.poses("g/a", range(21)), poses["camera_to_world"])
    with pytest.raises(RecordingError, match="world.poses_are = camera_to_world: context_as_memory recordings say"):
        open_recordings("context_as_memory", tmp_path / "r", tmp_path / "x.i", "camera_to_world")
