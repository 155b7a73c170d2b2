"""Camera paths that leave a view and come back to it: exact poses, one function per kind.

All paths are level, keep the height and the first pose they are given, and turn and walk smoothly. T is
``frames_per_segment``; frame 0 is the given pose and segment s covers frames 1+(s-1)T .. sT.

=================  ========  =========================================================================================
kind               frames    path
=================  ========  =========================================================================================
``train``          1 + 4T    85 % leave for 1 to 3 segments and come back within one, 10 % mirrored pans, 5 % wandering
``replay``         1 + 3T    the same family, held out
``loop``           1 + 4T    +45 +45 -45 -45 degrees of yaw in place; frames i and 4T-i have bitwise equal poses
``return_45``      1 + 2T    45 degrees to either side in place and back; the last two frames at the first pose
``return_strict``  1 + 3T    two segments away until no point of the first view is in sight, one segment back on another
                             path; the last two frames at the first pose
=================  ========  =========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from echo.study.words import SEGMENTS
from echo.world.camera import ArrayLike, as_poses, views_disjoint

MAX_TURN = 20.0  # degrees per frame
MAX_WALK = 1.6  # metres per segment
ATTEMPTS = 60
EXACT = 0.9  # share of the training returns that end at exactly the first pose
OUT_SEGMENTS = (0.15, 0.6, 0.25)  # how often they stay away for 1, 2, 3 segments

Clear = Callable[[np.ndarray], np.ndarray]  # whether a camera may be at each of (N, 3) points: (N,) bool
Path = Float64[np.ndarray, "frames 6"]
Pose = Float64[np.ndarray, " 6"]


class NoClearPath(ValueError):
    """No path of the kind fits in the free space around the first pose."""


def _everywhere(points: np.ndarray) -> np.ndarray:
    """A ``Clear`` of space without obstacles."""
    return np.ones(len(points), dtype=bool)


def trajectory(
    kind: str,
    start_pose: ArrayLike,
    frames_per_segment: int,
    generator: np.random.Generator,
    clear: Clear | None = None,
    fov: float = 75.0,
    segments: int | None = None,
) -> Path:
    """A path (F, 6) of the kind from ``start_pose`` (6,).

    ``clear`` maps points (N, 3) to whether a camera may be there; without it, it may be anywhere. ``segments``
    overrides the length of ``train`` and ``replay``. Raises ValueError for an unknown kind, a tilted or obstructed
    start and a segment of fewer than 2 frames, and NoClearPath if nothing fits.
    """
    start = as_poses(np.reshape(start_pose, (1, -1)))[0]
    clear = clear or _everywhere
    frames = int(frames_per_segment)
    if kind not in SEGMENTS:
        raise ValueError(f"trajectory: unknown kind {kind!r}, expected one of {', '.join(SEGMENTS)}")
    if frames < 2:
        raise ValueError(f"trajectory: a segment needs at least 2 frames, got {frames}")
    if start[3:5].any():
        raise ValueError("trajectory: start_pose must be level (roll = pitch = 0)")
    if not clear(start[None, :3])[0]:
        raise ValueError(f"trajectory: the start {start[:3].tolist()} is not clear")
    if kind == "loop":
        return _mirrored(start, frames, 90.0, 2)
    if kind == "return_45":
        turn = 45.0 * generator.choice([-1.0, 1.0])
        return np.concatenate([start[None], _steps(start, start, turn, frames), _back(start, turn, start, frames)])
    if kind == "return_strict":
        return _strict(start, frames, generator, clear, fov)
    return _roam(start, frames, segments or SEGMENTS[kind], generator, clear)


def _ease(count: int, skew: float = 0.0) -> np.ndarray:
    """Parameters (count,) that rise from above 0 to exactly 1, bent by ``skew`` in (-1, 1)."""
    t = np.arange(1, count + 1) / count
    return t + skew * 0.5 * t * (1 - t)


def _steps(a: Pose, b: Pose, turn: float, count: int, bend: ArrayLike = (0.0, 0.0), skew: float = 0.0) -> Path:
    """Poses (count, 6) after ``a`` on a curve to ``b``'s position, turning by ``turn`` degrees.

    The curve is a quadratic Bezier curve whose middle is pushed aside by ``bend`` metres (x, y).
    """
    t = _ease(count, skew)[:, None]
    poses = np.repeat(a[None], count, 0)
    poses[:, :2] = a[:2] + t * (b[:2] - a[:2]) + 2 * t * (1 - t) * np.asarray(bend)
    poses[:, 5] = a[5] + t[:, 0] * turn
    return poses


def _back(start: Pose, turn: float, far: Pose, count: int, bend: ArrayLike = (0.0, 0.0), skew: float = 0.0) -> Path:
    """One segment (count, 6) from ``far`` and ``turn`` degrees away to the start; its last two frames are there."""
    here = far.copy()
    here[5] = start[5] + turn
    poses = _steps(here, start, -turn, count - 1, bend, skew)
    poses[-1] = start
    return np.concatenate([poses, start[None]])


def _mirrored(start: Pose, frames: int, turn: float, segments_out: int) -> Path:
    """A pan in place by ``turn`` degrees and back along bitwise the same poses: (1 + 2 segments_out T, 6)."""
    out = np.concatenate([start[None], _steps(start, start, turn, segments_out * frames)])
    return np.concatenate([out, out[-2::-1]])


def _is_clear(poses: Path, clear: Clear) -> bool:
    """Whether every pose (F, 6) and the middle of every step is clear."""
    points = poses[:, :3]
    return bool(clear(np.concatenate([points, (points[1:] + points[:-1]) / 2])).all())


def _offset(generator: np.random.Generator, low: float, high: float, bearing: float | None = None) -> np.ndarray:
    """A step (x, y) of ``low`` to ``high`` metres, within 60 degrees of ``bearing`` (degrees) or anywhere."""
    angle = generator.uniform(-180, 180) if bearing is None else bearing + generator.uniform(-60, 60)
    return generator.uniform(low, high) * np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])


def _strict(start: Pose, frames: int, generator: np.random.Generator, clear: Clear, fov: float) -> Path:
    """Away over two segments, turning 120 to 138 degrees and walking, and back over one on the path's other side."""
    for attempt in range(4 * ATTEMPTS):
        reach = 1 / (1 + attempt / ATTEMPTS)  # a tight room gets a shorter walk
        turn = generator.uniform(max(120.0, fov + 30), max(138.0, fov + 48)) * generator.choice([-1.0, 1.0])
        far = start.copy()
        far[:2] += _offset(generator, 0.5 * reach, MAX_WALK * reach, start[5] + turn)
        far[5] = start[5] + turn
        if not views_disjoint(start, far, fov):
            continue
        across = np.array([start[1] - far[1], far[0] - start[0]])
        side = generator.choice([-1.0, 1.0]) * across * generator.uniform(0.2, 0.4)
        skew = generator.uniform(-0.5, 0.5)
        out = _steps(start, far, turn, 2 * frames, side, skew)
        out[-1] = far
        poses = np.concatenate([start[None], out, _back(start, turn, far, frames, -side)])
        if _is_clear(poses, clear):
            return poses
    raise NoClearPath(f"trajectory: no strict return fits around {start[:3].round(2).tolist()}")


def _wander(here: Pose, count: int, generator: np.random.Generator, clear: Clear, fastest: float = 10.0) -> Path:
    """One segment (count, 6) of walking on and looking around, or a pan where there is no room to walk."""
    for _ in range(ATTEMPTS):
        turn = float(np.clip(generator.normal(0, 45), -fastest * count, fastest * count))
        there = here.copy()
        if generator.random() < 0.7:
            there[:2] += _offset(generator, 0.2, MAX_WALK)
        poses = _steps(here, there, turn, count, _offset(generator, 0.0, 0.3) if there[0] != here[0] else (0.0, 0.0))
        if _is_clear(np.concatenate([here[None], poses]), clear):
            return poses
    return _steps(here, here, generator.uniform(-60, 60), count)


def _leave(
    start: Pose, frames: int, out_segments: int, generator: np.random.Generator, clear: Clear
) -> tuple[Path, float]:
    """The way out (out_segments T, 6) of a training clip and the turn in degrees it makes."""
    largest = min(MAX_TURN * (frames - 1), 140.0)
    turn = generator.uniform(min(30.0, largest), largest) * generator.choice([-1.0, 1.0])
    count = out_segments * frames
    if generator.random() < 0.7:
        for _ in range(ATTEMPTS):
            there = start.copy()
            there[:2] += _offset(generator, 0.3, MAX_WALK, None if generator.random() < 0.5 else start[5] + turn)
            poses = _steps(start, there, turn, count, _offset(generator, 0.0, 0.4), generator.uniform(-0.5, 0.5))
            if _is_clear(np.concatenate([start[None], poses]), clear):
                return poses, turn
    return _steps(start, start, turn, count, skew=generator.uniform(-0.5, 0.5)), turn


def _come_back(start: Pose, turn: float, far: Pose, frames: int, generator: np.random.Generator, clear: Clear) -> Path:
    """One segment back to the first view, mostly exactly, else to a pose near it."""
    exact = generator.random() < EXACT
    for _ in range(ATTEMPTS):
        bend = _offset(generator, 0.0, 0.4) if (far[:2] != start[:2]).any() else (0.0, 0.0)
        if exact:
            poses = _back(start, turn, far, frames, bend)
        else:
            near = start.copy()
            near[:2] += _offset(generator, 0.0, 0.4)
            poses = _steps(far, near, -turn + generator.uniform(-15, 15), frames, bend)
        if _is_clear(np.concatenate([far[None], poses]), clear):
            return poses
    return (
        _back(start, turn, far, frames)
        if _is_clear(_back(start, turn, far, frames), clear)
        else _steps(far, far, -turn, frames)
    )


def _roam(start: Pose, frames: int, segments: int, generator: np.random.Generator, clear: Clear) -> Path:
    """A training or replay path (1 + segments T, 6)."""
    choice = generator.random()
    poses = start[None]
    if choice < 0.1 and segments >= 2:
        out_segments = int(generator.integers(1, segments // 2 + 1))
        poses = _mirrored(start, frames, generator.uniform(30, 110) * generator.choice([-1.0, 1.0]), out_segments)
    elif choice < 0.95 and segments >= 2:
        longest = min(3, segments - 1)
        shares = np.array(OUT_SEGMENTS[:longest])
        out_segments = 1 + int(generator.choice(longest, p=shares / shares.sum()))
        out, turn = _leave(start, frames, out_segments, generator, clear)
        poses = np.concatenate([poses, out])
        poses = np.concatenate([poses, _come_back(start, turn, poses[-1], frames, generator, clear)])
    while len(poses) < 1 + segments * frames:
        poses = np.concatenate([poses, _wander(poses[-1], frames, generator, clear)])
    return poses
