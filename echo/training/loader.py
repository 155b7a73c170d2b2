"""Batches of a training in their order, the next one read while the present one is computed.

What a slice of a step draws is a function of the step alone (``echo.training.objective``), so reading ahead changes no
number. On a processor there is nothing to overlap with, and nothing is read ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from echo.io.draws import BatchSlice
from echo.training.objective import TrainingBatch

Read = Callable[[int, BatchSlice], TrainingBatch]


class Loader:
    """Reads batches with ``read(step, part)``; ``waited``: seconds for which steps had to wait for their data."""

    def __init__(self, read: Read, slices: list[BatchSlice], steps: int, ahead: bool) -> None:
        """``slices``: of each of the ``steps``, asked for in turn; ``ahead``: read on in a thread of its own."""
        self._read, self._slices, self._steps = read, slices, steps
        self._thread = ThreadPoolExecutor(1, "loader") if ahead else None
        self._begun: dict[tuple[int, BatchSlice], Future[TrainingBatch]] = {}  # one at most
        self.waited = 0.0

    def get(self, step: int, part: BatchSlice) -> TrainingBatch:
        """The batch of a step's slice; raises what reading it raised."""
        start = time.monotonic()
        begun, self._begun = self._begun.get((step, part)), {}
        batch = self._read(step, part) if begun is None else begun.result()
        self.waited += time.monotonic() - start
        if self._thread is not None and part in self._slices:
            number = self._slices.index(part) + 1
            after, number = (step, number) if number < len(self._slices) else (step + 1, 0)
            if after < self._steps:
                following = after, self._slices[number]
                self._begun[following] = self._thread.submit(self._read, *following)
        return batch

    def close(self) -> None:
        """End the thread, once what it reads now is read."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None
