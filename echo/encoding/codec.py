"""Frames to latents and back: one interface, of which each module of ``echo.encoding.codecs`` is a kind.

Latents are normalised, so that a flow from unit Gaussian noise starts at their scale.

Frames are coded alone, which is how evidence is kept. Wan's autoencoder can also code a segment as a whole
(``codec.temporal: 4``): of its 1 + 4 n frames, the first alone and then four at a time. That is what is generated then.

Letters in shapes: f frames, c channels, h w latent cells, H W pixels, s segments, t frames or latents of a segment.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from echo.io.device import device
from echo.io.errors import UserError
from echo.io.files import digest
from echo.io.tensors import load_tensors, read_header, save_tensors
from echo.study.config import Codec as Config

PIXELS = 256 * 64 * 64  # pixels encoded or decoded at once


class CodecError(UserError):
    """A codec that does not fit its configuration or its file."""


class Codec(nn.Module):
    """``analyse`` and ``synthesise`` are a kind's own; normalisation and number formats are here."""

    trained = False  # whether it came with its weights, and with its normalisation
    ENCODER: tuple[str, ...] | None = None  # names of the tensors that latents depend on; None: all of them
    mean: Tensor
    scale: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.channels, 1, 1))
        self.register_buffer("scale", torch.ones(config.channels, 1, 1))

    @torch.no_grad()
    def encode(self, frames: UInt8[Tensor, "f H W 3"]) -> Float[Tensor, "f c h w"]:
        """Normalised latents (float32) of frames, each coded alone."""
        parts = [
            self.analyse(to_signal(part.to(self.mean.device)))
            for part in frames.split(frames_at_once(frames.shape[1], frames.shape[2]))
        ]
        return ((torch.cat(parts) - self.mean) / self.scale).cpu()

    @torch.no_grad()
    def decode(self, latents: Float[Tensor, "f c h w"]) -> UInt8[Tensor, "f H W 3"]:
        """Frames of normalised latents, each coded alone."""
        side = self.config.downsample
        parts = [
            to_frames(self.synthesise(part.to(self.mean.device) * self.scale + self.mean)).cpu()
            for part in latents.split(frames_at_once(latents.shape[-2] * side, latents.shape[-1] * side))
        ]
        return torch.cat(parts)

    def encode_segments(self, frames: UInt8[Tensor, "s T H W 3"]) -> Float[Tensor, "s t c h w"]:
        """Target latents of segments, in the study's own form: a latent per frame, or fewer."""
        return rearrange(self.encode(rearrange(frames, "s t h w c -> (s t) h w c")), "(s t) c h w -> s t c h w",
                         s=len(frames))  # fmt: skip

    def decode_segments(self, latents: Float[Tensor, "s t c h w"]) -> UInt8[Tensor, "sT H W 3"]:
        """All frames of segments, one segment after the other, of their target latents."""
        return self.decode(rearrange(latents, "s t c h w -> (s t) c h w"))

    def decode_end(self, latents: Float[Tensor, "t c h w"], count: int) -> UInt8[Tensor, "count H W 3"]:
        """The last ``count`` frames of one segment's target latents."""
        return self.decode(latents[-count:])

    def analyse(self, signal: Float[Tensor, "f 3 H W"]) -> Float[Tensor, "f c h w"]:
        """Latents, before normalisation, of a signal in [-1, 1]."""
        raise TypeError(f"{type(self).__name__} does not define analyse(signal)")

    def synthesise(self, latents: Float[Tensor, "f c h w"]) -> Float[Tensor, "f 3 H W"]:
        """Signal of latents that are not normalised."""
        raise TypeError(f"{type(self).__name__} does not define synthesise(latents)")

    def fit(self, signal: Float[Tensor, "f 3 H W"], seed: int, weights: Path | None = None) -> None:
        """Fit to training frames; random draws come from streams of ``seed``.

        weights: folder of the weights of LPIPS' network, where ``config.needs_lpips``.
        """
        raise TypeError(f"{type(self).__name__} does not define fit(signal, seed, weights)")

    def normalise(self, latents: Float[Tensor, "f c h w"]) -> None:
        """Set mean and scale from latents before normalisation; overall variance becomes 1.

        ``options.whiten`` says how far channels are equalised: scale = deviation^whiten, from 0 (one scale for all, so
        that the loss weighs channels as pixels do) to 1 (unit variance in each).
        """
        self.mean.copy_(rearrange(latents.mean((0, 2, 3)), "c -> c 1 1"))
        deviation = latents.std((0, 2, 3)).clamp_min(1e-6)
        whiten = cast(float, self.config.options.get("whiten", 1.0))  # as the section's ``Options`` has it
        scale = deviation ** float(whiten)
        self.scale.copy_(rearrange(scale * (deviation / scale).square().mean().sqrt(), "c -> c 1 1"))

    def encoder_digest(self) -> str:
        """Digest of what latents depend on: codecs with the same one differ in their decoders alone."""
        state = self.state_dict()
        tensors = {name: state[name].float().cpu().contiguous() for name in self.ENCODER or sorted(state)}
        parts = {
            name: [list(value.shape), hashlib.sha256(value.numpy()).hexdigest()] for name, value in tensors.items()
        }
        return digest([self.config.kind, self.config.downsample, parts])

    def save(self, path: Path) -> None:
        """Weights and configuration in one safetensors file, atomically; NotFiniteError for NaN or infinities."""
        header = {"codec": self.config.model_dump(mode="json"), **self.extra_header()}
        save_tensors(path, self.state_dict(), header, finite=True)

    def extra_header(self) -> dict[str, Any]:
        """What ``load_codec`` needs beside the configuration, as arguments of the class."""
        return {}


def frames_at_once(height: int, width: int) -> int:
    """Frames of this size (pixels) that are handled together: memory stays bounded at any size."""
    return max(1, PIXELS // (height * width))


def to_signal(frames: UInt8[Tensor, "f H W 3"]) -> Float[Tensor, "f 3 H W"]:
    """Pixels 0 to 255 as numbers in [-1, 1]."""
    return rearrange(frames, "f h w c -> f c h w").float() / 127.5 - 1


def to_frames(signal: Float[Tensor, "f 3 H W"]) -> UInt8[Tensor, "f H W 3"]:
    """Numbers in [-1, 1] as pixels, clipped."""
    pixels = ((signal + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return rearrange(pixels, "f c h w -> f h w c").contiguous()


def build_codec(config: Config, **arguments: Any) -> Codec:
    """A codec of the kind ``config.kind``, not fitted; ``arguments`` beside the configuration are the kind's own."""
    return import_module(f"echo.encoding.codecs.{config.kind}").CODEC(config, **arguments)


def load_codec(path: Path) -> Codec:
    """A codec that ``save`` wrote; raises CodecError for a file of another kind, TensorFileError for a damaged one."""
    header = read_header(path)
    if "codec" not in header:
        raise CodecError(f"{path}: not a codec (its header has no configuration)")
    config = Config.model_validate(header.pop("codec"))
    codec = build_codec(config, **header)
    codec.load_state_dict(load_tensors(path))
    return codec.eval().to(device())


def check_downsample(config: Config, actual: int) -> None:
    """Raise CodecError where a codec's cells cover another number of pixels than the study says."""
    if actual != config.downsample:
        raise CodecError(f"codec.downsample = {config.downsample}, but this {config.kind} codec covers {actual} pixels")
