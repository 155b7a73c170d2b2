"""Section ``train``: how each row is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from echo.study.sections.section import Exponent, Flag, Integer, Rate, Section

Steps = Annotated[Integer, Field(ge=0, le=100_000_000)]
Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class Train(Section):
    """Rectified flow on target frames only; every constant is equal for all rows, unless `row_lr` says otherwise."""

    optimizer: Literal["muon", "adamw"] = Field(
        default="muon",
        description="`muon`: Muon on the matrices of the blocks, AdamW on the rest; `adamw`: AdamW on all",
    )
    trainable: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=100)] = Field(
        default=("*",),
        description="names of the parameters that are trained, with wildcards (`memory.*`, `*.actions.*`); all others "
        "keep the base's values",
    )
    frozen: Annotated[tuple[Pattern, ...], Field(max_length=100)] = Field(
        default=(),
        description="of these, the ones that keep the base's values all the same, with wildcards; what is frozen has "
        "no optimizer state. The release freezes Wan's blocks but for camera and recurrence, which stand outside of "
        "them here: `[backbone.transformer.blocks.*]`",
    )
    row_lr: dict[str, Rate] = Field(
        default={},
        description="AdamW's learning rate of single rows, in place of `adamw_lr` (the paper's K=1 has its own)",
    )
    accumulate: Annotated[Integer, Field(ge=1, le=65_536)] = Field(
        default=1,
        description="micro-batches per step: a process handles batch / (processes x accumulate) clips at once",
    )
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32", description="`bf16`: bfloat16 autocast, weights in float32"
    )
    gradient_checkpointing: Flag = Field(default=False, description="recompute each block in the backward pass")
    compile: Flag = Field(default=False, description="torch.compile the transformer's blocks")
    fused: Flag = Field(default=False, description="torch's fused AdamW on GPUs; on CPUs it is always used")
    ema: Annotated[float, Strict(), Field(ge=0, lt=1), Exponent] = Field(
        default=0.0, description="decay of the moving average of the weights that is saved for rollouts; 0: none"
    )
    sharding: Literal["ddp", "fsdp"] = Field(
        default="ddp",
        description="with several processes: `ddp` copies the weights, `fsdp` shards them (FSDP2, AdamW alone)",
    )
    steps: Annotated[Steps, Field(ge=1)] = Field(default=440, description="optimizer steps per row")
    batch: Annotated[Integer, Field(ge=1, le=65_536)] = Field(default=8, description="clips per step")
    muon_lr: Rate = Field(default=0.02, description="Muon's learning rate: 2-D weights of the blocks")
    adamw_lr: Rate = Field(default=0.002, description="AdamW's learning rate: all other weights")
    weight_decay: Annotated[float, Strict(), Field(ge=0, le=10), Exponent] = Field(
        default=0.0, description="decoupled weight decay"
    )
    warmup: Steps = Field(default=20, description="steps of linear warm-up")
    cooldown: Annotated[float, Strict(), Field(ge=0, le=1), Exponent] = Field(
        default=0.5, description="last fraction of the steps over which the rate falls linearly to 0"
    )
    clip_norm: Annotated[float, Strict(), Field(gt=0, le=1e6), Exponent] | None = Field(
        default=1.0, description="gradient norm is clipped to this; null: it is not, as in the release"
    )
    loss_weight: Literal["none", "bell"] = Field(
        default="none",
        description="weight of a sample's loss by its noise level: `bell`, the release's: largest in the middle of the "
        "path, zero at pure noise, 1 on average over its sampler's shifted levels",
    )
    spike: Annotated[float, Strict(), Field(gt=1, le=1e6), Exponent] = Field(
        default=4.0, description="a step whose loss exceeds this many times the running mean is skipped"
    )
    timestep_shift: Annotated[float, Strict(), Field(ge=1e-3, le=1000), Exponent] = Field(
        default=7.0,
        description="s of t' = s t / (1 + (s-1) t), in training and sampling; far outside 0.001 to 1000 every t' "
        "would be 0 or 1",
    )
    context_noise: Annotated[float, Strict(), Field(ge=0, lt=1), Exponent] = Field(
        default=0.0, description="noise level mixed into the context latents, in training and in sampling alike"
    )
    checkpoint_every: Annotated[Steps, Field(ge=1)] = Field(
        default=50, description="steps between resumable checkpoints"
    )

    @model_validator(mode="after")
    def _options_go_together(self) -> Train:
        """No Muon on shards, and each pattern once."""
        if self.sharding == "fsdp" and self.optimizer == "muon":
            raise ValueError("train.sharding = fsdp shards every matrix, which muon needs whole; use optimizer: adamw")
        for key, patterns in (("trainable", self.trainable), ("frozen", self.frozen)):
            if len(set(patterns)) != len(patterns):
                raise ValueError(f"train.{key} names a pattern twice: {', '.join(patterns)}")
        return self
