"""Section ``codec``: frames to latents and back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, ValidationError, model_validator

from echo.study.sections.section import Exponent, Flag, Integer, Number, Rate, Section, Whole

Count = Annotated[Integer, Field(ge=1, le=4096)]
Option = Flag | Integer | Number | str | list[Flag] | list[Integer] | list[Number]


class Options(Section):
    """``codec.options`` of every kind."""

    whiten: Annotated[float, Strict(), Field(ge=0, le=1), Exponent] = Field(
        default=1.0,
        description="how far channels are equalised: scale = deviation^whiten, from 0, one scale for all, to 1, unit "
        "variance in each",
    )


class PatchOptions(Options):
    """``codec.options`` of kind ``patch``: how frames are made of the latents. The encoder is linear in any case."""

    decoder: Literal["linear", "convolutional"] = Field(
        default="linear",
        description="`linear`: least squares on the 3 x 3 patches around; `convolutional`: a small network, trained, "
        "that adds to the linear picture (codec.downsample a multiple of 4)",
    )
    decoder_width: Count = Field(default=48, description="channels of the convolutional decoder")
    decoder_depth: Annotated[Integer, Field(ge=0, le=64)] = Field(
        default=3, description="its residual layers at a fourth of the frame's height and width"
    )
    decoder_steps: Annotated[Integer, Field(ge=0, le=10_000_000)] = Field(default=2300, description="gradient steps")
    decoder_batch: Annotated[Integer, Field(ge=1, le=65_536)] = Field(default=16, description="frames a step")
    decoder_rate: Rate = Field(default=1e-3, description="learning rate of AdamW at its peak; it falls linearly to 0")
    decoder_lpips: Annotated[float, Strict(), Field(ge=0, le=100), Exponent] = Field(
        default=0.05,
        description="weight of LPIPS beside the mean absolute error; above 0, frames of 31 pixels along each side are "
        "needed, and AlexNet's weights",
    )


class AutoencoderOptions(Options):
    """``codec.options`` of kind ``autoencoder``: arguments of diffusers' AutoencoderKL."""

    block_out_channels: Annotated[list[Count], Field(min_length=1, max_length=10)] | None = Field(
        default=None, description="channels of each level; by default 16, and as many levels as codec.downsample needs"
    )
    layers_per_block: Annotated[Integer, Field(ge=1, le=16)] = Field(
        default=1, description="residual layers of a level"
    )
    norm_num_groups: Count = Field(default=4, description="groups of the normalisation; divides every level's channels")
    act_fn: Literal["silu", "swish", "mish", "gelu", "relu"] = Field(default="silu", description="activation")
    use_quant_conv: Flag = Field(default=True, description="a last convolution of the encoder, as in diffusers")
    use_post_quant_conv: Flag = Field(default=True, description="a first convolution of the decoder, as in diffusers")


class WanOptions(Options):
    """``codec.options`` of kind ``wan``: arguments of diffusers' AutoencoderKLWan."""

    base_dim: Count = Field(default=96, description="channels of the first level")
    decoder_base_dim: Count | None = Field(default=None, description="the same of the decoder; by default base_dim")
    dim_mult: Annotated[list[Annotated[Integer, Field(ge=1, le=64)]], Field(min_length=1, max_length=10)] = Field(
        default=[1, 2, 4, 4],
        description="factor on the channels, level by level; each level but the last halves the frame",
    )
    num_res_blocks: Annotated[Integer, Field(ge=1, le=16)] = Field(default=2, description="residual blocks of a level")
    attn_scales: list[Number] = Field(default=[], description="scales with attention")
    temperal_downsample: list[Flag] = Field(
        default=[False, True, True], description="which of the halving levels join frames too (diffusers' spelling)"
    )


OPTIONS: dict[str, type[Options]] = {"patch": PatchOptions, "autoencoder": AutoencoderOptions, "wan": WanOptions}


class Codec(Section):
    """Frames to latents and back."""

    kind: Literal["patch", "autoencoder", "wan"] = Field(
        default="patch",
        description="`patch`: linear patch codec; `autoencoder`: diffusers' AutoencoderKL; `wan`: diffusers' "
        "AutoencoderKLWan, that of `pretrained` where one is given",
    )
    temporal: Annotated[Literal[1, 4], Whole] = Field(
        default=1,
        description="frames per target latent: 1, each frame alone; 4, a segment of T = 1 + 4 n frames becomes "
        "1 + n latents (`wan` alone). Evidence is always coded frame by frame",
    )
    storage: Literal["float32", "bfloat16"] = Field(default="float32", description="how cached latents are stored")
    channels: Count = Field(default=64, description="latent channels C")
    downsample: Annotated[Integer, Field(ge=2, le=1024)] = Field(
        default=16, description="pixels of a latent cell along each side"
    )
    train_frames: Annotated[Integer, Field(ge=1, le=10_000_000)] = Field(
        default=8000, description="frames the codec is fitted on"
    )
    train_steps: Annotated[Integer, Field(ge=0, le=10_000_000)] = Field(
        default=0, description="gradient steps (autoencoders only)"
    )
    options: dict[str, Option] = Field(
        default={},
        description="`whiten`, what the patch codec decodes with, and constructor arguments of the diffusers class "
        "that is trained here (below)",
    )

    @model_validator(mode="after")
    def _complete(self) -> Codec:
        """A trained decoder's options are all written out, so that a changed default is another study."""
        try:
            options = self.convolutional
        except ValidationError:  # refused, with the key and the file, where the study is checked
            return self
        if options is not None:
            self.options.update({key: value for key, value in options.model_dump().items() if key != "whiten"})
        return self

    @property
    def convolutional(self) -> PatchOptions | None:
        """Options of the convolutional decoder; None where there is none."""
        if self.kind != "patch" or self.options.get("decoder", "linear") == "linear":
            return None
        own: dict[str, Any] = {key: value for key, value in self.options.items() if key != "whiten"}
        return PatchOptions.model_validate(own)

    @property
    def needs_lpips(self) -> bool:
        """Whether the codec is trained on LPIPS, and so needs the weights of its network."""
        return self.convolutional is not None and self.convolutional.decoder_lpips > 0
