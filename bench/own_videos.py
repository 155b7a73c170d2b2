"""Videos as somebody would bring them: mp4s with a RealEstate10K camera file and a caption each, in one folder.

    python -m bench.own_videos videos [--count 12] [--segments 40] [--assets resources/assets]

Long walks through rendered rooms stand for recordings, so that the way from a folder of mp4s to figures (docs/data.md,
config/own_videos.yaml) can be tried without any. Nothing of a room but its pictures and cameras is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from echo.io.files import write_text
from echo.io.seeding import generator
from echo.io.video import write_video
from echo.protocol.cameras import camera_to_world, intrinsics, realestate10k
from echo.world.curves import NoClearPath
from echo.world.paths import trajectory
from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.library import load_library, texture_resolution
from echo.world.rooms.render import render_room
from echo.world.rooms.rooms import sample_room

SIZE = (96, 128)
FIELD_OF_VIEW = 75.0
RATE = 15.0
FRAMES = 8  # of a segment of the walk


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=12, help="videos")
    parser.add_argument("--segments", type=int, default=40, help=f"of {FRAMES} frames each")
    parser.add_argument("--assets", type=Path, default=Path("resources/assets"))
    asked = parser.parse_args()
    library = load_library(fetch_assets(asked.assets), texture_resolution(SIZE[1]))
    written, index = 0, 0
    while written < asked.count:
        room = sample_room(0, "train", index, library)
        index += 1
        try:
            draw = generator(0, "own videos", index)
            poses = trajectory("replay", room.start, FRAMES, draw, room.clear, FIELD_OF_VIEW, asked.segments)
        except NoClearPath:
            continue
        name = f"walk_{written:02d}"
        write_video(asked.folder / f"{name}.mp4", render_room(room, poses, SIZE, FIELD_OF_VIEW, library).rgb, RATE)
        cameras = realestate10k(camera_to_world(poses), intrinsics(SIZE, FIELD_OF_VIEW), SIZE, RATE, name)
        write_text(asked.folder / f"{name}.txt", cameras)
        write_text(asked.folder / f"{name}.caption.txt", room.caption + "\n")
        written += 1
    print(f"{written} videos of {len(poses)} frames in {asked.folder}")


if __name__ == "__main__":
    main()
