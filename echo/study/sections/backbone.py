"""Section ``backbone``: the video transformer that all rows share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from echo.study.sections.section import Exponent, Integer, Section


class Backbone(Section):
    """diffusers' WanTransformer3DModel, in a small configuration, and how the camera enters it."""

    layers: Annotated[Integer, Field(ge=1, le=200)] = Field(default=4, description="transformer blocks")
    heads: Annotated[Integer, Field(ge=1, le=256)] = Field(default=4, description="attention heads")
    head_dim: Annotated[Integer, Field(ge=6, le=1024)] = Field(default=32, description="width of a head (even)")
    ffn_dim: Annotated[Integer, Field(ge=8, le=1_000_000)] = Field(
        default=512, description="width of the feed-forward layer"
    )
    patch: Annotated[Integer, Field(ge=1, le=64)] = Field(
        default=1, description="latent cells of a token along each side"
    )
    ray_frequencies: Annotated[Integer, Field(ge=0, le=24)] = Field(
        default=4,
        description="octaves of the Fourier features of each token's camera ray; 0 switches rays off; float32 resolves "
        "no more than 24",
    )
    attention_gain: Annotated[float, Strict(), Field(gt=0, le=1000), Exponent] = Field(
        default=1.6,
        description="initial weight of self-attention's query and key norms (1 is diffusers' own): attention logits "
        "start gain^2 times as large, so that one token in hundreds can be singled out early; pretrained weights "
        "replace it",
    )
    camera: Literal["add", "attention"] = Field(
        default="add",
        description="how a frame's camera enters each block: `add`, a linear layer added to its tokens; `attention`, "
        "that sum attends along time in a layer of its own (the released checkpoints)",
    )
    layout: Literal["context_first", "target_first"] = Field(
        default="context_first",
        description="order, and so rotary positions, of the frames in self-attention: what the memory reads out and "
        "the anchor before the target, or after it, the anchor and then the newest frame nearest to it (the released "
        "context and compression rows)",
    )
    clean_timestep: Literal["zero", "target"] = Field(
        default="zero",
        description="timestep of the clean frames beside the target: `zero`, or the `target`'s own (the released "
        "checkpoints)",
    )

    @model_validator(mode="after")
    def _even_heads(self) -> Backbone:
        """Rotary positions turn pairs of numbers."""
        if self.head_dim % 2:
            raise ValueError(f"backbone.head_dim must be even for rotary positions, got {self.head_dim}")
        return self
