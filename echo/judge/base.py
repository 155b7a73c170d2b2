"""What a judge is: cases in, four scores each out. The embedded judge and a vision-language model are both one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from echo.judge.rubric import Scores
from echo.study.words import RETURN_FRAMES

if TYPE_CHECKING:
    from echo.world.pool import Pool

Frames = UInt8[np.ndarray, "frames height width 3"]


@dataclass(frozen=True)
class Truth:
    """What whoever made the world knows of the returned view: what a perfect return shows.

    frames: uint8 (T, H, W, 3), the true frames at the poses that the camera should have come back to, one for each of
    the T last frames of the case. masks: bool (T, H, W), where the identity anchor is in each. depth: float32 of the
    same shape, planar depth in metres, infinite where nothing is hit; None where the pool has none.
    """

    frames: np.ndarray
    masks: np.ndarray
    depth: np.ndarray | None = None


@dataclass(frozen=True)
class Case:
    """What a judge is shown: a returned view beside the first frame. Raises ValueError for arrays of other shapes.

    first: uint8 (H, W, 3), the first frame, as given. last: uint8 (H, W, 3) or (T, H, W, 3), the returned view. mask:
    bool (H, W), where the identity anchor is in ``first``. identity: what it is, where known. truth: for judges that
    measure against it, and for no other: one that stands in for a viewer must not look at it. Of a lone first frame
    nobody knows the truth, and the mask only where it was given; a judge that cannot do without says so (``NEEDS``).
    """

    first: np.ndarray
    last: np.ndarray
    mask: np.ndarray | None
    identity: str | None
    truth: Truth | None = None

    def __post_init__(self) -> None:
        check_case(self)

    @property
    def returned(self) -> Frames:
        """The returned view as several frames, also where it is one."""
        return self.last if self.last.ndim == 4 else self.last[None]


@runtime_checkable
class Judge(Protocol):
    """Compares a returned view with the first frame."""

    def judge(self, case: Case) -> Scores:
        """Scores of one case."""
        ...


@runtime_checkable
class BatchJudge(Protocol):
    """A judge that is faster on many cases at once."""

    def judge_batch(self, cases: Sequence[Case]) -> list[Scores]:
        """Scores of many cases: those that ``Judge.judge`` gives of each."""
        ...


@runtime_checkable
class ReportingJudge(Protocol):
    """A judge that has more to say of its work than the scores, such as how many are missing and why."""

    def report(self) -> dict[str, Any]:
        """What stands in the record beside the table of scores; JSON-able."""
        ...


def check_case(case: Case) -> None:
    """Raise ValueError unless the arrays of a case fit each other; every ``Case`` is checked when it is made."""
    first, last, mask, truth = case.first, case.last, case.mask, case.truth
    if first.dtype != np.uint8 or first.ndim != 3 or first.shape[-1] != 3:
        raise ValueError(f"first: expected a uint8 frame (H, W, 3), got {first.dtype} {first.shape}")
    if last.dtype != np.uint8 or last.ndim not in (3, 4) or last.shape[-3:] != first.shape or not len(last):
        raise ValueError(f"last: expected uint8 frames of shape {first.shape}, got {last.dtype} {last.shape}")
    if mask is not None and (mask.dtype != bool or mask.shape != first.shape[:2]):
        raise ValueError(f"mask: expected bool {first.shape[:2]}, got {mask.dtype} {mask.shape}")
    if truth is not None:
        shape = case.returned.shape
        for name, kind, wanted in (
            ("frames", np.uint8, shape),
            ("masks", np.bool_, shape[:3]),
            ("depth", np.float32, shape[:3]),
        ):
            held = getattr(truth, name)
            if held is not None and (held.dtype != kind or held.shape != wanted):
                raise ValueError(
                    f"truth.{name}: expected {np.dtype(kind)} {wanted}, one for each last frame, got {held.dtype} "
                    f"{held.shape}"
                )


def judge_many(judge: Judge, cases: Sequence[Case]) -> list[Scores]:
    """Scores of many cases, in their order."""
    return judge.judge_batch(cases) if isinstance(judge, BatchJudge) else [judge.judge(case) for case in cases]


def returned_case(pool: Pool, video: str, last: Frames, depth: bool) -> Case:
    """The case of a video that comes back to its first pose, with the truth at its end.

    last: its last ``RETURN_FRAMES`` frames, as drawn; depth: whether the pool has any. Raises PoolError where the pool
    lacks a part.
    """
    masks = pool.masks(video)
    length = len(masks)
    ends = range(length - RETURN_FRAMES, length)
    frames = pool.frames(video, [0, *ends])
    far = pool.depth(video)[-RETURN_FRAMES:] if depth else None
    truth = Truth(frames[1:], masks[-RETURN_FRAMES:], far)
    return Case(frames[0], last, masks[0], pool.info.anchor[video], truth)
