"""Returned views with a known fault, rendered: what a judge is tested on, edit by edit and by known amounts.

Each pair has a first view of a room of the split ``choosing`` and a last view that differs from it in one way. All last
views but ``identical`` come through the study's codec, as everything does that a row draws:

==============  =========================================================  =======================================
edit            what differs                                               amount
==============  =========================================================  =======================================
``identical``   nothing                                                    0
``codec``       nothing, but for the codec                                 0
``turned``      the camera, turned on the spot                             degrees
``stepped``     the camera, moved sideways                                 metres
``elsewhere``   the camera: another view of the room (``elsewhere``)      1
``recoloured``  the anchor's colours                                       share of the way to one drawn colour
``moved``       the anchor's place, across the view                        metres
``replaced``    the anchor: another one of the split                       1
``removed``     the anchor: none                                           1
``other_room``  the room; the anchor is the same                           1
``unrelated``   the room and the anchor                                    1
``blurred``     sharpness: a Gaussian                                      its deviation in pixels
``noisy``       noise is added                                             its deviation in grey levels
``blocky``      detail: means over squares                                 their side in pixels
==============  =========================================================  =======================================

The truth of every pair is the first view: whatever was edited, that is the view to come back to.

Identity changes nothing in a room but the anchor (``echo.world.rooms.rooms``), so a replaced anchor is exactly that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, UInt8
from scipy.ndimage import gaussian_filter

from echo.io.seeding import generator
from echo.judge.base import Case, Truth
from echo.world.layout import ANCHOR_ID
from echo.world.rooms.build import ATTEMPTS, SEEN
from echo.world.rooms.identities import identities, room_identities
from echo.world.rooms.library import Library
from echo.world.rooms.render import Frames, Layer, render_room
from echo.world.rooms.rooms import Room, sample_room

SPLIT = "choosing"  # no reported room is ever seen
AMOUNTS: dict[str, tuple[float, ...]] = {
    "identical": (0,),
    "codec": (0,),
    "turned": (3, 6, 12, 25, 50, 180),
    "stepped": (0.1, 0.2, 0.4, 0.8),
    "elsewhere": (1,),
    "recoloured": (0.25, 0.5, 1),
    "moved": (0.15, 0.3, 0.6, 1.2),
    "replaced": (1,),
    "removed": (1,),
    "other_room": (1,),
    "unrelated": (1,),
    "blurred": (0.5, 1, 2, 4),
    "noisy": (10, 25, 50),
    "blocky": (2, 4, 8),
}

APART = 1.0  # metres between the first place and another one of the same room

Frame = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Pair:
    """A first and a last view of room number ``room``; ``mask``: where the anchor ``identity`` is in the first."""

    room: int
    edit: str
    amount: float
    first: Frame
    last: Frame
    mask: Bool[np.ndarray, "height width"]
    identity: str
    truth: Truth

    @property
    def case(self) -> Case:
        """What a judge is shown."""
        return Case(self.first, self.last, self.mask, self.identity, self.truth)


@dataclass(frozen=True)
class _Scene:
    """A room with its first view."""

    room: Room
    attempt: int
    views: Frames

    @property
    def first(self) -> Frame:
        return self.views.rgb[0]

    @property
    def truth(self) -> Truth:
        return Truth(self.views.rgb, self.views.ids == ANCHOR_ID, self.views.depth)

    @property
    def mask(self) -> np.ndarray:
        return self.truth.masks[0]


def pairs(
    seed: int, number: int, size: int, field_of_view: float, library: Library, through_codec: Callable[[Frame], Frame]
) -> Iterator[Pair]:
    """Every pair of room ``number`` of the split: all edits of ``AMOUNTS`` by all amounts.

    size: pixels along each side; field_of_view: degrees; through_codec: what the codec makes of a frame.
    """
    own = str(room_identities(seed, SPLIT, number, 1)[0])
    scene = _scene(seed, number, own, size, field_of_view, library)
    for edit, amounts in AMOUNTS.items():
        for amount in amounts:
            draw = generator(seed, "edits", edit, number)
            if edit in PICTURES:
                last = PICTURES[edit](scene.first, amount, draw)
            elif edit in ("other_room", "unrelated"):
                identity = own if edit == "other_room" else _another(own, draw)
                last = _scene(seed, number + 1, identity, size, field_of_view, library).first
            else:
                last = _rendered(edit, amount, scene, draw, seed, number, size, field_of_view, library)
            last = last if edit == "identical" else through_codec(last)
            yield Pair(number, edit, float(amount), scene.first, last, scene.mask, own, scene.truth)


def elsewhere(room: Room, draw: np.random.Generator) -> np.ndarray:
    """A pose (6,) at another clear place of the room, ``APART`` metres off or more, turned by 60 degrees or more."""
    while True:  # rooms are 5.5 metres wide or more: most places are clear and far enough
        pose = room.start.copy()
        pose[:2] = draw.uniform(0, room.size[:2])
        pose[5] += draw.uniform(60, 300)
        if room.clear(pose[None, :3])[0] and np.linalg.norm(pose[:2] - room.start[:2]) >= APART:
            return pose


def _scene(seed: int, number: int, identity: str, size: int, field_of_view: float, library: Library) -> _Scene:
    """A room whose first view shows its anchor well enough; raises ValueError where no layout does."""
    for attempt in range(ATTEMPTS):
        room = sample_room(seed, SPLIT, number, library, identity, attempt)
        scene = _Scene(room, attempt, render_room(room, room.start[None], size, field_of_view, library))
        if SEEN[0] <= scene.mask.mean() <= SEEN[1]:
            return scene
    raise ValueError(f"room {number} of {SPLIT}: no layout in {ATTEMPTS} shows its anchor; take another seed")


def _rendered(
    edit: str, amount: float, scene: _Scene, draw: np.random.Generator, seed: int, number: int, size: int,
    field_of_view: float, library: Library,
) -> Frame:  # fmt: skip
    """The last view of an edit of the scene itself: of the camera, or of the anchor."""
    room, pose = scene.room, scene.room.start.copy()
    side = float(draw.choice([-1, 1]))
    yaw = np.deg2rad(pose[5])
    across = side * np.array([-np.sin(yaw), np.cos(yaw), 0.0])
    if edit == "turned":
        pose[5] += side * amount
    elif edit == "stepped":
        pose[:3] += amount * across
    elif edit == "elsewhere":
        pose = elsewhere(room, draw)
    elif edit == "recoloured":
        colour = draw.permutation([0.15, 0.6, 1.0])
        room = replace(room, anchor=room.anchor.tinted(1 - amount * (1 - colour)))
    elif edit == "moved":
        room = replace(room, anchor=room.anchor.moved(shift=amount * across))
    elif edit == "replaced":
        room = sample_room(seed, SPLIT, number, library, _another(scene.room.identity, draw), scene.attempt)
    elif edit == "removed":
        return Layer(room.triangles, library).render(pose[None], size, field_of_view, room.light).rgb[0]
    return render_room(room, pose[None], size, field_of_view, library).rgb[0]


def _another(identity: str, draw: np.random.Generator) -> str:
    """Another anchor of the split."""
    return str(draw.choice([name for name in identities(SPLIT) if name != identity]))


def _blurred(frame: Frame, amount: float, draw: np.random.Generator) -> Frame:
    return gaussian_filter(frame.astype(np.float32), (amount, amount, 0)).round().clip(0, 255).astype(np.uint8)


def _noisy(frame: Frame, amount: float, draw: np.random.Generator) -> Frame:
    return (frame + amount * draw.standard_normal(frame.shape)).round().clip(0, 255).astype(np.uint8)


def _blocky(frame: Frame, amount: float, draw: np.random.Generator) -> Frame:
    side, (height, width) = int(amount), frame.shape[:2]
    places = [np.arange(0, length, side) for length in (height, width)]
    sums = np.add.reduceat(np.add.reduceat(frame.astype(np.float64), places[0], 0), places[1], 1)
    counts = np.outer(*(np.diff([*start, length]) for start, length in zip(places, (height, width), strict=True)))
    means = (sums / counts[..., None]).repeat(side, 0).repeat(side, 1)
    return means[:height, :width].round().astype(np.uint8)


PICTURES: dict[str, Callable[[Frame, float, np.random.Generator], Frame]] = {
    "identical": lambda frame, amount, draw: frame,
    "codec": lambda frame, amount, draw: frame,
    "blurred": _blurred,
    "noisy": _noisy,
    "blocky": _blocky,
}
