"""The cameras of a case in the conventions that models take. Pure numpy.

==================  ===================================================================================================
convention          what
==================  ===================================================================================================
``poses``           the pool's own: x, y, z in metres, roll, pitch, yaw in degrees; x forward, y right, z up
                    (``echo.world.camera``)
``relative``        12 numbers: translation, then the row-major rotation, in the axes (forward, right, up) of the first
                    frame to generate (``echo.world.camera.relative_actions``)
``camera_to_world`` OpenCV: x right, y down, z forward, right-handed; 4 x 4, the first frame's being the identity
``plucker``         rays of that: moment o x d, then unit direction d, in CameraCtrl's order (arXiv:2404.02101)
``realestate10k``   its text file: a line per frame, intrinsics as parts of width and height, world-to-camera 3 x 4
==================  ===================================================================================================
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

from echo.world.camera import as_poses, rotation_matrices
from echo.world.recordings.poses import WORLD

Matrices = Float64[np.ndarray, "frames 4 4"]
CELL = 8  # pixels along a side of a cell of the Pluecker grid


def camera_to_world(poses: Float64[np.ndarray, "frames 6"]) -> Matrices:
    """OpenCV camera-to-world matrices, in the axes of the first frame's camera."""
    poses = as_poses(poses)
    axes = rotation_matrices(poses)
    made = np.tile(np.eye(4), (len(poses), 1, 1))
    made[:, :3, :3] = WORLD.T @ (axes[0].T @ axes) @ WORLD
    made[:, :3, 3] = (poses[:, :3] - poses[0, :3]) @ axes[0] @ WORLD
    return np.round(made, 12) + 0.0


def intrinsics(size: tuple[int, int], field_of_view: float) -> Float64[np.ndarray, "3 3"]:
    """Pixels are square, the principal point is the middle, pixel (0, 0) has its centre at (0.5, 0.5)."""
    height, width = size
    focal = width / (2 * np.tan(np.deg2rad(field_of_view) / 2))
    return np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])


def plucker(
    matrices: Matrices, camera: Float64[np.ndarray, "3 3"], size: tuple[int, int], cell: int = CELL
) -> Float32[np.ndarray, "frames rows columns 6"]:
    """Moment and unit direction of the rays through the centres of cells of ``cell`` pixels a side.

    ``camera``: the intrinsics. A size that no cell divides gives the cells that are whole.
    """
    rows, columns = size[0] // cell, size[1] // cell
    down, across = np.meshgrid((np.arange(rows) + 0.5) * cell, (np.arange(columns) + 0.5) * cell, indexing="ij")
    rays = np.stack([across, down, np.ones_like(down)], -1) @ np.linalg.inv(camera).T
    directions = np.einsum("fij,rcj->frci", matrices[:, :3, :3], rays / np.linalg.norm(rays, axis=-1, keepdims=True))
    origins = np.broadcast_to(matrices[:, None, None, :3, 3], directions.shape)
    return np.concatenate([np.cross(origins, directions), directions], -1).astype(np.float32)


def realestate10k(
    matrices: Matrices, camera: Float64[np.ndarray, "3 3"], size: tuple[int, int], rate: float, name: str
) -> str:
    """The text of a RealEstate10K camera file: the name, then time in microseconds, fx fy cx cy 0 0, and [R | t]."""
    height, width = size
    parts = camera[0, 0] / width, camera[1, 1] / height, camera[0, 2] / width, camera[1, 2] / height
    lines = [name]
    for number, matrix in enumerate(np.linalg.inv(matrices)):
        numbers = [*parts, 0.0, 0.0, *matrix[:3].reshape(-1)]
        lines.append(" ".join([str(round(number * 1e6 / rate)), *(f"{value + 0.0:.9f}" for value in numbers)]))
    return "\n".join(lines) + "\n"
