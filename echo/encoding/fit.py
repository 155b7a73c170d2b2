"""The study's codec, fitted to its training pool or taken from a pretrained model, and how well it reconstructs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from echo.encoding.codec import PIXELS, Codec, CodecError, build_codec, frames_at_once, load_codec, to_signal
from echo.encoding.pretrained import load_vae
from echo.io.device import device
from echo.io.seeding import derive, generator
from echo.io.tensors import first_not_finite
from echo.study.config import Codec as Config

if TYPE_CHECKING:
    from echo.world.pool import Pool

HELD_OUT = 20  # every twentieth video of the training pool is kept for the codec's own test
NORMALISED_ON = 2048  # frames whose latents give mean and scale
TRIED = 1000  # frames for the codec's own test, of up to 64 x 64 pixels; fewer of larger ones


def fit_codec(
    config: Config,
    seed: int,
    pool: Pool | None,
    path: Path,
    pretrained: Path | None = None,
    weights: Path | None = None,
) -> None:
    """Fit the codec to the training pool, all but its held-out videos, and save it to ``path``.

    pool: None where nothing is fitted. pretrained: folder of a pretrained Wan model; with ``codec.kind: wan`` its
    autoencoder is taken as it is. weights: folder of the weights of LPIPS' network, where ``config.needs_lpips``.
    Raises CodecError where the fit ends with numbers that are not finite, or has no pool; nothing is written then.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "codec"))
        own: dict[str, Any] = {}
        if pretrained is not None and config.kind == "wan":
            own["pretrained"] = load_vae(pretrained)
        codec = build_codec(config, **own).to(device())
        if not codec.trained:
            if pool is None:
                raise CodecError(f"a {config.kind} codec is fitted to the training pool; none was handed over (--pool)")
            held = _held_out(pool)
            used = [video for video in pool.videos if video not in set(held)] or held
            _fit(codec, to_signal(_some_frames(pool, used, config.train_frames, seed)), seed, weights)
    name = first_not_finite(codec.state_dict())
    if name is not None:
        raise CodecError(
            f"the fit of the {config.kind} codec ended with values of {name} that are not finite (NaN or infinite); "
            "check codec.options, codec.train_steps and codec.train_frames"
        )
    codec.save(path)


def take_codec(made: Path, path: Path) -> None:
    """Save the codec of the file ``made`` to ``path`` in float32."""
    load_codec(made).save(path)


def _held_out(pool: Pool) -> list[str]:
    """Videos that no codec is fitted on."""
    return pool.videos[::HELD_OUT] if len(pool.videos) > 1 else pool.videos


def quality(codec: Codec, seed: int, pool: Pool) -> dict[str, float | int]:
    """What is said of a codec: its PSNR on held-out videos of the training pool, and the size of its latents.

    Wan's takes a minute a frame of 352 x 640 on a CPU, so this is a stage of its own, for which nothing waits.
    """
    held, side = _held_out(pool), codec.config.downsample
    height, width = pool.frames(held[0], [0]).shape[1:3]
    tried = max(1, min(TRIED, TRIED * PIXELS // (256 * height * width)))
    return {"held_out_psnr": reconstruction(codec, _some_frames(pool, held, tried, seed)),
            "numbers_per_frame": codec.config.channels * (height // side) * (width // side)}  # fmt: skip


def _fit(codec: Codec, signal: Tensor, seed: int, weights: Path | None) -> None:
    """Fit to frames (f, 3, H, W) and set the normalisation from the first of them."""
    codec.fit(signal, seed, weights)
    codec.eval()
    with torch.no_grad():
        parts = signal[:NORMALISED_ON].split(frames_at_once(signal.shape[-2], signal.shape[-1]))
        codec.normalise(torch.cat([codec.analyse(part) for part in parts]))


def reconstruction(codec: Codec, frames: UInt8[Tensor, "f H W 3"]) -> float:
    """Mean PSNR (dB) of frames through the codec."""
    error = (codec.decode(codec.encode(frames)).float() - frames.float()).square().flatten(1).mean(1)
    return float((10 * torch.log10(255**2 / error.clamp_min(1e-3))).mean())


def _some_frames(pool: Pool, videos: list[str], count: int, seed: int) -> Tensor:
    """About ``count`` frames (n, H, W, 3), drawn evenly over ``videos``, or one of each of ``count`` videos."""
    videos = videos[:: max(1, len(videos) // count)][: max(1, count)]
    draw, each = generator(seed, "codec", "frames"), -(-count // len(videos))
    parts = []
    for video in videos:
        length = pool.length(video)
        parts.append(pool.frames(video, np.sort(draw.choice(length, min(each, length), replace=False))))
    return torch.from_numpy(np.concatenate(parts))
