"""Raw agreements of a returned view with the true one, from the true frames, the anchor's masks in them and depth.

Four agreements, 1 for the true view itself:

- appearance, inside the anchor's true mask: mean of colour agreement and of the cosine of luminance gradients.
- presence, inside that mask: of what is shown there, how much is nearer to the anchor than to what the surroundings
  would continue: b^2 / (a^2 + b^2), a and b the distances in CIELAB to the true pixel and to the shown view's own
  surroundings carried on. It is 0 for a wall that continues, 1 for the anchor, and about a half for another object,
  which is like neither: so whether something stands there, and whether it is the anchor, are told by one number.
- view, outside the mask: how well structure agrees once the camera's motion is undone (``motion``), halved for every
  tenth of the frame's width by which that motion moves the surroundings.
- scene, outside the mask: mean of colour agreement and of that structure, the motion undone: the same room seen from
  aside is the same room.

No network is asked, and no feature of the other judges' networks is used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from echo.judge.base import Case, Truth
from echo.judge.comparisons import (
    COLOUR_SCALE,
    GRID,
    TINY,
    Masks,
    PerImage,
    as_lab,
    blur,
    carried_on,
    colour_agreement,
    cosine,
    gradients,
    resize,
    resized,
    weighted_mean,
    without,
)
from echo.judge.maps import SCORES
from echo.judge.oracle.motion import motion, moved_back

HALVED = 0.1  # of the frame's width: the motion of the surroundings that halves the view's agreement

Labs = Float32[np.ndarray, "images 64 64 3"]


def agreements(cases: Sequence[Case]) -> dict[str, PerImage]:
    """Agreements of every returned frame with its true one; missing (NaN) for a case without truth.

    Without a masked pixel appearance and presence are missing; without an unmasked one view and scene are.
    """
    parts = [
        _of_case(case, case.truth) if case.truth else dict.fromkeys(SCORES, np.full(len(case.returned), np.nan))
        for case in cases
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in SCORES}


def _of_case(case: Case, truth: Truth) -> dict[str, PerImage]:
    true, shown = as_lab(truth.frames), as_lab(case.returned)
    inside = resized(truth.masks.astype(np.float32), GRID)
    around, beside = (without(inside, width) for width in (5, 3))  # blurs spill over pixels beside the mask
    near = [None] * len(true) if truth.depth is None else resize((1 / truth.depth)[:, None], GRID)[:, 0]
    view, scene = np.array([_outside(*views) for views in zip(true, shown, around, near, strict=True)]).T
    edges = cosine(gradients(true, 1.0), gradients(shown, 1.0), inside)
    appearance = colour_agreement(true, shown, 1.0, inside, COLOUR_SCALE) + np.clip(edges, 0, 1)
    return {
        "appearance": appearance / 2, "presence": _presence(true, shown, inside, beside), "view": view, "scene": scene,
    }  # fmt: skip


def _presence(true: Labs, shown: Labs, inside: Masks, beside: Masks) -> PerImage:
    """How much of what is shown inside is nearer to the anchor than to the shown surroundings carried on."""
    true, shown = blur(true, 1.0), blur(shown, 1.0)
    from_anchor = ((shown - true) ** 2).sum(-1)
    from_around = ((shown - carried_on(shown, beside, 1.0, 12.0)) ** 2).sum(-1)
    return weighted_mean((from_around + TINY) / (from_around + from_anchor + TINY), inside)


def _outside(
    true: np.ndarray, shown: np.ndarray, around: np.ndarray, inverse_depth: np.ndarray | None
) -> tuple[float, float]:
    """Agreement of view and scene of one frame; NaN where no pixel is outside the mask."""
    if not around.any():
        return np.nan, np.nan
    found = motion(true, shown, around, inverse_depth)
    seen = around * found.seen
    moved = np.average(np.linalg.norm(found.flow, axis=0), weights=around) / GRID
    back = moved_back(shown, found.flow)
    colour = colour_agreement(true[None], back[None], 3.0, seen[None], COLOUR_SCALE)[0] if seen.any() else 0.0
    return found.agreement * 0.5 ** (moved / HALVED), (float(colour) + found.agreement) / 2
