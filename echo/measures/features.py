"""Features of the frames that realism compares: true frames once per study, generated frames from a row's rollouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Float32

from echo.io.errors import UserError
from echo.io.tensors import load_tensors, mending, read_header, save_tensors
from echo.measures.realism import ALL, SIZE, Distances, compared
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.words import BRANCHES, generated_frames

if TYPE_CHECKING:
    from echo.world.pool import Pool

CaseFeatures = Float32[np.ndarray, "cases frames width"]
# Takes frames (F, H, W, 3) and the network's input size, returns features (F, width).
Embed: TypeAlias = Callable[[np.ndarray, int], np.ndarray]


class FeaturesError(UserError):
    """Features of other cases than the study's."""


def true_features(study: Study, pools: Mapping[str, Pool], embed: Embed) -> dict[str, CaseFeatures]:
    """Features of each branch's true frames at the compared frame numbers, for the cases that the study chooses."""
    found = {}
    for branch in study.evaluate.branches:
        pool, index = (
            pools[BRANCHES[branch].split(study.evaluate.splits)],
            np.array(generated_frames(branch, study.segment.frames)),
        )
        wanted = index[compared(index)]
        cases = choose_cases(study, branch, pool.info).index
        frames = np.stack([pool.frames(case, wanted) for case in cases])
        found[branch] = _embed(embed, frames)
    return found


def save_true_features(path: Path, found: Mapping[str, CaseFeatures], cases: Mapping[str, list[str]]) -> None:
    """Write the features and the names of their cases as safetensors, atomically."""
    save_tensors(path, dict(found), {"cases": dict(cases)}, finite=True)


def load_true_features(path: Path, cases: Mapping[str, list[str]]) -> dict[str, CaseFeatures]:
    """Read what ``save_true_features`` wrote; raises FeaturesError if its cases are not ``cases``."""
    found = load_tensors(path, "np")
    if read_header(path)["cases"] != dict(cases):
        raise FeaturesError(f"{path}: its cases are not the study's; {mending(path)}")
    return found


def case_names(study: Study, pools: Mapping[str, Pool]) -> dict[str, list[str]]:
    """The cases of every branch of the study."""
    split_of = {branch: BRANCHES[branch].split(study.evaluate.splits) for branch in study.evaluate.branches}
    return {branch: [str(case) for case in choose_cases(study, branch, pools[split].info).index]
            for branch, split in split_of.items()}  # fmt: skip


def distances(
    study: Study,
    rollouts: Mapping[str, Path],
    pools: Mapping[str, Pool],
    true: Mapping[str, CaseFeatures],
    embed: Embed,
) -> dict[str, Distances]:
    """Distances between generated and true frames for each branch, and for all branches together (``ALL``).

    ``rollouts``: the file of each branch's rollout; ``pools``: by split; ``true``: features of the true frames. Raises
    RolloutError if a rollout does not cover exactly the study's cases.
    """
    found, every = {}, []
    for branch, path in rollouts.items():
        rollout, info = Rollout.load(path), pools[BRANCHES[branch].split(study.evaluate.splits)].info
        rollout.check(study, branch, info, path)
        features = _embed(embed, rollout.frames[:, compared(rollout.index)])
        part = _flat(features), _flat(true[branch]), _rooms(info, rollout.cases, features.shape[1])
        every.append(part)
        found[branch] = Distances.of(*part)
    generated, truth, rooms = zip(*every, strict=True)
    found[ALL] = Distances.of(
        np.concatenate(generated), np.concatenate(truth), [room for part in rooms for room in part]
    )
    return found


def _embed(embed: Embed, frames: np.ndarray) -> CaseFeatures:
    """Features of frames (cases, frames, H, W, 3)."""
    flat = embed(frames.reshape(-1, *frames.shape[2:]), SIZE)
    return flat.reshape(*frames.shape[:2], -1)


def _flat(features: CaseFeatures) -> Float32[np.ndarray, "all width"]:
    return features.reshape(-1, features.shape[-1])


def _rooms(info: pd.DataFrame, cases: list[str], frames: int) -> list[str]:
    """The room of every frame; rooms of two splits have different names."""
    return [str(room) for room in info.room[cases] for _ in range(frames)]
