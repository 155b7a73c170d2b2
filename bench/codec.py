"""Codecs compared on held-out rooms: numbers a frame, PSNR and SSIM in and out of domain, speed, seconds to fit.

    python -m bench.codec --run runs/mini [--frames 600] [--autoencoder-steps 600]

The candidates share the default study's 16 tokens a frame. ``plain`` is the patch codec read back through its own
principal components, without the 3 x 3 decoder.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from echo.encoding.codec import Codec, load_codec
from echo.encoding.fit import fit_codec, reconstruction
from echo.measures.images import ssim
from echo.study.config import Codec as Config
from echo.study.config import load_study
from echo.world.pool import Pool, open_pool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="config/config.yaml")
    parser.add_argument("--run", type=Path, default=Path("runs/mini"))
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--autoencoder-steps", type=int, default=600)
    given = parser.parse_args()
    torch.set_num_threads(1)
    study = load_study(given.config)
    held = {
        split: _frames(open_pool(given.run / "pool" / split), given.frames) for split in ("in_domain", "open_domain")
    }
    steps = given.autoencoder_steps
    candidates = {
        "patch": study.codec,
        "autoencoder": Config(kind="autoencoder", channels=64, downsample=16, train_frames=4000, train_steps=steps),
        "wan": Config(kind="wan", channels=16, downsample=8, train_frames=4000, train_steps=steps,
                      options={"base_dim": 16, "dim_mult": [1, 2, 2, 2], "num_res_blocks": 1,
                               "temperal_downsample": [False, True, True]}),
    }  # fmt: skip
    heads = ("numbers", "in dB", "open dB", "SSIM", "enc f/s", "dec f/s", "fit s")
    print(f"{'codec':12}" + "".join(f" {head:>8}" for head in heads))
    for name, config in candidates.items():
        with tempfile.TemporaryDirectory() as folder:
            path, before = Path(folder) / "codec.safetensors", time.perf_counter()
            fit_codec(study.model_copy(update={"codec": config}), open_pool(given.run / "pool" / "train"), path)
            seconds = time.perf_counter() - before
            codec = load_codec(path)
        _report(name, codec, held, seconds)
        if name == "patch":
            codec.synthesise = lambda z, codec=codec: _plain(codec, z)
            _report("plain", codec, held, seconds)


def _plain(codec: Codec, latents: torch.Tensor) -> torch.Tensor:
    """The transpose of the encoder alone, with the mean patch put back."""
    grey = codec.ground.view(3, codec.config.downsample, -1)
    missing = grey - torch.einsum("kcij,k->cij", codec.basis, torch.einsum("kcij,cij->k", codec.basis, grey))
    raw = latents + codec.middle.view(-1, 1, 1)
    whole = functional.conv_transpose2d(raw, codec.basis, stride=codec.config.downsample)
    return whole + missing.repeat(1, *latents.shape[2:])


def _frames(pool: Pool, count: int) -> torch.Tensor:
    videos = pool.videos[:: max(1, len(pool.videos) * 4 // count)]
    each = [pool.frames(v, np.linspace(0, pool.length(v) - 1, 4).round().astype(int)) for v in videos]
    return torch.from_numpy(np.concatenate(each)[:count])


def _report(name: str, codec: Codec, held: dict[str, torch.Tensor], seconds: float) -> None:
    quality = {split: reconstruction(codec, frames) for split, frames in held.items()}
    frames = held["open_domain"][:64]
    before = time.perf_counter()
    latents = codec.encode(frames)
    middle = time.perf_counter()
    decoded = codec.decode(latents)
    after = time.perf_counter()
    line = {
        "codec": name, "numbers_per_frame": latents[0].numel(), **{k: round(v, 2) for k, v in quality.items()},
        "ssim": round(float(ssim(decoded.numpy(), frames.numpy()).mean()), 3),
        "encode_fps": round(len(frames) / (middle - before)), "decode_fps": round(len(frames) / (after - middle)),
        "fit_seconds": round(seconds, 1),
    }  # fmt: skip
    print(f"{name:12}" + "".join(f" {value:>8}" for key, value in line.items() if key != "codec"))
    print(json.dumps(line))


if __name__ == "__main__":
    main()
