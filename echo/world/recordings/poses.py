"""Camera poses of other conventions as poses of ``echo.world.camera``.

OpenCV's camera looks along z with x right and y down, in a right-handed world. Ours looks along x with y right and z
up, in a left-handed one. Worlds are mapped axis by axis, (x, y, z) -> (z, x, -y), which is a reflection; so a camera
that is OpenCV's identity has our pose 0.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial.transform import Rotation, Slerp

from echo.world.camera import ArrayLike

WORLD = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # OpenCV's (x, y, z) to our (x, y, z)


def from_world_to_camera(matrices: ArrayLike) -> Float64[np.ndarray, "frames 6"]:
    """Poses of OpenCV world-to-camera matrices (F, 3, 4), [R | t] with R X + t in the camera's frame."""
    matrices = np.asarray(matrices, dtype=np.float64).reshape(-1, 3, 4)
    rotations = matrices[:, :, :3].transpose(0, 2, 1)
    centres = -np.einsum("fij,fj->fi", rotations, matrices[:, :, 3])
    return from_camera_to_world(rotations, centres)


def from_camera_to_world(
    rotations: Float64[np.ndarray, "frames 3 3"], centres: Float64[np.ndarray, "frames 3"]
) -> Float64[np.ndarray, "frames 6"]:
    """Poses of OpenCV camera-to-world rotations and camera centres."""
    axes = WORLD @ rotations @ WORLD.T  # columns: forward, right, up
    forward, right, up = axes[:, :, 0], axes[:, :, 1], axes[:, :, 2]
    level = np.hypot(forward[:, 0], forward[:, 1])  # cosine of the pitch
    pitch = np.arctan2(forward[:, 2], level)
    # A camera that looks straight up or down cannot tell yaw from roll: then all of the turn is yaw.
    steep = level < 1e-9
    yaw = np.where(steep, np.arctan2(-right[:, 0], right[:, 1]), np.arctan2(forward[:, 1], forward[:, 0]))
    roll = np.where(steep, 0.0, np.arctan2(-right[:, 2], up[:, 2]))
    return np.concatenate([centres @ WORLD.T, np.rad2deg(np.stack([roll, pitch, yaw], -1))], 1)


def interpolated(
    times: Int64[np.ndarray, " known"], rotations: Rotation, centres: Float64[np.ndarray, "known 3"], count: int
) -> Float64[np.ndarray, "count 6"]:
    """Poses of frames 0 .. count - 1 between OpenCV cameras known at the rising frame numbers ``times``.

    Rotations turn at constant speed (slerp), centres move straight. Frames before the first and after the last
    known one are NaN. ``rotations`` are camera-to-world.
    """
    poses = np.full((count, 6), np.nan)
    wanted = np.arange(max(int(times[0]), 0), min(int(times[-1]) + 1, count))
    if len(wanted):
        turned = Slerp(times, rotations)(wanted) if len(times) > 1 else rotations
        moved = np.stack([np.interp(wanted, times, axis) for axis in centres.T], -1)
        poses[wanted] = from_camera_to_world(turned.as_matrix(), moved)
    return poses
