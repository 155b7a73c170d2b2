"""The pieces of camera paths: level curves, free space, and walking about. ``echo.world.paths`` composes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from echo.world.camera import ArrayLike

MAX_TURN = 20.0  # degrees per frame
MAX_WALK = 1.6  # metres per segment
ATTEMPTS = 60

Clear = Callable[[np.ndarray], np.ndarray]  # whether a camera may be at each of (N, 3) points: (N,) bool
Path = Float64[np.ndarray, "frames 6"]
Pose = Float64[np.ndarray, " 6"]


class NoClearPath(ValueError):
    """No path of the kind fits in the free space around the first pose."""


def everywhere(points: np.ndarray) -> np.ndarray:
    """A ``Clear`` of space without obstacles."""
    return np.ones(len(points), dtype=bool)


def _ease(count: int, skew: float = 0.0) -> np.ndarray:
    """Parameters (count,) that rise from above 0 to exactly 1, bent by ``skew`` in (-1, 1)."""
    t = np.arange(1, count + 1) / count
    return t + skew * 0.5 * t * (1 - t)


def curve(a: Pose, b: Pose, turn: float, count: int, bend: ArrayLike = (0.0, 0.0), skew: float = 0.0) -> Path:
    """Poses (count, 6) after ``a`` on a curve to ``b``'s position, turning by ``turn`` degrees.

    The curve is a quadratic Bezier curve whose middle is pushed aside by ``bend`` metres (x, y).
    """
    t = _ease(count, skew)[:, None]
    poses = np.repeat(a[None], count, 0)
    poses[:, :2] = a[:2] + t * (b[:2] - a[:2]) + 2 * t * (1 - t) * np.asarray(bend)
    poses[:, 5] = a[5] + t[:, 0] * turn
    return poses


def is_clear(poses: Path, clear: Clear) -> bool:
    """Whether every pose (F, 6) and the middle of every step is clear."""
    points = poses[:, :3]
    return bool(clear(np.concatenate([points, (points[1:] + points[:-1]) / 2])).all())


def offset(generator: np.random.Generator, low: float, high: float, bearing: float | None = None) -> np.ndarray:
    """A step (x, y) of ``low`` to ``high`` metres, within 60 degrees of ``bearing`` (degrees) or anywhere."""
    angle = generator.uniform(-180, 180) if bearing is None else bearing + generator.uniform(-60, 60)
    return generator.uniform(low, high) * np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])


def turn_between(a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
    """The shorter turn in degrees, in [-180, 180), from yaw ``a`` to yaw ``b``."""
    return (np.asarray(b) - a + 180) % 360 - 180


def roamed(here: Pose, count: int, generator: np.random.Generator, fastest: float = 10.0) -> Path:
    """One segment (count, 6) of walking on, or standing, and looking around, wherever it leads."""
    turn = float(np.clip(generator.normal(0, 45), -fastest * count, fastest * count))
    there = here.copy()
    if generator.random() < 0.7:
        there[:2] += offset(generator, 0.2, MAX_WALK)
    return curve(here, there, turn, count, offset(generator, 0.0, 0.3) if there[0] != here[0] else (0.0, 0.0))


def wander(here: Pose, count: int, generator: np.random.Generator, clear: Clear) -> Path:
    """One segment (count, 6) of walking on and looking around, or a pan where there is no room to walk."""
    for _ in range(ATTEMPTS):
        poses = roamed(here, count, generator)
        if is_clear(np.concatenate([here[None], poses]), clear):
            return poses
    return curve(here, here, generator.uniform(-60, 60), count)
