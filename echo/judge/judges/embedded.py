"""The embedded judge: ImageNet features, colour and structure of a returned view against the first frame.

It needs no language model and no network: the first frame's object mask says where the anchor should be. Four raw
agreements, 1 for identical frames and about 0 for unrelated ones, are each mapped to 0..5 by ``Calibration``:

- appearance, inside the mask: mean of colour agreement and of feature agreement at strides 8 and 16.
- presence: how far the masked region stands out from what its surroundings, carried on into it, would look like,
  compared with how far it did in the first frame, in colour and in features; capped at 1. An object of any identity
  counts. What stands out in another place is not the anchor, so the score is scaled down where neither the scene nor
  the appearance is recognised.
- view, outside the mask: correlation of blurred luminance gradients at two scales. It does not depend on colour or
  contrast, little on blur, and falls within a few degrees of turning.
- scene, outside the mask: mean of coarse colour agreement and of feature agreement at stride 16.

Colour agreement is exp(-dE / 20), dE the mean distance in CIELAB. Feature agreement is the cosine of two feature maps,
position by position, after removing each channel's mean over the first frame and dividing by its spread there, so that
a featureless frame agrees with nothing.

What it cannot do: it knows no identities by name, and an anchor that came back a few pixels aside loses appearance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy.ndimage import binary_dilation
from skimage.color import rgb2lab

from echo.judge.base import Case
from echo.judge.comparisons import (
    TINY,
    PerImage,
    blur,
    colour_agreement,
    cosine,
    gradients,
    resize,
    stands_out,
)
from echo.judge.rubric import TOP, Scores
from echo.measures.efficientnet import EfficientNetLite0

WEIGHTS = ("efficientnet_lite0",)
NEEDS = ("mask",)
GRID = 64  # pixels along each side at which colours and gradients are compared
NETWORK_SIZE = 128  # pixels along each side that the network sees
FINE, COARSE = 8, 16  # strides of the features that are compared
CHUNK = 16  # cases at a time

# Of several sizes within one function.
Maps: TypeAlias = Float32[np.ndarray, "images _ _ _"]
Masks: TypeAlias = Float32[np.ndarray, "images _ _"]
Pair: TypeAlias = tuple[Maps, Maps]  # of first frames and of last frames


@dataclass(frozen=True)
class Calibration:
    """Raw agreement to score: 5 * ((raw - floor) / (ceiling - floor)) ** power, cut to 0..5. All maps are monotone.

    Floors lie where unrelated pairs do, ceilings at 1 (identical frames) but for presence, where a ceiling of 1 would
    demand the first frame's own contrast of every identity. Set on open-domain rooms: a floor is at or a little above
    the mean of pairs that should score 0. Mean scores on the ten odd-numbered rooms of the default study (80 cases
    of 64 x 64 pixels; total in 0..100, then appearance, presence, view, scene, each in 0..5). They describe the
    judge; they are no held-out test of it, for which rooms the floors were set on was not recorded.

    ====================================  =====  ====  ====  ====  =====
    last frame                            total  app.  pres  view  scene
    ====================================  =====  ====  ====  ====  =====
    identical, or the true return view    100.0  5.00  5.00  5.00   5.00
    blurred by a Gaussian of 1 pixel       91.3  4.21  5.00  4.98   4.20
    blurred by 2 pixels                    79.0  3.20  4.86  4.85   3.24
    blurred by 4 pixels                    48.1  1.86  2.03  4.29   2.06
    noise of 25 grey levels                76.9  3.13  4.97  4.79   2.34
    shifted by 3 pixels                    73.8  3.16  5.00  3.34   3.47
    shifted by 8 pixels                    21.1  0.53  1.82  1.09   1.43
    the room, another identity             48.6  0.37  4.00  4.22   4.16
    the room without its anchor            31.1  0.11  0.44  4.75   4.42
    another room, the same identity        18.7  0.94  1.63  0.47   0.07
    another room, a random identity         3.7  0.15  0.26  0.25   0.03
    the same room, camera at the far end    2.0  0.01  0.08  0.31   0.14
    grey, black or random pixels            0.1  0.01  0.00  0.00   0.00
    ====================================  =====  ====  ====  ====  =====
    """

    appearance_floor: float = 0.20  # another identity in the anchor's place: mean 0.20
    appearance_power: float = 0.7  # lifts what a lossy codec costs a right answer
    presence_floor: float = 0.40  # the anchor gone, background in its place: mean 0.37
    presence_ceiling: float = 0.80  # another identity in its place: mean 0.78
    presence_recognised: float = 0.5  # scene or appearance (of 1) from which presence counts in full
    view_floor: float = 0.25  # another room: mean 0.19 to 0.24
    scene_floor: float = 0.35  # another room: mean 0.29
    colour_scale: float = 20.0  # CIELAB units over which colour agreement falls by e


class EmbeddedJudge:
    """A ``Judge`` on EfficientNet-Lite0's features; ``identity`` and ``truth`` of a case are not used."""

    def __init__(self, weights: Path, calibration: Calibration | None = None) -> None:
        """weights: the folder of ``efficientnet_lite0.safetensors``."""
        self.network = EfficientNetLite0(weights)
        self.calibration = calibration or Calibration()

    def judge(self, case: Case) -> Scores:
        """Scores of one case: of several last frames, the mean.

        Without a masked pixel appearance and presence are missing (NaN); without an unmasked one view and scene are.
        """
        return self.judge_batch([case])[0]

    def judge_batch(self, cases: Sequence[Case]) -> list[Scores]:
        """Scores of many cases, all of one frame size."""
        chunks = (cases[start : start + CHUNK] for start in range(0, len(cases), CHUNK))
        return [scores for chunk in chunks for scores in self._judge_chunk(chunk)]

    def _judge_chunk(self, cases: Sequence[Case]) -> list[Scores]:
        """Scores of at most ``CHUNK`` cases, in one pass."""
        counts = [len(case.returned) for case in cases]
        case_of = np.repeat(np.arange(len(cases)), counts)  # of each last frame
        first = self._views(np.stack([case.first for case in cases]))
        last = self._views(np.concatenate([case.returned for case in cases]))
        first = {name: value[case_of] for name, value in first.items()}
        masks = np.stack([_mask(case) for case in cases]).astype(np.float32)
        raw = self._agreements(first, last, masks[case_of])
        four = np.stack(self._scores(raw), -1)
        ends = np.cumsum(counts)
        return [Scores(*four[end - count : end].mean(0)) for count, end in zip(counts, ends, strict=True)]

    def _views(self, frames: UInt8[np.ndarray, "images height width 3"]) -> dict[str, Maps]:
        """What is compared of frames: ``lab`` of GRID x GRID pixels, and the features ``fine`` and ``coarse``."""
        fine, coarse = self.network.maps(frames, NETWORK_SIZE, (FINE, COARSE))
        small = resize(frames.transpose(0, 3, 1, 2).astype(np.float32), GRID).transpose(0, 2, 3, 1)
        lab = rgb2lab(np.clip(small / 255, 0, 1)).astype(np.float32)
        features = {"fine": fine, "coarse": coarse}
        return {"lab": lab, **{name: maps.permute(0, 2, 3, 1).numpy() for name, maps in features.items()}}

    def _agreements(self, first: dict[str, Maps], last: dict[str, Maps], masks: Masks) -> dict[str, PerImage]:
        """Raw agreements of pairs of views; masks of 0 and 1."""
        scale = self.calibration.colour_scale
        inside = {size: _resized(masks, size) for size in (GRID, GRID // 4, GRID // 8)}
        # Pixels beside the mask belong to neither side: features and blurs spill over it.
        around, beside = (_without(inside[GRID], width) for width in (5, 3))
        outside = {size: _resized(around, size) for size in (GRID, GRID // 8)}
        labs = first["lab"], last["lab"]
        fine, coarse = (_normalised(first[name], last[name]) for name in ("fine", "coarse"))
        appearance = (
            colour_agreement(*labs, 1.0, inside[GRID], scale)
            + np.clip(cosine(*fine, inside[GRID // 4]), 0, 1)
            + np.clip(cosine(*coarse, inside[GRID // 8]), 0, 1)
        ) / 3
        fine_view, coarse_view = (
            cosine(gradients(labs[0], sigma), gradients(labs[1], sigma), outside[GRID]) for sigma in (2.0, 4.0)
        )
        scene = (
            colour_agreement(*labs, 3.0, outside[GRID], scale) + np.clip(cosine(*coarse, outside[GRID // 8]), 0, 1)
        ) / 2
        return {
            "appearance": appearance,
            "presence": _presence(labs, fine, inside, beside),
            "view": (fine_view + coarse_view) / 2,
            "scene": scene,
        }

    def _scores(self, raw: dict[str, PerImage]) -> list[PerImage]:
        """Appearance, presence, view and scene, each in 0..5."""
        c = self.calibration
        appearance = _unit(raw["appearance"], c.appearance_floor) ** c.appearance_power
        view = _unit(raw["view"], c.view_floor)
        scene = _unit(raw["scene"], c.scene_floor)
        recognised = np.fmax(scene, appearance)  # fmax: one of them may be missing
        presence = _unit(raw["presence"], c.presence_floor, c.presence_ceiling)
        presence = presence * _unit(recognised, 0.0, c.presence_recognised)
        return [TOP * score for score in (appearance, presence, view, scene)]


def build(weights: Path) -> EmbeddedJudge:
    """The judge as the study uses it; weights: the folder of ``efficientnet_lite0.safetensors``."""
    return EmbeddedJudge(weights)


def _mask(case: Case) -> Bool[np.ndarray, "height width"]:
    if case.mask is None:
        raise ValueError("the embedded judge compares inside and outside of the anchor's mask; this case has none")
    return case.mask


def _presence(labs: Pair, fine: Pair, inside: dict[int, Masks], beside: Masks) -> PerImage:
    """How far the last frames' masked region stands out, as a share of how far the first frames' does; at most 1."""
    clear = _resized(beside, GRID // 4)
    colours = [stands_out(blur(lab, 1.0), inside[GRID], beside, 1.0, 12.0) for lab in labs]
    features = [stands_out(maps, inside[GRID // 4], clear**2, 0.5, 1.5) for maps in fine]
    in_colour, in_features = (np.clip((last + TINY) / (first + TINY), 0, 1) for first, last in (colours, features))
    return (in_colour + in_features) / 2


def _normalised(first: Maps, last: Maps) -> Pair:
    """Features less each channel's mean over the first frame, divided by its spread there."""
    mean, spread = first.mean((1, 2), keepdims=True), first.std((1, 2), keepdims=True)
    return (first - mean) / (spread + 1e-3), (last - mean) / (spread + 1e-3)


def _resized(masks: Masks, size: int) -> Float32[np.ndarray, "images {size} {size}"]:
    """Masks of ``size`` x ``size`` pixels."""
    return resize(masks[:, None], size)[:, 0]


def _without(masks: Masks, width: int) -> Masks:
    """1 outside of masks that are widened by a square of ``width`` pixels, 0 inside."""
    return 1.0 - binary_dilation(masks > TINY, np.ones((1, width, width))).astype(np.float32)


def _unit(raw: PerImage, floor: float, ceiling: float = 1.0) -> PerImage:
    """Linear from 0 at ``floor`` to 1 at ``ceiling``, cut there; identical frames reach 1 in spite of rounding."""
    return np.clip((raw - floor) / (ceiling - floor) + TINY, 0, 1)
