"""The backbone's parts: a block that can be hooked, how the camera enters, how clean frames are weighted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor, WanTransformerBlock
from einops import rearrange
from jaxtyping import Complex, Float
from torch import Tensor, nn
from torch.nn.functional import normalize, scaled_dot_product_attention

from echo.memory.base import HookPoint
from echo.model.kernels import gated_sum, gelu, modulated_norm, rms_norm

FlatHook = Callable[[Tensor], Tensor]  # a hook on tokens as a block holds them, (B, L, D)
# For every position the complex numbers of modulus 1 that turn a head's pairs of channels.
Rotary = Complex[Tensor, "L 1 half"]


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


@dataclass(frozen=True)
class Modulation:
    """What the timestep does to a block's tokens, once for every group of tokens that share one.

    values: (B or 1, G, 6, D), before the block adds its own table; lengths: numbers of tokens of the G groups, in the
    order of the sequence.
    """

    values: Float[Tensor, "_ G 6 D"]
    lengths: tuple[int, ...]


class Block(WanTransformerBlock):
    """diffusers' block, its weights and its arithmetic, run with a modulation a group and fewer passes over the tokens.

    A hook may be applied between its two attentions, and only some of the tokens may be asked for. The blocks of a
    transformer are patched in place (their class is replaced), so that what wraps a block's ``forward`` (sharding over
    processes, compilation) covers hooked calls as well.
    """

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride] arguments are given by position
        self,
        tokens: Float[Tensor, "B L D"],
        words: Float[Tensor, "B words D"],
        modulation: Modulation,
        rotary: Rotary,
        between: FlatHook | None = None,
        group: int | None = None,
    ) -> Float[Tensor, "B _ D"]:
        """Tokens (B, L, D) through the block.

        Args:
            tokens: (B, L, D).
            words: (B, words, D), the keys and values of cross-attention.
            modulation: From the timestep.
            rotary: Rotary embedding of the L positions.
            between: Applied to the tokens after self-attention, before cross-attention.
            group: The one group of tokens that is asked for: the others are attended to and do not go on.

        """
        shift, scale, gate, *out = (self.scale_shift_table[None] + modulation.values).float().unbind(2)
        lengths, turn = modulation.lengths, rotary
        inputs = modulated_norm(tokens, shift, scale, lengths, self.norm1.eps)
        asked = inputs
        if group is not None:
            place = slice(sum(lengths[:group]), sum(lengths[: group + 1]))
            tokens, asked, turn = tokens[:, place], inputs[:, place], rotary[place]
            lengths = lengths[group : group + 1]
            gate, *out = (value[:, group : group + 1] for value in (gate, *out))
        shift_out, scale_out, gate_out = out
        tokens = gated_sum(tokens, attend(self.attn1, asked, inputs, turn, rotary), gate, lengths)
        if between is not None:
            tokens = between(tokens)
        tokens = tokens + attend(self.attn2, self.norm2(tokens.float()).type_as(tokens), words)
        inputs = modulated_norm(tokens, shift_out, scale_out, lengths, self.norm3.eps)
        enter, leave = cast("nn.Linear", self.ffn.net[0].proj), self.ffn.net[2]
        return gated_sum(tokens, leave(gelu(enter(inputs))), gate_out, lengths)


def attend(
    attention: WanAttention,
    asking: Float[Tensor, "B L D"],
    asked: Float[Tensor, "B S D"],
    turn: Rotary | None = None,
    turn_asked: Complex[Tensor, "S 1 half"] | None = None,
) -> Float[Tensor, "B L D"]:
    """Tokens ``asking`` attend to ``asked``, each turned to its position; as diffusers' ``WanAttnProcessor``."""
    of_queries, of_keys = attention.norm_q, attention.norm_k
    query = rms_norm(attention.to_q(asking), of_queries.weight, cast("float", of_queries.eps), turn)
    key = rms_norm(attention.to_k(asked), of_keys.weight, cast("float", of_keys.eps), turn_asked)
    query, key, value = (
        rearrange(part, "B length (heads d) -> B heads length d", heads=attention.heads)
        for part in (query, key, attention.to_v(asked))
    )
    found = scaled_dot_product_attention(query, key, value)
    return attention.to_out[0](rearrange(found, "B heads length d -> B length (heads d)"))


def run_block(
    block: Block,
    tokens: Float[Tensor, "B L D"],
    words: Float[Tensor, "B words D"],
    modulation: Modulation,
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
