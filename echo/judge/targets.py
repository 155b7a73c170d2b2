"""What a judge should say of a view with a known fault (``echo.judge.edits``), where that is no matter of taste.

============================  ==========  ========  ====  =====  ======================================================
edit, and its amounts         appearance  presence  view  scene  why
============================  ==========  ========  ====  =====  ======================================================
identical, codec              5           5         5     5      nothing differs; what the codec costs is no row's fault
recoloured by a               5 (1 - a)   5         5     5      an anchor in another colour is another one, in part
replaced                      0           5         5     5      something stands there, and it is not the anchor
removed                       0           0         5     5
moved                                               5     5      is it the same when it stands aside?
turned by 50 degrees or more                        0            less than a half of the first view is in sight
elsewhere                                           0
other_room                                          0     0      where in the view the anchor stands differs too
unrelated                     0           0         0     0
blurred by up to 2 pixels                 5         5            how much sharpness matters to appearance and scene?
noisy by up to 25 grey levels             5         5
blocky by up to 4 pixels                  5         5
============================  ==========  ========  ====  =====  ======================================================

What is left out: cameras that turned less or stepped aside, as it is a matter of taste how much a few degrees or
centimetres cost, and pictures damaged so much that it is one whether the anchor can still be made out.
"""

from __future__ import annotations

import numpy as np

from echo.judge.maps import SCORES
from echo.judge.rubric import TOP

NONE = np.nan
# Appearance, presence, view and scene.
RIGHT: dict[str, tuple[float, float, float, float]] = {
    "identical": (TOP, TOP, TOP, TOP),
    "codec": (TOP, TOP, TOP, TOP),
    "recoloured": (TOP, TOP, TOP, TOP),  # less its amount: ``target``
    "replaced": (0.0, TOP, TOP, TOP),
    "removed": (0.0, 0.0, TOP, TOP),
    "moved": (NONE, NONE, TOP, TOP),
    "turned": (NONE, NONE, 0.0, NONE),
    "elsewhere": (NONE, NONE, 0.0, NONE),
    "other_room": (NONE, NONE, 0.0, 0.0),
    "unrelated": (0.0, 0.0, 0.0, 0.0),
    "blurred": (NONE, TOP, TOP, NONE),
    "noisy": (NONE, TOP, TOP, NONE),
    "blocky": (NONE, TOP, TOP, NONE),
}
LEAST = {"turned": 50.0}  # amounts below have no target
MOST = {"blurred": 2.0, "noisy": 25.0, "blocky": 4.0}  # nor have those above


def target(edit: str, amount: float) -> dict[str, float]:
    """The right value of each score; NaN where it is a matter of taste."""
    meant = LEAST.get(edit, -np.inf) <= amount <= MOST.get(edit, np.inf)
    right = dict(zip(SCORES, RIGHT[edit] if meant and edit in RIGHT else 4 * (NONE,), strict=True))
    return right | {"appearance": TOP * (1 - amount)} if edit == "recoloured" else right


def is_wrong(edit: str, amount: float) -> bool:
    """Whether some score should be 0: a view that no judge should call right."""
    return 0.0 in target(edit, amount).values()
