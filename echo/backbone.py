"""The video transformer every row shares: diffusers' Wan class, camera actions in each block, one seam for memory.

Design:
- The blocks, embedders and output layers are ``WanTransformer3DModel``'s own; this module only runs them, so that the
  paper's scale (Wan 2.1 1.3B) is another configuration and not another code path.
- The sequence is [frames the memory reads out, anchor, target]. Clean frames stand at timestep 0, the target at t:
  two timesteps a sample, embedded once each and then spread over their tokens.
- Each frame's camera action is added to all its tokens before every block, through a zero-initialised layer (the
  paper's action injection); each token's camera ray, in Fourier features, is added once at the input. Rays are ours:
  the small model needs them to learn in hundreds of steps, and all rows have them alike.
- The seam: ``ReadOut``. A memory adds frames to self-attention, tokens to the text keys and values, or acts on the
  hidden tokens after chosen blocks. The transformer sees history in no other way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from torch import Tensor, nn

from echo.config import Backbone as BackboneConfig
from echo.frames import Frames, join

if TYPE_CHECKING:
    from echo.memory.base import Memory


@dataclass(frozen=True)
class ReadOut:
    """R(M): what the transformer sees of a memory.

    frames: clean frames for self-attention; text: (B, M, D) tokens for the text keys and values;
    state: handed to ``Memory.at_block`` after each block in ``Memory.blocks``.
    """

    frames: Frames | None = None
    text: Tensor | None = None
    state: dict[str, Tensor] = field(default_factory=dict)


class Rays(nn.Module):
    """Camera rays (..., 6) to token width: the coordinates and their sines and cosines at octaves, one linear layer."""

    def __init__(self, frequencies: int, width: int):
        super().__init__()
        self.register_buffer("octaves", 2.0 ** torch.arange(frequencies), persistent=False)
        self.project = nn.Linear(6 * (1 + 2 * frequencies), width)

    def forward(self, rays: Tensor) -> Tensor:
        angles = (rays[..., None] * self.octaves).flatten(-2)
        return self.project(torch.cat([rays, angles.sin(), angles.cos()], -1))


class Backbone(nn.Module):
    """Velocity of the target frames, given anchor, text, camera and a memory's read-out."""

    def __init__(self, config: BackboneConfig, channels: int, text_dim: int):
        super().__init__()
        self.patch = config.patch
        self.width = config.heads * config.head_dim
        self.heads = config.heads
        self.layers = config.layers
        self.transformer = WanTransformer3DModel(
            patch_size=(1, config.patch, config.patch),
            num_attention_heads=config.heads,
            attention_head_dim=config.head_dim,
            in_channels=channels,
            out_channels=channels,
            text_dim=text_dim,
            freq_dim=min(256, 2 * self.width),
            ffn_dim=config.ffn_dim,
            num_layers=config.layers,
        )
        for block in self.transformer.blocks:
            nn.init.constant_(block.attn1.norm_q.weight, config.attention_gain)
            nn.init.constant_(block.attn1.norm_k.weight, config.attention_gain)
        self.rays = Rays(config.ray_frequencies, self.width) if config.ray_frequencies else None
        self.actions = nn.ModuleList([nn.Linear(12, self.width) for _ in range(config.layers)])
        for layer in self.actions:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

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

    def act(self, block: int, tokens: Tensor, actions: Tensor) -> Tensor:
        """Add each frame's camera action (B, F, 12) to its tokens (B, F, N, D)."""
        return tokens + self.actions[block](actions)[:, :, None]

    def forward(
        self, target: Frames, timestep: Tensor, anchor: Frames, text: Tensor, memory: Memory, read: ReadOut
    ) -> Tensor:
        """Velocity (B, T, C, H, W) of the noisy target at ``timestep`` (B,) in [0, 1]."""
        frames = join([part for part in (read.frames, anchor, target) if part is not None])
        batch, count, channels, height, width = frames.latents.shape
        tokens = self.embed(frames)
        cells = tokens.shape[2]
        clean = count - target.count

        hidden, modulation = self.time(torch.cat([timestep.new_zeros(1), timestep]))
        hidden, modulation = (
            torch.cat(
                [
                    value[:1, None].expand(batch, clean * cells, *value.shape[1:]),
                    value[1:, None].expand(batch, target.count * cells, *value.shape[1:]),
                ],
                1,
            )
            for value in (hidden, modulation)
        )
        words = self.text(text)
        if read.text is not None:
            words = torch.cat([words, read.text], 1)
        rotary = self.positions(count, height, width)
        for index, block in enumerate(self.transformer.blocks):
            tokens = self.act(index, tokens, frames.actions)
            tokens = block(tokens.flatten(1, 2), words, modulation, rotary).unflatten(1, (count, cells))
            if index in memory.blocks:
                tokens = memory.at_block(index, tokens, read.state)
        return self.unpatch(tokens[:, clean:], hidden[:, clean * cells :], height, width)

    def unpatch(self, tokens: Tensor, hidden: Tensor, height: int, width: int) -> Tensor:
        """Output layers: tokens (B, F, N, D) with their time embedding (B, F N, D) to (B, F, C, height, width)."""
        shift, scale = (self.transformer.scale_shift_table[:, None] + hidden[:, :, None]).chunk(2, 2)
        out = self.transformer.norm_out(tokens.flatten(1, 2)) * (1 + scale[:, :, 0]) + shift[:, :, 0]
        out = self.transformer.proj_out(out)
        batch, count, side = len(tokens), tokens.shape[1], self.patch
        out = out.reshape(batch, count, height // side, width // side, side, side, -1)
        return out.permute(0, 1, 6, 2, 4, 3, 5).reshape(batch, count, -1, height, width)

    def clean_pass(self, frames: Frames, text: Tensor, last: int, after_block) -> None:
        """Run clean frames through blocks 0..last, each attending within its own frame only.

        This is how history feeds a recurrence without any other way into the target: ``after_block(index, tokens)``
        takes the tokens (B, F, N, D) after each block and returns what goes on.
        """
        batch, count, _, height, width = frames.latents.shape
        tokens = self.embed(frames)
        cells = tokens.shape[2]
        modulation = self.time(frames.latents.new_zeros(1))[1][:, None]
        words = self.text(text)[:, None].expand(-1, count, -1, -1).flatten(0, 1)
        rotary = self.positions(1, height, width)
        for index, block in enumerate(self.transformer.blocks[: last + 1]):
            tokens = self.act(index, tokens, frames.actions)
            tokens = block(tokens.flatten(0, 1), words, modulation, rotary).unflatten(0, (batch, count))
            tokens = after_block(index, tokens.reshape(batch, count, cells, -1))
