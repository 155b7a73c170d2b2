"""Which pixels of the measured frames were seen before, and quality on seen and never-seen pixels separately.

Memory concerns what was seen; the rest has to be invented. Two masks of each measured frame of each case are computed
from true depth (``echo.world.geometry.seen``), once for all rows of a study:

=========  =========================================================================================================
``given``  the surface is visible in a frame that a row is given: all true history if the branch gives it
           (``Branch.recall``), frame 0 alone if the row's own frames become its history
``past``   the surface is visible in any true frame before the segment: where the camera has been, given or not
=========  =========================================================================================================

Quality (``psnr_seen``, ``psnr_unseen``) is split by ``given``: a row can only invent what it was never shown, which
on a branch where its own frames are its history is everything but the first view. A loop compares the row's own frames
at equal poses, so only the shares of its masks are reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int, Int64

from echo.io.tensors import load_tensors, mending, read_header, save_tensors
from echo.measures.images import Frames
from echo.rollout.cases import choose_cases
from echo.rollout.frames import RolloutError
from echo.study.config import Study
from echo.study.words import BRANCHES, RETURN_FRAMES, first_target, generated_frames, given_frames
from echo.world.geometry import seen

if TYPE_CHECKING:
    from echo.world.pool import Pool

LEAST = 0.02  # a frame counts for a class if the class has at least this share of its pixels
CEILING = 100.0  # dB: cap on the PSNR of (nearly) identical pixels, as for whole frames
COLUMNS = ("seen_given", "seen_past", "psnr_seen", "psnr_unseen")  # of the table of cases

Masks = Bool[np.ndarray, "cases frames height width"]


@dataclass(frozen=True)
class SeenBranch:
    """Masks of one branch: cases by name, measured frames by number."""

    cases: list[str]
    index: Int64[np.ndarray, " frames"]
    given: Masks
    past: Masks


def measured_positions(branch: str, index: Int[np.ndarray, " generated"]) -> Int64[np.ndarray, " frames"]:
    """Positions, among the generated frames with numbers ``index``, of those that a case's own measures use."""
    kind = BRANCHES[branch].measure
    if kind == "view":
        return np.arange(len(index))[-RETURN_FRAMES:]
    if kind == "mirrored":  # the way back
        return np.flatnonzero(2 * index > index[-1])
    return np.arange(len(index))


def see_branch(study: Study, branch: str, pool: Pool) -> SeenBranch:
    """The masks of a branch's cases, from the depth of its pool."""
    cases = [str(case) for case in choose_cases(study, branch, pool.info).index]
    frames = study.segment.frames
    drawn, given = (np.array(some(branch, frames)) for some in (generated_frames, given_frames))
    index = drawn[measured_positions(branch, drawn)]
    masks = {"given": [], "past": []}
    for case in cases:
        depth, poses, fov = pool.depth(case), pool.poses(case), study.world.field_of_view
        known = np.isfinite(depth)  # a ray that leaves the room shows nothing that could be seen again
        for name in masks:
            masks[name].append([])
            for frame in index:
                before = given if name == "given" else np.arange(first_target((frame - 1) // frames + 1, frames))
                mask = seen(depth[frame], poses[frame], depth[before], poses[before], fov)
                masks[name][-1].append(mask & known[frame])
    return SeenBranch(cases, index, np.array(masks["given"]), np.array(masks["past"]))


def save_seen(path: Path, branches: Mapping[str, SeenBranch]) -> None:
    """Write the masks of all branches, eight pixels per byte, atomically."""
    arrays, header = {}, {}
    for name, branch in branches.items():
        arrays[f"{name}/index"] = branch.index
        for kind, masks in (("given", branch.given), ("past", branch.past)):
            arrays[f"{name}/{kind}"] = np.packbits(masks.reshape(*masks.shape[:2], -1), axis=-1)
        header[name] = {"cases": branch.cases, "size": list(branch.given.shape[2:])}
    save_tensors(path, arrays, {"branches": header})


def load_seen(path: Path) -> dict[str, SeenBranch]:
    """Read what ``save_seen`` wrote; raises TensorFileError for a truncated or altered file."""
    arrays, found = load_tensors(path, "np"), {}
    for name, about in read_header(path)["branches"].items():
        height, width = about["size"]
        masks = {
            kind: np.unpackbits(arrays[f"{name}/{kind}"], axis=-1, count=height * width).astype(bool)
            for kind in ("given", "past")
        }
        given, past = (masks[kind].reshape(*masks[kind].shape[:2], height, width) for kind in ("given", "past"))
        found[name] = SeenBranch(about["cases"], arrays[f"{name}/index"], given, past)
    return found


def check_seen(found: Mapping[str, SeenBranch], branch: str, cases: list[str], path: Path) -> SeenBranch:
    """The masks of a branch; raises RolloutError unless their cases are ``cases``."""
    if branch not in found or found[branch].cases != cases:
        raise RolloutError(f"{path}: branch {branch}: the masks of seen pixels are not of its cases; {mending(path)}")
    return found[branch]


def on_seen(
    masks: SeenBranch | None, branch: str, case: str, generated: Frames, truth: Frames, index: Int[np.ndarray, " n"]
) -> dict[str, float]:
    """``COLUMNS`` of a case: shares of the measured pixels, and mean PSNR of its frames on seen and unseen pixels.

    generated, truth: frames with numbers ``index``. NaN without masks, and if no measured frame has at least ``LEAST``
    of its pixels in a class.
    """
    if masks is None:
        return dict.fromkeys(COLUMNS, np.nan)
    place = masks.cases.index(case)
    given, past = masks.given[place], masks.past[place]
    values = {"seen_given": float(given.mean()), "seen_past": float(past.mean())}
    if BRANCHES[branch].measure == "mirrored":
        return values | {"psnr_seen": np.nan, "psnr_unseen": np.nan}
    positions = np.searchsorted(index, masks.index)
    error = np.square(generated[positions].astype(np.float64) - truth[positions]).mean(-1)
    return values | {"psnr_seen": psnr_inside(error, given), "psnr_unseen": psnr_inside(error, ~given)}


def psnr_inside(error: np.ndarray, inside: np.ndarray) -> float:
    """Mean over frames of the PSNR of squared errors (frames, height, width) inside a mask of the same shape, in dB.

    NaN where no frame has at least ``LEAST`` of its pixels inside.
    """
    decibels = [
        CEILING if not one[mask].any() else min(CEILING, 10 * np.log10(255.0**2 / one[mask].mean()))
        for one, mask in zip(error, inside, strict=True)
        if mask.mean() >= LEAST
    ]
    return float(np.mean(decibels)) if decibels else np.nan
