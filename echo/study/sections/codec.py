"""Section ``codec``: frames to latents and back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from echo.study.sections.section import Exponent, Flag, Integer, Number, Section, Whole

Count = Annotated[Integer, Field(ge=1, le=4096)]
Option = Flag | Integer | Number | str | list[Flag] | list[Integer] | list[Number]


class Options(Section):
    """``codec.options`` of every kind."""

    whiten: Annotated[float, Strict(), Field(ge=0, le=1), Exponent] = Field(
        default=1.0,
        description="how far channels are equalised: scale = deviation^whiten, from 0, one scale for all, to 1, unit "
        "variance in each",
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


OPTIONS: dict[str, type[Options]] = {"patch": Options, "autoencoder": AutoencoderOptions, "wan": WanOptions}


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
        description="`whiten`, and constructor arguments of the diffusers class that is trained here (below)",
    )
