"""Two scenes of every held-out trajectory, as a pool, and rollouts of them, for tests of what reads rollouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from echo.io.seeding import generator
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.study.words import AWAY, BRANCHES, SEGMENTS, SPLITS, first_target
from tests.conftest import tiny_study

STUDY = tiny_study(evaluate={"cases": 2, "probe_cases": 2})


class ScenePool:
    """The videos of one split, 12 x 12 random pixels a frame: loops mirror their frames, returns end as they began."""

    def __init__(self, split: str) -> None:
        kinds = SPLITS[split].trajectories
        rows = [
            (f"{room}__{kind}", split, room, "duck", kind, 1 + SEGMENTS[kind] * STUDY.segment.frames)
            for kind in kinds
            for room in ("a", "b")
        ]
        columns = ["video", "split", "room", "anchor", "trajectory", "frames"]
        self.info = pd.DataFrame(rows, columns=columns).set_index("video")

    def frames(self, video: str, indices: Sequence[int] | None = None) -> np.ndarray:
        kind, length = self.info.trajectory[video], self.info["frames"][video]
        out = generator(0, video).integers(0, 256, (length, 12, 12, 3)).astype(np.uint8)
        if kind == "loop":
            out = np.concatenate([out[: length // 2 + 1], out[length // 2 - 1 :: -1]])
        if kind in ("return_45", "return_strict"):
            out[-2:] = out[0]
        if kind in AWAY:
            out[-2:] = out[-1]
        return out if indices is None else out[np.asarray(indices)]

    def poses(self, video: str) -> np.ndarray:
        """The camera turns by 90 degrees in place and back."""
        length = self.info["frames"][video]
        poses = np.zeros((length, 6))
        poses[:, 5] = 90 * np.sin(np.pi * np.arange(length) / (length - 1))
        return poses

    def masks(self, video: str) -> np.ndarray:
        """The anchor fills the left half of the frame."""
        masks = np.zeros((self.info["frames"][video], 12, 12), bool)
        masks[:, :, :6] = True
        return masks

    def depth(self, video: str) -> np.ndarray:
        """Depth of its own at every pixel of every frame."""
        draw = generator(0, video, "depth")
        return draw.uniform(1, 5, (self.info["frames"][video], 12, 12)).astype(np.float32)


POOLS = {split: ScenePool(split) for split in SPLITS}


def made_rollout(branch: str, change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Rollout:
    """A rollout whose frames are the true ones after ``change``, which gets them and their numbers."""
    way, frames = BRANCHES[branch], STUDY.segment.frames
    pool = POOLS[way.split(STUDY.evaluate.splits)]
    cases = list(choose_cases(STUDY, branch, pool.info).index)
    index = np.arange(first_target(way.segments - way.generated_segments + 1, frames), way.segments * frames + 1)
    return Rollout(np.stack([change(pool.frames(case)[index], index) for case in cases]), index, cases)


def perfect(frames: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Leave frames as they are."""
    return frames
