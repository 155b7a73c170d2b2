"""Frames to latents and back: one interface, three kinds.

``patch``: principal components of square patches; the decoder is linear too, but sees the 3 x 3 cells around a patch,
which removes most of the edges between patches (ours; fitted by least squares). ``autoencoder``: diffusers'
AutoencoderKL, trained here. ``wan``: diffusers' AutoencoderKLWan, the pretrained one or trained here.
Latents are normalised, so that a flow from unit Gaussian noise starts at their scale.

Frames are coded alone, which is how evidence is kept. Wan's autoencoder can also code a segment as a whole
(``codec.temporal: 4``): of its 1 + 4 n frames, the first alone and then four at a time. That is what is generated then.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from echo.encoding.pretrained import load_vae
from echo.io.device import device
from echo.io.errors import UserError
from echo.io.seeding import derive, generator
from echo.io.tensors import read_header, save_tensors
from echo.study.config import Codec as Config
from echo.study.config import Study
from echo.world.pool import Pool

PIXELS = 256 * 64 * 64  # pixels encoded or decoded at once
HELD_OUT = 20  # every twentieth video of the training pool is kept for the codec's own test
RIDGE = 1e-3
KL_WEIGHT = 1e-6


class CodecError(UserError):
    """A codec that does not fit its configuration or its file."""


class Codec(nn.Module):
    """``analyse`` and ``synthesise`` are a kind's own; normalisation and number formats are here."""

    trained = False  # whether it came with its weights, and with its normalisation

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.channels, 1, 1))
        self.register_buffer("scale", torch.ones(config.channels, 1, 1))

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """Normalised latents (F, C, h, w) float32 of frames (F, H, W, 3) uint8, each frame alone."""
        parts = [self.analyse(to_signal(part.to(self.mean.device))) for part in frames.split(_batch(frames.shape[1:3]))]
        return ((torch.cat(parts) - self.mean) / self.scale).cpu()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Frames (F, H, W, 3) uint8 of normalised latents (F, C, h, w), each frame alone."""
        side = self.config.downsample
        batch = _batch((latents.shape[-2] * side, latents.shape[-1] * side))
        parts = [
            to_frames(self.synthesise(part.to(self.mean.device) * self.scale + self.mean)).cpu()
            for part in latents.split(batch)
        ]
        return torch.cat(parts)

    def encode_segments(self, frames: Tensor) -> Tensor:
        """Target latents (S, T', C, h, w) of S segments' frames (S, T, H, W, 3) uint8, in the study's own form."""
        return self.encode(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])

    def decode_segments(self, latents: Tensor) -> Tensor:
        """Frames (S T, H, W, 3) uint8 of S segments' target latents (S, T', C, h, w)."""
        return self.decode(latents.flatten(0, 1))

    def decode_end(self, latents: Tensor, count: int) -> Tensor:
        """The last ``count`` frames (count, H, W, 3) uint8 of one segment's target latents (T', C, h, w)."""
        return self.decode(latents[-count:])

    def analyse(self, signal: Tensor) -> Tensor:
        """Latents (F, C, h, w) of a signal (F, 3, H, W) in [-1, 1]."""
        raise TypeError(f"{type(self).__name__} does not define analyse(signal)")

    def synthesise(self, latents: Tensor) -> Tensor:
        """Signal (F, 3, H, W) of latents (F, C, h, w)."""
        raise TypeError(f"{type(self).__name__} does not define synthesise(latents)")

    def fit(self, signal: Tensor, seed: int) -> None:
        """Fit to training frames (F, 3, H, W)."""
        raise TypeError(f"{type(self).__name__} does not define fit(signal, seed)")

    def normalise(self, latents: Tensor) -> None:
        """Set mean and scale from raw latents (F, C, h, w); overall variance becomes 1.

        ``options.whiten`` says how far channels are equalised: scale = deviation^whiten, from 0 (one scale for all, so
        that the loss weighs channels as pixels do) to 1 (unit variance in each).
        """
        self.mean.copy_(latents.mean((0, 2, 3)).view(-1, 1, 1))
        deviation = latents.std((0, 2, 3)).clamp_min(1e-6)
        scale = deviation ** float(self.config.options.get("whiten", 1.0))
        self.scale.copy_((scale * (deviation / scale).square().mean().sqrt()).view(-1, 1, 1))

    def save(self, path: Path) -> None:
        """Weights and configuration in one safetensors file, atomically."""
        save_tensors(path, self.state_dict(), {"codec": self.config.model_dump(mode="json"), **self.extra_header()})

    def extra_header(self) -> dict:
        """What ``load_codec`` needs beside the configuration."""
        return {}


def _batch(size: tuple[int, int]) -> int:
    """Frames of ``size`` (H, W) handled at once: memory stays bounded at any size."""
    return max(1, PIXELS // (size[0] * size[1]))


def to_signal(frames: Tensor) -> Tensor:
    """uint8 (F, H, W, 3) to float (F, 3, H, W) in [-1, 1]."""
    return frames.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_frames(signal: Tensor) -> Tensor:
    """Float (F, 3, H, W) to uint8 (F, H, W, 3), clipped."""
    return ((signal + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


class PatchCodec(Codec):
    """Principal components of patches, and a linear decoder of 3 x 3 cells."""

    def __init__(self, config: Config):
        super().__init__(config)
        side, pixels = config.downsample, 3 * config.downsample**2
        if config.channels > pixels:
            raise CodecError(f"codec.channels = {config.channels}: a patch has only {pixels} numbers")
        self.register_buffer("basis", torch.zeros(config.channels, 3, side, side))
        self.register_buffer("middle", torch.zeros(config.channels))
        self.register_buffer("paint", torch.zeros(pixels, config.channels, 3, 3))
        self.register_buffer("ground", torch.zeros(pixels))

    def analyse(self, signal):
        return functional.conv2d(signal, self.basis, stride=self.config.downsample) - self.middle.view(-1, 1, 1)

    def synthesise(self, latents):
        pixels = functional.conv2d(latents, self.paint, self.ground, padding=1)
        return functional.pixel_shuffle(pixels, self.config.downsample)

    def fit(self, signal, seed):
        side, channels = self.config.downsample, self.config.channels
        patches = functional.pixel_unshuffle(signal, side).transpose(0, 1).flatten(1).double()  # (pixels, n)
        centre = patches.mean(1, keepdim=True)
        spectrum = torch.linalg.eigh((patches - centre) @ (patches - centre).T)
        basis = spectrum.eigenvectors.flip(1)[:, :channels].T  # strongest first
        basis = basis * basis.sum(1, keepdim=True).sign()  # a sign that does not hang on the solver
        self.basis.copy_(basis.view(channels, 3, side, side))
        self.middle.copy_((basis @ centre).flatten())
        around = functional.unfold(self.analyse(signal), 3, padding=1)  # (F, 9 C, cells)
        inputs = around.transpose(0, 1).flatten(1).double()
        inputs = torch.cat([inputs, torch.ones_like(inputs[:1])])
        gram = inputs @ inputs.T
        gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        weights = torch.linalg.solve(gram, inputs @ patches.T).T  # (pixels, 9 C + 1)
        self.paint.copy_(weights[:, :-1].reshape(-1, channels, 3, 3))
        self.ground.copy_(weights[:, -1])


class TrainedCodec(Codec):
    """What diffusers' autoencoders share: gradient steps on the mean squared error, unless weights were loaded."""

    model: nn.Module

    def fit(self, signal, seed):
        if not self.config.train_steps:
            return
        optimizer = torch.optim.AdamW(self.parameters(), lr=2e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=self.config.train_steps)
        draw = generator(seed, "codec", "steps")
        for _ in tqdm(range(self.config.train_steps), desc="codec", mininterval=5):
            batch = signal[torch.from_numpy(draw.integers(0, len(signal), 32))]
            posterior = self.posterior(batch)
            loss = functional.mse_loss(self.synthesise(posterior.mode()), batch)
            loss = loss + KL_WEIGHT * posterior.kl().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            optimizer.step()
            schedule.step()

    def posterior(self, signal: Tensor):
        """diffusers' distribution over latents."""
        raise TypeError(f"{type(self).__name__} does not define posterior(signal)")

    def _options(self) -> dict:
        return {k: v for k, v in self.config.options.items() if k != "whiten"}


class AutoencoderCodec(TrainedCodec):
    """diffusers' AutoencoderKL; its levels come from codec.downsample unless options give them."""

    def __init__(self, config: Config):
        super().__init__(config)
        from diffusers import AutoencoderKL

        levels = config.downsample.bit_length()
        options = {"block_out_channels": [16] * levels, "layers_per_block": 1, "norm_num_groups": 4, **self._options()}
        levels = len(options["block_out_channels"])
        self.model = AutoencoderKL(
            latent_channels=config.channels,
            down_block_types=["DownEncoderBlock2D"] * levels,
            up_block_types=["UpDecoderBlock2D"] * levels,
            mid_block_add_attention=False,
            **options,
        ).eval()
        _check_downsample(config, 2 ** (levels - 1))

    def posterior(self, signal):
        return self.model.encode(signal).latent_dist

    def analyse(self, signal):
        return self.posterior(signal).mode()

    def synthesise(self, latents):
        return self.model.decode(latents).sample


class WanCodec(TrainedCodec):
    """diffusers' AutoencoderKLWan: frame by frame, and whole segments where ``codec.temporal`` is 4."""

    def __init__(self, config: Config, vae: nn.Module | None = None, vae_config: dict | None = None):
        """vae: a pretrained one, which keeps its published normalisation; vae_config: the shape of one to be filled."""
        super().__init__(config)
        from diffusers import AutoencoderKLWan

        self.trained = vae is not None
        if vae is not None:
            self.model = vae
        elif vae_config is not None:
            self.model = AutoencoderKLWan.from_config(vae_config)
        else:
            self.model = AutoencoderKLWan(**{"z_dim": config.channels, **self._options()})
        self.model.eval()
        shape = self.model.config
        if shape.z_dim != config.channels:
            raise CodecError(f"codec.channels = {config.channels}, but this Wan autoencoder has {shape.z_dim}")
        _check_downsample(config, 2 ** (len(shape.dim_mult) - 1))
        if config.temporal > 1 and 2 ** sum(shape.temperal_downsample) != config.temporal:
            joined = 2 ** sum(shape.temperal_downsample)
            raise CodecError(f"codec.temporal = {config.temporal}, but this Wan autoencoder joins {joined} frames")
        if self.trained:
            self._take_published_normalisation()

    def _take_published_normalisation(self) -> None:
        shape = self.model.config
        if not len(shape.latents_mean) == len(shape.latents_std) == shape.z_dim:
            raise CodecError(
                f"the pretrained autoencoder's config.json has {len(shape.latents_mean)} latents_mean and "
                f"{len(shape.latents_std)} latents_std, expected z_dim = {shape.z_dim} of each"
            )
        self.mean.copy_(torch.tensor(shape.latents_mean).view(-1, 1, 1))
        self.scale.copy_(torch.tensor(shape.latents_std).view(-1, 1, 1))

    def extra_header(self):
        kept = {k: v for k, v in dict(self.model.config).items() if not k.startswith("_")}
        return {"vae": kept}

    @torch.no_grad()
    def encode_segments(self, frames):
        if self.config.temporal == 1:
            return super().encode_segments(frames)
        whole = []
        for segment in frames:
            signal = to_signal(segment.to(self.mean.device)).transpose(0, 1)[None]  # (1, 3, T, H, W)
            latents = self.model.encode(signal).latent_dist.mode()[0].transpose(0, 1)
            whole.append(((latents - self.mean) / self.scale).cpu())
        return torch.stack(whole)

    @torch.no_grad()
    def decode_segments(self, latents):
        if self.config.temporal == 1:
            return super().decode_segments(latents)
        whole = []
        for segment in latents:
            raw = (segment.to(self.mean.device) * self.scale + self.mean).transpose(0, 1)[None]
            whole.append(to_frames(self.model.decode(raw).sample[0].transpose(0, 1)).cpu())
        return torch.cat(whole)

    def decode_end(self, latents, count):
        if self.config.temporal == 1:
            return super().decode_end(latents, count)
        return self.decode_segments(latents[None])[-count:]

    def posterior(self, signal):
        return self.model.encode(signal[:, :, None]).latent_dist

    def analyse(self, signal):
        return self.posterior(signal).mode()[:, :, 0]

    def synthesise(self, latents):
        if latents.ndim == 4:
            latents = latents[:, :, None]
        return self.model.decode(latents).sample[:, :, 0]


KINDS = {"patch": PatchCodec, "autoencoder": AutoencoderCodec, "wan": WanCodec}


def _check_downsample(config: Config, actual: int) -> None:
    if actual != config.downsample:
        raise CodecError(f"codec.downsample = {config.downsample}, but this {config.kind} codec covers {actual} pixels")


def fit_codec(study: Study, pool: Pool, path: Path, pretrained: Path | None = None) -> dict[str, float | int]:
    """Fit the study's codec on its training pool and save it; returns its quality on held-out videos of that pool.

    pretrained: folder of a pretrained Wan model; with ``codec.kind: wan`` its autoencoder is taken as it is.
    """
    config = study.codec
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(study.seed, "codec"))
        given = {"vae": load_vae(pretrained)} if pretrained is not None and config.kind == "wan" else {}
        codec = KINDS[config.kind](config, **given).to(device())
        held = pool.videos[::HELD_OUT] if len(pool.videos) > 1 else pool.videos
        used = [video for video in pool.videos if video not in set(held)] or held
        if not codec.trained:
            signal = to_signal(_some_frames(pool, used, config.train_frames, study.seed))
            codec.fit(signal, study.seed)
            codec.eval()
            with torch.no_grad():
                parts = signal[:2048].split(_batch(signal.shape[-2:]))
                codec.normalise(torch.cat([codec.analyse(part) for part in parts]))
    codec.save(path)
    tried = max(1, min(1000, 1000 * PIXELS // (256 * study.world.height * study.world.width)))
    return {"held_out_psnr": reconstruction(codec, _some_frames(pool, held, tried, study.seed)),
            "numbers_per_frame": study.numbers_per_frame}  # fmt: skip


def reconstruction(codec: Codec, frames: Tensor) -> float:
    """Mean PSNR (dB) of frames (F, H, W, 3) uint8 through the codec."""
    error = (codec.decode(codec.encode(frames)).float() - frames.float()).square().flatten(1).mean(1)
    return float((10 * torch.log10(255**2 / error.clamp_min(1e-3))).mean())


def load_codec(path: Path) -> Codec:
    """A codec that ``save`` wrote; raises CodecError for a file that is none."""
    header = read_header(path)
    if "codec" not in header:
        raise CodecError(f"{path}: not a codec (its header has no configuration)")
    config = Config.model_validate(header["codec"])
    codec = KINDS[config.kind](config, **({"vae_config": header["vae"]} if "vae" in header else {}))
    codec.load_state_dict(load_file(path))
    return codec.eval().to(device())


def _some_frames(pool: Pool, videos: list[str], count: int, seed: int) -> Tensor:
    """About ``count`` frames (n, H, W, 3), drawn evenly over ``videos``."""
    draw, each = generator(seed, "codec", "frames"), -(-count // len(videos))
    parts = []
    for video in videos:
        length = pool.length(video)
        parts.append(pool.frames(video, np.sort(draw.choice(length, min(each, length), replace=False))))
    return torch.from_numpy(np.concatenate(parts))
