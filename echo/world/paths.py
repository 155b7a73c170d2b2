"""Camera paths that leave a view and come back to it: exact poses, one function per kind.

All paths are level, keep the height and the first pose they are given, and turn and walk smoothly. T is
``frames_per_segment``; frame 0 is the given pose and segment s covers frames 1+(s-1)T .. sT.

=================  ========  =========================================================================================
kind               frames    path
=================  ========  =========================================================================================
``train``          1 + 4T    of the clips: 45 % leave for 1 to 3 segments and come back within one, nine in ten of them
                             exactly; 20 % near and 20 % far revisits of a view from the middle of two segments out,
                             half of them after a segment out of sight where the clip has four; 10 % mirrored pans;
                             5 % wandering. What is left of a clip after its return is wandering; a revisit that fits
                             nowhere, or in no clip of two segments, becomes a return
``replay``         1 + 3T    the same family, held out
``loop``           1 + 4T    +45 +45 -45 -45 degrees of yaw in place; frames i and 4T-i have bitwise equal poses
``return_45``      1 + 2T    45 degrees to either side in place and back; the last two frames at the first pose
``return_strict``  1 + 3T    two segments away until no point of the first view is in sight, one segment back on another
                             path; the last two frames at the first pose
``revisit_near``   1 + 3T    two segments out, past a view in their middle and on until it is out of sight; one segment
                             back to 5 to 15 degrees and 0.15 to 0.4 m beside it (``echo.world.revisits``)
``revisit_far``    1 + 3T    the same, to 15 to 30 degrees and 0.4 to 0.9 m
``return_far_8``   1 + 11T   a near revisit with 8 segments of wandering, the view out of sight, before the way back
``return_far_16``  1 + 19T   the same with 16 segments
=================  ========  =========================================================================================
"""

from __future__ import annotations

import numpy as np

from echo.study.words import AWAY, SEGMENTS
from echo.world.camera import ArrayLike, as_poses, views_disjoint
from echo.world.curves import (
    ATTEMPTS,
    MAX_TURN,
    MAX_WALK,
    Clear,
    NoClearPath,
    Path,
    Pose,
    curve,
    everywhere,
    is_clear,
    offset,
    wander,
)
from echo.world.revisits import BANDS, revisit

EXACT = 0.9  # share of the training returns that end at exactly the first pose
OUT_SEGMENTS = (0.15, 0.6, 0.25)  # how often they stay away for 1, 2, 3 segments

REVISITS = ("near", "far")  # grades of revisits among training clips, each of this share:
REVISIT_SHARE = 0.2
MIRRORED_SHARE, WANDERING_SHARE = 0.1, 0.05
TRAINING_ATTEMPTS = 80  # ways out tried for a training revisit


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
    clear = clear or everywhere
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
        return np.concatenate([start[None], curve(start, start, turn, frames), _back(start, turn, start, frames)])
    if kind == "return_strict":
        return _strict(start, frames, generator, clear, fov)
    if kind in AWAY:
        grade = "far" if kind == "revisit_far" else "near"
        return revisit(start, frames, BANDS[grade], generator, clear, fov, AWAY[kind])
    return _roam(start, frames, segments or SEGMENTS[kind], generator, clear, fov)


def _back(start: Pose, turn: float, far: Pose, count: int, bend: ArrayLike = (0.0, 0.0), skew: float = 0.0) -> Path:
    """One segment (count, 6) from ``far`` and ``turn`` degrees away to the start; its last two frames are there."""
    here = far.copy()
    here[5] = start[5] + turn
    poses = curve(here, start, -turn, count - 1, bend, skew)
    poses[-1] = start
    return np.concatenate([poses, start[None]])


def _mirrored(start: Pose, frames: int, turn: float, segments_out: int) -> Path:
    """A pan in place by ``turn`` degrees and back along bitwise the same poses: (1 + 2 segments_out T, 6)."""
    out = np.concatenate([start[None], curve(start, start, turn, segments_out * frames)])
    return np.concatenate([out, out[-2::-1]])


def _strict(start: Pose, frames: int, generator: np.random.Generator, clear: Clear, fov: float) -> Path:
    """Away over two segments, turning 120 to 138 degrees and walking, and back over one on the path's other side."""
    for attempt in range(4 * ATTEMPTS):
        reach = 1 / (1 + attempt / ATTEMPTS)  # a tight room gets a shorter walk
        turn = generator.uniform(max(120.0, fov + 30), max(138.0, fov + 48)) * generator.choice([-1.0, 1.0])
        far = start.copy()
        far[:2] += offset(generator, 0.5 * reach, MAX_WALK * reach, start[5] + turn)
        far[5] = start[5] + turn
        if not views_disjoint(start, far, fov):
            continue
        across = np.array([start[1] - far[1], far[0] - start[0]])
        side = generator.choice([-1.0, 1.0]) * across * generator.uniform(0.2, 0.4)
        skew = generator.uniform(-0.5, 0.5)
        out = curve(start, far, turn, 2 * frames, side, skew)
        out[-1] = far
        poses = np.concatenate([start[None], out, _back(start, turn, far, frames, -side)])
        if is_clear(poses, clear):
            return poses
    raise NoClearPath(f"trajectory: no strict return fits around {start[:3].round(2).tolist()}")


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
            there[:2] += offset(generator, 0.3, MAX_WALK, None if generator.random() < 0.5 else start[5] + turn)
            poses = curve(start, there, turn, count, offset(generator, 0.0, 0.4), generator.uniform(-0.5, 0.5))
            if is_clear(np.concatenate([start[None], poses]), clear):
                return poses, turn
    return curve(start, start, turn, count, skew=generator.uniform(-0.5, 0.5)), turn


def _come_back(start: Pose, turn: float, far: Pose, frames: int, generator: np.random.Generator, clear: Clear) -> Path:
    """One segment back to the first view, mostly exactly, else to a pose near it."""
    exact = generator.random() < EXACT
    for _ in range(ATTEMPTS):
        bend = offset(generator, 0.0, 0.4) if (far[:2] != start[:2]).any() else (0.0, 0.0)
        if exact:
            poses = _back(start, turn, far, frames, bend)
        else:
            near = start.copy()
            near[:2] += offset(generator, 0.0, 0.4)
            poses = curve(far, near, -turn + generator.uniform(-15, 15), frames, bend)
        if is_clear(np.concatenate([far[None], poses]), clear):
            return poses
    return (
        _back(start, turn, far, frames)
        if is_clear(_back(start, turn, far, frames), clear)
        else curve(far, far, -turn, frames)
    )


def _roam(start: Pose, frames: int, segments: int, generator: np.random.Generator, clear: Clear, fov: float) -> Path:
    """A training or replay path (1 + segments T, 6)."""
    choice = generator.random()
    poses = start[None]
    if choice < MIRRORED_SHARE and segments >= 2:
        out_segments = int(generator.integers(1, segments // 2 + 1))
        poses = _mirrored(start, frames, generator.uniform(30, 110) * generator.choice([-1.0, 1.0]), out_segments)
    elif choice < 1 - WANDERING_SHARE and segments >= 2:
        grade = int((choice - MIRRORED_SHARE) / REVISIT_SHARE)
        poses = _training_revisit(start, frames, segments, grade, generator, clear, fov)
        if poses is None:
            poses = _training_return(start, frames, segments, generator, clear)
    while len(poses) < 1 + segments * frames:
        poses = np.concatenate([poses, wander(poses[-1], frames, generator, clear)])
    return poses


def _training_return(start: Pose, frames: int, segments: int, generator: np.random.Generator, clear: Clear) -> Path:
    """Away for one to three segments and back to the first view, or near it, within one."""
    longest = min(3, segments - 1)
    shares = np.array(OUT_SEGMENTS[:longest])
    out_segments = 1 + int(generator.choice(longest, p=shares / shares.sum()))
    out, turn = _leave(start, frames, out_segments, generator, clear)
    poses = np.concatenate([start[None], out])
    return np.concatenate([poses, _come_back(start, turn, poses[-1], frames, generator, clear)])


def _training_revisit(
    start: Pose, frames: int, segments: int, grade: int, generator: np.random.Generator, clear: Clear, fov: float
) -> Path | None:
    """A revisit of one of ``REVISITS`` within ``segments``; None for a grade beyond them and where none fits."""
    if grade >= len(REVISITS) or segments < 3:
        return None
    away = int(segments >= 4 and generator.random() < 0.5)
    try:
        return revisit(start, frames, BANDS[REVISITS[grade]], generator, clear, fov, away, TRAINING_ATTEMPTS)
    except NoClearPath:
        return None
