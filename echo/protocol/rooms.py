"""The cases of Echo-1: rendered rooms that nothing was trained or chosen on, and paths made of steps.

Rooms, anchors and paths are a function of the version's seed and of T alone: the same whatever the size, the frame rate
and the number of cases, which are the first ones. A path of a study's kind is drawn and then made of steps
(``echo.protocol.steps``); it is drawn again until what steps have moved still keeps the kind's rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path as File

import numpy as np

from echo.io.seeding import generator
from echo.protocol.errors import ProtocolError
from echo.protocol.scenes import Scene, Setting, View
from echo.protocol.steps import StepSize, play, spell
from echo.protocol.words import ECHO_1, FIELD_OF_VIEW, IN_ECHO_1, SEED, branch_of
from echo.study.words import AWAY
from echo.world.camera import overlap
from echo.world.curves import NoClearPath, Path, is_clear
from echo.world.layout import ANCHOR_ID
from echo.world.paths import trajectory
from echo.world.revisits import BANDS, UNSEEN, angles
from echo.world.rooms.build import ATTEMPTS, SEEN
from echo.world.rooms.identities import room_identities
from echo.world.rooms.library import Library, load_library, texture_resolution
from echo.world.rooms.render import Frames, Layer, combine
from echo.world.rooms.rooms import Room, sample_room

LOOKED_AT = 64  # pixels a side at which it is decided whether a first frame shows its anchor, whatever the set's size
DRAWS = 40  # paths drawn in one room until one keeps its rules when it is made of steps


def scenes(setting: Setting, rooms: int, branches: Sequence[str], assets: File) -> Iterator[Scene]:
    """Cases of the first ``rooms`` rooms of each kind, room by room; assets: the folder of the asset pack.

    Raises ProtocolError where no layout of a room has space for its paths.
    """
    for index in range(rooms):
        for split in dict.fromkeys(branch_of(branch).reported for branch in branches):
            room = DrawnRoom(split, index, setting.frames, assets)
            for branch in branches:
                if branch_of(branch).reported == split:
                    name, drawn = f"{branch}_{index:03d}", room.room
                    yield Scene(
                        setting, name, branch, f"{split}_{index:03d}", f"{ECHO_1}/{name}", split, drawn.identity,
                        drawn.caption, room.paths[branch], True, partial(room.view, branch, setting.size),
                    )  # fmt: skip


class DrawnRoom:
    """One room with a path for each branch of Echo-1 of its split, all of which must fit."""

    def __init__(self, split: str, index: int, frames: int, assets: File) -> None:
        self.split, self.index, self.frames, self.assets = split, index, frames, assets
        identity = room_identities(SEED, split, index, 1)[0]
        for attempt in range(ATTEMPTS):
            self.room = sample_room(SEED, split, index, self.library(LOOKED_AT), identity, attempt)
            try:
                self.paths = {
                    branch: self._path(branch, attempt) for branch in IN_ECHO_1 if branch_of(branch).reported == split
                }
            except NoClearPath:
                continue
            first = self._render(self.room.start[None], (LOOKED_AT, LOOKED_AT)).ids == ANCHOR_ID
            if SEEN[0] <= first.mean() <= SEEN[1]:
                return
        raise ProtocolError(
            f"room {index} of {split}: no layout fits its paths in {ATTEMPTS} tries; another --segment-frames"
        )

    def library(self, width: int) -> Library:
        """Textures as fine as frames of that width show."""
        return load_library(self.assets, texture_resolution(width))

    def view(self, branch: str, size: tuple[int, int]) -> View:
        """All that the camera sees along a branch's path."""
        seen = self._render(self.paths[branch], size)
        return View(seen.rgb, seen.ids == ANCHOR_ID, seen.depth)

    def _render(self, poses: Path, size: tuple[int, int]) -> Frames:
        library = self.library(size[1])
        parts = [self._layers[library.resolution, name] for name in ("triangles", "anchor")]
        return combine(*(part.render(poses, size, FIELD_OF_VIEW, self.room.light) for part in parts))

    @cached_property
    def _layers(self) -> _Layers:
        return _Layers(self)

    def _path(self, branch: str, attempt: int) -> Path:
        """A path of a branch's kind, made of steps; raises NoClearPath."""
        kind, size = branch_of(branch).trajectory, StepSize.of(self.frames)
        for draw in range(DRAWS):
            random = generator(SEED, ECHO_1, self.split, self.index, kind, self.frames, attempt, draw)
            drawn = trajectory(kind, self.room.start, self.frames, random, self.room.clear, FIELD_OF_VIEW)
            path = play(drawn[0], spell(drawn, size), size)
            if is_clear(path, self.room.clear) and keeps_rules(kind, path, self.frames):
                return path
        raise NoClearPath(f"{branch}: no path of steps keeps its rules")


class _Layers(dict):
    """A room's triangles ready to be traced, by resolution and part, made when they are asked for."""

    def __init__(self, drawn: DrawnRoom) -> None:
        super().__init__()
        self.drawn = drawn

    def __missing__(self, key: tuple[int, str]) -> Layer:
        room: Room = self.drawn.room
        self[key] = Layer(getattr(room, key[1]), load_library(self.drawn.assets, key[0]))
        return self[key]


def keeps_rules(kind: str, path: Path, frames: int) -> bool:
    """Whether a path (F, 6) of a kind keeps what ``echo.world.revisits`` says of its target; other kinds always do."""
    if kind not in AWAY:
        return kind != "return_45" or np.array_equal(path[0], path[-1])
    target, out, past = path[-1], path[: 1 + 2 * frames], path[:-frames]
    band = BANDS["far" if kind == "revisit_far" else "near"]
    apart, turned = np.linalg.norm(past[:, :2] - target[:2], axis=1), angles(past, target)
    number = np.arange(len(out))
    middle = (number >= max(1, frames // 2)) & (number <= max(1, 3 * frames // 2))
    inside = band.holds(turned, apart)[: len(out)] & middle
    shown = overlap(target[None], past, FIELD_OF_VIEW)[0]
    away = shown[len(out) - 1 :]
    beside = bool((np.array_equal(path[-1], path[-2])) and max(shown[0], away.max()) <= UNSEEN)
    nearer = (turned < band.angle[0]) & (apart < band.distance[0])
    return beside and bool(
        inside[apart[: len(out)].argmin()] and inside[shown[: len(out)].argmax()] and not nearer.any()
    )
