"""Identity anchors: the one object of a room that a return must show again. All are scaled to look equally large.

Training, open-domain and choosing anchors share no mesh and no shape. The asset pack has six spare meshes for the open
domain and one for choosing; another two and seven, respectively, are composed of primitives.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from echo.io.seeding import generator
from echo.study.words import SPLITS
from echo.world.layout import ANCHOR_ID
from echo.world.rooms.library import Library
from echo.world.rooms.meshes import Triangles, ball, box, join, revolved
from echo.world.rooms.render import Layer, Light

AREA = 0.75  # square metres of side-on silhouette, averaged over yaw: the same for all anchors
RADIUS = 0.75  # metres around an anchor that no camera enters, whatever its identity

OPEN_DOMAIN = ("building", "cone", "duckie", "medkit", "potion", "tree_pine", "lamp", "snowman")
CHOOSING = ("doom_door", "mushroom", "vase", "totem", "hourglass", "signpost", "arch", "pyramid")
TRAIN = ("barrel", "barrier", "key", "keycard", "tree", "ball", "pillar")


def identities(split: str) -> tuple[str, ...]:
    """Names of a split's anchors."""
    return {"open_domain": OPEN_DOMAIN, "choosing": CHOOSING}.get(split, TRAIN)


def room_identities(seed: int, split: str, index: int, count: int) -> tuple[str | None, ...]:
    """The identities that room ``index`` of a split is rendered with; (None,) if the room draws its own.

    All anchors are used equally often, to within one room: they take turns, in an order drawn anew for each round.
    """
    if split not in ("open_domain", "choosing"):
        return (None,)
    names = identities(split)
    order = generator(seed, "identity", SPLITS[split].stream, index // len(names)).permutation(len(names))
    return tuple(names[i] for i in np.roll(order, -(index % len(names)))[:count])


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


def _mushroom(library: Library) -> Triangles:
    white = library.index("white_1")
    stem = revolved([(0.0, 0.0), (0.22, 0.0), (0.14, 0.35), (0.14, 0.7)], white, (0.95, 0.9, 0.75))
    return join([stem, revolved([(0.14, 0.6), (0.55, 0.62), (0.45, 0.85), (0.0, 1.05)], white, (0.75, 0.2, 0.65))])


def _vase(library: Library) -> Triangles:
    outline = [(0.0, 0.0), (0.22, 0.0), (0.42, 0.35), (0.4, 0.6), (0.14, 0.85), (0.12, 1.0), (0.24, 1.12), (0.0, 1.1)]
    return revolved(outline, library.index("white_1"), (0.15, 0.7, 0.5))


def _totem(library: Library) -> Triangles:
    white, colours = library.index("white_1"), ((0.95, 0.75, 0.1), (0.1, 0.5, 0.9), (0.95, 0.4, 0.1))
    sides = (0.55, 0.42, 0.5)
    blocks = [box((side, side, 0.4), white, colour).moved(yaw=25.0 * k, shift=(0, 0, 0.4 * k))
              for k, (side, colour) in enumerate(zip(sides, colours, strict=True))]  # fmt: skip
    return join(blocks)


def _hourglass(library: Library) -> Triangles:
    white = library.index("white_1")
    glass = revolved([(0.3, 0.08), (0.3, 0.25), (0.05, 0.6), (0.3, 0.95), (0.3, 1.12)], white, (0.6, 0.85, 0.95))
    plate = revolved([(0.0, 0.0), (0.4, 0.0), (0.4, 0.08), (0.0, 0.08)], white, (0.45, 0.25, 0.1))
    return join([plate, glass, plate.moved(shift=(0, 0, 1.12))])


def _signpost(library: Library) -> Triangles:
    white = library.index("white_1")
    post = box((0.1, 0.1, 1.3), white, (0.5, 0.5, 0.55))
    signs = [box((0.08, 0.75, 0.22), white, colour).moved(yaw=yaw, shift=(0, 0, height))
             for colour, yaw, height in (((0.1, 0.6, 0.2), 0.0, 1.0), ((0.9, 0.85, 0.2), 70.0, 0.7))]  # fmt: skip
    return join([post, *signs])


def _arch(library: Library) -> Triangles:
    white, colour = library.index("white_1"), (0.8, 0.55, 0.35)
    legs = [box((0.25, 0.25, 0.9), white, colour).moved(shift=(0, y, 0)) for y in (-0.4, 0.4)]
    return join([*legs, box((0.3, 1.15, 0.25), white, (0.35, 0.3, 0.75)).moved(shift=(0, 0, 0.9))])


def _pyramid(library: Library) -> Triangles:
    steps = [box((0.9 - 0.25 * k, 0.9 - 0.25 * k, 0.28), library.index("white_1"), colour).moved(shift=(0, 0, 0.28 * k))
             for k, colour in enumerate(((0.9, 0.85, 0.6), (0.7, 0.3, 0.25), (0.9, 0.85, 0.6)))]  # fmt: skip
    return join(steps)


COMPOSED = {
    "lamp": _lamp, "snowman": _snowman, "ball": _ball, "pillar": _pillar, "mushroom": _mushroom, "vase": _vase,
    "totem": _totem, "hourglass": _hourglass, "signpost": _signpost, "arch": _arch, "pyramid": _pyramid,
}  # fmt: skip


@lru_cache(maxsize=64)
def anchor(identity: str, library: Library) -> Triangles:
    """An anchor that stands on the origin, with a silhouette of ``AREA`` square metres and id ``ANCHOR_ID``.

    Raises ValueError for an identity that is in no split.
    """
    known = (*OPEN_DOMAIN, *CHOOSING, *TRAIN)
    if identity not in known:
        raise ValueError(f"identity {identity!r}: expected one of {', '.join(known)}")
    shape = COMPOSED[identity](library) if identity in COMPOSED else library.mesh(identity)
    low, high = shape.bounds
    shape = shape.moved(scale=1 / (high - low).max())
    return shape.moved(scale=(AREA / _silhouette(shape, library)) ** 0.5).with_id(ANCHOR_ID)


def _silhouette(shape: Triangles, library: Library) -> float:
    """Mean side-on silhouette (square units) of a shape no larger than 1, over eight yaw angles."""
    distance, size, fov = 10.0, 96, 8.0
    poses = [[-distance * np.cos(a), -distance * np.sin(a), 0.4, 0, 0, np.rad2deg(a)] for a in np.arange(8) * np.pi / 4]
    seen = Layer(shape.with_id(ANCHOR_ID), library).render(np.array(poses), size, fov, Light((0, 0, 5), 1.0, 0.0))
    pixel = 2 * np.tan(np.deg2rad(fov) / 2) * distance / size
    return float((seen.ids == ANCHOR_ID).sum() / len(poses) * pixel**2)
