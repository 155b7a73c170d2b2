"""When a case counts as departed, by the angles that its generated frames and the true cameras cover."""

from __future__ import annotations

import numpy as np

from echo.study.words import BRANCHES

COLUMNS = ("departure", "departure_share", "departed")  # of the table of cases
DEPARTED = 0.5  # share of the true departure from which on a case has departed
LEAST_TURN = 10.0  # degrees: where the true cameras cover less, there is no departure to speak of


def departs(branch: str) -> bool:
    """Whether a branch's camera leaves a view and comes back to one, so that it can fail to leave."""
    return BRANCHES[branch].ends_at_first or BRANCHES[branch].revisits


def departed(reached: float, true: float) -> dict[str, float]:
    """``COLUMNS`` of a case, from the angles in degrees that its frames and the true cameras cover.

    ``departure``: ``reached``, NaN where frames cannot be followed. ``departure_share``: that over ``true``.
    ``departed``: 1 for a share of at least ``DEPARTED``; 0 for less, and for frames that cannot be followed. Where the
    true cameras cover less than ``LEAST_TURN`` there is nothing to leave: the share is NaN, and departed is 1.
    """
    if not true >= LEAST_TURN:
        return {"departure": reached, "departure_share": np.nan, "departed": 1.0}
    share = reached / true
    return {"departure": reached, "departure_share": share, "departed": float(share >= DEPARTED)}
