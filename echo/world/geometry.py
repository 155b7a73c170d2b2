"""Reprojection between posed views with known planar depth: what was seen before, and what it looks like from here.

A pixel's centre at planar depth z is the point ``origin + z * ray``, with the rays of ``camera.pixel_rays`` (their
forward component is 1) turned into the world. All lengths are in the poses' unit, metres in the rendered rooms.

- ``seen``: which pixels of a view lie on a surface that an earlier view shows. The point is projected into the earlier
  image; it counts where its depth there agrees with the depth map. Depth maps are sampled between pixels in inverse
  depth, which is affine along the image of a plane: a floor at a grazing angle, whose depth changes by a tenth from row
  to row, agrees exactly. Across an edge such a sample means nothing, so one of the four pixels around it agreeing is
  enough too.
- ``splat``: earlier views' pixels as points, drawn into a new view. Each point covers the four pixels around it by its
  bilinear weights; of each pixel the nearest surface alone counts (a z-buffer), and what lies within ``TOLERANCE`` of
  it is averaged. What no point covers takes the colour of the nearest pixel that has one.

The loops over pixels are compiled: 137 earlier frames of 64 x 64 pixels take milliseconds a view.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numba import njit
from scipy.ndimage import distance_transform_edt

from echo.world.camera import ArrayLike, as_poses, pixel_rays, rotation_matrices

TOLERANCE = 0.03  # share of its depth by which a point may miss a surface and still lie on it
LEAST_WEIGHT = 1e-3  # of the points on a pixel: with less it is touched by rims alone, and bare


class Splat(NamedTuple):
    """A view drawn from other views' points, and where any point covers it; elsewhere it is filled."""

    frame: UInt8[np.ndarray, "height width 3"]
    covered: Bool[np.ndarray, "height width"]


def unproject(
    depth: Float[np.ndarray, "frames height width"], poses: ArrayLike, fov: float
) -> Float[np.ndarray, "frames height width 3"]:
    """Points in the world of the pixels of frames at ``poses`` (F, 6); infinite or NaN where depth is infinite."""
    poses = as_poses(poses)
    rays = np.einsum("fij,hwj->fhwi", rotation_matrices(poses), pixel_rays((depth.shape[1], depth.shape[2]), fov))
    with np.errstate(invalid="ignore"):  # an infinite depth times a ray's 0
        return poses[:, None, None, :3] + depth[..., None].astype(np.float64) * rays


def project(
    points: Float[np.ndarray, "points 3"], pose: ArrayLike, size: tuple[int, int], fov: float
) -> Float[np.ndarray, "points 3"]:
    """Row, column and planar depth of points seen from one pose (6,), in an image of ``size`` (rows, columns).

    Pixel centres are whole numbers. Row and column of points that are not in front of the camera mean nothing.
    """
    pose = as_poses(np.reshape(np.asarray(pose, dtype=np.float64), (1, 6)))
    with np.errstate(invalid="ignore", divide="ignore"):
        forward, right, up = ((points - pose[0, :3]) @ rotation_matrices(pose)[0]).T
        rows, columns = size
        focal = columns / (2 * np.tan(np.deg2rad(fov) / 2))  # pixels are square
        across = (columns - 1) / 2 + focal * right / forward
        down = (rows - 1) / 2 - focal * up / forward
    return np.stack([down, across, forward], -1)


def seen(
    depth: Float[np.ndarray, "height width"],
    pose: ArrayLike,
    past_depth: Float[np.ndarray, "past height width"],
    past_poses: ArrayLike,
    fov: float,
    tolerance: float = TOLERANCE,
) -> Bool[np.ndarray, "height width"]:
    """Which pixels of a view of ``depth`` at ``pose`` (6,) show a surface that a frame at ``past_poses`` (P, 6) shows.

    Frames of the past may have another size than the view. A pixel without a surface (infinite depth) counts as not
    seen. tolerance: share of its depth by which a point may miss the past's surface.
    """
    poses = as_poses(past_poses)
    points = unproject(depth[None], np.reshape(np.asarray(pose, dtype=np.float64), (1, 6)), fov)[0].reshape(-1, 3)
    focal = past_depth.shape[2] / (2 * np.tan(np.deg2rad(fov) / 2))
    found = np.zeros(len(points), dtype=np.bool_)
    axes = np.ascontiguousarray(rotation_matrices(poses).transpose(0, 2, 1))
    inverse = np.ascontiguousarray(1.0 / past_depth.astype(np.float64))  # 0 where nothing is hit
    _mark_seen(points, np.ascontiguousarray(poses[:, :3]), axes, inverse, focal, tolerance, found)
    return found.reshape(depth.shape)


def splat(
    frames: UInt8[np.ndarray, "past height width 3"],
    points: Float[np.ndarray, "past height width 3"],
    pose: ArrayLike,
    fov: float,
) -> Splat:
    """The view at ``pose`` (6,), of the frames' own size, drawn of earlier ``frames`` whose ``points`` are known.

    ``points``: as ``unproject`` gives them, so that a trajectory's are made once for all its views. Where nothing is
    covered at all, the view is the mean colour of the frames.
    """
    height, width = frames.shape[1:3]
    places = project(points.reshape(-1, 3), pose, (height, width), fov)
    nearest = np.full((height, width), np.inf)
    total, weight = np.zeros((height, width, 3)), np.zeros((height, width))
    _draw_points(places, frames.reshape(-1, 3), TOLERANCE, nearest, total, weight)
    covered = weight > LEAST_WEIGHT
    if not covered.any():
        mean = np.rint(frames.reshape(-1, 3).mean(0))
        return Splat(np.broadcast_to(mean, (height, width, 3)).astype(np.uint8), covered)
    colours = np.rint(total / np.maximum(weight, LEAST_WEIGHT)[..., None]).astype(np.uint8)
    rows, columns = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    return Splat(colours[rows, columns], covered)


@njit(cache=True, nogil=True)
def _mark_seen(
    points: np.ndarray,
    origins: np.ndarray,
    axes: np.ndarray,
    inverse: np.ndarray,
    focal: float,
    tolerance: float,
    found: np.ndarray,
) -> None:
    """Set ``found`` (N,) where a point (N, 3) lies on what one of P frames shows.

    axes: (P, 3, 3), rows forward, right, up; inverse: (P, height, width) inverse depths.
    """
    count, rows, columns = inverse.shape
    for i in range(len(points)):
        if not np.isfinite(points[i, 0] + points[i, 1] + points[i, 2]):
            continue
        for p in range(count - 1, -1, -1):  # the latest frame first: it most often shows the same
            z, right, up = 0.0, 0.0, 0.0
            for k in range(3):
                offset = points[i, k] - origins[p, k]
                z += offset * axes[p, 0, k]
                right += offset * axes[p, 1, k]
                up += offset * axes[p, 2, k]
            if z <= 1e-6:
                continue
            x = (columns - 1) / 2 + focal * right / z
            y = (rows - 1) / 2 - focal * up / z
            if x < -0.5 or y < -0.5 or x > columns - 0.5 or y > rows - 0.5:
                continue
            x0 = min(max(int(np.floor(x)), 0), max(columns - 2, 0))
            y0 = min(max(int(np.floor(y)), 0), max(rows - 2, 0))
            x1, y1 = min(x0 + 1, columns - 1), min(y0 + 1, rows - 1)
            fx, fy = min(max(x - x0, 0.0), 1.0), min(max(y - y0, 0.0), 1.0)
            a, b, c, d = inverse[p, y0, x0], inverse[p, y0, x1], inverse[p, y1, x0], inverse[p, y1, x1]
            between = (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy
            miss = abs(between * z - 1)
            for one in (a, b, c, d):
                miss = min(miss, abs(one * z - 1))
            if miss <= tolerance:
                found[i] = True
                break


@njit(cache=True, nogil=True)
def _draw_points(
    places: np.ndarray,
    colours: np.ndarray,
    tolerance: float,
    nearest: np.ndarray,
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Add points at ``places`` (N, 3: row, column, depth) to ``total`` and ``weight``; ``nearest`` is the z-buffer."""
    rows, columns = nearest.shape
    for turn in range(2):  # first the nearest surface of each pixel, then the colours that lie on it
        for i in range(len(places)):
            y, x, z = places[i]
            if not np.isfinite(z) or z <= 1e-6 or x <= -1 or y <= -1 or x >= columns or y >= rows:
                continue
            y0, x0 = int(np.floor(y)), int(np.floor(x))
            for dy in range(2):
                for dx in range(2):
                    r, c = y0 + dy, x0 + dx
                    share = (1 - abs(y - r)) * (1 - abs(x - c))
                    if r < 0 or c < 0 or r >= rows or c >= columns or share <= 0:
                        continue
                    if turn == 0:
                        # A point's rim hides nothing: only a pixel's own points stand in its z-buffer.
                        if share >= 0.25 and z < nearest[r, c]:
                            nearest[r, c] = z
                    elif z <= nearest[r, c] * (1 + tolerance):
                        weight[r, c] += share
                        for k in range(3):
                            total[r, c, k] += share * colours[i, k]
