"""Raw agreements of a returned view with the first frame: in colour, in structure, and in a network's features.

The first frame's object mask says where the anchor should be. Four agreements, 1 for identical frames and about 0 for
unrelated ones:

- appearance, inside the mask: mean of colour agreement and of feature agreement, fine and coarse.
- presence: how far the masked region stands out from what its surroundings, carried on into it, would look like,
  compared with how far it did in the first frame, in colour and in fine features; capped at 1. An object of any
  identity counts.
- view, outside the mask: correlation of blurred luminance gradients at two scales. It does not depend on colour or
  contrast, little on blur, and falls within a few degrees of turning.
- scene, outside the mask: mean of coarse colour agreement and of coarse feature agreement.

Colour agreement is exp(-dE / 20), dE the mean distance in CIELAB. Feature agreement is the cosine of two feature maps,
position by position, after removing each channel's mean over the first frame and dividing by its spread there, so that
a featureless frame agrees with nothing.

What it cannot do: it knows no identities by name, and an anchor that came back a few pixels aside loses appearance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from echo.judge.base import Case
from echo.judge.comparisons import (
    COLOUR_SCALE,
    GRID,
    TINY,
    Masks,
    PerImage,
    as_lab,
    blur,
    colour_agreement,
    cosine,
    gradients,
    resized,
    stands_out,
    without,
)

FINE, COARSE = GRID // 4, GRID // 8  # places along each side at which features are compared

# Of several sizes within one function.
Maps: TypeAlias = Float32[np.ndarray, "images _ _ _"]
Pair: TypeAlias = tuple[Maps, Maps]  # of first frames and of last frames; or of fine and coarse features
Features: TypeAlias = Callable[[UInt8[np.ndarray, "images height width 3"]], Pair]


class FeatureAgreements:
    """Raw agreements of cases by the features of one network."""

    def __init__(self, features: Features) -> None:
        """features: from frames to maps of FINE x FINE and of COARSE x COARSE places, channels last."""
        self.features = features

    def __call__(self, cases: Sequence[Case]) -> dict[str, PerImage]:
        """Agreements of every returned frame with its case's first one; ``identity`` and ``truth`` are not used.

        Without a masked pixel appearance and presence are missing (NaN); without an unmasked one view and scene are.
        """
        case_of = np.repeat(np.arange(len(cases)), [len(case.returned) for case in cases])  # of each returned frame
        first = self._views(np.stack([case.first for case in cases]))
        last = self._views(np.concatenate([case.returned for case in cases]))
        first = {name: value[case_of] for name, value in first.items()}
        masks = np.stack([_mask(case) for case in cases]).astype(np.float32)
        return _agreements(first, last, masks[case_of])

    def _views(self, frames: UInt8[np.ndarray, "images height width 3"]) -> dict[str, Maps]:
        """What is compared of frames: ``lab`` of GRID x GRID pixels, and the features ``fine`` and ``coarse``."""
        fine, coarse = self.features(frames)
        return {"lab": as_lab(frames), "fine": fine, "coarse": coarse}


def _mask(case: Case) -> Bool[np.ndarray, "height width"]:
    if case.mask is None:
        raise ValueError("an embedded judge compares inside and outside of the anchor's mask; this case has none")
    return case.mask


def _agreements(first: dict[str, Maps], last: dict[str, Maps], masks: Masks) -> dict[str, PerImage]:
    """Raw agreements of pairs of views; masks of 0 and 1."""
    inside = {size: resized(masks, size) for size in (GRID, FINE, COARSE)}
    # Pixels beside the mask belong to neither side: features and blurs spill over it.
    around, beside = (without(inside[GRID], width) for width in (5, 3))
    outside = {size: resized(around, size) for size in (GRID, COARSE)}
    labs = first["lab"], last["lab"]
    fine, coarse = (_normalised(first[name], last[name]) for name in ("fine", "coarse"))
    appearance = (
        colour_agreement(*labs, 1.0, inside[GRID], COLOUR_SCALE)
        + np.clip(cosine(*fine, inside[FINE]), 0, 1)
        + np.clip(cosine(*coarse, inside[COARSE]), 0, 1)
    ) / 3
    fine_view, coarse_view = (
        cosine(gradients(labs[0], sigma), gradients(labs[1], sigma), outside[GRID]) for sigma in (2.0, 4.0)
    )
    scene = (
        colour_agreement(*labs, 3.0, outside[GRID], COLOUR_SCALE) + np.clip(cosine(*coarse, outside[COARSE]), 0, 1)
    ) / 2
    return {
        "appearance": appearance,
        "presence": _presence(labs, fine, inside, beside),
        "view": (fine_view + coarse_view) / 2,
        "scene": scene,
    }


def _presence(labs: Pair, fine: Pair, inside: dict[int, Masks], beside: Masks) -> PerImage:
    """How far the last frames' masked region stands out, as a share of how far the first frames' does; at most 1."""
    clear = resized(beside, FINE)
    colours = [stands_out(blur(lab, 1.0), inside[GRID], beside, 1.0, 12.0) for lab in labs]
    features = [stands_out(maps, inside[FINE], clear**2, 0.5, 1.5) for maps in fine]
    in_colour, in_features = (np.clip((last + TINY) / (first + TINY), 0, 1) for first, last in (colours, features))
    return (in_colour + in_features) / 2


def _normalised(first: Maps, last: Maps) -> Pair:
    """Features less each channel's mean over the first frame, divided by its spread there."""
    mean, spread = first.mean((1, 2), keepdims=True), first.std((1, 2), keepdims=True)
    return (first - mean) / (spread + 1e-3), (last - mean) / (spread + 1e-3)
