"""Pose conversions against projection: a point must fall on the same pixel by either convention."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from echo.world.camera import pixel_rays, rotation_matrices
from echo.world.recordings.poses import WORLD, from_camera_to_world, from_world_to_camera, interpolated

numbers = st.floats(-1, 1, allow_nan=False)
quaternions = st.tuples(numbers, numbers, numbers, numbers).filter(lambda q: np.linalg.norm(q) > 0.1)
translations = st.tuples(*[st.floats(-50, 50)] * 3)


def matrix(quaternion, translation) -> np.ndarray:
    return np.concatenate([Rotation.from_quat(quaternion).as_matrix(), np.reshape(translation, (3, 1))], 1)


@given(quaternions, translations, st.tuples(*[st.floats(-20, 20)] * 3))
@settings(max_examples=300, deadline=None)
def test_a_point_projects_to_the_same_pixel(quaternion, translation, point):
    """OpenCV: u = fx X / Z. Ours: components along the camera's right and up, divided by that along forward."""
    given_matrix = matrix(quaternion, translation)
    pose = from_world_to_camera(given_matrix)[0]
    x, y, z = given_matrix[:, :3] @ point + given_matrix[:, 3]
    forward, right, up = (WORLD @ np.array(point) - pose[:3]) @ rotation_matrices(pose[None])[0]
    np.testing.assert_allclose([forward, right, up], [z, x, -y], atol=1e-6)


def test_the_rays_through_the_pixels_are_opencvs():
    """Along our ray through a pixel lies a point that OpenCV's intrinsics put on that pixel."""
    rows, columns, view = 6, 8, 70.0
    given_matrix = matrix([0.1, -0.4, 0.2, 0.8], [1.0, 2.0, -3.0])
    pose = from_world_to_camera(given_matrix)
    rays = pixel_rays((rows, columns), view) @ rotation_matrices(pose)[0].T
    focal = columns / 2 / np.tan(np.deg2rad(view) / 2)
    points = (pose[0, :3] + 7.0 * rays) @ WORLD  # back to OpenCV's world
    seen = points @ given_matrix[:, :3].T + given_matrix[:, 3]
    across = focal * seen[..., 0] / seen[..., 2] + columns / 2
    down = focal * seen[..., 1] / seen[..., 2] + rows / 2
    np.testing.assert_allclose(across, np.broadcast_to(np.arange(columns) + 0.5, across.shape), atol=1e-9)
    np.testing.assert_allclose(down, np.broadcast_to((np.arange(rows) + 0.5)[:, None], down.shape), atol=1e-9)


def test_identity_and_simple_turns():
    eye = np.eye(3, 4)
    assert np.abs(from_world_to_camera(eye)[0]).max() == 0
    right = Rotation.from_euler("y", 30, degrees=True).as_matrix()  # OpenCV's y points down: about it, z turns to x
    ahead = from_camera_to_world(right[None], np.array([[1.0, 2.0, 3.0]]))[0]
    np.testing.assert_allclose(ahead, [3, 1, -2, 0, 0, 30], atol=1e-12)
    up = Rotation.from_euler("x", 20, degrees=True).as_matrix()
    np.testing.assert_allclose(from_camera_to_world(up[None], np.zeros((1, 3)))[0], [0, 0, 0, 0, 20, 0], atol=1e-12)


@given(st.sampled_from([90.0, -90.0]), st.floats(-170, 170))
@settings(max_examples=50, deadline=None)
def test_a_camera_that_looks_straight_up_or_down_keeps_its_axes(pitch, yaw):
    wanted = rotation_matrices([[0, 0, 0, 0, pitch, yaw]])[0]
    pose = from_camera_to_world((WORLD.T @ wanted @ WORLD)[None], np.zeros((1, 3)))
    np.testing.assert_allclose(rotation_matrices(pose)[0], wanted, atol=1e-6)


@given(quaternions, quaternions, translations, translations, st.integers(2, 9))
@settings(max_examples=100, deadline=None)
def test_interpolation_meets_the_known_poses_and_turns_at_constant_speed(q0, q1, a, b, gap):
    known = Rotation.from_quat([q0, q1])
    centres = np.array([a, b])
    poses = interpolated(np.array([3, 3 + gap]), known, centres, 20)
    assert np.isnan(poses[:3]).all() and np.isnan(poses[4 + gap :]).all()
    assert np.isfinite(poses[3 : 4 + gap]).all()
    ends = from_camera_to_world(known.as_matrix(), centres)
    np.testing.assert_allclose(rotation_matrices(poses[[3, 3 + gap]]), rotation_matrices(ends), atol=1e-6)
    np.testing.assert_allclose(poses[[3, 3 + gap], :3], ends[:, :3], atol=1e-9)
    axes = rotation_matrices(poses[3 : 4 + gap])
    traces = np.einsum("fij,fij->f", axes[1:], axes[:-1])
    np.testing.assert_allclose(traces, traces[0], atol=1e-5)
    steps = np.diff(poses[3 : 4 + gap, :3], axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-9)


def test_a_single_known_pose_is_the_only_one():
    poses = interpolated(np.array([2]), Rotation.identity(1), np.zeros((1, 3)), 4)
    assert np.isfinite(poses[2]).all() and np.isnan(poses[[0, 1, 3]]).all()
