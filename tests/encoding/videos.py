"""Codecs of every kind at tiny sizes, and smooth random pictures to fit them to, in a pool's interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from einops import rearrange

from echo.encoding.codec import Codec, load_codec
from echo.encoding.fit import fit_codec, quality
from echo.encoding.latents import join_shares, write_share
from echo.io.seeding import generator
from echo.study.config import Codec as Config
from echo.study.config import Study, World
from tests.conftest import tiny_study

WAN = {"base_dim": 4, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1, "temperal_downsample": [False, True, True]}
KINDS = {
    "patch": Config(kind="patch", channels=20, downsample=8, train_frames=60),
    "autoencoder": Config(kind="autoencoder", channels=4, downsample=8, train_frames=40, train_steps=5),
    "wan": Config(kind="wan", channels=4, downsample=8, train_frames=40, train_steps=2, options=WAN),
}


# A decoder that is trained in a second, on the absolute error alone.
CONVOLUTIONAL = {"decoder": "convolutional", "decoder_width": 12, "decoder_depth": 1, "decoder_steps": 100,
                 "decoder_batch": 8, "decoder_rate": 1e-3, "decoder_lpips": 0.0}  # fmt: skip


class Videos:
    """Eight videos of 9 frames of 16 x 16 pixels."""

    videos = [f"v{i}" for i in range(8)]

    def length(self, video: str) -> int:
        return 9

    def frames(self, video: str, indices=None) -> np.ndarray:
        draw = generator(0, video)
        coarse = torch.from_numpy(draw.uniform(0, 255, (9, 3, 4, 4)))
        fine = torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")
        frames = rearrange(fine, "f c h w -> f h w c").round().to(torch.uint8).numpy()
        return frames if indices is None else frames[indices]


class Edges(Videos):
    """The same number of frames of 32 x 32 pixels with one straight edge: what a decoder learns within a second."""

    def frames(self, video: str, indices=None) -> np.ndarray:
        frames = edges(generator(0, video), 9)
        return frames if indices is None else frames[indices]


def edges(draw: np.random.Generator, count: int, size: int = 32) -> np.ndarray:
    """Frames (count, size, size, 3) of two colours that meet in a straight line."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    angle = draw.uniform(0, 2 * np.pi, (count, 1, 1))
    side = (x * np.cos(angle) + y * np.sin(angle) > draw.uniform(-size / 4, size / 4, (count, 1, 1)))[..., None]
    colours = draw.uniform(0, 255, (2, count, 1, 1, 3))
    return np.where(side, *colours).round().astype(np.uint8)


class PosedVideos(Videos):
    """Forty of them, with poses."""

    videos = [f"v{i}" for i in range(40)]

    def poses(self, video: str) -> np.ndarray:
        return np.full((9, 6), float(video[1:]))


def fitted(config: Config, path: Path, videos: Videos | None = None) -> tuple[dict, Codec]:
    """A codec fitted to ``videos`` and read back from ``path``, and its quality."""
    videos = videos or Videos()
    fit_codec(config, 0, videos, path)
    return quality(load_codec(path), 0, videos), load_codec(path)


def saved_vae(folder: Path) -> AutoencoderKLWan:
    """A random Wan autoencoder in ``folder``/vae, with a normalisation of its own."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        statistics = {"latents_mean": [0.1, -0.2, 0.0, 0.3], "latents_std": [0.9, 1.1, 1.0, 1.3]}
        real = AutoencoderKLWan(z_dim=4, **WAN, **statistics).eval()
    real.save_pretrained(folder / "vae")
    return real


def pretrained_codec(folder: Path, temporal: int) -> Codec:
    """The autoencoder in ``folder``/vae as a study's codec."""
    config = KINDS["wan"].model_copy(update={"options": {}, "temporal": temporal})
    fit_codec(config, 0, Videos(), folder / "codec.safetensors", folder)
    return load_codec(folder / "codec.safetensors")


def cache_study() -> Study:
    """The study of the tests' latent caches."""
    codec = Config(kind="patch", channels=5, downsample=8, train_frames=60)
    return tiny_study().model_copy(update={"codec": codec, "world": World(size=16)})


def write_latents(study: Study, pool: PosedVideos, codec_path: Path, folder: Path, shares: int = 1) -> None:
    """A cache: every share in turn, then the index."""
    folders = [folder / "shares" / str(share) for share in range(shares)]
    for share, path in enumerate(folders):
        write_share(study, pool, codec_path, path, share, shares)
    join_shares(study, pool, codec_path, folder, folders)
