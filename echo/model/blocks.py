"""The backbone's parts: a block that can be hooked, how the camera enters, how clean frames are weighted."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor, WanTransformerBlock
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from echo.memory.base import HookPoint

FlatHook = Callable[[Tensor], Tensor]  # a hook on tokens as a block holds them, (B, L, D)
Rotary = tuple[Tensor, Tensor]  # cosines and sines of the rotary embedding


class Rays(nn.Module):
    """Camera rays to tokens: the coordinates and their sines and cosines at octaves, through one linear layer."""

    octaves: Tensor

    def __init__(self, frequencies: int, width: int) -> None:
        super().__init__()
        self.register_buffer("octaves", 2.0 ** torch.arange(frequencies), persistent=False)
        self.project = nn.Linear(6 * (1 + 2 * frequencies), width)

    def forward(self, rays: Float[Tensor, "*lead 6"]) -> Float[Tensor, "*lead D"]:
        """Rays (..., 6) to their embedding (..., D)."""
        angles = rearrange(rays[..., None] * self.octaves, "... coordinate octave -> ... (coordinate octave)")
        return self.project(torch.cat([rays, angles.sin(), angles.cos()], -1))


class CameraAttention(nn.Module):
    """Every spatial position attends along time, without rotary positions; starts at zero (the released blocks)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = WanAttention(width, heads, width // heads, eps=1e-6, processor=WanAttnProcessor())
        leave = cast(nn.Linear, self.attention.to_out[0])
        nn.init.zeros_(leave.weight)
        nn.init.zeros_(leave.bias)

    def forward(self, tokens: Float[Tensor, "B F N D"]) -> Float[Tensor, "B F N D"]:
        """Tokens (B, F, N, D) to what is added to them, of the same shape."""
        added = self.attention(rearrange(tokens, "B F N D -> (B N) F D"))
        return rearrange(added, "(B N) F D -> B F N D", N=tokens.shape[2])


class Block(WanTransformerBlock):
    """diffusers' block, with a place between its two attentions where a hook may be applied.

    The blocks of a transformer are patched in place (their class is replaced), so that what wraps a block's ``forward``
    (sharding over processes, compilation) covers hooked calls as well.
    """

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride] arguments are given by position
        self,
        tokens: Float[Tensor, "B L D"],
        words: Float[Tensor, "B words D"],
        modulation: Float[Tensor, "_ _ 6 D"],
        rotary: Rotary,
        between: FlatHook | None = None,
    ) -> Float[Tensor, "B L D"]:
        """Tokens (B, L, D) through the block.

        Args:
            tokens: (B, L, D).
            words: (B, words, D), the keys and values of cross-attention.
            modulation: (B or 1, L or 1, 6, D), from the timestep.
            rotary: Rotary embedding of the L positions.
            between: Applied to the tokens after self-attention, before cross-attention.

        """
        if between is None:
            return super().forward(tokens, words, modulation, rotary)  # pyright: ignore[reportArgumentType] it is a pair
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
    tokens: Float[Tensor, "B L D"],
    words: Float[Tensor, "B words D"],
    modulation: Float[Tensor, "_ _ 6 D"],
    rotary: Rotary,
    hook: FlatHook | None,
    hook_point: HookPoint,
) -> Float[Tensor, "B L D"]:
    """Tokens (B, L, D) through a block, with ``hook`` applied at ``hook_point``; arguments as ``Block.forward``'s."""
    if hook is None:
        return block(tokens, words, modulation, rotary)
    if hook_point == "after_attention":
        return block(tokens, words, modulation, rotary, hook)
    return hook(block(tokens, words, modulation, rotary))


def weight_by_similarity(
    tokens: Float[Tensor, "B F N D"], clean: slice, target: slice, temperature: float
) -> Float[Tensor, "B F N D"]:
    """Tokens (B, F, N, D) whose k clean frames are scaled by k softmax(cos(target, frame) / temperature).

    The cosine is that of mean tokens; the weights' mean is 1. Mixture of Contexts, as the released compression rows
    use it: before the first block, without parameters.

    Args:
        tokens: (B, F, N, D).
        clean: Positions of the clean frames along F.
        target: Positions of the target's frames.
        temperature: Of the softmax.

    """
    query = normalize(tokens[:, target].mean((1, 2)), dim=-1)
    keys = normalize(tokens[:, clean].mean(2), dim=-1)
    weight = keys.shape[1] * ((keys @ query[..., None]).squeeze(-1) / temperature).softmax(1)
    scale = tokens.new_ones(tokens.shape[:2])
    scale[:, clean] = weight.to(scale)
    return tokens * rearrange(scale, "B F -> B F 1 1")
