"""The video transformer that all rows share: diffusers' Wan class, with camera actions and hooks for a memory.

Design:
- The blocks, embedders and output layers are ``WanTransformer3DModel``'s own; this module only runs them, so that the
  paper's scale (Wan 2.1 1.3B) is another configuration and not another code path.
- The sequence is [frames the memory reads out, anchor, target], without the anchor where the memory has it among its
  frames. Clean frames are at timestep 0, the target at t: two
  timesteps for each sample, each embedded once and applied to its slice of the tokens (``kernels``). The released
  context and compression rows have [target, anchor, read-out from its newest frame back] and one timestep for all
  (``layout: target_first``, ``clean_timestep: target``).
- Nothing reads what the last block makes of the clean frames, unless a memory is hooked to it: there they are keys and
  values alone.
- Each frame's camera action is added to all its tokens before every block: through a zero-initialised layer (the
  paper's action injection) or, as released, through an attention along time over that sum. Each token's camera ray,
  in Fourier features, is added once at the input. Rays are ours: the small model needs them to learn in hundreds of
  steps, and all rows have them alike.
- A memory is not known here, only its ``ReadOut``: frames for self-attention, tokens beside the text's, and hooks on
  the hidden tokens of chosen blocks. The transformer sees history in no other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel, WanTransformerBlock
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.utils.checkpoint import checkpoint

from echo.evidence.frames import Frames, join
from echo.io.device import without_autocast
from echo.memory.base import Hook, HookPoint, ReadOut
from echo.model.blocks import (
    Block,
    CameraAttention,
    FlatHook,
    Modulation,
    Rays,
    Rotary,
    run_block,
    weight_by_similarity,
)
from echo.model.kernels import modulated_norm
from echo.study.config import Backbone as BackboneConfig


class Backbone(nn.Module):
    """Velocity of the target frames, given anchor, text, cameras and a memory's read-out.

    ``checkpointing``: recompute each block in the backward pass instead of keeping its activations.
    """

    def __init__(
        self,
        config: BackboneConfig,
        channels: int,
        text_dim: int,
        transformer: WanTransformer3DModel | None = None,
    ) -> None:
        """Build the layers.

        Args:
            config: The study's section ``backbone``.
            channels: C, channels of a latent frame.
            text_dim: Width of the text encoder's tokens.
            transformer: A pretrained one to start from, in place of a fresh one; ValueError where its sizes are not
                those of the configuration.

        """
        super().__init__()
        self.patch = config.patch
        self.width = config.heads * config.head_dim
        self.heads = config.heads
        self.layers = config.layers
        self.target_first = config.layout == "target_first"
        self.clean_timestep = config.clean_timestep
        self.checkpointing = False
        sizes = transformer_sizes(config, channels, text_dim)
        if transformer is None:
            transformer = WanTransformer3DModel(freq_dim=min(256, 2 * self.width), **sizes)
            for block in cast("Iterable[WanTransformerBlock]", transformer.blocks):
                nn.init.constant_(block.attn1.norm_q.weight, config.attention_gain)
                nn.init.constant_(block.attn1.norm_k.weight, config.attention_gain)
        else:
            check_sizes(transformer.config, sizes)
        self.transformer = transformer
        for block in transformer.blocks:
            block.__class__ = Block
        self.rays = Rays(config.ray_frequencies, self.width) if config.ray_frequencies else None
        actions = [nn.Linear(12, self.width) for _ in range(config.layers)]
        self.actions = nn.ModuleList(actions)
        for layer in actions:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.cameras = None
        if config.camera == "attention":
            self.cameras = nn.ModuleList([CameraAttention(self.width, config.heads) for _ in range(config.layers)])

    def forward(
        self,
        target: Frames,
        timestep: Float[Tensor, " B"],
        anchor: Frames,
        text: Float[Tensor, "B L E"],
        read: ReadOut,
    ) -> Float[Tensor, "B T C H W"]:
        """Velocity (B, T, C, H, W) of the noisy target.

        Args:
            target: T noisy frames.
            timestep: (B,) in [0, 1], the target's noise level.
            anchor: The frame before the target, clean.
            text: (B, L, E) embedded captions.
            read: What the memory reads out.

        """
        if read.estimate is not None:
            raise NotImplementedError("ReadOut.estimate is set, but the backbone has no use for estimates yet")
        self.check_hooks(read.hooks)
        frames, clean, noisy = self.arrange(target, anchor, read.frames, read.replaces_anchor)
        height, width = frames.latents.shape[3:]
        tokens = self.embed(frames)
        if read.mixture is not None:
            tokens = weight_by_similarity(tokens, clean, noisy, read.mixture)
        hidden, modulation = self.modulate(timestep, frames.count - target.count, target.count, tokens.shape[2])
        words = self.text(text)
        if read.text is not None:
            words = torch.cat([words, read.text], 1)
        rotary = self.positions(frames.count, height, width)
        step = self.block_step(frames, words, modulation, rotary, read.hook_point)
        for index in range(self.layers):
            tokens = self.run(partial(step, index, read.hooks.get(index)), tokens)
        if self.layers - 1 in read.hooks:
            tokens = tokens[:, noisy]
        return self.unpatch(tokens, hidden, height, width)

    def clean_pass(
        self,
        frames: Frames,
        text: Float[Tensor, "B L E"],
        hooks: Mapping[int, Hook],
        hook_point: HookPoint = "after_block",
    ) -> None:
        """Run clean frames through the blocks up to the last one hooked, each frame attending to itself only.

        This is how history feeds a recurrence without any other way into the target: a hook sees the tokens
        (B, F, N, D) in its block, at ``hook_point``, and returns those that go on.
        """
        self.check_hooks(hooks)
        height, width = frames.latents.shape[3:]
        tokens = self.embed(frames)
        modulation = Modulation(self.time(frames.latents.new_zeros(1))[1][:, None], (tokens.shape[2],))
        words = repeat(self.text(text), "B L D -> (B F) L D", F=frames.count)
        rotary = self.positions(1, height, width)
        step = self.block_step(frames, words, modulation, rotary, hook_point, per_frame=True)
        for index in range(max(hooks, default=-1) + 1):
            tokens = self.run(partial(step, index, hooks.get(index)), tokens)

    def block_step(
        self,
        frames: Frames,
        words: Float[Tensor, "_ words D"],
        modulation: Modulation,
        rotary: Rotary,
        hook_point: HookPoint,
        per_frame: bool = False,
    ) -> Callable[[int, Hook | None, Tensor], Tensor]:
        """What one block does: a function of its number, its hook (None for none) and the tokens (B, F, N, D).

        All of a sample's frames attend to each other, and of the last block only the target's tokens come out, unless
        it is hooked; ``per_frame``: each frame attends to itself only. ``words`` and ``modulation`` are for each
        sample, or, ``per_frame``, for each frame.
        """
        flat, sizes = ("(B F) N D", {"F": frames.count}) if per_frame else ("B (F N) D", {"N": self.cells(frames)})

        def flatten(tokens: Tensor) -> Tensor:
            return rearrange(tokens, f"B F N D -> {flat}")

        def unflatten(tokens: Tensor) -> Tensor:
            return rearrange(tokens, f"{flat} -> B F N D", **sizes)

        def flattened(hook: Hook) -> FlatHook:
            return lambda tokens: flatten(hook(unflatten(tokens)))

        def step(index: int, hook: Hook | None, tokens: Tensor) -> Tensor:
            if hook is not None and hook_point == "before_block":
                tokens = hook(tokens)
            tokens = flatten(self.inject_actions(index, tokens, frames.actions, per_frame))
            block = cast(Block, self.transformer.blocks[index])
            if hook is None and not per_frame and index == self.layers - 1:
                return unflatten(block(tokens, words, modulation, rotary, None, self.target_group))
            flat_hook = None if hook is None or hook_point == "before_block" else flattened(hook)
            return unflatten(run_block(block, tokens, words, modulation, rotary, flat_hook, hook_point))

        return step

    def check_hooks(self, hooks: Mapping[int, Hook]) -> None:
        """Raise ValueError for a hook on a block there is not."""
        unknown = sorted(index for index in hooks if not 0 <= index < self.layers)
        if unknown:
            raise ValueError(f"hooks on blocks {unknown}, but the backbone has blocks 0 to {self.layers - 1}")

    def run(self, step: partial[Tensor], tokens: Float[Tensor, "B F N D"]) -> Float[Tensor, "B _ N D"]:
        """One block's step, recomputed in the backward pass where ``checkpointing`` says so."""
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(step, tokens, use_reentrant=False)
        return step(tokens)

    def embed(self, frames: Frames) -> Float[Tensor, "B F N D"]:
        """Tokens (B, F, N, D) of latent frames: patch embedding plus ray embedding, times the frame's weight."""
        convolution = self.transformer.patch_embedding  # over patches that do not overlap: a linear layer
        patches = rearrange(frames.latents, "B F C (h p) (w q) -> B F (h w) (C p q)", p=self.patch, q=self.patch)
        tokens = linear(patches, convolution.weight.flatten(1), convolution.bias)
        if self.rays is not None:
            tokens = tokens + self.rays(rearrange(frames.rays, "B F h w c -> B F (h w) c"))
        return tokens if frames.weight is None else tokens * rearrange(frames.weight, "B F -> B F 1 1")

    def cells(self, frames: Frames) -> int:
        """N, tokens of one frame."""
        height, width = frames.latents.shape[3:]
        return (height // self.patch) * (width // self.patch)

    def text(self, text: Float[Tensor, "B L E"]) -> Float[Tensor, "B L D"]:
        """Text tokens (B, L, D) from the encoder's (B, L, E)."""
        return self.transformer.condition_embedder.text_embedder(text)

    def time(self, timestep: Float[Tensor, " n"]) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n 6 D"]]:
        """Timesteps (n,) in [0, 1] to their embedding (n, D) and the blocks' modulation (n, 6, D), in float32.

        As in Wan's own code, and diffusers' ``_keep_in_fp32_modules``: rounded to bfloat16 they are off by 0.5 %.
        """
        embedder = self.transformer.condition_embedder
        with without_autocast(timestep.device):
            hidden = embedder.time_embedder(embedder.timesteps_proj(timestep.float() * 1000))
            return hidden, rearrange(embedder.time_proj(embedder.act_fn(hidden)), "n (six D) -> n six D", six=6)

    def positions(self, frames: int, height: int, width: int) -> Rotary:
        """Rotary embedding of ``frames`` consecutive frames of height x width latent cells."""
        cosines, sines = self.transformer.rope(torch.empty(1, 1, frames, height, width, device="meta"))
        return torch.complex(cosines[0, :, :, ::2], sines[0, :, :, ::2])  # diffusers has each number twice

    def inject_actions(
        self,
        block: int,
        tokens: Float[Tensor, "B F N D"],
        actions: Float[Tensor, "B F 12"],
        per_frame: bool = False,
    ) -> Float[Tensor, "B F N D"]:
        """Tokens (B, F, N, D) with each frame's camera action (B, F, 12), as they enter a block.

        ``per_frame``: no frame sees the action of another one.
        """
        acted = tokens + rearrange(self.actions[block](actions), "B F D -> B F 1 D")
        if self.cameras is None:
            return acted
        if not per_frame:
            return tokens + self.cameras[block](acted)
        added = self.cameras[block](rearrange(acted, "B F N D -> (B F) 1 N D"))
        return tokens + rearrange(added, "(B F) 1 N D -> B F N D", F=tokens.shape[1])

    def arrange(
        self, target: Frames, anchor: Frames, read: Frames | None, replaces_anchor: bool = False
    ) -> tuple[Frames, slice, slice]:
        """The sequence in its layout, and where in it the clean frames and the target are.

        replaces_anchor: ``read``, where there is any, stands for the anchor too.
        """
        clean = [anchor] if read is None else [read] if replaces_anchor else [read, anchor]
        count = sum(part.count for part in clean)
        if not self.target_first:
            return join([*clean, target]), slice(count), slice(count, None)
        backwards = torch.arange(count, device=anchor.index.device).flip(0)
        newest_first = join(clean).take(repeat(backwards, "F -> B F", B=len(anchor.index)))
        return join([target, newest_first]), slice(target.count, None), slice(target.count)

    def modulate(
        self, timestep: Float[Tensor, " B"], clean: int, target: int, cells: int
    ) -> tuple[Float[Tensor, "B D"], Modulation]:
        """The target's time embedding (B, D), and the blocks' modulation of the clean frames and of the target.

        ``clean`` and ``target``: numbers of frames of either kind; ``cells``: tokens of a frame.
        """
        hidden, values = self.time(torch.cat([timestep.new_zeros(1), timestep]))
        before = values[:1].expand(len(timestep), -1, -1) if self.clean_timestep == "zero" else values[1:]
        groups, counts = [before, values[1:]], [clean * cells, target * cells]
        if self.target_group == 0:
            groups, counts = groups[::-1], counts[::-1]
        return hidden[1:], Modulation(torch.stack(groups, 1), tuple(counts))

    @property
    def target_group(self) -> int:
        """Which of the two groups of tokens, in the order of the sequence, is the target's."""
        return 0 if self.target_first else 1

    def unpatch(
        self, tokens: Float[Tensor, "B F N D"], hidden: Float[Tensor, "B D"], height: int, width: int
    ) -> Float[Tensor, "B F C H W"]:
        """Output layers: the target's tokens (B, F, N, D) and time embedding (B, D) to (B, F, C, height, width)."""
        flat = rearrange(tokens, "B F N D -> B (F N) D")
        shift, scale = (self.transformer.scale_shift_table + hidden[:, None]).float().split(1, 1)
        out = modulated_norm(flat, shift, scale, (flat.shape[1],), self.transformer.norm_out.eps)
        return rearrange(
            self.transformer.proj_out(out),
            "B (F h w) (p q C) -> B F C (h p) (w q)",
            h=height // self.patch, w=width // self.patch, p=self.patch, q=self.patch,
        )  # fmt: skip


def transformer_sizes(config: BackboneConfig, channels: int, text_dim: int) -> dict[str, Any]:
    """Arguments of diffusers' ``WanTransformer3DModel`` that the configuration determines."""
    return {
        "patch_size": (1, config.patch, config.patch),
        "num_attention_heads": config.heads,
        "attention_head_dim": config.head_dim,
        "in_channels": channels,
        "out_channels": channels,
        "text_dim": text_dim,
        "ffn_dim": config.ffn_dim,
        "num_layers": config.layers,
    }


def check_sizes(held: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise ValueError, naming both sides, where a pretrained transformer's sizes are not those of the study."""
    keys = {
        "patch_size": "backbone.patch",
        "num_attention_heads": "backbone.heads",
        "attention_head_dim": "backbone.head_dim",
        "in_channels": "codec.channels",
        "out_channels": "codec.channels",
        "text_dim": "text.dim",
        "ffn_dim": "backbone.ffn_dim",
        "num_layers": "backbone.layers",
    }
    for name, key in keys.items():
        value = tuple(held[name]) if name == "patch_size" else held[name]
        if value != asked[name]:
            raise ValueError(f"the pretrained transformer has {name} = {value}, but {key} asks for {asked[name]}")
    if held["image_dim"] is not None:
        raise ValueError(
            f"the pretrained transformer has image_dim = {held['image_dim']}; expected a text-to-video one"
        )
