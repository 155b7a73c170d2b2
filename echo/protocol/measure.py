"""What is measured of one answer: the study's own measures, case by case, so that memory does not grow with cases.

Beside ``echo.measures.cases``: SSIM and LPIPS on seen and never-seen pixels apart (``echo.measures.regions``), and the
PSNR of each segment, which is how an answer drifts along its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from echo.judge.base import Case as JudgedCase
from echo.judge.base import Judge, Truth, judge_many
from echo.judge.rubric import overall
from echo.measures.cases import CASE_COLUMNS, measure_branch
from echo.measures.departed import departs
from echo.measures.departure import covered
from echo.measures.efficientnet import EfficientNetLite0
from echo.measures.lpips import Lpips
from echo.measures.realism import SIZE, compared
from echo.measures.regions import LpipsMaps, inside, ssim_maps
from echo.measures.seen import measured_positions
from echo.protocol.files import Frames
from echo.protocol.manifest import Entry
from echo.protocol.truth import TrueCases
from echo.protocol.words import branch_of
from echo.rollout.frames import Rollout
from echo.study.words import RETURN_FRAMES
from echo.world.recordings.clip_paths import turns

PIXELS = 32 * 64 * 64  # that LPIPS looks at in one pass: 32 of the study's frames
REGIONS = ("ssim_seen", "ssim_unseen", "lpips_seen", "lpips_unseen")
TRUE_ANGLE = "true_angle"  # degrees that the true cameras cover: what departure is compared with
KEPT = [name for name in CASE_COLUMNS if name not in ("row_name", "train_seed", "split", "scene", "anchor")]


@dataclass(frozen=True)
class Measured:
    """Of one answer: values by name; psnr of each segment; features of the compared frames, of them and of the true."""

    values: dict[str, float]
    segments: list[float]
    features: np.ndarray
    true_features: np.ndarray


class Meter:
    """All measures of a set, with their networks."""

    def __init__(self, cases: TrueCases, weights: Path) -> None:
        """weights: the folder that ``python -m echo weights`` fills."""
        height, width = cases.set.size
        self.cases = cases
        self.lpips = Lpips(weights, max(1, PIXELS // (height * width)))
        self.maps = LpipsMaps(weights, max(1, min(2, PIXELS // (height * width))))
        self.embed = EfficientNetLite0(weights).embed
        self._true: dict[str, np.ndarray] = {}  # features of each case's true frames, which all rows share

    def measure(self, entry: Entry, frames: Frames) -> Measured:
        """Measure the generated frames of one case."""
        made, name, frames_of_segment = self.cases.set, entry.name, self.cases.set.segment_frames
        index, masks = np.arange(entry.given, entry.frames), self.cases.seen(entry.name)
        rollout = Rollout(frames[None], index, [name])
        by_frame, by_case = measure_branch(
            rollout, entry.branch, frames_of_segment, made.field_of_view, self.cases, self.lpips, masks
        )
        values = {key: float(by_case[key][0]) for key in KEPT if key in by_case and key not in ("case", "branch")}
        truth = self.cases.frames(name, index)
        values |= self._regions(entry, frames, truth, index)
        poses = self.cases.poses(name)
        yaw = turns(np.broadcast_to(poses[0], poses.shape), poses)
        values[TRUE_ANGLE] = covered(yaw[entry.given :]) if departs(entry.branch) else np.nan
        segments = [float(one) for one in by_frame.groupby("segment", sort=True)["psnr"].mean()]
        places = compared(index)
        if name not in self._true:
            self._true[name] = self.embed(truth[places], SIZE)
        return Measured(values, segments, self.embed(frames[places], SIZE), self._true[name])

    def _regions(self, entry: Entry, frames: Frames, truth: Frames, index: np.ndarray) -> dict[str, float]:
        """``REGIONS``: NaN without depth, and on a branch that compares an answer with itself."""
        masks = self.cases.seen(entry.name)
        if masks is None or branch_of(entry.branch).measure == "mirrored":
            return dict.fromkeys(REGIONS, np.nan)
        places, given = measured_positions(entry.branch, index), masks.given[0]
        found = {}
        for name, maps in (("ssim", ssim_maps), ("lpips", self.maps)):
            drawn = maps(frames[places], truth[places])
            found |= {f"{name}_seen": inside(drawn, given), f"{name}_unseen": inside(drawn, ~given)}
        return found


def judged(cases: TrueCases, entry: Entry, frames: Frames, judge: Judge) -> float:
    """A judge's points of 100 for an answer; NaN on a branch that does not come back to the first view."""
    if not branch_of(entry.branch).returns:
        return np.nan
    masks = cases.masks(entry.name)
    shown = cases.frames(entry.name, [0, *range(entry.frames - RETURN_FRAMES, entry.frames)])
    truth = Truth(shown[1:], masks[-RETURN_FRAMES:], None)
    anchor = str(cases.info.anchor[entry.name])
    case = JudgedCase(shown[0], frames[-RETURN_FRAMES:], masks[0], anchor, truth)
    return overall(judge_many(judge, [case])[0])
