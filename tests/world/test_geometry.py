"""Reprojection: against slow loops written apart, exact planes, and the renderer itself."""

from __future__ import annotations

from math import cos, floor, radians, sin, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.world.camera import pixel_rays, rotation_matrices
from echo.world.geometry import TOLERANCE, project, seen, splat, unproject
from echo.world.rooms.render import render_room
from echo.world.rooms.rooms import sample_room

FOV = 75.0
SIZE = 12


def slow_place(point, pose, rows, columns):
    """Row, column, depth of a point seen by a level camera, from the angles alone."""
    x, y, z = (point[k] - pose[k] for k in range(3))
    yaw = radians(pose[5])
    forward, right, up = x * cos(yaw) + y * sin(yaw), -x * sin(yaw) + y * cos(yaw), z
    focal = columns / 2 / tan(radians(FOV / 2))
    if forward <= 1e-6:
        return None
    return (rows - 1) / 2 - focal * up / forward, (columns - 1) / 2 + focal * right / forward, forward


def slow_point(row, column, depth, pose, rows, columns):
    """The point at a pixel's centre, for a level camera."""
    focal = columns / 2 / tan(radians(FOV / 2))
    right, up = (column - (columns - 1) / 2) / focal * depth, ((rows - 1) / 2 - row) / focal * depth
    yaw = radians(pose[5])
    return pose[0] + depth * cos(yaw) - right * sin(yaw), pose[1] + depth * sin(yaw) + right * cos(yaw), pose[2] + up


def slow_seen(depth, pose, past_depth, past_poses):
    found = np.zeros(depth.shape, bool)
    for r, c in np.ndindex(*depth.shape):
        if not np.isfinite(depth[r, c]):
            continue
        point = slow_point(r, c, depth[r, c], pose, *depth.shape)
        for before, at in zip(past_depth, past_poses, strict=True):
            rows, columns = before.shape
            place = slow_place(point, at, rows, columns)
            if place is None or not (-0.5 <= place[0] <= rows - 0.5 and -0.5 <= place[1] <= columns - 0.5):
                continue
            y, x = (min(max(place[k], 0), size - 1) for k, size in ((0, rows), (1, columns)))
            top, left = min(int(floor(y)), rows - 2), min(int(floor(x)), columns - 2)
            four = 1 / before[top : top + 2, left : left + 2].astype(float)
            weights = np.outer([1 - (y - top), y - top], [1 - (x - left), x - left])
            candidates = [*four.ravel(), (four * weights).sum()]
            if min(abs(one * place[2] - 1) for one in candidates) <= TOLERANCE:
                found[r, c] = True
    return found


def slow_splat(frames, depths, poses, pose):
    rows, columns = frames.shape[1:3]
    hits = {}
    for frame, depth, at in zip(frames, depths, poses, strict=True):
        for r, c in np.ndindex(rows, columns):
            place = slow_place(slow_point(r, c, depth[r, c], at, rows, columns), pose, rows, columns)
            if place is None:
                continue
            y, x, z = place
            for ry in (floor(y), floor(y) + 1):
                for cx in (floor(x), floor(x) + 1):
                    share = (1 - abs(y - ry)) * (1 - abs(x - cx))
                    if 0 <= ry < rows and 0 <= cx < columns and share > 0:
                        hits.setdefault((ry, cx), []).append((z, share, frame[r, c].astype(float)))
    colours, covered = np.zeros((rows, columns, 3)), np.zeros((rows, columns), bool)
    for place, points in hits.items():
        nearest = min((z for z, share, _ in points if share >= 0.25), default=np.inf)
        on_it = [(share, colour) for z, share, colour in points if z <= nearest * (1 + TOLERANCE)]
        total = sum(share for share, _ in on_it)
        if total > 1e-3:
            covered[place] = True
            colours[place] = sum(share * colour for share, colour in on_it) / total
    return np.rint(colours), covered


@pytest.fixture(scope="module")
def cloud():
    """Four rough depth maps with edges and an open place, at level poses that see much the same."""
    draw = np.random.default_rng(3)
    poses = np.concatenate([draw.uniform(-0.4, 0.4, (4, 3)), np.zeros((4, 2)), draw.uniform(-20, 20, (4, 1))], 1)
    depth = draw.uniform(2.0, 2.4, (4, SIZE, SIZE))
    depth[:, 3:7, 4:9] = 1.1
    depth[0, 0, 0] = np.inf
    return poses, depth, draw.integers(0, 256, (4, SIZE, SIZE, 3)).astype(np.uint8)


def test_points_and_pixels_are_each_others_inverse(cloud):
    poses, depth, _ = cloud
    poses = poses + (0, 0, 0, 4.0, -7.0, 0)  # tilted ones too
    points = unproject(depth, poses, FOV)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for at, own, cloud_points in zip(poses, depth, points, strict=True):
        places = project(cloud_points.reshape(-1, 3), at, (SIZE, SIZE), FOV).reshape(SIZE, SIZE, 3)
        known = np.isfinite(own)
        expected = np.stack([rows, columns, own], -1)
        np.testing.assert_allclose(places[known], expected[known], atol=1e-9)


def test_what_was_seen_is_what_a_slow_loop_finds(cloud):
    poses, depth, _ = cloud
    for number in range(4):
        others = [i for i in range(4) if i != number]
        fast = seen(depth[number], poses[number], depth[others], poses[others], FOV)
        np.testing.assert_array_equal(fast, slow_seen(depth[number], poses[number], depth[others], poses[others]))
        assert 0.1 < fast.mean() < 0.95  # both answers occur


def test_a_splat_is_what_a_slow_z_buffer_draws(cloud):
    poses, depth, frames = cloud
    depth = np.where(np.isfinite(depth), depth, 3.0)
    drawn = splat(frames[1:], unproject(depth[1:], poses[1:], FOV), poses[0], FOV)
    colours, covered = slow_splat(frames[1:], depth[1:], poses[1:], poses[0])
    np.testing.assert_array_equal(drawn.covered, covered)
    assert 0.2 < covered.mean() < 1
    assert np.abs(drawn.frame[covered].astype(int) - colours[covered]).max() <= 1  # halves may round either way


@settings(max_examples=30, deadline=None)
@given(st.floats(-60, 60), st.floats(0.2, 2.0), st.floats(-1.5, 1.5), st.integers(0, 2**31))
def test_a_plane_is_seen_wherever_it_is_in_sight(yaw, height, step, seed):
    """However grazing the floor: a point of it counts as seen exactly if it lies inside the other image."""
    draw = np.random.default_rng(seed)
    a, b = np.zeros(6), np.array([step, draw.uniform(-0.5, 0.5), draw.uniform(-0.05, 0.05), 0, 0, yaw])

    def floor_depth(pose):
        rays = pixel_rays(SIZE, FOV) @ rotation_matrices(pose[None])[0].T
        down = -rays[..., 2]
        return np.where(down > 0.05, (height + pose[2]) / np.maximum(down, 0.05), np.inf)

    target, past = floor_depth(a), floor_depth(b)
    found = seen(target, a, past[None], b[None], FOV)
    places = project(unproject(target[None], a[None], FOV)[0].reshape(-1, 3), b, (SIZE, SIZE), FOV)
    y, x, z = places.T.reshape(3, SIZE, SIZE)
    # Half a pixel beyond its outermost centres an image is not sampled, and neither is the row next to the horizon.
    inside = (z > 0) & (y <= SIZE - 1) & (x >= 0) & (x <= SIZE - 1) & (y >= np.isfinite(past).any(1).argmax())
    outside = ~((z > 0) & (y <= SIZE - 0.5) & (x >= -0.5) & (x <= SIZE - 0.5))
    known = np.isfinite(target)
    assert found[inside & known].all() and not found[outside | ~known].any()


def test_behind_a_wall_nothing_was_seen_and_the_wall_itself_was():
    pose = np.zeros(6)
    wall, beyond = np.full((SIZE, SIZE), 1.0), np.full((SIZE, SIZE), 3.0)
    assert not seen(beyond, pose, wall[None], pose[None], FOV).any()
    assert seen(wall, pose, wall[None], pose[None], FOV).all()
    # What was in front of the past's surface would have hidden it: it is no surface of the past either.
    assert not seen(wall, pose, beyond[None], pose[None], FOV).any()


def test_one_frame_that_saw_it_is_enough_and_more_frames_never_take_away(cloud):
    poses, depth, _ = cloud
    every = seen(depth[0], poses[0], depth[1:], poses[1:], FOV)
    each = [seen(depth[0], poses[0], depth[[i]], poses[[i]], FOV) for i in range(1, 4)]
    np.testing.assert_array_equal(every, np.logical_or.reduce(each))


def test_in_a_rendered_room(library):
    """The same pose saw everything; the view behind the camera was seen by none; a splat there is the frame itself."""
    room = sample_room(0, "train", 1, library)
    away = room.start + (0, 0, 0, 0, 0, 180)
    step = room.start + (0, 0, 0, 0, 0, 8)
    shown = render_room(room, np.stack([room.start, away, step]), 48, FOV, library)
    poses = np.stack([room.start, away, step])
    assert seen(shown.depth[0], poses[0], shown.depth[[0]], poses[[0]], FOV).all()
    assert not seen(shown.depth[0], poses[0], shown.depth[[1]], poses[[1]], FOV).any()
    points = unproject(shown.depth, poses, FOV)
    same = splat(shown.rgb[[0]], points[[0]], poses[0], FOV)
    assert same.covered.all()
    np.testing.assert_array_equal(same.frame, shown.rgb[0])
    # A turn by 8 degrees in place hides nothing: what is inside the other image was seen, and is drawn nearly as it is.
    found = seen(shown.depth[2], poses[2], shown.depth[[0]], poses[[0]], FOV)
    turned = splat(shown.rgb[[0]], points[[0]], poses[2], FOV)
    y, x, _ = project(points[2].reshape(-1, 3), poses[0], (48, 48), FOV).T.reshape(3, 48, 48)
    inside = (np.abs(y - 23.5) <= 24) & (np.abs(x - 23.5) <= 24)
    assert (found == inside).mean() > 0.995
    error = np.abs(turned.frame[found].astype(int) - shown.rgb[2][found]).mean()
    assert error < 0.5 * np.abs(shown.rgb[0].astype(int) - shown.rgb[2]).mean()


def test_without_a_point_in_sight_a_splat_is_the_mean_colour(cloud):
    poses, depth, frames = cloud
    behind = np.array([10.0, 0, 0, 0, 0, 0])
    drawn = splat(frames, unproject(np.full_like(depth, 2.0), poses, FOV), behind, FOV)
    assert not drawn.covered.any()
    np.testing.assert_allclose(drawn.frame[0, 0], frames.reshape(-1, 3).mean(0), atol=0.5)
