"""The sections of a study's configuration, one pydantic model each. No torch here (``echo.study.config`` says why).

The ``description`` of every key is what ``config/README.md`` prints.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from echo.study.words import BRANCHES


class Section(BaseModel):
    """A section of the configuration: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Pixels = Annotated[int, Field(ge=16, le=1024)]


class World(Section):
    """Where frames come from: rooms rendered here, or videos on disk."""

    source: Literal["rooms", "context_as_memory", "realestate10k", "spatialvid"] = Field(
        "rooms",
        description="`rooms`: rendered here; otherwise the layout of the videos at `world.path` (docs/data.md)",
    )
    path: str | None = Field(None, description="folder of the videos, unless rooms are rendered")
    size: Pixels | tuple[Pixels, Pixels] = Field(
        64, description="pixels of a frame: one number for a square, or [height, width]"
    )
    field_of_view: Annotated[float, Field(gt=10, lt=150)] = Field(
        75.0, description="horizontal field of view, in degrees; pixels are square, so the vertical one follows"
    )
    train_rooms: Annotated[int, Field(ge=1)] = Field(
        1200, description="training rooms, one clip each; clips cut from videos on disk"
    )
    in_domain_rooms: Annotated[int, Field(ge=1)] = Field(
        64, description="held-out rooms built of training assets; clips of each kind cut from held-out stretches"
    )
    open_domain_rooms: Annotated[int, Field(ge=1)] = Field(
        20,
        description="held-out rooms built of textures, portraits and anchors never seen in training; clips of each "
        "kind cut from held-out videos",
    )
    held_out_videos: Annotated[int, Field(ge=0)] = Field(
        0, description="videos on disk that are kept from training; the open domain is cut from them"
    )
    stride: Annotated[int, Field(ge=1)] = Field(1, description="recorded frames from one frame of a clip to the next")
    identities: Annotated[int, Field(ge=2, le=8)] = Field(
        8, description="identity anchors each open-domain room is rendered with"
    )
    packed: bool = Field(
        True,
        description="one file a video; false: the Context-as-Memory layout, one PNG a frame (both are read alike)",
    )
    poses: bool = Field(True, description="whether the pool has camera poses; retrieval by view needs them")

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.size if isinstance(self.size, int) else self.size[1]

    def rooms(self, split: str) -> int:
        """Rooms of a split; of recordings, clips of each kind."""
        rooms = {"train": self.train_rooms, "in_domain": self.in_domain_rooms, "open_domain": self.open_domain_rooms}
        return rooms[split]

    @property
    def open_domain_scenes(self) -> int:
        """Open-domain videos of each kind."""
        return self.open_domain_rooms * (self.identities if self.source == "rooms" else 1)

    @model_validator(mode="after")
    def _source_and_path(self):
        if self.source == "rooms":
            if self.path is not None:
                raise ValueError(f"world.path = {self.path}, but world.source = rooms renders its own frames")
            if self.height != self.width:
                raise ValueError(f"world.size = [{self.height}, {self.width}]: rendered rooms are square")
        elif not self.path:
            raise ValueError(f"world.source = {self.source} reads videos from disk: set world.path to their folder")
        elif not self.held_out_videos:
            raise ValueError(f"world.source = {self.source}: world.held_out_videos must be at least 1")
        return self


class Pretrained(Section):
    """A pretrained Wan 2.1 in diffusers' folder layout (transformer, vae, text_encoder, tokenizer)."""

    repo: str | None = Field(None, description="repository of the model hub it is downloaded from; none: not used")
    revision: str | None = Field(None, description="commit of that repository; a download must be pinned")
    path: str | None = Field(None, description="a folder that is there already, instead of a download")

    @property
    def given(self) -> bool:
        """Whether the study starts from pretrained weights."""
        return bool(self.repo or self.path)

    @model_validator(mode="after")
    def _pinned(self):
        if self.repo and not self.path and not self.revision:
            raise ValueError(f"pretrained.repo = {self.repo} without pretrained.revision: give the commit to download")
        return self


class Segment(Section):
    """The unit of generation."""

    frames: Annotated[int, Field(ge=2)] = Field(8, description="T, frames generated at once")
    train_segments: Annotated[int, Field(ge=2)] = Field(4, description="segments in a training clip")
    history_weights: tuple[float, ...] = Field(
        (0.05, 0.15, 0.6, 0.2), description="how often training targets the 1st, 2nd, ... segment of a clip"
    )

    @model_validator(mode="after")
    def _one_weight_a_segment(self):
        if len(self.history_weights) != self.train_segments:
            raise ValueError(
                f"history_weights has {len(self.history_weights)} entries, expected train_segments = "
                f"{self.train_segments}"
            )
        if min(self.history_weights) < 0 or sum(self.history_weights) <= 0:
            raise ValueError(f"history_weights must be non-negative and not all zero, got {self.history_weights}")
        return self


class Codec(Section):
    """Frames to latents and back."""

    kind: Literal["patch", "autoencoder", "wan"] = Field(
        "patch",
        description="`patch`: linear patch codec; `autoencoder`: diffusers' AutoencoderKL; `wan`: diffusers' "
        "AutoencoderKLWan, that of `pretrained` where one is given",
    )
    temporal: Literal[1, 4] = Field(
        1,
        description="frames a target latent covers: 1, each frame alone; 4, a segment of T = 1 + 4 n frames becomes "
        "1 + n latents (`wan` alone). Evidence is always coded frame by frame",
    )
    storage: Literal["float32", "bfloat16"] = Field("float32", description="how cached latents are stored")
    channels: Annotated[int, Field(ge=1)] = Field(64, description="latent channels C")
    downsample: Annotated[int, Field(ge=2)] = Field(16, description="pixels a latent cell covers along each side")
    train_frames: Annotated[int, Field(ge=1)] = Field(8000, description="frames the codec is fitted on")
    train_steps: Annotated[int, Field(ge=0)] = Field(0, description="gradient steps (autoencoders only)")
    options: dict[str, int | float | str | list[int] | list[bool]] = Field(
        {}, description="constructor arguments of the diffusers class, for autoencoders that are trained here"
    )


class Text(Section):
    """The caption's embedding."""

    kind: Literal["hashed", "none", "umt5"] = Field(
        "hashed",
        description="`hashed`: one fixed random vector a word; `none`: one zero token; `umt5`: the text encoder of "
        "`pretrained`",
    )
    dim: Annotated[int, Field(ge=4)] = Field(64, description="width of a text token")
    tokens: Annotated[int, Field(ge=1)] = Field(12, description="text tokens a caption is cut or padded to")


class Backbone(Section):
    """diffusers' WanTransformer3DModel, in a small configuration, and how the camera enters it."""

    layers: Annotated[int, Field(ge=1)] = Field(4, description="transformer blocks")
    heads: Annotated[int, Field(ge=1)] = Field(4, description="attention heads")
    head_dim: Annotated[int, Field(ge=6)] = Field(32, description="width of a head (even)")
    ffn_dim: Annotated[int, Field(ge=8)] = Field(512, description="width of the feed-forward layer")
    patch: Annotated[int, Field(ge=1)] = Field(1, description="latent cells a token covers along each side")
    ray_frequencies: Annotated[int, Field(ge=0)] = Field(
        4, description="octaves of the Fourier features of each token's camera ray; 0 switches rays off"
    )
    attention_gain: Annotated[float, Field(gt=0)] = Field(
        1.6,
        description="initial weight of self-attention's query and key norms (1 is diffusers' own): attention logits "
        "start gain^2 times as large, so that one token in hundreds can be singled out early; pretrained weights "
        "replace it",
    )
    camera: Literal["add", "attention"] = Field(
        "add",
        description="how a frame's camera enters each block: `add`, a linear layer added to its tokens; `attention`, "
        "that sum attends along time in a layer of its own (the released checkpoints)",
    )
    layout: Literal["context_first", "target_first"] = Field(
        "context_first",
        description="order, and so rotary positions, of the frames in self-attention: what the memory reads out and "
        "the anchor before the target, or after it, the anchor and then the newest frame nearest to it (the released "
        "context and compression rows)",
    )
    clean_timestep: Literal["zero", "target"] = Field(
        "zero",
        description="timestep of the clean frames beside the target: `zero`, or the `target`'s own (the released "
        "checkpoints)",
    )

    @model_validator(mode="after")
    def _even_heads(self):
        if self.head_dim % 2:
            raise ValueError(f"head_dim must be even for rotary positions, got {self.head_dim}")
        return self


class EvidenceConfig(Section):
    """The one retriever every row shares."""

    frames: Annotated[int, Field(ge=1)] = Field(20, description="frames in E: the anchor and frames-1 retrieved")
    rule: Literal["fov_mid", "fov_cover", "recent"] = Field(
        "fov_cover",
        description="ranking: `fov_mid` overlap with the segment's middle view (the paper's), `fov_cover` greedy "
        "cover of all the segment's views, `recent` the latest frames",
    )
    policy: Literal["matched"] = Field("matched", description="`matched`: every row is handed the same E")
    drop: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="probability in training that E is the anchor alone"
    )


class Train(Section):
    """Rectified flow on target frames only; every constant is equal for all rows, unless `row_lr` says otherwise."""

    optimizer: Literal["muon", "adamw"] = Field(
        "muon", description="`muon`: Muon on the matrices of the blocks, AdamW on the rest; `adamw`: AdamW on all"
    )
    trainable: tuple[str, ...] = Field(
        ("*",),
        description="names of the parameters that are trained, with wildcards (`memory.*`, `*.actions.*`); all others "
        "keep the base's values",
    )
    row_lr: dict[str, float] = Field(
        {}, description="AdamW's learning rate of single rows, in place of `adamw_lr` (the paper's K=1 has its own)"
    )
    accumulate: Annotated[int, Field(ge=1)] = Field(
        1, description="micro-batches a step: a process handles batch / (processes x accumulate) clips at once"
    )
    precision: Literal["fp32", "bf16"] = Field("fp32", description="`bf16`: bfloat16 autocast, weights in float32")
    gradient_checkpointing: bool = Field(False, description="recompute each block in the backward pass")
    compile: bool = Field(False, description="torch.compile the transformer's blocks")
    fused: bool = Field(False, description="torch's fused AdamW")
    ema: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="decay of the moving average of the weights that is saved for rollouts; 0: none"
    )
    sharding: Literal["ddp", "fsdp"] = Field(
        "ddp", description="with several processes: `ddp` copies the weights, `fsdp` shards them (FSDP2, AdamW alone)"
    )
    steps: Annotated[int, Field(ge=1)] = Field(440, description="optimizer steps a row")
    base_steps: Annotated[int, Field(ge=0)] = Field(
        0, description="optimizer steps of the shared base, without memory; 0: shared initial weights only"
    )
    batch: Annotated[int, Field(ge=1)] = Field(8, description="clips a step")
    muon_lr: Annotated[float, Field(gt=0)] = Field(0.02, description="Muon's learning rate: 2-D weights of the blocks")
    adamw_lr: Annotated[float, Field(gt=0)] = Field(0.002, description="AdamW's learning rate: all other weights")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.0, description="decoupled weight decay")
    warmup: Annotated[int, Field(ge=0)] = Field(20, description="steps of linear warm-up")
    cooldown: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="last fraction of the steps over which the rate falls linearly to 0"
    )
    clip_norm: Annotated[float, Field(gt=0)] = Field(1.0, description="gradient norm is clipped to this")
    spike: Annotated[float, Field(gt=1)] = Field(
        4.0, description="a step whose loss exceeds this many times the running mean is skipped"
    )
    timestep_shift: Annotated[float, Field(gt=0)] = Field(
        7.0, description="s of t' = s t / (1 + (s-1) t), in training and sampling"
    )
    context_noise: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="noise level mixed into the context latents, in training and in sampling alike"
    )
    checkpoint_every: Annotated[int, Field(ge=1)] = Field(50, description="steps between resumable checkpoints")

    @model_validator(mode="after")
    def _options_go_together(self):
        if self.batch % self.accumulate:
            raise ValueError(f"train.batch = {self.batch} is not a multiple of train.accumulate = {self.accumulate}")
        if self.sharding == "fsdp" and self.optimizer == "muon":
            raise ValueError("train.sharding = fsdp shards every matrix, which muon needs whole; use optimizer: adamw")
        return self


class Sampler(Section):
    """Euler steps of the learnt flow."""

    steps: Annotated[int, Field(ge=1)] = Field(4, description="Euler steps")


class Evaluate(Section):
    """Cases, branches and measures."""

    cases: Annotated[int, Field(ge=1)] = Field(64, description="cases a branch")
    branches: tuple[Literal[*BRANCHES], ...] = Field(tuple(BRANCHES), description="branches that are rolled out")
    batch: Annotated[int, Field(ge=1)] = Field(32, description="cases rolled out together")
    probe_cases: Annotated[int, Field(ge=2)] = Field(32, description="recall cases each probe intervenes on")
    probe_threshold: Annotated[float, Field(ge=0)] = Field(
        0.5,
        description="mean absolute change of the return frames, in grey levels of 255, above which a memory counts "
        "as used; an inert row must change by exactly 0",
    )
    judge: Literal["embedded"] = Field("embedded", description="the judge")
    bootstrap: Annotated[int, Field(ge=100)] = Field(2000, description="bootstrap resamples behind each interval")


class Compute(Section):
    """What the study runs on; no result depends on it but in the last bits."""

    device: Literal["cpu", "cuda"] = Field(
        "cpu",
        description="what jobs ask a cluster for: `cuda` asks for a GPU for each process of a training, and one for "
        "encoding, rollouts and probes (workflow/rules/resources.smk); wherever a GPU is at hand, it is used",
    )
    processes: Annotated[int, Field(ge=1)] = Field(1, description="processes, and so GPUs, of one training job")
    latent_shares: Annotated[int, Field(ge=1)] = Field(
        1, description="jobs among which the encoding of a split is shared; each takes a fixed share of it"
    )
    gpu: str = Field(
        "A100-80GB", description="the GPU that `python -m echo.cost` plans for; echo/cost/gpus.py lists them"
    )
    utilisation: Annotated[float, Field(gt=0, le=1)] = Field(
        0.35, description="share of the GPU's peak arithmetic that a training step is planned to reach"
    )
