"""The generated frames of one branch, as a file: what a rollout leaves for the measures, the judge and the figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64, UInt8

from echo.io.errors import UserError
from echo.io.stored import StoredArray
from echo.io.tensors import mending, open_tensors, read_header, save_tensors
from echo.rollout.cases import choose_cases
from echo.study.config import Study
from echo.study.words import generated_frames


class RolloutError(UserError):
    """A rollout that is not of this study's cases."""


@dataclass(frozen=True)
class Rollout:
    """Generated frames of one branch; index: their numbers in the trajectory; cases: the videos' names.

    Frames that were read from a file stay there: 64 replays at the paper's size are 10 GB. They are indexed alike.
    """

    frames: UInt8[np.ndarray, "cases generated height width 3"] | StoredArray
    index: Int64[np.ndarray, " numbers"]
    cases: list[str]

    def save(self, path: Path, **header: str) -> None:
        """Write as safetensors, atomically; ``header`` goes beside the cases' names."""
        arrays = {"frames": np.asarray(self.frames), "index": self.index.astype(np.int64)}
        save_tensors(path, arrays, {"cases": self.cases, **header})

    @classmethod
    def load(cls, path: Path) -> Rollout:
        """Open what ``save`` wrote. Raises TensorFileError for a file that is cut or was changed."""
        with open_tensors(path, "np") as file:
            return cls(StoredArray(path, "frames"), file.get_tensor("index"), read_header(path)["cases"])

    def check(self, study: Study, branch: str, info: pd.DataFrame, path: Path) -> None:
        """Raise RolloutError unless this is all of the study's cases of a branch, each with all generated frames.

        info: the table of the branch's pool; path: the file this was read from, for the message.
        """
        remedy = mending(path)
        if self.cases != list(choose_cases(study, branch, info).index):
            raise RolloutError(f"{path}: branch {branch}: the rollout's cases are not the study's; {remedy}")
        expected = generated_frames(branch, study.segment.frames)
        if not np.array_equal(self.index, expected) or self.frames.shape[:2] != (len(self.cases), len(expected)):
            raise RolloutError(
                f"{path}: branch {branch}: expected frames {expected[0]} to {expected[-1]} of {len(self.cases)} cases, "
                f"got {len(self.index)} frame numbers and frames of shape {self.frames.shape}; {remedy}"
            )
