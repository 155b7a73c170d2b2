"""Speed of the renderer: rgb, depth and ids of whole rooms with their anchor, frames a second on one core.

python -m bench.world [--size 64 | 352x640] [--rooms 20] [--assets resources/assets]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from echo.io.seeding import generator
from echo.world.paths import trajectory
from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.library import load_library, texture_resolution
from echo.world.rooms.render import render_room
from echo.world.rooms.rooms import sample_room


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=_size, default=(64, 64), help="pixels a side, or HEIGHTxWIDTH")
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--assets", type=Path, default=Path("resources/assets"))
    given = parser.parse_args()
    library = load_library(fetch_assets(given.assets), texture_resolution(given.size[1]))
    rooms = [sample_room(0, "train", index, library) for index in range(given.rooms + 1)]
    paths = [trajectory("loop", room.start, 8, generator(0, "bench")) for room in rooms]
    render_room(rooms[-1], paths[-1], given.size, 75.0, library)  # compiles the shader
    before = time.perf_counter()
    frames = sum(len(render_room(room, path, given.size, 75.0, library).rgb)
                 for room, path in zip(rooms[:-1], paths[:-1], strict=True))  # fmt: skip
    speed = frames / (time.perf_counter() - before)
    print(f"{frames} frames of {given.size[0]} x {given.size[1]}: {speed:.0f} frames/s (scene set-up included)")
    print(json.dumps({"bench": "world", "size": given.size, "frames_per_second": round(speed, 1)}))


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width or height)


if __name__ == "__main__":
    main()
