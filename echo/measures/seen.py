"""Which pixels of the measured frames were seen before, and quality on these and on never-seen ones apart.

Memory is about what was seen, imagination about the rest. From true depth (``echo.world.geometry.seen``), once for all
rows of a study, two masks of each measured frame of each case:

=========  =========================================================================================================
``given``  its surface is in sight of a frame that a row is given: all true history where a branch gives it
           (``Branch.recall``), frame 0 alone where a row's own frames become its history
``past``   its surface is in sight of any true frame before its segment: where the camera has been, given or not
=========  =========================================================================================================

Quality (``psnr_seen``, ``psnr_unseen``) is told apart by ``given``: what nobody showed a row it can only invent, and
on a branch with own history that is so of all but the first view. Of a loop, whose frames are measured against the
row's own ones of the same poses, the masks alone are reported.
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

LEAST = 0.02  # share of a frame's pixels that a class must have, or the frame says nothing of it
CEILING = 100.0  # dB at which the PSNR of (nearly) identical pixels is cut, as that of whole frames is
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
    """Positions, in the generated frames of numbers ``index``, of those that a case's own measures are about."""
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
    """Write the masks of all branches, eight pixels a byte, atomically."""
    arrays, header = {}, {}
    for name, branch in branches.items():
        arrays[f"{name}/index"] = branch.index
        for kind, masks in (("given", branch.given), ("past", branch.past)):
            arrays[f"{name}/{kind}"] = np.packbits(masks.reshape(*masks.shape[:2], -1), axis=-1)
        header[name] = {"cases": branch.cases, "size": list(branch.given.shape[2:])}
    save_tensors(path, arrays, {"branches": header})


def load_seen(path: Path) -> dict[str, SeenBranch]:
    """Read what ``save_seen`` wrote; raises TensorFileError for a file that is cut or was changed."""
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
    """The masks of a branch; raises RolloutError unless they are of ``cases``."""
    if branch not in found or found[branch].cases != cases:
        raise RolloutError(f"{path}: branch {branch}: the masks of seen pixels are not of its cases; {mending(path)}")
    return found[branch]


def on_seen(
    masks: SeenBranch | None, branch: str, case: str, generated: Frames, truth: Frames, index: Int[np.ndarray, " n"]
) -> dict[str, float]:
    """``COLUMNS`` of a case: shares of the measured pixels, and mean PSNR of its frames on seen and unseen pixels.

    generated, truth: frames of numbers ``index``. NaN without masks, and where no measured frame has ``LEAST`` of its
    pixels in a class.
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
    return values | {"psnr_seen": _psnr_inside(error, given), "psnr_unseen": _psnr_inside(error, ~given)}


def _psnr_inside(error: np.ndarray, inside: np.ndarray) -> float:
    """Mean over frames of the PSNR of squared errors (frames, height, width) inside a mask of the same shape."""
    decibels = [
        CEILING if not one[mask].any() else min(CEILING, 10 * np.log10(255.0**2 / one[mask].mean()))
        for one, mask in zip(error, inside, strict=True)
        if mask.mean() >= LEAST
    ]
    return float(np.mean(decibels)) if decibels else np.nan
