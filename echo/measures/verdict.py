"""The verdict on a memory from its probes: one rule, for the job that probes a row and for the table of all rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PROBES = ("erase", "swap")
_DONE = {"erase": "erased", "swap": "swapped"}


@dataclass(frozen=True)
class Verdict:
    """``contradicted_by``: the probes under which the memory did not behave as its profile says; empty if it passes.

    ``text``: the verdict in words, for the table.
    """

    contradicted_by: tuple[str, ...]
    text: str

    @property
    def fails(self) -> bool:
        """Whether the memory contradicts its profile."""
        return bool(self.contradicted_by)


def probe_verdict(remembers: bool, changes: Mapping[str, Iterable[float]], threshold: float) -> Verdict:
    """Judge one row by how much its return frames changed.

    ``changes``: for each of ``PROBES``, the change of each case in grey levels of 255. A row that remembers must change
    in at least one case under every probe: one that changes when its memory is erased but not when it is swapped uses
    it as a constant. A mean change of at most ``threshold`` is reported but is not a failure: the row may have learnt
    little. A row that does not remember must not change in any case. A NaN change contradicts both. If a probe has no
    case, the row is not judged.
    """
    values = {probe: [float(change) for change in changes.get(probe, ())] for probe in PROBES}
    if not all(values.values()):
        return Verdict((), "not measured")
    means = {probe: sum(here) / len(here) for probe, here in values.items()}
    if remembers:
        still = tuple(probe for probe, mean in means.items() if not mean > 0)
        if still:
            return Verdict(still, f"FAILS: does not move when memory is {_done(still)}")
        hardly = [probe for probe, mean in means.items() if mean <= threshold]
        return Verdict((), f"hardly moves when memory is {_done(hardly)}" if hardly else "moves, as it should")
    moved = tuple(probe for probe in PROBES if not all(change <= 0 for change in values[probe]))
    return Verdict(moved, f"FAILS: moves when memory is {_done(moved)}" if moved else "inert, as it should be")


def _done(probes: Iterable[str]) -> str:
    return " or ".join(_DONE[probe] for probe in probes)
