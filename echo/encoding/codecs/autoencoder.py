"""diffusers' AutoencoderKL, trained here; its levels come from ``codec.downsample`` unless options give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from jaxtyping import Float
from torch import Tensor

from echo.encoding.codec import check_downsample
from echo.encoding.trained_codec import TrainedCodec
from echo.study.config import Codec as Config

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution


class AutoencoderCodec(TrainedCodec):
    """Latents are the mode of the encoder's distribution."""

    def __init__(self, config: Config) -> None:
        """Raises CodecError where the levels do not give ``codec.downsample``."""
        super().__init__(config)
        levels = config.downsample.bit_length()
        options: dict[str, Any] = {"block_out_channels": [16] * levels, "layers_per_block": 1, "norm_num_groups": 4}
        options |= self._options()
        levels = len(options["block_out_channels"])
        self.model = AutoencoderKL(
            latent_channels=config.channels,
            down_block_types=["DownEncoderBlock2D"] * levels,  # pyright: ignore[reportArgumentType] not a tuple of one
            up_block_types=["UpDecoderBlock2D"] * levels,  # pyright: ignore[reportArgumentType] not a tuple of one
            mid_block_add_attention=False,
            **options,
        ).eval()
        check_downsample(config, 2 ** (levels - 1))

    def posterior(self, signal: Float[Tensor, "f 3 H W"]) -> DiagonalGaussianDistribution:
        """The encoder's distribution over latents (f, c, h, w)."""
        return self.model.encode(signal).latent_dist

    def analyse(self, signal: Float[Tensor, "f 3 H W"]) -> Float[Tensor, "f c h w"]:
        """The most likely latents."""
        return self.posterior(signal).mode()

    def synthesise(self, latents: Float[Tensor, "f c h w"]) -> Float[Tensor, "f 3 H W"]:
        """The decoder's output."""
        return self.model.decode(latents).sample


CODEC = AutoencoderCodec
