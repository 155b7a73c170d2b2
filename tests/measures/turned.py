"""Clips of rendered rooms whose cameras turn by known angles, for tests of what follows them."""

from __future__ import annotations

from functools import cache

import numpy as np

from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.library import Library, load_library
from echo.world.rooms.render import render_room
from echo.world.rooms.rooms import sample_room
from tests.conftest import ROOT

FOV = 75.0


@cache
def _library() -> Library:
    return load_library(fetch_assets(ROOT / "resources" / "assets"), 256)


def poses_of(yaw, room: int = 1, walked=None) -> np.ndarray:
    """Poses (F, 6) at the start of a room, turned by ``yaw`` (F,) degrees and moved by ``walked`` (F, 2) metres."""
    poses = np.repeat(sample_room(0, "train", room, _library()).start[None], len(yaw), 0)
    poses[:, 5] += yaw
    if walked is not None:
        poses[:, :2] += walked
    return poses


def clip(yaw, room: int = 1, size: int = 64, walked=None) -> np.ndarray:
    """Frames (F, size, size, 3) of a camera at ``poses_of`` the same arguments."""
    known = sample_room(0, "train", room, _library())
    return render_room(known, poses_of(yaw, room, walked), size, FOV, _library()).rgb
