"""What copies of a past frame score on the trajectories that come back, which no memory should be needed for.

python -m bench.branches [--rooms 64] [--first 0] [--seed 7] [--split open_domain] [--rows rows.csv]

For each trajectory, on rooms of a seed that no study reports (0 is theirs): PSNR of the view at the end against the
first frame, the mean colour of the past, and the past frame that shows most of it by camera overlap; the share of the
view's pixels that some past frame saw, by depth; angle and distance of that past frame; and how often no path fitted,
with the processor time that drawing one took. Prints a table and a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from echo.io.seeding import generator
from echo.study.words import RETURN_FRAMES, SPLITS
from echo.world.camera import overlap
from echo.world.curves import NoClearPath
from echo.world.geometry import seen as seen_before
from echo.world.paths import trajectory
from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.identities import room_identities
from echo.world.rooms.library import Library, load_library, texture_resolution
from echo.world.rooms.render import Frames, render_room
from echo.world.rooms.rooms import sample_room

SIZE, FOV, T = 64, 75.0, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rooms", type=int, default=64)
    parser.add_argument("--first", type=int, default=0, help="number of the first room")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--split", choices=("open_domain", "choosing"), default="open_domain")
    parser.add_argument("--rows", type=Path, help="where each room's numbers are written, if anywhere")
    parser.add_argument("--assets", type=Path, default=Path("resources/assets"))
    given = parser.parse_args()
    library = load_library(fetch_assets(given.assets), texture_resolution(SIZE))
    kinds = [kind for kind in SPLITS[given.split].trajectories if kind not in ("replay", "loop")]
    rows = [
        row
        for index in tqdm(range(given.first, given.first + given.rooms), mininterval=5)
        for row in _room(given.seed, given.split, index, kinds, library)
    ]
    if given.rows is not None:
        pd.DataFrame(rows).to_csv(given.rows, index=False)
    table = pd.DataFrame(rows).groupby("kind", sort=False).mean().round(2)
    print(f"{given.rooms} rooms of {given.split}, seed {given.seed}, {SIZE} x {SIZE}, T = {T}")
    print(table.to_string())
    print(json.dumps({"bench": "branches", "rooms": given.rooms, **table.to_dict("index")}))


def _room(seed: int, split: str, index: int, kinds: list[str], library: Library) -> list[dict[str, float | str]]:
    """One row of numbers a kind; a kind that fits nowhere has ``no_path`` 1 and no other numbers."""
    room = sample_room(seed, split, index, library, room_identities(seed, split, index, 1)[0])
    rows = []
    for kind in kinds:
        before = time.process_time()
        try:
            poses = trajectory(kind, room.start, T, generator(seed, "path", split, index, kind), room.clear, FOV)
        except NoClearPath:
            rows.append({"kind": kind, "no_path": 1.0})
            continue
        spent = 1000 * (time.process_time() - before)
        measured = _measure(render_room(room, poses, SIZE, FOV, library), poses)
        rows.append({"kind": kind, **measured, "no_path": 0.0, "path_ms": spent})
    return rows


def _measure(views: Frames, poses: np.ndarray) -> dict[str, float]:
    """What copies of the past score on the last view, and what of it was seen before."""
    past = len(poses) - T
    truth = views.rgb[-RETURN_FRAMES:].astype(float)
    shown = overlap(poses[-1:], poses[:past], FOV)[0]
    best = int(shown.argmax())
    mean = views.rgb[:past].astype(float).mean((0, 1, 2))
    turned = abs((poses[best, 5] - poses[-1, 5] + 180) % 360 - 180)
    return {
        "copy_first": _psnr(truth, views.rgb[0]),
        "mean_colour": _psnr(truth, np.broadcast_to(mean, truth.shape)),
        "copy_best": _psnr(truth, views.rgb[best]),
        "seen_share": float(seen_before(views.depth[-1], poses[-1], views.depth[:past], poses[:past], FOV).mean()),
        "overlap": float(shown[best]),
        "degrees": float(turned),
        "metres": float(np.linalg.norm(poses[best, :3] - poses[-1, :3])),
        "overlap_first": float(shown[0]),
    }


def _psnr(truth: np.ndarray, copy: np.ndarray) -> float:
    """Mean PSNR in dB over the frames of ``truth``, at most 100."""
    error = ((truth - copy) ** 2).mean((1, 2, 3))
    return float(np.minimum(10 * np.log10(255**2 / np.maximum(error, 1e-9)), 100).mean())


if __name__ == "__main__":
    main()
