"""Conventions of cameras against what reads them, and against what other people's code computes."""

from __future__ import annotations

import numpy as np
import torch

from echo.protocol.cameras import camera_to_world, intrinsics, plucker, realestate10k
from echo.world.geometry import project
from echo.world.recordings.poses import from_camera_to_world, from_world_to_camera

DRAW = np.random.default_rng(0)
POSES = np.concatenate([DRAW.normal(0, 2, (5, 3)), DRAW.uniform(-60, 60, (5, 3))], 1)
SIZE, VIEW = (48, 80), 70.0


def test_the_reader_of_recordings_reads_them_back():
    """Seen from a first frame that stands in the origin they are the poses themselves."""
    poses = POSES.copy()
    poses[0] = 0
    made = camera_to_world(poses)
    assert np.allclose(from_camera_to_world(made[:, :3, :3], made[:, :3, 3]), poses, atol=1e-9)
    assert np.array_equal(camera_to_world(POSES)[0], np.eye(4))


def test_a_point_is_seen_in_the_same_pixel():
    """Intrinsics and matrices, as OpenCV uses them, against the study's own projection."""
    points = POSES[0, :3] + np.array([[3.0, 0.5, 0.2], [2.0, -1.0, -0.4], [5.0, 1.0, 1.0]])
    matrices, camera = camera_to_world(POSES), intrinsics(SIZE, VIEW)
    first = _axes_of_first(points)
    for pose, matrix in zip(POSES, matrices, strict=True):
        seen = (np.linalg.inv(matrix) @ np.c_[first, np.ones(3)].T)[:3]
        across, down = (camera @ seen)[:2] / seen[2]
        rows, columns, depth = project(points, pose, SIZE, VIEW).T
        ahead = depth > 0.1
        assert np.allclose(depth, seen[2]) and ahead.any() or not ahead.any()
        assert np.allclose(np.c_[down, across][ahead] - 0.5, np.c_[rows, columns][ahead])


def _axes_of_first(points):
    """Points of the pool's world in the OpenCV axes of frame 0, by its angles alone."""
    x, y, z, roll, pitch, yaw = POSES[0]
    r, p, w = np.deg2rad([roll, pitch, yaw])
    turn = np.array([[np.cos(w), -np.sin(w), 0], [np.sin(w), np.cos(w), 0], [0, 0, 1]])
    nod = np.array([[np.cos(p), 0, -np.sin(p)], [0, 1, 0], [np.sin(p), 0, np.cos(p)]])
    lean = np.array([[1, 0, 0], [0, np.cos(r), np.sin(r)], [0, -np.sin(r), np.cos(r)]])
    forward, right, up = (turn @ nod @ lean).T @ (points - [x, y, z]).T
    return np.c_[right, -up, forward]


def test_plucker_rays_are_those_of_camera_conditioned_models():
    """Written out in torch as CameraCtrl (arXiv:2404.02101, equation 3) has it: o x d, then d, d of unit length."""
    matrices, camera, cell = camera_to_world(POSES), intrinsics(SIZE, VIEW), 8
    made = plucker(matrices, camera, SIZE, cell)
    assert made.shape == (5, 6, 10, 6)
    c2w, k = torch.from_numpy(matrices), torch.from_numpy(camera)
    for row, column in ((0, 0), (3, 7), (5, 9)):
        pixel = torch.tensor([(column + 0.5) * cell, (row + 0.5) * cell, 1.0], dtype=torch.float64)
        ray = c2w[:, :3, :3] @ torch.linalg.solve(k, pixel)
        ray = ray / ray.norm(dim=1, keepdim=True)
        wanted = torch.cat([torch.linalg.cross(c2w[:, :3, 3], ray), ray], 1)
        assert np.allclose(made[:, row, column], wanted.numpy(), atol=1e-5)


def test_the_text_is_read_as_realestate10k_is():
    matrices, camera = camera_to_world(POSES), intrinsics(SIZE, VIEW)
    lines = realestate10k(matrices, camera, SIZE, 8.0, "name").splitlines()
    assert lines[0] == "name" and len(lines) == 6
    numbers = np.array([[float(one) for one in line.split()] for line in lines[1:]])
    assert np.allclose(numbers[:, 0], np.arange(5) * 125_000) and numbers.shape == (5, 19)
    assert np.allclose(numbers[:, 1:5], [camera[0, 0] / 80, camera[1, 1] / 48, 0.5, 0.5])
    wanted = from_camera_to_world(matrices[:, :3, :3], matrices[:, :3, 3])
    assert np.allclose(from_world_to_camera(numbers[:, 7:].reshape(-1, 3, 4)), wanted, atol=1e-5)
