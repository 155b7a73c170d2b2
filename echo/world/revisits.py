"""Revisits: the camera comes back to a view from the middle of its way out, near it but at no past pose.

The way out is two segments. It passes a view in its middle stretch (frames T/2 to 3T/2), and goes on until the view is
out of sight. It may then stay away for whole segments, out of sight of the view, before it returns within one segment
to the *target*: a pose beside the view, at which the last ``RETURN_FRAMES`` frames stand, bitwise.

What a revisit's target keeps, with angles between viewing directions and distances between cameras:

- Two poses of the way out are in the middle stretch and inside the grade's band of angles and distances (``BANDS``):
  the one nearest to the target in metres, and the one that shows most of the target's view. So no pose of the way out
  is nearer than the band's lowest distance, and the past frame that is the best to copy is off by the band in both.
- No pose of the past is below the band's lower limits in angle and in distance at once. While away this follows from
  the view being out of sight.
- Of what the target sees, the first view shows at most ``UNSEEN``, and so do the way out's last pose and every pose
  while away (``echo.world.camera.overlap``, which knows no walls). So neither the first frame nor the latest solves it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from echo.study.words import RETURN_FRAMES
from echo.world.camera import overlap
from echo.world.curves import (
    ATTEMPTS,
    MAX_TURN,
    MAX_WALK,
    Clear,
    NoClearPath,
    Path,
    Pose,
    curve,
    is_clear,
    offset,
    roamed,
    turn_between,
)

UNSEEN = 0.05  # largest overlap of a target's view with one that does not show it
TARGETS = 48  # targets tried beside one way out
FARTHEST = 2.4  # metres of the way back, which takes one segment


class Band(NamedTuple):
    """How far a target is from the nearest past pose: degrees and metres, from and to."""

    angle: tuple[float, float]
    distance: tuple[float, float]

    def holds(self, angle: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Which pairs (F,) of an angle and a distance are inside."""
        by_angle = (angle >= self.angle[0]) & (angle <= self.angle[1])
        return by_angle & (distance >= self.distance[0]) & (distance <= self.distance[1])


BANDS = {"near": Band((5.0, 15.0), (0.15, 0.4)), "far": Band((15.0, 30.0), (0.4, 0.9))}


def revisit(
    start: Pose,
    frames: int,
    band: Band,
    generator: np.random.Generator,
    clear: Clear,
    fov: float,
    away: int = 0,
    attempts: int = 4 * ATTEMPTS,
) -> Path:
    """A path (1 + (3 + away) T, 6) of two segments out, ``away`` segments out of sight and one back to a target.

    Raises NoClearPath if none fits in ``attempts`` ways out.
    """
    for attempt in range(attempts):
        reach = 1 / (1 + attempt / ATTEMPTS)  # a tight room gets a shorter walk
        out = _way_out(start, frames, reach, generator, fov)
        if not is_clear(out, clear):
            continue
        target = _target(out, frames, band, generator, clear, fov)
        if target is None:
            continue
        past = _stay_away(out, target, away, frames, generator, clear, fov)
        poses = None if past is None else _return(past, target, frames, generator, clear)
        if poses is not None:
            return poses
    raise NoClearPath(f"trajectory: no revisit fits around {start[:3].round(2).tolist()}")


def angles(poses: Path, target: Pose) -> np.ndarray:
    """Angles (F,) in degrees between the viewing directions of level poses (F, 6) and of ``target``."""
    return np.abs(turn_between(poses[:, 5], target[5]))


def _way_out(start: Pose, frames: int, reach: float, generator: np.random.Generator, fov: float) -> Path:
    """Two segments (1 + 2T, 6) of turning to one side, by about twice the field of view, and walking."""
    turn = min(generator.uniform(2 * fov - 10, 2 * fov + 40), 300.0) * generator.choice([-1.0, 1.0])
    far = start.copy()
    far[:2] += offset(generator, 0.7 * reach, 2 * MAX_WALK * reach, start[5] + turn / 2)
    bend = offset(generator, 0.0, 0.6 * reach)
    return np.concatenate([start[None], curve(start, far, turn, 2 * frames, bend, generator.uniform(-0.3, 0.3))])


def _target(
    out: Path, frames: int, band: Band, generator: np.random.Generator, clear: Clear, fov: float
) -> Pose | None:
    """A target beside the middle stretch of a way out (1 + 2T, 6) that keeps the rules above, or None."""
    first, last = max(1, frames // 2), max(1, 3 * frames // 2)
    middle = (np.arange(len(out)) >= first) & (np.arange(len(out)) <= last)
    views = out[generator.integers(first, last + 1, TARGETS)]
    bearing = np.deg2rad(generator.uniform(-180, 180, TARGETS))
    shift = generator.uniform(*band.distance, TARGETS)[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], -1)
    turned = generator.uniform(*band.angle, TARGETS) * generator.choice([-1.0, 1.0], TARGETS)
    targets = views.copy()
    targets[:, :2] += shift
    targets[:, 5] += turned
    for target in targets[clear(targets[:, :3])]:
        apart, turns = np.linalg.norm(out[:, :2] - target[:2], axis=1), angles(out, target)
        inside = band.holds(turns, apart) & middle
        if not inside[apart.argmin()]:
            continue
        shown = overlap(target[None], out, fov)[0]
        if inside[shown.argmax()] and max(shown[0], shown[-1]) <= UNSEEN:
            return target
    return None


def _stay_away(
    out: Path, target: Pose, away: int, frames: int, generator: np.random.Generator, clear: Clear, fov: float
) -> Path | None:
    """The way out and ``away`` segments of wandering (1 + (2 + away) T, 6) that never show the target's view, or None.

    As the end comes nearer, so must the camera, so that the way back is no longer than after a way out alone.
    """
    poses = out
    for left in reversed(range(away)):
        here = poses[-1]
        for _ in range(ATTEMPTS):
            path = roamed(here, frames, generator)
            if np.linalg.norm(path[-1, :2] - target[:2]) > FARTHEST + left * MAX_WALK / 2:
                continue
            if is_clear(np.concatenate([here[None], path]), clear):
                if (overlap(target[None], path, fov) <= UNSEEN).all():
                    poses = np.concatenate([poses, path])
                    break
        else:
            return None
    return poses


def _return(past: Path, target: Pose, frames: int, generator: np.random.Generator, clear: Clear) -> Path | None:
    """The past (P, 6) and one segment back, whose last ``RETURN_FRAMES`` frames stand at the target; or None.

    The target's yaw is counted on from the past's, so that the path turns the shorter way.
    """
    here, target = past[-1], target.copy()
    turn = float(turn_between(here[5], target[5]))
    target[5] = here[5] + turn
    moves = frames + 1 - RETURN_FRAMES
    if abs(turn) > max(MAX_TURN * moves, 140.0) or np.linalg.norm(here[:2] - target[:2]) > FARTHEST:
        return None
    for _ in range(ATTEMPTS // 4):
        back = curve(here, target, turn, moves, offset(generator, 0.0, 0.5), generator.uniform(-0.5, 0.5))
        back[-1] = target
        if is_clear(np.concatenate([here[None], back]), clear):
            return np.concatenate([past, back, np.repeat(target[None], RETURN_FRAMES - 1, 0)])
    return None
