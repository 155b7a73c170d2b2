"""What a foreign model's memory is worth: its returns with its own history, less those with another case's.

As in ``echo.judge.certificates``, of which this is the part that needs no look inside a model: quality on pixels that a
given frame shows, and whether a swapped history is read as one, so that frames move toward the other scene's return.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from echo.io.seeding import generator
from echo.measures.cases import CEILING
from echo.measures.images import psnr
from echo.measures.seen import psnr_inside
from echo.protocol.case import Case
from echo.protocol.files import Frames
from echo.protocol.manifest import Entry
from echo.protocol.rows import RESAMPLES, Source
from echo.protocol.truth import TrueCases
from echo.study.words import RETURN_FRAMES
from echo.tables.statistics import interval

LEAST = 0.0  # dB that a memory must be worth, by the interval's lower end


def certificate(cases: TrueCases, own: Source, swapped: Callable[[Entry], Frames | None]) -> dict[str, dict[str, Any]]:
    """By branch: ``seen_drop`` and ``toward`` in dB with intervals, and whether the model remembers.

    swapped: the answer to a case with another's history, or None where there is none. Branches without one are not in
    it.
    """
    lines: dict[str, list[dict[str, Any]]] = {}
    for entry in cases.set.cases:
        changed = swapped(entry) if entry.given > 1 else None
        if changed is not None:
            lines.setdefault(entry.branch, []).append(_case(cases, entry, own(entry), changed))
    return {branch: _branch(branch, some) for branch, some in lines.items()}


def _case(cases: TrueCases, entry: Entry, own: Frames, changed: Frames) -> dict[str, Any]:
    """One case; on a set without depth, all pixels count as seen."""
    case: Case = cases.of(entry.name)
    ends = range(entry.frames - RETURN_FRAMES, entry.frames)
    truth, masks = cases.frames(entry.name, ends), cases.seen(entry.name)
    inside = np.ones(truth.shape[:3], bool) if masks is None else masks.given[0, -RETURN_FRAMES:]
    other = case.about.swap
    of_other = cases.frames(other, ends) if other else truth
    own, changed = own[-RETURN_FRAMES:], changed[-RETURN_FRAMES:]
    drop = _seen(own, truth, inside) - _seen(changed, truth, inside)
    return {"room": entry.room, "seen_drop": drop, "toward": _whole(changed, of_other) - _whole(own, of_other)}


def _branch(branch: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rooms, found = np.array([line["room"] for line in lines]), {}
    for name in ("seen_drop", "toward"):
        values = np.array([line[name] for line in lines])
        mean, low, high = interval(values, rooms, RESAMPLES, generator(0, "protocol", "certificate", branch, name))
        found[name] = {"mean": float(mean), "low": float(low), "high": float(high), "cases": len(values)}
    return found | {"remembers": bool(found["seen_drop"]["low"] > LEAST)}


def _seen(frames: Frames, truth: Frames, inside: np.ndarray) -> float:
    return psnr_inside(np.square(frames.astype(np.float64) - truth).mean(-1), inside)


def _whole(frames: Frames, truth: Frames) -> float:
    return float(np.minimum(psnr(frames, truth), CEILING).mean())
