"""The verdict on a memory: one rule, for the job that probes a row and for the tables and figures of all rows.

A row *remembers* if its return frames are nearer to the truth with its own memory than with another scene's: the change
alone says little, as noise changes frames too. It is *inert* if no such effect is shown, by design or not, and *broken*
if it contradicts what it says of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What is done to a memory before the segment of the return (``echo.measures.interventions``).
PROBES = ("erase", "swap", "shuffle", "keep_seen", "keep_unseen")
GATE = ("erase", "swap")  # those under which a memory that remembers must change something
DONE = {"erase": "erased", "swap": "swapped", "shuffle": "shuffled", "keep_seen": "left what saw the view",
         "keep_unseen": "left what did not"}  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """What the true memory is better by than another scene's, in dB, with its 95 % interval; NaN where not known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """``word``: remembers, inert, broken, or not measured; ``text``: the same with its reason, for tables.

    ``contradicted_by``: the probes under which the memory did not behave as its profile says; empty if it passes.
    """

    word: str
    text: str
    contradicted_by: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether the memory contradicts its profile, which stops a study."""
        return bool(self.contradicted_by)


def verdict(
    remembers: bool, changes: Mapping[str, Iterable[float]], threshold: float, effect: Effect | None = None
) -> Verdict:
    """Judge one row by how much its return frames changed, and by what its memory is worth.

    ``changes``: for each probe, the change of each case in grey levels of 255. A row that remembers must change in at
    least one case under each of ``GATE``: one that changes when its memory is erased but not when it is swapped uses it
    as a constant. A row that does not remember must not change in any case, whatever is done. A NaN change contradicts
    both. Without a case of each of ``GATE`` the row is not judged.

    ``effect``: if known, whether the row remembers is decided by its interval. Where none is shown, a mean change of at
    most ``threshold`` is said.
    """
    values = {probe: [float(change) for change in changes.get(probe, ())] for probe in PROBES}
    if not all(values[probe] for probe in GATE):
        return Verdict("not measured", "not measured")
    if not remembers:
        moved = tuple(probe for probe, here in values.items() if not all(change <= 0 for change in here))
        return _broken("moves", moved) if moved else Verdict("inert", "inert, as it should be")
    means = {probe: sum(values[probe]) / len(values[probe]) for probe in GATE}
    still = tuple(probe for probe, mean in means.items() if not mean > 0)
    if still:
        return _broken("does not move", still)
    if effect is None or not effect.low <= effect.high:  # NaN too
        return Verdict("not measured", "moves; what it is worth is not known")
    if effect.low > 0:
        return Verdict("remembers", "remembers")
    if effect.high < 0:
        return Verdict("broken", "broken: another scene's memory serves it better")
    hardly = max(means.values()) <= threshold
    return Verdict("inert", f"inert: no effect is shown{', and it hardly moves' if hardly else ''}")


def _broken(what: str, probes: tuple[str, ...]) -> Verdict:
    done = " or ".join(DONE[probe] for probe in probes)
    return Verdict("broken", f"broken: {what} when its memory is {done}", probes)
