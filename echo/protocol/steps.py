"""Paths made of steps, for models that are played: forward, back, left, right, and turns, of stated size.

A frame's steps are played after the frame before: first the turns, then the moves, along the new heading and across
it. A path that is made of steps has two spellings, the steps and the cameras, and both are the same poses, bitwise.
Cameras are level. Everything is in the pool's convention (``echo.world.camera``): a positive yaw turns right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from echo.protocol.words import MOVE_OF_SEGMENT, TURN_OF_SEGMENT
from echo.world.curves import Path, Pose

Steps = Int64[np.ndarray, "frames 3"]  # of each frame after the first: forward, to the right, turns to the right
WORDS = (("forward", "back"), ("right", "left"), ("turn_right", "turn_left"))  # of positive and negative counts
STAY = "stay"  # the line of a frame without steps


class StepSize(NamedTuple):
    """Degrees of a turn and metres of a move."""

    turn: float
    move: float

    @classmethod
    def of(cls, frames: int) -> StepSize:
        """The size for segments of ``frames`` frames: the more frames, the less the camera moves between two."""
        return cls(TURN_OF_SEGMENT / frames, MOVE_OF_SEGMENT / frames)


def spell(path: Path, size: StepSize) -> Steps:
    """Steps (F - 1, 3) that stay as near to a level path (F, 6) as steps can: errors do not add up."""
    turned = np.rint((path[:, 5] - path[0, 5]) / size.turn).astype(np.int64)
    steps = np.zeros((len(path) - 1, 3), np.int64)
    steps[:, 2] = np.diff(turned)
    here = path[0].copy()
    for number in range(1, len(path)):
        here[5] = path[0, 5] + turned[number] * size.turn
        steps[number - 1, :2] = np.rint((path[number, :2] - here[:2]) @ _axes(here[5]).T / size.move)
        here[:2] = _moved(here, steps[number - 1], size)
    return steps


def play(start: Pose, steps: Steps, size: StepSize) -> Path:
    """The path (F, 6) from ``start`` (6,) that steps (F - 1, 3) make."""
    path = np.repeat(np.asarray(start, dtype=np.float64)[None], len(steps) + 1, 0)
    turned = np.cumsum(steps[:, 2])
    for number, step in enumerate(steps, 1):
        path[number, 5] = path[0, 5] + turned[number - 1] * size.turn
        path[number, :2] = path[number - 1, :2]
        path[number, :2] = _moved(path[number], step, size)
    return path


def words(step: np.ndarray) -> list[tuple[str, int]]:
    """A frame's steps (3,) as words with counts, in the order in which they are played: turns, then moves."""
    counted = zip(WORDS, step, strict=True)
    spelled = [(names[int(count < 0)], abs(int(count))) for names, count in counted if count]
    return sorted(spelled, key=lambda one: not one[0].startswith("turn"))


def parse(line: str) -> np.ndarray:
    """Steps (3,) of a line that ``text`` wrote; raises ValueError for anything else."""
    step = np.zeros(3, np.int64)
    for word in [] if line.strip() == STAY else line.split():
        name, _, count = word.partition("*")
        place = next((i for i, names in enumerate(WORDS) if name in names), None)
        if place is None or not count.isdecimal():
            raise ValueError(f"{word!r}: expected WORD*COUNT, of {', '.join(n for names in WORDS for n in names)}")
        step[place] += int(count) * (-1 if name == WORDS[place][1] else 1)
    return step


def text(steps: Steps) -> str:
    """Lines of words, one for each frame after the first; of a frame without steps ``STAY``."""
    lines = [" ".join(f"{name}*{count}" for name, count in words(step)) or STAY for step in steps]
    return "\n".join(lines) + "\n"


def _axes(yaw: float) -> np.ndarray:
    """Rows: forward and right (x, y) of a level camera."""
    angle = np.deg2rad(yaw)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _moved(pose: Pose, step: np.ndarray, size: StepSize) -> np.ndarray:
    """Where (x, y) a camera at ``pose``, turned already, stands after its moves."""
    if not step[:2].any():
        return pose[:2]  # bitwise
    return pose[:2] + (step[:2] * size.move) @ _axes(pose[5])
