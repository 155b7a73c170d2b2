import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from echo.world.camera import overlap, pixel_rays, plucker, relative_actions, rotation_matrices, views_disjoint

coordinate = st.floats(-50, 50)
angle = st.floats(-180, 180)
poses = st.tuples(coordinate, coordinate, coordinate, angle, angle, angle).map(np.array)
IDENTITY = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]


@given(poses)
@settings(max_examples=50, deadline=None)
def test_rotations_are_orthonormal(pose):
    rotation = rotation_matrices(pose[None])[0]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_the_axes_are_unreals():
    """x forward, y right, z up; yaw turns right, pitch looks up."""
    forward, right, up = np.eye(3)
    np.testing.assert_allclose(rotation_matrices(np.zeros((1, 6)))[0], np.stack([forward, right, up], 1), atol=1e-12)
    turned = rotation_matrices(np.array([[0, 0, 0, 0, 0, 90.0]]))[0]
    np.testing.assert_allclose(turned[:, 0], right, atol=1e-12)
    raised = rotation_matrices(np.array([[0, 0, 0, 0, 90.0, 0]]))[0]
    np.testing.assert_allclose(raised[:, 0], up, atol=1e-12)


def test_yaw_agrees_with_scipy():
    turned = rotation_matrices(np.array([[0, 0, 0, 0, 0, 33.0]]))[0]
    np.testing.assert_allclose(turned, Rotation.from_euler("z", 33, degrees=True).as_matrix(), atol=1e-12)


@given(poses)
@settings(max_examples=50, deadline=None)
def test_a_view_relative_to_itself_is_the_identity(pose):
    np.testing.assert_allclose(relative_actions(pose[None], pose)[0], IDENTITY, atol=1e-5)


@given(poses, poses, poses)
@settings(max_examples=50, deadline=None)
def test_relative_actions_do_not_depend_on_where_the_world_begins(a, b, shift):
    """Moving and turning both cameras about the vertical changes nothing."""
    turn = Rotation.from_euler("z", shift[5], degrees=True).as_matrix()

    def moved(pose):
        out = pose.copy()
        out[:3] = turn @ pose[:3] + shift[:3]
        out[5] += shift[5]
        return out

    before = relative_actions(a[None], b)
    np.testing.assert_allclose(relative_actions(moved(a)[None], moved(b)), before, atol=1e-3)


def test_an_action_is_translation_then_rotation_by_rows():
    reference = np.array([1.0, 2.0, 0.5, 0, 0, 90.0])
    ahead = np.array([1.0, 5.0, 0.5, 0, 0, 90.0 + 30])  # three metres ahead of a camera that looks along y
    action = relative_actions(ahead[None], reference)[0]
    np.testing.assert_allclose(action[:3], [3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(
        action[3:].reshape(3, 3), Rotation.from_euler("z", 30, degrees=True).as_matrix(), atol=1e-6
    )


def test_pluecker_moments_are_perpendicular_and_place_free_along_the_ray():
    reference = np.zeros(6)
    pose = np.array([1.0, 2.0, 0.3, 0, 10, 40.0])
    rays = plucker(pose[None], reference, 4, 75.0)[0]
    direction, moment = rays[..., :3], rays[..., 3:]
    np.testing.assert_allclose(np.linalg.norm(direction, axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose((direction * moment).sum(-1), 0, atol=1e-5)
    along = pose.copy()
    along[:3] += 2.5 * direction[1, 2]
    again = plucker(along[None], reference, 4, 75.0)[0]
    np.testing.assert_allclose(again[1, 2], rays[1, 2], atol=1e-5)


def test_pixel_rays_reach_the_edges_of_the_view():
    rays = pixel_rays(64, 90.0)
    assert (rays[..., 0] == 1).all()
    np.testing.assert_allclose(rays[0, 0], [1, -63 / 64, 63 / 64])
    np.testing.assert_allclose(rays[-1, -1], [1, 63 / 64, -63 / 64])


def slow_overlap(a, b, fov, depths=(1.0, 2.0, 4.0), grid=40) -> float:
    """Share of points of a's view, at some depths, whose direction from b is inside b's image."""
    points = np.concatenate([pixel_rays(grid, fov).reshape(-1, 3) * depth for depth in depths])
    world = points @ rotation_matrices(a[None])[0].T + a[:3]
    local = (world - b[:3]) @ rotation_matrices(b[None])[0]
    edge = np.tan(np.deg2rad(fov / 2)) * local[:, 0]
    return float(((local[:, 0] > 0) & (abs(local[:, 1]) <= edge) & (abs(local[:, 2]) <= edge)).mean())


@pytest.mark.parametrize("turn", [0, 15, 30, 60, 70, 76, 120, 180])
def test_overlap_in_place_against_a_slow_count(turn):
    a, b = np.zeros(6), np.array([0, 0, 0, 0, 0, float(turn)])
    found = overlap(a[None], b[None], 75.0)[0, 0]
    assert found == pytest.approx(slow_overlap(a, b, 75.0), abs=0.06)
    assert (found == 0) == (turn > 75)


def test_a_view_overlaps_with_itself_wholly_and_with_nothing_behind_it():
    pose = np.array([3.0, -2.0, 1.0, 0, 0, 20.0])
    behind = pose + np.array([0, 0, 0, 0, 0, 180.0])
    assert overlap(pose[None], np.stack([pose, behind]), 75.0).tolist() == [[1.0, 0.0]]
    assert overlap(pose[None], np.zeros((0, 6)), 75.0).shape == (1, 0)


@given(angle, angle, st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=60, deadline=None)
def test_disjoint_views_have_no_overlap(yaw_a, yaw_b, x, y):
    a, b = np.array([0, 0, 1.2, 0, 0, yaw_a]), np.array([x, y, 1.2, 0, 0, yaw_b])
    if views_disjoint(a, b, 75.0):
        assert overlap(a[None], b[None], 75.0)[0, 0] == 0
