"""The video transformer every row shares: diffusers' Wan class, camera actions in each block, one seam for memory.

Design:
- The blocks, embedders and output layers are ``WanTransformer3DModel``'s own; this module only runs them, so that the
  paper's scale (Wan 2.1 1.3B) is another configuration and not another code path.
- The sequence is [frames the memory reads out, anchor, target]. Clean frames stand at timestep 0, the target at t:
  two timesteps a sample, embedded once each and then spread over their tokens. The released context and compression
  rows have [target, anchor, read-out from its newest frame back] and one timestep for all (``layout: target_first``,
  ``clean_timestep: target``).
- Each frame's camera action enters all its tokens before every block: added through a zero-initialised layer (the
  paper's action injection) or, as released, through an attention along time over that sum. Each token's camera ray,
  in Fourier features, is added once at the input. Rays are ours: the small model needs them to learn in hundreds of
  steps, and all rows have them alike.
- The seam: ``ReadOut``. A memory adds frames to self-attention, tokens to the text keys and values, or acts on the
  hidden tokens in chosen blocks. The transformer sees history in no other way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from echo.evidence.frames import Frames, join
from echo.model.blocks import Block, CameraAttention, Rays, run_block, weigh_contexts
from echo.study.config import Backbone as BackboneConfig

if TYPE_CHECKING:
    from echo.memory.base import Memory


@dataclass(frozen=True)
class ReadOut:
    """R(M): what the transformer sees of a memory.

    frames: clean frames for self-attention; text: (B, M, D) tokens for the text keys and values;
    state: handed to ``Memory.at_block`` in each block of ``Memory.blocks``; mixture: temperature at which the clean
    frames are weighed by their likeness to the target (``weigh_contexts``), or None.
    """

    frames: Frames | None = None
    text: Tensor | None = None
    state: dict[str, Tensor] = field(default_factory=dict)
    mixture: float | None = None


class Backbone(nn.Module):
    """Velocity of the target frames, given anchor, text, camera and a memory's read-out.

    ``transformer``: a pretrained one to start from, in place of a fresh one; ValueError where it does not agree with
    the configuration. ``checkpointing``: recompute each block in the backward pass instead of keeping what it held.
    """

    def __init__(
        self,
        config: BackboneConfig,
        channels: int,
        text_dim: int,
        transformer: WanTransformer3DModel | None = None,
    ):
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
            for block in transformer.blocks:
                nn.init.constant_(block.attn1.norm_q.weight, config.attention_gain)
                nn.init.constant_(block.attn1.norm_k.weight, config.attention_gain)
        else:
            check_sizes(transformer.config, sizes)
        self.transformer = transformer
        for block in transformer.blocks:
            block.__class__ = Block
        self.rays = Rays(config.ray_frequencies, self.width) if config.ray_frequencies else None
        self.actions = nn.ModuleList([nn.Linear(12, self.width) for _ in range(config.layers)])
        for layer in self.actions:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.cameras = None
        if config.camera == "attention":
            self.cameras = nn.ModuleList([CameraAttention(self.width, config.heads) for _ in range(config.layers)])

    def embed(self, frames: Frames) -> Tensor:
        """Tokens (B, F, N, D) of latent frames: patch embedding plus ray embedding, times the frame's weight."""
        tokens = self.transformer.patch_embedding(frames.latents.transpose(1, 2))
        tokens = tokens.flatten(3).permute(0, 2, 3, 1)
        if self.rays is not None:
            tokens = tokens + self.rays(frames.rays.flatten(2, 3))
        return tokens if frames.weight is None else tokens * frames.weight[..., None, None]

    def text(self, text: Tensor) -> Tensor:
        """Text tokens (B, L, D) from the encoder's (B, L, text_dim)."""
        return self.transformer.condition_embedder.text_embedder(text)

    def time(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """Timesteps (n,) in [0, 1] to (n, D) and its per-block modulation (n, 6, D)."""
        embedder = self.transformer.condition_embedder
        hidden = embedder.time_embedder(embedder.timesteps_proj(timestep * 1000))
        return hidden, embedder.time_proj(embedder.act_fn(hidden)).unflatten(1, (6, -1))

    def positions(self, frames: int, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Rotary embedding of ``frames`` consecutive frames of height x width latent cells."""
        return self.transformer.rope(torch.empty(1, 1, frames, height, width, device="meta"))

    def act(self, block: int, tokens: Tensor, actions: Tensor, apart: bool = False) -> Tensor:
        """Tokens (B, F, N, D) with each frame's camera action (B, F, 12), as it enters before a block.

        ``apart``: no frame sees another one's.
        """
        acted = tokens + self.actions[block](actions)[:, :, None]
        if self.cameras is None:
            return acted
        return tokens + self.cameras[block](acted.flatten(0, 1)[:, None] if apart else acted).reshape(tokens.shape)

    def arrange(self, target: Frames, anchor: Frames, read: Frames | None) -> tuple[Frames, slice, slice]:
        """The sequence in its layout, and where in it the clean frames and the target stand."""
        clean = [anchor] if read is None else [read, anchor]
        count = sum(part.count for part in clean)
        if not self.target_first:
            return join([*clean, target]), slice(count), slice(count, None)
        clean = join(clean)
        newest_first = torch.arange(count, device=clean.index.device).flip(0).expand(len(clean.index), -1)
        return join([target, clean.take(newest_first)]), slice(target.count, None), slice(target.count)

    def spread(self, value: Tensor, clean: int, target: int) -> Tensor:
        """(1 + B, ...) of timestep 0 and the targets' timesteps to (B, tokens, ...), in the sequence's layout."""
        batch = len(value) - 1
        before = value[:1] if self.clean_timestep == "zero" else value[1:]
        parts = [
            part[:, None].expand(batch, tokens, *value.shape[1:])
            for part, tokens in ((before, clean), (value[1:], target))
        ]
        return torch.cat(parts[::-1] if self.target_first else parts, 1)

    def run(self, step: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
        """One block's step, recomputed in the backward pass where ``checkpointing`` says so."""
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(step, tokens, use_reentrant=False)
        return step(tokens)

    def forward(
        self, target: Frames, timestep: Tensor, anchor: Frames, text: Tensor, memory: Memory, read: ReadOut
    ) -> Tensor:
        """Velocity (B, T, C, H, W) of the noisy target at ``timestep`` (B,) in [0, 1]."""
        frames, clean, noisy = self.arrange(target, anchor, read.frames)
        count, height, width = frames.count, *frames.latents.shape[3:]
        tokens = self.embed(frames)
        cells = tokens.shape[2]
        if read.mixture is not None:
            tokens = weigh_contexts(tokens, clean, noisy, read.mixture)

        hidden, modulation = (
            self.spread(value, (count - target.count) * cells, target.count * cells)
            for value in self.time(torch.cat([timestep.new_zeros(1), timestep]))
        )
        words = self.text(text)
        if read.text is not None:
            words = torch.cat([words, read.text], 1)
        rotary = self.positions(count, height, width)

        def step(index: int, tokens: Tensor) -> Tensor:
            def remember(tokens: Tensor) -> Tensor:
                return memory.at_block(index, tokens.unflatten(1, (count, cells)), read.state).flatten(1, 2)

            tokens = self.act(index, tokens, frames.actions).flatten(1, 2)
            block, then = self.transformer.blocks[index], remember if index in memory.blocks else None
            tokens = run_block(block, tokens, words, modulation, rotary, then, memory.acts)
            return tokens.unflatten(1, (count, cells))

        for index in range(self.layers):
            tokens = self.run(partial(step, index), tokens)
        hidden = hidden.unflatten(1, (count, cells))[:, noisy].flatten(1, 2)
        return self.unpatch(tokens[:, noisy], hidden, height, width)

    def unpatch(self, tokens: Tensor, hidden: Tensor, height: int, width: int) -> Tensor:
        """Output layers: tokens (B, F, N, D) with their time embedding (B, F N, D) to (B, F, C, height, width)."""
        shift, scale = (self.transformer.scale_shift_table[:, None] + hidden[:, :, None]).chunk(2, 2)
        out = self.transformer.norm_out(tokens.flatten(1, 2)) * (1 + scale[:, :, 0]) + shift[:, :, 0]
        out = self.transformer.proj_out(out)
        batch, count, side = len(tokens), tokens.shape[1], self.patch
        out = out.reshape(batch, count, height // side, width // side, side, side, -1)
        return out.permute(0, 1, 6, 2, 4, 3, 5).reshape(batch, count, -1, height, width)

    def clean_pass(self, frames: Frames, text: Tensor, last: int, remember, acts: str = "after_block") -> None:
        """Run clean frames through blocks 0..last, each attending within its own frame only.

        This is how history feeds a recurrence without any other way into the target: ``remember(index, tokens)`` takes
        the tokens (B, F, N, D) in each block, at ``acts``, and returns what goes on.
        """
        batch, count, _, height, width = frames.latents.shape
        tokens = self.embed(frames)
        modulation = self.time(frames.latents.new_zeros(1))[1][:, None]
        words = self.text(text)[:, None].expand(-1, count, -1, -1).flatten(0, 1)
        rotary = self.positions(1, height, width)

        def step(index: int, tokens: Tensor) -> Tensor:
            def then(tokens: Tensor) -> Tensor:
                return remember(index, tokens.unflatten(0, (batch, count))).flatten(0, 1)

            tokens = self.act(index, tokens, frames.actions, apart=True).flatten(0, 1)
            tokens = run_block(self.transformer.blocks[index], tokens, words, modulation, rotary, then, acts)
            return tokens.unflatten(0, (batch, count))

        for index in range(last + 1):
            tokens = self.run(partial(step, index), tokens)


def transformer_sizes(config: BackboneConfig, channels: int, text_dim: int) -> dict:
    """Arguments of diffusers' WanTransformer3DModel that the configuration settles."""
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


def check_sizes(held: dict, asked: dict) -> None:
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
