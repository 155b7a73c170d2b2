"""What a judge is: frames in, four scores out. The embedded judge and a vision-language model are both one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, UInt8

from echo.judge.rubric import Scores

Frame = UInt8[np.ndarray, "height width 3"]
LastFrames = UInt8[np.ndarray, "... height width 3"]  # one frame, or several
Mask = Bool[np.ndarray, "height width"]


@runtime_checkable
class Judge(Protocol):
    """Compares a returned view with the first frame."""

    def judge(self, first: Frame, last: LastFrames, mask: Mask, identity: str | None) -> Scores:
        """Scores of one case.

        first: the first frame, as given. last: the returned view, one frame or several. mask: where the identity anchor
        is in ``first``. identity: what it is, where known.
        """
        ...


@runtime_checkable
class BatchJudge(Protocol):
    """A judge that is faster on many cases at once."""

    def judge_batch(
        self,
        firsts: Sequence[Frame],
        lasts: Sequence[LastFrames],
        masks: Sequence[Mask],
        identities: Sequence[str | None],
    ) -> list[Scores]:
        """Scores of many cases: those that ``Judge.judge`` gives of each."""
        ...


@runtime_checkable
class ReportingJudge(Protocol):
    """A judge that has more to say of its work than the scores, such as how many are missing and why."""

    def report(self) -> dict[str, Any]:
        """What stands in the record beside the table of scores; JSON-able."""
        ...


def check_case(first: np.ndarray, last: np.ndarray, mask: np.ndarray) -> None:
    """Raise ValueError unless the case is shaped as ``Judge.judge`` says."""
    if first.dtype != np.uint8 or first.ndim != 3 or first.shape[-1] != 3:
        raise ValueError(f"first: expected a uint8 frame (H, W, 3), got {first.dtype} {first.shape}")
    if last.dtype != np.uint8 or last.ndim not in (3, 4) or last.shape[-3:] != first.shape or not len(last):
        raise ValueError(f"last: expected uint8 frames of shape {first.shape}, got {last.dtype} {last.shape}")
    if mask.dtype != bool or mask.shape != first.shape[:2]:
        raise ValueError(f"mask: expected bool {first.shape[:2]}, got {mask.dtype} {mask.shape}")


def judge_many(
    judge: Judge,
    firsts: Sequence[np.ndarray],
    lasts: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    identities: Sequence[str | None],
) -> list[Scores]:
    """Scores of many cases: sequences of the arguments of ``Judge.judge``, equally long.

    Raises ValueError for sequences of unequal lengths, or a case of other shapes.
    """
    counts = {"firsts": len(firsts), "lasts": len(lasts), "masks": len(masks), "identities": len(identities)}
    if len(set(counts.values())) != 1:
        listed = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise ValueError(f"judge_many: expected one of each per case, got {listed}")
    for first, last, mask in zip(firsts, lasts, masks, strict=True):
        check_case(first, last, mask)
    if isinstance(judge, BatchJudge):
        return judge.judge_batch(firsts, lasts, masks, identities)
    return [judge.judge(*case) for case in zip(firsts, lasts, masks, identities, strict=True)]
