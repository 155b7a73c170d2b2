"""Index of a Context-as-Memory pool: time to build it, time to open it again, and memory, each in a fresh process.

python -m bench.index [--frames 100000] [--per-scene 7601] [--folder somewhere] [--linked]

Generates a pool of real, tiny PNG files with poses, overlap labels and captions; with --folder it stays there and is
used again. --linked makes them hard links to a few files, which spares the disk a million of them and changes nothing
for the index, which reads names. Opening includes starting Python and importing. The operating system has the folders'
names in its cache.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (9, 16)
OPEN = """
import json, resource, sys, time
start = time.perf_counter()
from pathlib import Path
import echo.world.recordings.context_as_memory
from echo.world.recordings import open_recordings
imported = time.perf_counter()
recordings = open_recordings("context_as_memory", Path(sys.argv[1]), Path(sys.argv[2]))
opened = time.perf_counter()
video = recordings.videos[-1]
frame, pose = recordings.frames(video, [recordings.length(video) - 1]), recordings.poses(video)[-1]
print(json.dumps({
    "frames": len(recordings.index.present), "missing": recordings.report(), "import_s": round(imported - start, 3),
    "open_s": round(opened - imported, 3), "first_frame_s": round(time.perf_counter() - opened, 3),
    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}))
"""


def generate(folder: Path, frames: int, per_scene: int, linked: bool) -> None:
    """A pool of at least ``frames`` frames in scenes of ``per_scene``; scenes that are there already stay."""
    images, labels = [], []
    for level in range(16):
        buffer = io.BytesIO()
        Image.fromarray(np.full((*SIZE, 3), 16 * level, np.uint8)).save(buffer, "png")
        images.append(buffer.getvalue())
        labels.append(json.dumps({"overlapping_frames": list(range(level))}).encode())
    sources: dict[bytes, Path] = {}

    def write(path: Path, content: bytes) -> None:
        if linked and content in sources:
            os.link(sources[content], path)
        else:
            path.write_bytes(content)
            sources[content] = path

    captions = []
    for number in range(-(-frames // per_scene)):
        scene = f"Scene_{number:03d}"
        captions += [f"{scene}/{i}_{i + 76}.mp4\ta walk through scene {number}" for i in range(0, per_scene, 77)]
        poses = folder / "jsons" / f"{scene}.json"
        if poses.is_file():
            continue
        places = [folder / kind / scene for kind in ("frames", "overlap_labels")]
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
        for i in range(per_scene):
            write(places[0] / f"{i:04d}.png", images[i % 16])
            write(places[1] / f"{i}.json", labels[i % 16])
        cameras = {str(i): {"position": [0.1 * i, 2.5, 150.0], "rotation": [0.0, 0.0, i % 360 - 180.0]}
                   for i in range(per_scene)}  # fmt: skip
        poses.parent.mkdir(exist_ok=True)
        poses.write_text(json.dumps({"CineCameraActor": cameras}))
    (folder / "captions.txt").write_text("\n".join(captions) + "\n")


def timed_open(folder: Path, cache: Path) -> dict:
    """Open the pool in a fresh process: what it prints, and the whole process's seconds."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", OPEN, str(folder), str(cache)], capture_output=True, text=True,
                          check=True)  # fmt: skip
    return {**json.loads(done.stdout), "process_s": round(time.perf_counter() - start, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--per-scene", type=int, default=7601)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--linked", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = given.folder or Path(temporary) / "pool", Path(temporary) / "index.safetensors"
        start = time.perf_counter()
        generate(folder, given.frames, given.per_scene, given.linked)
        print(f"pool generated in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        built, again = timed_open(folder, cache), timed_open(folder, cache)
        megabytes = cache.stat().st_size / 1e6
    if built["missing"] or again["missing"]:
        raise SystemExit(f"the generated pool misses something: {built['missing']}")
    print(f"{built['frames']} frames: index built in {built['open_s']:.2f} s ({built['peak_mb']:.0f} MB), opened again "
          f"in {again['open_s']:.2f} s ({again['process_s']:.2f} s with starting Python, {again['peak_mb']:.0f} MB); "
          f"index of {megabytes:.1f} MB")  # fmt: skip
    print(json.dumps({"bench": "index", "index_mb": round(megabytes, 1), "built": built, "opened": again}), flush=True)


if __name__ == "__main__":
    main()
