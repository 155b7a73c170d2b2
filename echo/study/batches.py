"""How a step's batch is shared among processes and micro-batches: the one place that says which shares are possible."""

from __future__ import annotations

from typing import Protocol

from echo.io.errors import UserError


class BatchError(UserError, ValueError):
    """A batch that cannot be shared equally; a ValueError too, so that the configuration's checks may raise it."""


class Batched(Protocol):
    """The keys of the section ``train`` that say how large a step is (``echo.study.config.Train``)."""

    batch: int
    accumulate: int


def micro_batch(train: Batched, processes: int) -> int:
    """Clips that a process handles at once: batch / (processes x accumulate).

    Raises BatchError where that is no whole number.
    """
    share = processes * train.accumulate
    if processes < 1 or train.batch % share:
        raise BatchError(
            f"train.batch = {train.batch} must be a multiple of processes x train.accumulate = {processes} x "
            f"{train.accumulate}"
        )
    return train.batch // share
