"""Image measures of a row's rollouts: a line a generated frame, and a line a case, as the study's tables want them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from echo.io.tensors import read_header, save_tensors
from echo.measures.images import psnr, ssim
from echo.rollout.cases import choose_cases
from echo.study.config import Study
from echo.study.words import BRANCHES, RETURN_FRAMES
from echo.world.pool import Pool

CEILING = 100.0  # dB at which the PSNR of (nearly) identical frames is cut, so that means stay finite
METRICS = ("psnr", "ssim", "lpips")

Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Rollout:
    """Generated frames of one branch: frames (n, G, H, W, 3) uint8, index (G,) their numbers, cases (n,) videos."""

    frames: np.ndarray
    index: np.ndarray
    cases: list[str]

    def save(self, path: Path, **header: str) -> None:
        """Write as safetensors, atomically; ``header`` goes beside the cases' names."""
        arrays = {"frames": self.frames, "index": self.index.astype(np.int64)}
        save_tensors(path, arrays, {"cases": self.cases, **header})

    @classmethod
    def load(cls, path: Path) -> Rollout:
        """Read what ``save`` wrote."""
        arrays = load_file(path)
        return cls(arrays["frames"], arrays["index"], read_header(path)["cases"])


def measure(
    rollout: Rollout, branch: str, study: Study, pool: Pool, lpips: Metric
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of frames and of cases of one branch.

    Each generated frame is compared with the true one. A case's ``psnr, ssim, lpips`` are the branch's own: replay,
    the mean over its frames; loop, the mean over mirrored pairs (way out i, way back 4T - i) of the model's own
    frames; returns and recall, the return view against the true view. ``first_*``: the last frames against the first
    frame as given (replay has none).
    """
    metrics: dict[str, Metric] = {"psnr": _psnr, "ssim": ssim, "lpips": lpips}
    info = choose_cases(study, branch, pool.info)
    if list(info.index) != rollout.cases:
        raise ValueError(f"branch {branch}: the rollout's cases are not the study's; roll it out again")
    frames, cases = [], []
    for video, generated in zip(rollout.cases, rollout.frames, strict=True):
        about = {"branch": branch, "split": info.split[video], "scene": info.room[video], "anchor": info.anchor[video]}
        truth = pool.frames(video)
        against_truth = {name: metric(generated, truth[rollout.index]) for name, metric in metrics.items()}
        lines = pd.DataFrame({**against_truth, "frame": rollout.index})
        lines["segment"] = (rollout.index - 1) // study.segment.frames + 1
        frames.append(lines.assign(case=video, **about))
        own = _own_measure(branch, generated, rollout.index, against_truth, metrics)
        first = dict.fromkeys(METRICS, np.nan)
        if BRANCHES[branch].trajectory != "replay":
            back = generated[-RETURN_FRAMES if BRANCHES[branch].returns else -1 :]
            given = np.repeat(truth[:1], len(back), 0)
            first = {name: metric(back, given).mean() for name, metric in metrics.items()}
        cases.append({"case": video, **about, **own, **{f"first_{name}": value for name, value in first.items()}})
    return pd.concat(frames, ignore_index=True), pd.DataFrame(cases)


def _own_measure(branch, generated, index, against_truth, metrics) -> dict[str, float]:
    """A case's psnr, ssim, lpips as the branch defines them."""
    if BRANCHES[branch].returns:
        return {name: values[-RETURN_FRAMES:].mean() for name, values in against_truth.items()}
    if branch == "loop":
        last = index[-1]
        out = [k for k, number in enumerate(index) if number < last - number]
        back = [int(np.flatnonzero(index == last - index[k])[0]) for k in out]
        return {name: metric(generated[back], generated[out]).mean() for name, metric in metrics.items()}
    return {name: values.mean() for name, values in against_truth.items()}


def _psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.minimum(psnr(a, b), CEILING)
