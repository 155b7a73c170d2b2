"""Section ``base``: the row without memory that all rows start from, and the recipe that trains it.

The recipe's defaults are those of the base that is shipped. It reads no key of ``train``: a study may change how its
rows are trained without training its base again. A key that ``train`` has too means the same here.

Its rooms are training rooms with numbers that no study's own training pool reaches, so it shares the codec's and the
rows' assets, and none of their rooms.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from echo.study.sections.section import Exponent, Flag, Integer, Rate, Section, Seed, ShippedName
from echo.study.sections.train import Steps

FIRST_ROOM = 1_000_000  # as many rooms as a training pool may have (``world.train_rooms``)


class Base(Section):
    """The memory-free base, shared by all rows: where its weights come from, and how they are trained."""

    source: Literal["shipped", "trained", "drawn", "pretrained"] = Field(
        default="drawn",
        description="`shipped`: the weights, and the codec, of a folder of `shipped/`; `trained`: by the recipe below, "
        "on rooms rendered for it; `drawn`: initial weights; `pretrained`: those of `pretrained`, trained for "
        "`base.steps` on the rows' clips, with the constants of `train`",
    )
    shipped: ShippedName = Field(
        default="mini", description="folder of `shipped/`, in the working directory or else in the project's"
    )
    begin: ShippedName | None = Field(
        default=None,
        description="a folder of `shipped/` whose base this training begins with, in place of drawn weights, and whose "
        "codec it keeps: so a base is trained over several sittings, each from the shipped weights of the one before",
    )
    begin_with: Literal["weights", "codec"] = Field(
        default="weights",
        description="what `begin` gives: its `weights` and the codec that they speak, or the `codec` alone (for a base "
        "that is to guide, `sampler.guide`)",
    )
    seed: Seed = Field(default=0, description="seed of the base's rooms, initial weights, batches and noise")
    rooms: Annotated[Integer, Field(ge=1, le=FIRST_ROOM)] = Field(
        default=24_000, description="rooms rendered for the base, one clip each; only latents, poses and captions stay"
    )
    shard_rooms: Annotated[Integer, Field(ge=1, le=100_000)] = Field(
        default=500, description="rooms of one job and file"
    )
    segments: Annotated[Integer, Field(ge=2, le=100)] = Field(
        default=4, description="segments of a clip; the base sees one of them and the frame before it"
    )
    steps: Steps = Field(default=24_000, description="optimizer steps")
    batch: Annotated[Integer, Field(ge=1, le=65_536)] = Field(default=8, description="segments per step")
    accumulate: Annotated[Integer, Field(ge=1, le=65_536)] = Field(
        default=1, description="micro-batches per step, of batch / accumulate segments"
    )
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32", description="as `train.precision`, of the base's training alone"
    )
    compile: Flag = Field(default=False, description="as `train.compile`, of the base's training alone")
    muon_lr: Rate = Field(default=0.02, description="Muon's learning rate: 2-D weights of the blocks")
    adamw_lr: Rate = Field(default=0.002, description="AdamW's learning rate: all other weights")
    weight_decay: Annotated[float, Strict(), Field(ge=0, le=10), Exponent] = Field(
        default=0.0, description="decoupled weight decay"
    )
    warmup: Steps = Field(default=200, description="steps of linear warm-up")
    cooldown: Annotated[float, Strict(), Field(ge=0, le=1), Exponent] = Field(
        default=0.6, description="last fraction of the steps over which the rate falls linearly to 0"
    )
    ema: Annotated[float, Strict(), Field(ge=0, lt=1), Exponent] = Field(
        default=0.999, description="decay of the moving average of the weights that becomes the base; 0: none"
    )
    clip_norm: Annotated[float, Strict(), Field(gt=0, le=1e6), Exponent] = Field(
        default=1.0, description="gradient norm is clipped to this"
    )
    spike: Annotated[float, Strict(), Field(gt=1, le=1e6), Exponent] = Field(
        default=4.0, description="a step whose loss exceeds this many times the running mean is skipped"
    )
    timestep_shift: Annotated[float, Strict(), Field(ge=1e-3, le=1000), Exponent] = Field(
        default=7.0, description="as `train.timestep_shift`, of the base's training alone"
    )
    checkpoint_every: Annotated[Steps, Field(ge=1)] = Field(
        default=500, description="steps between resumable checkpoints, and lines of the training's log"
    )
    threads: Annotated[Integer, Field(ge=1, le=1024)] = Field(
        default=1, description="CPU threads of the training; another number changes the last bits"
    )

    @property
    def taken(self) -> str | None:
        """The folder of ``shipped/`` whose codec is the study's, and whose base is this one or what it begins with."""
        return {"shipped": self.shipped, "trained": self.begin}.get(self.source)

    @property
    def shards(self) -> int:
        """Jobs, and files, among which the rooms are dealt out."""
        return self.rooms // self.shard_rooms

    @model_validator(mode="after")
    def _a_recipe_that_can_run(self) -> Base:
        """Whole shards, so that more rooms leave those that are there as they are, and steps that were asked for.

        And whole micro-batches, of the one process that trains it.

        The default of ``steps`` is the recipe's; nobody means it for a pretrained model.
        """
        if self.source == "pretrained" and "steps" not in self.model_fields_set:
            raise ValueError(
                "base.source = pretrained without base.steps: give the steps that the pretrained weights are trained "
                "for before the rows, 0 for none"
            )
        if self.source == "trained" and not self.steps:
            raise ValueError("base.steps = 0, but base.source = trained; use base.source: drawn for initial weights")
        if self.rooms % self.shard_rooms:
            raise ValueError(f"base.rooms = {self.rooms} must be a multiple of base.shard_rooms = {self.shard_rooms}")
        if self.batch % self.accumulate:
            raise ValueError(f"base.batch = {self.batch} must be a multiple of base.accumulate = {self.accumulate}")
        return self


def rooms_of_shard(number: int, shard_rooms: int) -> range:
    """Numbers of the rooms of shard ``number``, from 0."""
    first = FIRST_ROOM + number * shard_rooms
    return range(first, first + shard_rooms)
