"""Codecs compared on rooms of no study: what comes back of a frame, how visible the patches are, how long it takes.

    python -m bench.codec [--frames 600] [--pictures codec.png]
    python -m bench.codec --only linear convolutional --options '{"decoder_width": 32, "decoder_steps": 3000}'

Both pools are rendered for this comparison alone, from seeds that no study reports, and kept in ``--pools``: codecs are
fitted to training rooms and measured on held-out ones. The candidates are of at most 1,024 numbers a frame at the
default study's size. Columns: PSNR, SSIM and LPIPS against the true frame; ``grid``, gradient energy across the borders
of patches over that inside them, relative to the same ratio of the true frames (1: no grid is to be seen); ``sharp``,
gradient energy over the true frames'; frames a second to encode and decode on one thread; seconds to fit.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import torch
from einops import rearrange
from jaxtyping import UInt8

from echo.encoding.codec import Codec, load_codec
from echo.encoding.fit import fit_codec
from echo.measures.images import psnr, ssim
from echo.measures.lpips import Lpips
from echo.study.config import Codec as Config
from echo.study.config import Study, load_study
from echo.world.pool import Pool, open_pool
from echo.world.rooms.build import build_pool

FITTED_ON, MEASURED_ON = 9000, 9001  # seeds
HELD = ("in_domain", "open_domain")

Frames = UInt8[np.ndarray, "frames height width 3"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--pools", type=Path, default=Path("runs/bench_codec"))
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--only", nargs="+", help="candidates, of: linear, convolutional, autoencoder, wan")
    parser.add_argument("--options", type=json.loads, default={}, help="of the convolutional candidate, as JSON")
    parser.add_argument("--autoencoder-steps", type=int, default=600)
    parser.add_argument("--pictures", type=Path, help="write true and decoded frames, one row a codec")
    given = parser.parse_args()
    torch.set_num_threads(1)
    study = load_study(given.config)
    pools = {split: _pool(study, split, given.pools, given.resources) for split in ("train", *HELD)}
    held = {split: _frames(pools[split], given.frames) for split in HELD}
    weights = given.resources / "weights"
    lpips, rows = Lpips(weights), [held["open_domain"][:: max(1, given.frames // 10)][:10]]
    for name, config in _candidates(study.codec, given.options, given.autoencoder_steps).items():
        if given.only and name not in given.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path, before = Path(folder) / "codec.safetensors", time.perf_counter()
            fit_codec(config, study.seed, pools["train"], path, weights=weights)
            seconds = time.perf_counter() - before
            codec = load_codec(path)
        for split, frames in held.items():
            print(
                json.dumps({"codec": name, "split": split, **measured(codec, frames, lpips), "fit s": round(seconds)})
            )
        rows.append(codec.decode(codec.encode(torch.from_numpy(rows[0]))).numpy())
    if given.pictures:
        imageio.imwrite(given.pictures, rearrange(np.stack(rows), "r f h w c -> (r h) (f w) c"))


def measured(codec: Codec, frames: Frames, lpips: Lpips) -> dict[str, float]:
    """The columns of one codec on some frames."""
    before = time.perf_counter()
    latents = codec.encode(torch.from_numpy(frames))
    middle = time.perf_counter()
    decoded = codec.decode(latents).numpy()
    after = time.perf_counter()
    border, inside = gradient_energy(decoded, codec.config.downsample)
    true_border, true_inside = gradient_energy(frames, codec.config.downsample)
    return {
        "numbers": latents[0].numel(),
        "PSNR": round(float(psnr(decoded, frames).mean()), 2),
        "SSIM": round(float(ssim(decoded, frames).mean()), 4),
        "LPIPS": round(float(lpips(decoded, frames).mean()), 4),
        "grid": round((border / inside) / (true_border / true_inside), 3),
        "sharp": round(_overall(decoded) / _overall(frames), 3),
        "encode f/s": round(len(frames) / (middle - before)),
        "decode f/s": round(len(frames) / (after - middle)),
    }


def gradient_energy(frames: Frames, side: int) -> tuple[float, float]:
    """Mean squared difference of neighbouring pixels across borders of patches of ``side`` pixels, and inside them."""
    steps = [np.diff(frames.astype(np.float64), axis=axis) for axis in (1, 2)]
    by_place = [np.square(steps[0]).mean((0, 2, 3)), np.square(steps[1]).mean((0, 1, 3))]
    at_border = [np.arange(1, len(places) + 1) % side == 0 for places in by_place]
    border = [places[where] for places, where in zip(by_place, at_border, strict=True)]
    inside = [places[~where] for places, where in zip(by_place, at_border, strict=True)]
    return float(np.concatenate(border).mean()), float(np.concatenate(inside).mean())


def _overall(frames: Frames) -> float:
    """Mean squared difference of neighbouring pixels."""
    return sum(float(np.square(np.diff(frames.astype(np.float64), axis=axis)).mean()) for axis in (1, 2))


def _candidates(codec: Config, options: dict[str, object], steps: int) -> dict[str, Config]:
    """Codecs of the default study's size, 64 x 64 pixels, with 16 tokens a frame."""
    whiten = {"whiten": codec.options.get("whiten", 1.0)}
    convolutional = {**codec.options, "decoder": "convolutional", **options}
    trained = {"train_frames": 4000, "train_steps": steps}
    small = {"base_dim": 16, "dim_mult": [1, 2, 2, 2], "num_res_blocks": 1}
    return {
        "linear": codec.model_copy(update={"options": whiten}),
        "convolutional": Config.model_validate({**codec.model_dump(), "options": convolutional}),
        "autoencoder": Config.model_validate({"kind": "autoencoder", "channels": 64, "downsample": 16, **trained}),
        "wan": Config.model_validate({"kind": "wan", "channels": 16, "downsample": 8, "options": small, **trained}),
    }


def _pool(study: Study, split: str, folder: Path, resources: Path) -> Pool:
    """A split of the comparison's own seeds; what is rendered already is kept."""
    seed = FITTED_ON if split == "train" else MEASURED_ON
    build_pool(study.model_copy(update={"seed": seed}), split, folder / split, resources / "assets")
    return open_pool(folder / split)


def _frames(pool: Pool, count: int) -> Frames:
    """About ``count`` frames, four of each of some videos spread over the pool."""
    videos = pool.videos[:: max(1, len(pool.videos) * 4 // count)]
    each = [pool.frames(v, np.linspace(0, pool.length(v) - 1, 4).round().astype(int)) for v in videos]
    return np.concatenate(each)[:count]


if __name__ == "__main__":
    main()
