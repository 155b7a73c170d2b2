"""Which pairs of views people are shown: a sample of cases that is balanced over rows, in an order drawn by the seed.

A pair is known by its content (``pair_id``) and by nothing else, so that answers need no key to be looked up, the page
says nothing of rows, and what two rows draw alike is asked about once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from echo.io.seeding import generator

APART = 3  # a pair that comes twice is of the first of so many parts, and comes again in the last


@dataclass(frozen=True)
class Pair:
    """The first view, the returned frames, and the name of the object that identifies the room, where it has one."""

    first: UInt8[np.ndarray, "height width 3"]
    returned: UInt8[np.ndarray, "frames height width 3"]
    anchor: str | None

    @property
    def id(self) -> str:
        """``pair_id`` of the frames."""
        return pair_id(self.first, self.returned)


@dataclass(frozen=True)
class Showing:
    """A pair as it is shown for the ``number``-th time, from 1."""

    pair: Pair
    number: int


def pair_id(first: UInt8[np.ndarray, "height width 3"], returned: UInt8[np.ndarray, "frames height width 3"]) -> str:
    """Digest of what a rater sees: ``p`` and 16 hexadecimal digits, which no spreadsheet takes for a number."""
    held = hashlib.sha256(json.dumps([first.shape, returned.shape]).encode())
    for frames in (first, returned):
        held.update(np.ascontiguousarray(frames).tobytes())
    return f"p{held.hexdigest()[:16]}"


def balanced(rows: int, branches: int, cases: int, count: int, draw: np.random.Generator) -> list[tuple[int, int, int]]:
    """``count`` different (row, branch, case), or all where there are fewer, each part as often as any other.

    Every next one is of the row that has fewest, then of the branch that this row, and then all, have fewest of, then
    of the branch's case that has fewest; ties are drawn. So no two rows differ by more than one.
    """
    cells = draw.permutation(rows * branches * cases)
    row, branch, case = np.unravel_index(cells, (rows, branches, cases))
    used = np.zeros((rows, branches, cases), bool)
    chosen = []
    for _ in range(min(count, len(cells))):
        free = np.flatnonzero(~used[row, branch, case])
        by_row, by_branch, by_case = used.sum((1, 2)), used.sum((0, 2)), used.sum(0)
        # The last key counts first.
        keys = (by_case[branch, case], by_branch[branch], used.sum(2)[row, branch], by_row[row])
        best = free[np.lexsort([key[free] for key in keys])[0]]
        place = int(row[best]), int(branch[best]), int(case[best])
        used[place] = True
        chosen.append(place)
    return chosen


def in_order(pairs: Sequence[Pair], again: Sequence[Pair], repeats: int, seed: int) -> list[Showing]:
    """All pairs, each different one once, in an order drawn by the seed, and ``repeats`` of ``again`` a second time.

    ``again``: those of ``pairs`` that may come twice. Between the two showings of a pair lies a third of the pairs.
    """
    draw = generator(seed, "people", "order")
    different = list({pair.id: pair for pair in pairs}.values())
    order = [different[i] for i in draw.permutation(len(different))]
    part = len(order) // APART
    may = {pair.id for pair in again}
    twice = [pair for pair in order[:part] if pair.id in may][:repeats]
    end = [*(Showing(pair, 1) for pair in order[len(order) - part :]), *(Showing(pair, 2) for pair in twice)]
    begin = [Showing(pair, 1) for pair in order[: len(order) - part]]
    return begin + [end[i] for i in draw.permutation(len(end))]
