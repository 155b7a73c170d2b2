"""How right the departure of a clip is, as its frames alone tell it, on rendered clips whose cameras are known.

    python -m bench.departure [--rooms 64] [--out results/departure]

Rooms are of the split ``choosing``, of a seed that no study uses, at the default study's size; all branches that leave
a view. In place of what a row would generate stand the true frames and changes of them, and clips that stand still.
It prints, and writes to ``accuracy.csv``, by clip and branch: the angle that the clip's frames cover; the error of its
estimate and of the yaw of the last frame, in degrees, as median and 90th percentile; the estimate as a share of what
the true cameras cover, at the median, the first percentile and the most; the share of clips that departed, and of
frames that were followed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter
from tqdm import tqdm

from bench.choose import ROOT
from echo.encoding.codec import Codec, load_codec
from echo.encoding.shipped import verified
from echo.io.files import atomic_path
from echo.io.seeding import generator
from echo.measures.departed import DEPARTED, departs
from echo.measures.departure import covered, reached_angle
from echo.measures.images import Frames, PerFrame
from echo.measures.yaw import yaw_path
from echo.study.config import load_study
from echo.study.shipped import find_shipped
from echo.study.words import BRANCHES, given_frames
from echo.world.curves import NoClearPath
from echo.world.paths import trajectory
from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.identities import room_identities
from echo.world.rooms.library import Library, load_library, texture_resolution
from echo.world.rooms.render import render_room
from echo.world.rooms.rooms import Room, sample_room

Poses = Float64[np.ndarray, "frames 6"]

SPLIT, SEED = "choosing", 9003  # of no study and no other benchmark
HALF = "turned and walked half as far"  # on branches that are generated from the first frame
OTHER = "another room's frames"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "config" / "config.yaml")
    parser.add_argument("--rooms", type=int, default=64)
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--out", type=Path, default=Path("results/departure"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    study = load_study(given.config)
    codec = load_codec(verified(find_shipped(study.base.shipped), "codec"))
    size, view, frames = study.world.height, study.world.field_of_view, study.segment.frames
    library = load_library(fetch_assets(given.resources / "assets"), texture_resolution(size))
    lines, before = [], {}
    for number in tqdm(range(given.rooms), mininterval=5):
        for branch, shown, poses, half in room_branches(number, size, view, frames, library):
            first = len(given_frames(branch, frames))
            yaw = poses[:, 5] - poses[0, 5]
            for clip, (drawn, own) in clips(shown, yaw, first, half, before.get(branch), codec).items():
                lines.append({"branch": branch, "clip": clip, **measured(shown[:first], drawn, yaw, own, view)})
            before[branch] = shown[first:]
    table = accuracy(pd.DataFrame(lines))
    print(table.to_string(index=False))
    given.out.mkdir(parents=True, exist_ok=True)
    with atomic_path(given.out / "accuracy.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.4g", lineterminator="\n")


def room_branches(
    number: int, size: int, view: float, frames: int, library: Library
) -> Iterator[tuple[str, Frames, Poses, Frames]]:
    """Of a room, each branch with its true frames and poses, and the frames of a camera that moves half as far."""
    room = sample_room(SEED, SPLIT, number, library, room_identities(SEED, SPLIT, number, 1)[0])
    for branch in filter(departs, BRANCHES):
        kind = BRANCHES[branch].trajectory
        try:
            poses = trajectory(kind, room.start, frames, generator(SEED, "path", number, kind), room.clear, view)
        except NoClearPath:
            continue
        halved = poses[0] + (poses - poses[0]) / 2
        yield branch, _render(room, poses, size, view, library), poses, _render(room, halved, size, view, library)


def _render(room: Room, poses: Poses, size: int, view: float, library: Library) -> Frames:
    return render_room(room, poses, size, view, library).rgb


def clips(
    shown: Frames, yaw: PerFrame, first: int, half: Frames, other: Frames | None, codec: Codec
) -> dict[str, tuple[Frames, PerFrame]]:
    """What stands in place of the generated frames, those from number ``first`` on, and the yaw of its frames."""
    true, turned, draw = shown[first:], yaw[first:], generator(SEED, "noise")
    coded = codec.decode(codec.encode(torch.from_numpy(true))).numpy()
    start, last = (np.repeat(shown[[place]], len(true), 0) for place in (0, first - 1))
    stood = np.full(len(true), yaw[first - 1])

    def noisy(frames: Frames, levels: float) -> Frames:
        return _bytes(frames + draw.normal(0, levels, frames.shape))

    def blurred(frames: Frames, pixels: float) -> Frames:
        return _bytes(gaussian_filter(frames.astype(np.float32), (0, pixels, pixels, 0)))

    fading = [blurred(frame[None], 3 * (1 + step) / len(last)) for step, frame in enumerate(last)]
    made = {
        "true": (true, turned),
        "codec": (coded, turned),
        "codec, blurred by 1 pixel": (blurred(coded, 1), turned),
        "codec, blurred by 2 pixels": (blurred(coded, 2), turned),
        "codec, noise of 10 grey levels": (noisy(coded, 10), turned),
        "first frame, noise of 10 grey levels": (noisy(start, 10), np.zeros(len(true))),
        "last given frame, noise of 10 grey levels": (noisy(last, 10), stood),
        "last given frame, blurred more and more": (np.concatenate(fading), stood),
    }
    if first == 1:
        made[HALF] = (half[first:], turned / 2)
    if other is not None:
        made[OTHER] = (other, np.full(len(true), np.nan))
    return made


def _bytes(values: np.ndarray) -> Frames:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def measured(given: Frames, drawn: Frames, yaw: PerFrame, own: PerFrame, view: float) -> dict[str, float]:
    """One clip, from its given and its drawn frames; yaw: of the true cameras; own: of the drawn frames."""
    first = len(given)
    found = yaw_path(np.concatenate([given, drawn]), yaw[:first], view)[first:]
    return {
        "true": covered(yaw[first:]),
        "own": covered(own),
        "estimate": reached_angle(given, drawn, yaw[:first], view),
        "last": abs((found[-1] - own[-1] + 180) % 360 - 180),
        "followed": float(np.isfinite(found).mean()),
    }


def accuracy(lines: pd.DataFrame) -> pd.DataFrame:
    """The table, from one line per clip. A clip that is not followed has no error; its share is 0."""

    def of(here: pd.DataFrame) -> dict[str, float]:
        error, share = (here["estimate"] - here["own"]).abs(), (here["estimate"] / here["true"]).fillna(0)
        return {
            "clips": len(here), "degrees": here["own"].median(), "error_median": error.median(),
            "error_p90": error.quantile(0.9), "last_median": here["last"].median(),
            "last_p90": here["last"].quantile(0.9), "share_median": share.median(), "share_p1": share.quantile(0.01),
            "share_max": share.max(), "departed": (share >= DEPARTED).mean(), "followed": here["followed"].mean(),
        }  # fmt: skip

    groups = lines.groupby(["clip", "branch"], sort=False)
    return pd.DataFrame([{"clip": clip, "branch": branch, **of(here)} for (clip, branch), here in groups])


if __name__ == "__main__":
    main()
