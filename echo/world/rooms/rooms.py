"""Rooms: shell, doors, portraits, boxes, furniture, a lamp, and one identity anchor in front of the first view.

A room is determined by (seed, split and its revision, index). The anchor's identity changes nothing else: not the
layout, the light, the caption or where a camera may go. Units are metres; the floor is z = 0, and the room spans x in
0..length, y in 0..width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from echo.io.seeding import generator
from echo.study.words import SPLITS
from echo.world.camera import ArrayLike
from echo.world.rooms.assets import split_portraits, surfaces
from echo.world.rooms.identities import RADIUS, anchor, identities
from echo.world.rooms.library import Library
from echo.world.rooms.meshes import WHITE, Triangles, box, join, quad, revolved
from echo.world.rooms.render import Light

EYE = 1.25  # height of the camera above the floor, metres
MARGIN = 0.35  # least distance of a camera from walls and obstacles, metres
SHELL_ID, DOOR_ID, PORTRAIT_ID, BOX_ID, FURNITURE_ID = 1, 2, 3, 4, 5
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

Wall = tuple[tuple[float | int, float | int], tuple[int, int], float]  # corner (x, y), direction (x, y), length


@dataclass(frozen=True)
class Room:
    """``triangles``: all but the anchor; ``anchor``: its triangles; ``start`` (6,): the first pose, facing it."""

    triangles: Triangles
    anchor: Triangles
    light: Light
    start: np.ndarray
    caption: str
    identity: str
    size: tuple[float, float, float]
    obstacles: np.ndarray  # (n, 3): x, y, radius

    def clear(self, points: np.ndarray) -> np.ndarray:
        """Whether a camera may be at each of ``points`` (N, 3): away from walls and obstacles."""
        inside = (points[:, :2] >= MARGIN).all(1) & (points[:, :2] <= np.array(self.size[:2]) - MARGIN).all(1)
        offsets = np.linalg.norm(points[:, None, :2] - self.obstacles[None, :, :2], axis=-1)
        return inside & (offsets >= self.obstacles[None, :, 2] + MARGIN).all(1)


def sample_room(
    seed: int, split: str, index: int, library: Library, identity: str | None = None, attempt: int = 0
) -> Room:
    """Room ``index`` of a split. ``identity`` defaults to one the room draws; each ``attempt`` draws another room."""
    draw = generator(seed, "room", SPLITS[split].stream, index, attempt)
    drawn = str(draw.choice(identities(split)))
    length, width, height = draw.uniform(5.5, 8.0), draw.uniform(5.5, 8.0), draw.uniform(2.6, 3.2)
    start, place = _first_view(draw, length, width)
    words, parts = _shell(draw, split, library, (length, width, height))
    portraits, doors = _walls(draw, split, library, (length, width, height))
    boxes, furniture, obstacles = _things(draw, split, library, (length, width), start, place)
    lamp = Light(
        (length * draw.uniform(0.3, 0.7), width * draw.uniform(0.3, 0.7), height - 0.3),
        ambient=draw.uniform(0.5, 0.65),
        strength=draw.uniform(0.5, 0.7),
        tint=tuple(1 - draw.uniform(0, 0.12, 3)),
    )
    turn = draw.uniform(0, 360)
    caption = (
        f"{words['wall']} room with {words['floor']} floor, {COUNTS[len(portraits)]} portraits and "
        f"{COUNTS[len(boxes)]} boxes"
    )
    identity = identity or drawn
    standing = anchor(identity, library).moved(yaw=turn, shift=(*place, 0.0))
    return Room(
        join([*parts, *doors, *portraits, *boxes, *furniture]), standing, lamp, start, caption, identity,
        (length, width, height), np.array([[*place, RADIUS], *obstacles]),
    )  # fmt: skip


def _first_view(draw: np.random.Generator, length: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """The first pose (6,) and the anchor's place (2,), 1.7 to 2.5 metres ahead of it, both well inside the room."""
    while True:
        here = np.array([draw.uniform(1.2, length - 1.2), draw.uniform(1.2, width - 1.2)])
        yaw = draw.uniform(-180, 180)
        ahead = np.deg2rad(yaw + draw.uniform(-12, 12))
        place = here + draw.uniform(1.7, 2.5) * np.array([np.cos(ahead), np.sin(ahead)])
        if (place >= 0.8).all() and (place <= np.array([length, width]) - 0.8).all():
            return np.array([*here, EYE, 0.0, 0.0, yaw]), place


def _shell(
    draw: np.random.Generator, split: str, library: Library, size: tuple[float, float, float]
) -> tuple[dict[str, str], list[Triangles]]:
    """Caption words and the six faces; each wall has its own tint, so that walls differ."""
    length, width, height = size
    chosen = {use: str(draw.choice(list(surfaces(use, split)))) for use in ("wall", "floor", "ceiling")}
    words = {use: surfaces(use, split)[name] for use, name in chosen.items()}
    base = 1 - draw.uniform(0, 0.45, 3)
    corners = [(0, 0), (length, 0), (length, width), (0, width)]
    parts = []
    for k in range(4):
        # Seen from inside, with y to the right of x, the corners of a wall are in reverse order.
        (x1, y1), (x0, y0) = corners[k], corners[(k + 1) % 4]
        tint = np.clip(base * draw.uniform(0.75, 1.1, 3), 0.2, 1.1)
        wall = library.index(chosen["wall"])
        parts.append(quad((x0, y0, 0), (x1 - x0, y1 - y0, 0), (0, 0, height), wall, tint, tile=draw.uniform(1.5, 2.5)))
    floor, ceiling = library.index(chosen["floor"]), library.index(chosen["ceiling"])
    parts.append(quad((0, 0, 0), (length, 0, 0), (0, width, 0), floor, 1 - draw.uniform(0, 0.3, 3), tile=1.6))
    parts.append(quad((0, 0, height), (length, 0, 0), (0, width, 0), ceiling, tile=1.6))
    return words, [part.with_id(SHELL_ID) for part in parts]


def _walls(
    draw: np.random.Generator, split: str, library: Library, size: tuple[float, float, float]
) -> tuple[list[Triangles], list[Triangles]]:
    """Portraits (six to ten, in frames) and one door, on slots along the walls so that none overlap."""
    length, width, height = size
    walls = [((0, 0), (1, 0), length), ((length, 0), (0, 1), width), ((length, width), (-1, 0), length),
             ((0, width), (0, -1), width)]  # fmt: skip
    slots = [(k, (i + 0.5) * walls[k][2] / 3) for k in range(4) for i in range(3)]
    order = draw.permutation(len(slots))
    names = split_portraits(library.portraits, split)
    portraits, count = [], int(draw.integers(6, 11))
    for slot in order[:count]:
        wide = draw.uniform(0.8, 1.25)
        tall = wide * draw.uniform(1.1, 1.4)
        picture = library.index(names[int(draw.integers(len(names)))])
        frame = draw.uniform(0.15, 0.9, 3)
        bottom = draw.uniform(0.75, 1.0)
        wall, along = walls[slots[slot][0]], slots[slot][1]
        portraits.append(
            join([
                _on_wall(wall, along, bottom - 0.06, wide + 0.12, tall + 0.12, 0.01, library.index(WHITE), frame),
                _on_wall(wall, along, bottom, wide, tall, 0.02, picture),
            ]).with_id(PORTRAIT_ID)
        )  # fmt: skip
    door = library.index(str(draw.choice(list(surfaces("door", split)))))
    wall, along = walls[slots[order[count]][0]], slots[order[count]][1]
    doors = [_on_wall(wall, along, 0.0, 1.1, min(2.2, height - 0.2), 0.01, door).with_id(DOOR_ID)]
    return portraits, doors


def _on_wall(
    wall: Wall,
    along: float,
    bottom: float,
    wide: float,
    tall: float,
    off: float,
    texture: int,
    tint: ArrayLike = (1.0, 1.0, 1.0),
) -> Triangles:
    """An upright picture on a wall, ``off`` metres in front of it."""
    (x, y), (dx, dy), _ = wall
    inward = np.array([-dy, dx, 0.0]) * off
    # Seen from inside, a wall's direction runs to the left: y points right of x.
    right_end = np.array([x + dx * (along + wide / 2), y + dy * (along + wide / 2), bottom]) + inward
    return quad(right_end, (-dx * wide, -dy * wide, 0), (0, 0, tall), texture, tint)


def _things(
    draw: np.random.Generator,
    split: str,
    library: Library,
    size: tuple[float, float],
    start: np.ndarray,
    place: np.ndarray,
) -> tuple[list[Triangles], list[Triangles], list[list[float]]]:
    """Boxes (two to five) and one or two pieces of furniture, along the walls, clear of the first view's middle."""
    boxes, furniture, obstacles = [], [], []
    wanted = ["box"] * int(draw.integers(2, 6)) + ["furniture"] * int(draw.integers(1, 3))
    for kind in wanted:
        for _ in range(30):
            radius = draw.uniform(0.3, 0.5) if kind == "box" else 0.55
            spot = np.array([draw.uniform(radius, size[0] - radius), draw.uniform(radius, size[1] - radius)])
            near_wall = min(*spot, *(np.array(size) - spot)) < 1.3
            taken = [[*start[:2], 0.9], [*place, RADIUS + 0.1], *obstacles]
            free = all(np.hypot(*(spot - other[:2])) > radius + other[2] for other in taken)
            if near_wall and free and not _between(start[:2], place, spot, radius):
                break
        else:
            continue
        obstacles.append([*spot, radius])
        yaw = draw.uniform(0, 360)
        if kind == "box":
            texture = library.index(str(draw.choice(list(surfaces("box", split)))))
            side, tall = radius * 1.35, draw.uniform(0.5, 1.3)
            made = box((side, side, tall), texture, 1 - draw.uniform(0, 0.5, 3)).with_id(BOX_ID)
            boxes.append(made.moved(yaw=yaw, shift=(*spot, 0.0)))
        else:
            made = _furniture(draw, split, library, radius).with_id(FURNITURE_ID)
            furniture.append(made.moved(yaw=yaw, shift=(*spot, 0.0)))
    return boxes, furniture, obstacles


def _between(here: np.ndarray, there: np.ndarray, spot: np.ndarray, radius: float) -> bool:
    """Whether a disc blocks the way from ``here`` to ``there`` (2,)."""
    along = there - here
    part = np.clip((spot - here) @ along / (along @ along), 0, 1)
    return bool(np.hypot(*(spot - here - part * along)) < radius + 0.5)


def _furniture(draw: np.random.Generator, split: str, library: Library, radius: float) -> Triangles:
    """A piece that fits in a circle of ``radius``: the pack's desk or chair in training, composed ones elsewhere."""
    tint = 1 - draw.uniform(0, 0.3, 3)
    if split not in ("open_domain", "choosing"):
        mesh = library.mesh(str(draw.choice(["office_desk", "office_chair"])))
        low, high = mesh.bounds
        return mesh.moved(scale=2 * radius / np.hypot(*(high - low)[:2])).tinted(tint)
    texture = library.index(str(draw.choice(list(surfaces("floor", split)))))
    if split == "choosing":
        return _shelf_or_round_table(texture, tint, radius, shelf=draw.random() < 0.5)
    if draw.random() < 0.5:
        top = box((1.3 * radius, radius, 0.06), texture, tint).moved(shift=(0, 0, 0.7))
        legs = [box((0.07, 0.07, 0.7), texture, tint * 0.7).moved(shift=(x * radius, y * radius, 0))
                for x in (-0.6, 0.6) for y in (-0.45, 0.45)]  # fmt: skip
        return join([top, *legs])
    stool = [(0.0, 0.0), (0.6, 0.0), (0.6, 0.08), (0.2, 0.2), (0.2, 0.75), (0.7, 0.9), (0.0, 0.92)]
    return revolved([(r * radius, z) for r, z in stool], texture, tint)


def _shelf_or_round_table(texture: int, tint: np.ndarray, radius: float, shelf: bool) -> Triangles:
    """The furniture of the choosing rooms."""
    if shelf:
        board = box((0.5 * radius, 1.4 * radius, 0.05), texture, tint)
        side = box((0.5 * radius, 0.05, 1.2), texture, tint * 0.7)
        boards = [board.moved(shift=(0, 0, height)) for height in (0.1, 0.55, 1.0)]
        sides = [side.moved(shift=(0, y * radius, 0)) for y in (-0.7, 0.7)]
        return join([*boards, *sides])
    table = [(0.0, 0.0), (0.5, 0.0), (0.12, 0.08), (0.12, 0.68), (0.95, 0.7), (0.95, 0.76), (0.0, 0.76)]
    return revolved([(r * radius, z) for r, z in table], texture, tint)
