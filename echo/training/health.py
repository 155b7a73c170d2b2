"""Whether a run still learns: which of its steps were rejected and why, and when that ends the job.

A single bad step is skipped (a spike of the loss, a loss or gradient that is not finite). A run whose steps are mostly
skipped would end with weights that have learnt next to nothing, so it ends with an error instead:

- more than half of the last 50 steps: no single outlier does that, and hours of a run that has diverged are saved;
- more than a fifth of all steps, once the run is over: the row has had that many fewer updates than the rows it is
  compared with.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import StrEnum
from typing import Any

from echo.io.errors import UserError

RECENT = 50  # steps that are looked back on
MAX_RECENT_SHARE = 0.5  # of the recent steps that may be rejected
MAX_SHARE = 0.2  # of all steps that may be rejected


class TrainingError(UserError):
    """A training that does not learn, or whose numbers are not finite."""


class Outcome(StrEnum):
    """What became of a step."""

    ACCEPTED = "accepted"
    LOSS = "loss not finite"
    GRADIENT = "gradient not finite"
    SPIKE = "loss spike"


LIKELY = {  # settings that are worth a look, by what was rejected most
    Outcome.LOSS: "train.timestep_shift and the learning rates (train.adamw_lr, train.muon_lr, train.row_lr)",
    Outcome.GRADIENT: "train.precision and the learning rates (train.adamw_lr, train.muon_lr, train.row_lr)",
    Outcome.SPIKE: "train.spike, and the learning rates (train.adamw_lr, train.muon_lr, train.row_lr)",
}


class StepLog:
    """Outcomes of a run's steps: counts over the run, and the last ``RECENT`` of them in order."""

    def __init__(self, row: str, steps: int) -> None:
        """``row``: the row's name, for messages; ``steps``: the run's length."""
        self.row, self.steps = row, steps
        self.counts: Counter[str] = Counter()
        self.recent: deque[str] = deque(maxlen=RECENT)

    @property
    def accepted(self) -> int:
        """Steps that moved the weights."""
        return self.counts[Outcome.ACCEPTED]

    @property
    def rejected(self) -> int:
        """Steps that did not."""
        return self.counts.total() - self.accepted

    def add(self, outcome: Outcome) -> None:
        """Note the outcome of the next step; raises TrainingError where too many of the recent ones were rejected."""
        self.counts[outcome.value] += 1
        self.recent.append(outcome.value)
        if len(self.recent) == RECENT:
            self._check(Counter(self.recent), f"the last {RECENT} steps", MAX_RECENT_SHARE)

    def check_all(self) -> None:
        """Raise TrainingError where too many steps of the run were rejected."""
        self._check(self.counts, f"all {self.counts.total()} steps", MAX_SHARE)

    def _check(self, counts: Counter[str], which: str, limit: float) -> None:
        causes = [(name, count) for name, count in counts.most_common() if name != Outcome.ACCEPTED]
        rejected = sum(count for _, count in causes)
        if rejected <= limit * counts.total():
            return
        told = ", ".join(f"{count} x {name}" for name, count in causes)
        raise TrainingError(
            f"{self.row}: {rejected} of {which} were rejected ({told}) at step {self.counts.total()} of {self.steps}, "
            f"more than the limit of {limit:.0%}; check {LIKELY[Outcome(causes[0][0])]}"
        )

    def state(self) -> dict[str, Any]:
        """All of it, JSON-able, for the resume file."""
        return {"counts": dict(self.counts), "recent": list(self.recent)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.counts, self.recent = Counter(state["counts"]), deque(state["recent"], maxlen=RECENT)
