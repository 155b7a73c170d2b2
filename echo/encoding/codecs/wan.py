"""diffusers' AutoencoderKLWan, pretrained or trained here: frame by frame, or segments (``codec.temporal: 4``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from echo.encoding.codec import CodecError, check_downsample, to_frames, to_signal
from echo.encoding.trained_codec import TrainedCodec
from echo.study.config import Codec as Config

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution


class WanCodec(TrainedCodec):
    """A frame coded alone is a video of one frame."""

    def __init__(self, config: Config, pretrained: nn.Module | None = None, vae: dict[str, Any] | None = None) -> None:
        """Take or build the autoencoder.

        pretrained: one with its weights, which keeps its published normalisation; vae: the configuration, as
        ``extra_header`` gives it, of one whose weights are loaded later. Raises CodecError where it does not fit the
        study.
        """
        super().__init__(config)
        self.trained = pretrained is not None
        if pretrained is not None:
            self.model = pretrained
        elif vae is not None:
            self.model = AutoencoderKLWan.from_config(vae)
        else:
            self.model = AutoencoderKLWan(**{"z_dim": config.channels, **self._options()})
        self.model.eval()
        shape = self.model.config
        if shape.z_dim != config.channels:
            raise CodecError(f"codec.channels = {config.channels}, but this Wan autoencoder has {shape.z_dim}")
        check_downsample(config, 2 ** (len(shape.dim_mult) - 1))
        joined = 2 ** sum(shape.temperal_downsample)
        if config.temporal > 1 and joined != config.temporal:
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
        self.mean.copy_(rearrange(torch.tensor(shape.latents_mean), "c -> c 1 1"))
        self.scale.copy_(rearrange(torch.tensor(shape.latents_std), "c -> c 1 1"))

    def extra_header(self) -> dict[str, Any]:
        """The autoencoder's own configuration."""
        return {"vae": {key: value for key, value in dict(self.model.config).items() if not key.startswith("_")}}

    @torch.no_grad()
    def encode_segments(self, frames: UInt8[Tensor, "s T H W 3"]) -> Float[Tensor, "s t c h w"]:
        """Target latents: one per frame, or with ``codec.temporal`` 1 + (T - 1) / temporal per segment."""
        if self.config.temporal == 1:
            return super().encode_segments(frames)
        segments = []
        for segment in frames:
            signal = rearrange(to_signal(segment.to(self.mean.device)), "t c h w -> 1 c t h w")
            latents = rearrange(self.model.encode(signal).latent_dist.mode(), "1 c t h w -> t c h w")
            segments.append(((latents - self.mean) / self.scale).cpu())
        return torch.stack(segments)

    @torch.no_grad()
    def decode_segments(self, latents: Float[Tensor, "s t c h w"]) -> UInt8[Tensor, "sT H W 3"]:
        """All frames of segments, one segment after the other."""
        if self.config.temporal == 1:
            return super().decode_segments(latents)
        segments = []
        for segment in latents:
            raw = rearrange(segment.to(self.mean.device) * self.scale + self.mean, "t c h w -> 1 c t h w")
            signal = rearrange(self.model.decode(raw).sample, "1 c t h w -> t c h w")
            segments.append(to_frames(signal).cpu())
        return torch.cat(segments)

    def decode_end(self, latents: Float[Tensor, "t c h w"], count: int) -> UInt8[Tensor, "count H W 3"]:
        """The last ``count`` frames of one segment, which is decoded as a whole where it was coded so."""
        if self.config.temporal == 1:
            return super().decode_end(latents, count)
        return self.decode_segments(latents[None])[-count:]

    def posterior(self, signal: Float[Tensor, "f 3 H W"]) -> DiagonalGaussianDistribution:
        """The encoder's distribution over latents (f, c, 1, h, w) of videos of one frame."""
        return self.model.encode(rearrange(signal, "f c h w -> f c 1 h w")).latent_dist

    def analyse(self, signal: Float[Tensor, "f 3 H W"]) -> Float[Tensor, "f c h w"]:
        """The most likely latents of each frame."""
        return rearrange(self.posterior(signal).mode(), "f c 1 h w -> f c h w")

    def synthesise(self, latents: Float[Tensor, "f c *one h w"]) -> Float[Tensor, "f 3 H W"]:
        """The decoder's output for each frame; ``posterior``'s own latents have a time axis of 1, others none."""
        if latents.ndim == 4:
            latents = rearrange(latents, "f c h w -> f c 1 h w")
        return rearrange(self.model.decode(latents).sample, "f c 1 h w -> f c h w")


CODEC = WanCodec
