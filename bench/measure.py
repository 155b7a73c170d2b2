"""Memory and time of measuring rollouts of the paper's size: 243 or more frames of 352 x 640 pixels a case.

    python -m bench.measure [--cases 3] [--branch return_strict] [--weights resources/weights]

Frames are noise that moves, since memory and time do not depend on what they show. They are written by a process of
their own, so that the peak is that of measuring alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64, Int64, UInt8

from echo.measures.cases import measure_branch
from echo.measures.lpips import Lpips
from echo.rollout.frames import Rollout
from echo.study.words import BRANCHES, generated_frames

SEGMENT, HEIGHT, WIDTH, FIELD_OF_VIEW = 81, 352, 640, 52.67


class MovingNoise:
    """A pool of as many videos as asked for, each a picture of noise that moves by a pixel a frame."""

    def __init__(self, branch: str, cases: int) -> None:
        self.count = 1 + BRANCHES[branch].segments * SEGMENT
        names = [f"noise_{number}" for number in range(cases)]
        self.info = pd.DataFrame({"split": "noise", "room": names, "anchor": ""}, index=names)

    def frames(
        self, video: str, indices: Int64[np.ndarray, " frames"] | None = None
    ) -> UInt8[np.ndarray, "frames height width 3"]:
        """Some frames of a video, or all."""
        number = int(video.removeprefix("noise_"))
        picture = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        wanted = range(self.count) if indices is None else indices
        return np.stack([np.roll(picture, int(index), 1) for index in wanted])

    def poses(self, video: str) -> Float64[np.ndarray, "frames 6"]:
        """A camera that turns by a pixel a frame."""
        turned = np.zeros((self.count, 6))
        turned[:, 5] = np.arange(self.count) * FIELD_OF_VIEW / WIDTH
        return turned


def write(branch: str, cases: int, out: Path) -> None:
    """Write a rollout of darker frames than the true ones."""
    pool, index = MovingNoise(branch, cases), np.array(generated_frames(branch, SEGMENT))
    frames = np.stack([pool.frames(name, index) // 2 for name in pool.info.index])
    Rollout(frames, index, list(pool.info.index)).save(out)


def main() -> None:
    """Write the rollout, measure it, print peak memory and time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=3)
    parser.add_argument("--branch", choices=list(BRANCHES), default="return_strict")
    parser.add_argument("--weights", type=Path, default=Path("resources/weights"))
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        write(given.branch, given.cases, given.write)
        return
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rollout = Path(folder, "rollout.safetensors")
        same = [sys.executable, "-m", "bench.measure", "--cases", str(given.cases), "--branch", given.branch]
        subprocess.run([*same, "--write", str(rollout)], check=True)
        lpips, began = Lpips(given.weights), time.process_time()
        pool = MovingNoise(given.branch, given.cases)
        measure_branch(Rollout.load(rollout), given.branch, SEGMENT, FIELD_OF_VIEW, pool, lpips)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{given.branch}, {given.cases} cases: {time.process_time() - began:.0f} s of CPU, {peak:.2f} GB at the peak")


if __name__ == "__main__":
    main()
