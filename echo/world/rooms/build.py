"""Render the rooms, trajectories and anchors of a study's splits to pools. Existing videos are not rendered again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64, UInt8
from tqdm import tqdm

from echo.io.seeding import generator
from echo.study.config import Study
from echo.study.words import SPLITS
from echo.world.camera import overlap
from echo.world.errors import PoolError
from echo.world.layout import ANCHOR_ID, COLUMNS
from echo.world.paths import NoClearPath, trajectory
from echo.world.rooms.identities import room_identities
from echo.world.rooms.library import Library, load_library, texture_resolution
from echo.world.rooms.pool_writer import Video, is_written, write_tables, write_video
from echo.world.rooms.render import Frames, Layer, combine
from echo.world.rooms.rooms import Room, sample_room

OVERLAPS = 0.2  # views whose overlap is at least this are labelled as overlapping
SEEN = (0.025, 0.25)  # smallest and largest share of the first frame that the anchor may cover
ATTEMPTS = 50


def build_pool(study: Study, split: str, folder: Path, assets: Path) -> None:
    """Render ``split`` (one of ``SPLITS``) to ``folder``; the result depends on the study alone.

    Video names: ``train_00000``; ``in_000__replay``, ``in_000__loop``; ``open_000_duckie__return_strict``, with the
    same room and path for each identity; ``choose_000_vase__replay``. Raises PoolError if no layout of a room has space
    for its paths and shows its anchor.
    """
    world = study.world
    library = load_library(Path(assets), texture_resolution(world.height))
    rows, captions = [], {}
    for index in tqdm(range(world.rooms(split)), desc=f"render {split}", mininterval=5):
        scene = f"{SPLITS[split].prefix}_{index:0{SPLITS[split].digits}d}"
        rendered = None
        for identity in room_identities(study.seed, split, index, world.identities):
            for kind in SPLITS[split].trajectories:
                place = scene if identity is None else f"{scene}_{identity}"
                name = place if split == "train" else f"{place}__{kind}"
                rendered = rendered or _Rendered(study, split, index, library)
                room = rendered.room(identity)
                rows.append((name, split, scene, room.identity, kind, len(rendered.paths[kind])))
                captions[name] = room.caption
                if not is_written(folder, name, world.packed):
                    write_video(folder, rendered.video(name, room, kind), world.packed)
    write_tables(folder, pd.DataFrame(rows, columns=COLUMNS), captions)


def render_clip(
    study: Study, index: int, library: Library
) -> tuple[UInt8[np.ndarray, "frames height width 3"], Float64[np.ndarray, "frames 6"], str]:
    """Frames, poses and caption of training room ``index``, as a training pool of the same study would have them."""
    rendered = _Rendered(study, "train", index, library)
    room = rendered.room(None)
    return rendered.seen("train", room).rgb, rendered.paths["train"], room.caption


class _Rendered:
    """One room with its paths. Each path is ray-traced once and shared by all anchors placed in the room."""

    def __init__(self, study: Study, split: str, index: int, library: Library) -> None:
        self.study, self.split, self.index, self.library = study, split, index, library
        self.names = room_identities(study.seed, split, index, study.world.identities)
        for attempt in range(ATTEMPTS):
            self.attempt = attempt
            room = self.room(self.names[0])
            try:
                self.paths = {kind: self._path(kind, room) for kind in SPLITS[split].trajectories}
            except NoClearPath:
                continue
            self.layer, self.cache = Layer(room.triangles, library), {}
            if all(self._is_seen(name) for name in self.names):
                return
        raise PoolError(
            f"room {index} of {split}: no layout fits its paths and shows its anchor in {ATTEMPTS} tries; change seed, "
            "segment.frames or world.field_of_view"
        )

    def room(self, identity: str | None) -> Room:
        """The room with the anchor ``identity``, or with the one that it draws if None."""
        return sample_room(self.study.seed, self.split, self.index, self.library, identity, self.attempt)

    def video(self, name: str, room: Room, kind: str) -> Video:
        """The room's video along its path of kind ``kind``."""
        world, poses = self.study.world, self.paths[kind]
        seen = self.seen(kind, room)
        overlapping = overlap(poses, poses, world.field_of_view) >= OVERLAPS
        return Video(name, seen.rgb, seen.depth, seen.ids, poses, overlapping, room.caption)

    def seen(self, kind: str, room: Room) -> Frames:
        """The frames that the camera sees along the room's path of kind ``kind``."""
        world, poses = self.study.world, self.paths[kind]
        if kind not in self.cache:
            self.cache[kind] = self.layer.render(poses, world.height, world.field_of_view, room.light)
        return combine(self.cache[kind], self._anchor(room, poses))

    def _path(self, kind: str, room: Room) -> np.ndarray:
        """Poses (F, 6) of the room's path of kind ``kind``; raises NoClearPath."""
        draw = generator(self.study.seed, "path", SPLITS[self.split].stream, self.index, kind, self.attempt)
        frames, fov = self.study.segment.frames, self.study.world.field_of_view
        segments = self.study.segment.train_segments if kind == "train" else None
        return trajectory(kind, room.start, frames, draw, room.clear, fov, segments)

    def _is_seen(self, identity: str | None) -> bool:
        """Whether the anchor covers an acceptable share (``SEEN``) of the first frame."""
        room, world = self.room(identity), self.study.world
        first = self.layer.render(room.start[None], world.height, world.field_of_view, room.light)
        seen = combine(first, self._anchor(room, room.start[None])).ids == ANCHOR_ID
        return bool(SEEN[0] <= seen.mean() <= SEEN[1])

    def _anchor(self, room: Room, poses: np.ndarray) -> Frames:
        """The anchor alone, seen from ``poses``."""
        world = self.study.world
        return Layer(room.anchor, self.library).render(poses, world.height, world.field_of_view, room.light)
