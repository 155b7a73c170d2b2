"""The backbone's parts: a transformer block with a seam in it, how the camera enters, how clean frames are weighed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor, WanTransformerBlock
from torch import Tensor, nn
from torch.nn.functional import normalize


class Rays(nn.Module):
    """Camera rays (..., 6) to token width: the coordinates and their sines and cosines at octaves, one linear layer."""

    def __init__(self, frequencies: int, width: int):
        super().__init__()
        self.register_buffer("octaves", 2.0 ** torch.arange(frequencies), persistent=False)
        self.project = nn.Linear(6 * (1 + 2 * frequencies), width)

    def forward(self, rays: Tensor) -> Tensor:
        angles = (rays[..., None] * self.octaves).flatten(-2)
        return self.project(torch.cat([rays, angles.sin(), angles.cos()], -1))


class CameraAttention(nn.Module):
    """Every spatial position attends along time, without rotary positions; starts at zero (the released blocks)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention = WanAttention(width, heads, width // heads, eps=1e-6, processor=WanAttnProcessor())
        nn.init.zeros_(self.attention.to_out[0].weight)
        nn.init.zeros_(self.attention.to_out[0].bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (B, F, N, D) to what is added to them, of the same shape."""
        paths = tokens.transpose(1, 2)
        return self.attention(paths.flatten(0, 1)).unflatten(0, paths.shape[:2]).transpose(1, 2)


class Block(WanTransformerBlock):
    """diffusers' block, which another module may also enter between its two attentions.

    The blocks of a transformer become of this class where they lie, so that what hooks into a block's forward (sharding
    over processes, compilation) sees these calls too.
    """

    def forward(self, tokens, words, modulation, rotary, between: Callable[[Tensor], Tensor] | None = None):
        """Tokens (B, L, D) to the same; modulation: (B or 1, L or 1, 6, D).

        ``between`` acts on the tokens after self-attention, before they attend to the words.
        """
        if between is None:
            return super().forward(tokens, words, modulation, rotary)
        shift, scale, gate, shift_out, scale_out, gate_out = (self.scale_shift_table[None] + modulation.float()).unbind(
            2
        )
        inputs = (self.norm1(tokens.float()) * (1 + scale) + shift).type_as(tokens)
        tokens = (tokens.float() + self.attn1(inputs, None, None, rotary) * gate).type_as(tokens)
        tokens = between(tokens)
        tokens = tokens + self.attn2(self.norm2(tokens.float()).type_as(tokens), words, None, None)
        inputs = (self.norm3(tokens.float()) * (1 + scale_out) + shift_out).type_as(tokens)
        return (tokens.float() + self.ffn(inputs).float() * gate_out).type_as(tokens)


def run_block(
    block: Block,
    tokens: Tensor,
    words: Tensor,
    modulation: Tensor,
    rotary: tuple[Tensor, Tensor],
    remember: Callable[[Tensor], Tensor] | None,
    acts: str,
) -> Tensor:
    """Tokens (B, L, D) through a block, ``remember`` acting ``after_block`` or ``after_attention``."""
    if remember is None:
        return block(tokens, words, modulation, rotary)
    if acts == "after_attention":
        return block(tokens, words, modulation, rotary, remember)
    return remember(block(tokens, words, modulation, rotary))


def weigh_contexts(tokens: Tensor, clean: slice, target: slice, temperature: float) -> Tensor:
    """Tokens (B, F, N, D) whose k clean frames are scaled by k softmax(cos(target, frame) / temperature).

    The cosine is that of mean tokens; the weights' mean is 1. Mixture of Contexts, as the released compression rows
    use it: before the first block, without parameters.
    """
    query = normalize(tokens[:, target].mean((1, 2)), dim=-1)
    keys = normalize(tokens[:, clean].mean(2), dim=-1)
    weight = keys.shape[1] * ((keys @ query[..., None]).squeeze(-1) / temperature).softmax(1)
    scale = tokens.new_ones(tokens.shape[:2])
    scale[:, clean] = weight.to(scale)
    return tokens * scale[..., None, None]
