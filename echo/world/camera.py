"""Camera poses: the 12 numbers of an action, rays, and how much two views share. Pure numpy.

A pose is six numbers: x, y, z in pool units (metres in the rendered rooms), then roll, pitch, yaw in degrees.
The convention is Unreal's, and so the Context-as-Memory dataset's: x forward, y right, z up (left-handed), and a
positive yaw turns right, a positive pitch looks up, a positive roll leans right. The field of view is the horizontal
one; pixels are square, so the frame's aspect (height / width) gives the vertical one. ``echo.world.paths`` makes the
paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from einops import rearrange
from jaxtyping import Float32, Float64

# What numpy makes an array of; its own type of this name refuses tuples when it is checked at run time.
ArrayLike = np.ndarray | Sequence[Any]

# Pixel grid and depths of the overlap estimate: 10 x 10 rays at each depth put its error below 0.06.
OVERLAP_GRID = 10
OVERLAP_DEPTHS = (1.0, 2.5, 5.0)


def as_poses(poses: ArrayLike) -> Float64[np.ndarray, "frames 6"]:
    """Poses as float64, checked; raises ValueError for another shape or a number that is not finite."""
    poses = np.asarray(poses, dtype=np.float64)
    if poses.ndim != 2 or poses.shape[1] != 6:
        raise ValueError(f"poses: expected shape (F, 6) of x, y, z, roll, pitch, yaw, got {poses.shape}")
    if not np.isfinite(poses).all():
        raise ValueError(f"poses: frame {int(np.argwhere(~np.isfinite(poses))[0, 0])} is not finite")
    return poses


def rotation_matrices(poses: ArrayLike) -> Float64[np.ndarray, "frames 3 3"]:
    """Rotations of poses (F, 6): column 0, 1, 2 is the camera's forward, right, up axis in the world."""
    roll, pitch, yaw = np.deg2rad(as_poses(poses)[:, 3:]).T
    cos_r, sin_r, cos_p, sin_p, cos_y, sin_y = (f(angle) for angle in (roll, pitch, yaw) for f in (np.cos, np.sin))
    forward = np.stack([cos_p * cos_y, cos_p * sin_y, sin_p], -1)
    right = np.stack([sin_r * sin_p * cos_y - cos_r * sin_y, sin_r * sin_p * sin_y + cos_r * cos_y, -sin_r * cos_p], -1)
    up = np.stack([-cos_r * sin_p * cos_y - sin_r * sin_y, sin_r * cos_y - cos_r * sin_p * sin_y, cos_r * cos_p], -1)
    return np.stack([forward, right, up], -1)


def _in_reference(
    poses: ArrayLike, reference: ArrayLike
) -> tuple[Float64[np.ndarray, "frames 3"], Float64[np.ndarray, "frames 3 3"]]:
    """Positions and rotations of poses (F, 6) in the frame of the camera at ``reference`` (6,)."""
    poses = as_poses(poses)
    reference = as_poses(np.reshape(np.asarray(reference, dtype=np.float64), (1, -1)))
    frame = rotation_matrices(reference)[0]
    # Subtracting before casting keeps full precision where a pool's coordinates are large.
    return (poses[:, :3] - reference[0, :3]) @ frame, frame.T @ rotation_matrices(poses)


def relative_actions(poses: ArrayLike, reference: ArrayLike) -> Float32[np.ndarray, "frames 12"]:
    """Actions of poses (F, 6): translation, then row-major rotation, in the reference camera's frame.

    ``reference`` is one pose (6,), normally the segment's first target frame. A camera at the reference has the action
    [0,0,0, 1,0,0, 0,1,0, 0,0,1] exactly.
    """
    translation, rotation = _in_reference(poses, reference)
    actions = np.concatenate([translation, rearrange(rotation, "frame row column -> frame (row column)")], 1)
    # Rounding far below float32's step turns the 1e-17 left by the matrix product into the exact identity.
    return (np.round(actions, 12) + 0.0).astype(np.float32)


def pixel_rays(size: int | tuple[int, int], fov: float) -> Float64[np.ndarray, "rows columns 3"]:
    """Ray directions through pixel centres, rows from the top, in the camera's frame.

    size: one number for a square, or (rows, columns) of square cells.

    The forward component is 1, so the distance at which such a ray hits is the planar depth.
    """
    if not 0 < fov < 180:
        raise ValueError(f"fov: expected degrees between 0 and 180, got {fov}")
    rows, columns = (size, size) if isinstance(size, int) else size
    reach = np.tan(np.deg2rad(fov) / 2)
    across = (2 * (np.arange(columns) + 0.5) / columns - 1) * reach
    down = (2 * (np.arange(rows) + 0.5) / rows - 1) * reach * (rows / columns)
    up, right = np.meshgrid(-down, across, indexing="ij")
    return np.stack([np.ones_like(right), right, up], -1)


def plucker(
    poses: ArrayLike, reference: ArrayLike, grid: int | tuple[int, int], fov: float
) -> Float32[np.ndarray, "frames rows columns 6"]:
    """Pluecker coordinates of the rays of poses (F, 6) through the centres of a grid of cells.

    Unit direction d, then moment o x d, both in the frame of the camera at ``reference`` (6,); o is the camera's
    position. The moment's unit is the pool's unit of length.
    """
    origins, rotations = _in_reference(poses, reference)
    rays = pixel_rays(grid, fov)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    directions = np.einsum("fij,hwj->fhwi", rotations, rays)
    moments = np.cross(origins[:, None, None, :], directions)
    return np.concatenate([directions, moments], -1).astype(np.float32)


def overlap(
    a: ArrayLike, b: ArrayLike, fov: float, depth: tuple[float, ...] = OVERLAP_DEPTHS, aspect: float = 1.0
) -> Float64[np.ndarray, "a b"]:
    """Field-of-view overlap in [0, 1] of every pose in a (A, 6) with every pose in b (B, 6).

    The share of points in front of camera a, on a pixel grid at the given depths in pool units, that fall inside
    camera b's image. Walls are not considered. A view overlaps with itself by exactly 1. aspect: height / width.
    """
    a, b = as_poses(a), as_poses(b)
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)))
    rays = pixel_rays(OVERLAP_GRID, fov).reshape(-1, 3) * (1, 1, aspect)
    points = np.concatenate([rays * d for d in depth])
    # Positions relative to one of them: then float32, which is twice as fast, is precise enough far from the origin.
    world = (points @ rotation_matrices(a).transpose(0, 2, 1) + (a[:, :3] - a[0, :3])[:, None]).astype(np.float32)
    axes = rotation_matrices(b)
    shift = np.einsum("bi,bij->jb", b[:, :3] - a[0, :3], axes)[:, None].astype(np.float32)
    # Components along the axes of every camera b: (3, A * points, B).
    seen = world.reshape(-1, 3) @ axes.transpose(2, 1, 0).astype(np.float32) - shift
    limit = seen[0] * np.float32(np.tan(np.deg2rad(fov) / 2))
    inside = np.maximum(np.abs(seen[1]), np.abs(seen[2]) / np.float32(aspect)) <= limit
    return inside.reshape(len(a), len(points), len(b)).mean(1)


def views_disjoint(a: ArrayLike, b: ArrayLike, fov: float) -> bool:
    """Whether two level cameras (6,), (6,) see no common point at all, walls ignored: a sufficient, exact test.

    Seen from above each view is a wedge. Two wedges are disjoint if neither apex lies in the other wedge and no two
    of their edges cross.
    """
    a, b = (np.asarray(pose, dtype=np.float64) for pose in (a, b))
    if a[3:5].any() or b[3:5].any():
        raise ValueError("views_disjoint: both cameras must be level (roll = pitch = 0)")
    half = fov / 2

    def edges(pose: np.ndarray) -> np.ndarray:
        """Directions (2, 2) of a wedge's edges."""
        angles = np.deg2rad(pose[5] + np.array([-half, half]))
        return np.stack([np.cos(angles), np.sin(angles)], -1)

    def contains(pose: np.ndarray, point: np.ndarray) -> bool:
        """Whether a point, by its x and y, lies in a pose's wedge."""
        offset = point[:2] - pose[:2]
        bearing = np.rad2deg(np.arctan2(offset[1], offset[0])) - pose[5]
        return bool(not offset.any() or abs((bearing + 180) % 360 - 180) <= half)

    if contains(a, b) or contains(b, a):
        return _same_apex_disjoint(a, b, half)
    for u in edges(a):
        for v in edges(b):
            cross = u[0] * v[1] - u[1] * v[0]
            offset = b[:2] - a[:2]
            if cross and (offset[0] * v[1] - offset[1] * v[0]) / cross >= 0:
                if (offset[0] * u[1] - offset[1] * u[0]) / cross >= 0:
                    return False
    return True


def _same_apex_disjoint(a: np.ndarray, b: np.ndarray, half: float) -> bool:
    """Whether wedges of half angle ``half`` degrees with one apex are disjoint; False for different apexes."""
    same_place = np.array_equal(a[:2], b[:2])
    return bool(same_place and abs((b[5] - a[5] + 180) % 360 - 180) > 2 * half)
