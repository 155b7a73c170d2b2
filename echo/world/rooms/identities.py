"""Identity anchors: the one object of a room that a return must show again. All are made to look equally large.

Training anchors and open-domain anchors share no mesh, texture or shape. The asset pack has six meshes left for the
open domain; two more are composed of primitives (``lamp``, ``snowman``), so that each room has eight.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from echo.world.layout import ANCHOR_ID
from echo.world.rooms.library import Library
from echo.world.rooms.meshes import Triangles, ball, box, join, revolved
from echo.world.rooms.render import Layer, Light

AREA = 0.75  # square metres of silhouette, seen from the side, averaged over the turn: the same for all
RADIUS = 0.75  # metres around an anchor that no camera enters, whichever the identity

OPEN_DOMAIN = ("building", "cone", "duckie", "medkit", "potion", "tree_pine", "lamp", "snowman")
TRAIN = ("barrel", "barrier", "key", "keycard", "tree", "ball", "pillar")


def identities(split: str) -> tuple[str, ...]:
    """Names of a split's anchors."""
    return OPEN_DOMAIN if split == "open_domain" else TRAIN


def _lamp(library: Library) -> Triangles:
    foot = revolved([(0.0, 0.0), (0.3, 0.0), (0.3, 0.06), (0.04, 0.1), (0.04, 1.0)], library.index("metal_grill_1"))
    shade = revolved([(0.42, 0.95), (0.22, 1.5), (0.0, 1.5)], library.index("white_1"), (1.0, 0.72, 0.2))
    return join([foot.tinted((0.9, 0.3, 0.9)), shade])


def _snowman(library: Library) -> Triangles:
    white = library.index("white_1")
    balls = [ball(0.4, white), ball(0.3, white, height=0.65), ball(0.2, white, height=1.15)]
    hat = revolved([(0.3, 1.5), (0.3, 1.54), (0.17, 1.54), (0.15, 1.8), (0.0, 1.8)], white, (0.1, 0.1, 0.35))
    return join([*balls, hat, box((0.05, 0.5, 0.08), white, (0.9, 0.1, 0.1)).moved(shift=(0.27, 0, 1.12))])


def _ball(library: Library) -> Triangles:
    return ball(0.5, library.index("white_1"), (0.85, 0.15, 0.2))


def _pillar(library: Library) -> Triangles:
    return revolved([(0.4, 0), (0.4, 0.1), (0.25, 0.2), (0.2, 1.1), (0.4, 1.2), (0.4, 1.3), (0.0, 1.3)],
                    library.index("white_1"), (0.2, 0.55, 0.85))  # fmt: skip


COMPOSED = {"lamp": _lamp, "snowman": _snowman, "ball": _ball, "pillar": _pillar}


@lru_cache(maxsize=64)
def anchor(identity: str, library: Library) -> Triangles:
    """An anchor standing on the origin, its silhouette of ``AREA`` square metres, its id ``ANCHOR_ID``.

    Raises ValueError for an identity that is in no split.
    """
    if identity not in (*OPEN_DOMAIN, *TRAIN):
        raise ValueError(f"identity {identity!r}: expected one of {', '.join((*OPEN_DOMAIN, *TRAIN))}")
    shape = COMPOSED[identity](library) if identity in COMPOSED else library.mesh(identity)
    low, high = shape.bounds
    shape = shape.moved(scale=1 / (high - low).max())
    return shape.moved(scale=(AREA / _silhouette(shape, library)) ** 0.5).with_id(ANCHOR_ID)


def _silhouette(shape: Triangles, library: Library) -> float:
    """Mean side-on silhouette (square units) of a shape no larger than 1, over eight turns."""
    distance, size, fov = 10.0, 96, 8.0
    poses = [[-distance * np.cos(a), -distance * np.sin(a), 0.4, 0, 0, np.rad2deg(a)] for a in np.arange(8) * np.pi / 4]
    seen = Layer(shape.with_id(ANCHOR_ID), library).render(np.array(poses), size, fov, Light((0, 0, 5), 1.0, 0.0))
    pixel = 2 * np.tan(np.deg2rad(fov) / 2) * distance / size
    return float((seen.ids == ANCHOR_ID).sum() / len(poses) * pixel**2)
