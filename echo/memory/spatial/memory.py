"""Spatial memory: the evidence averaged over time into a G x G map, mixed into a fixed number M of tokens.

Write: patch tokens of all evidence frames (anchor included), averaged over time, pooled to G x G cells, mixed by a
learned softmax over cells to M tokens. Of a stream: a running average of the cells over all frames so far, and their
number; the average is mixed when it is read. Read: as extra text keys and values (the paper's default), through a
cross-attention of its own with a gate that starts at zero, or not at all (``none``: stored, never read).
Paper: Table 5. The release's module (``averaged: anchor, pooling: flat, mixing: fixed, reader: first_block``) averages
the one frame that it is given, pools its tokens as one long row, mixes cells by G G M numbers that no content changes,
and reads once, before the first block (docs/released.md).
"""

from __future__ import annotations

from functools import partial
from math import sqrt

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from echo.evidence.frames import Frames
from echo.memory.base import FrameEncoder, Memory, ReadCameras, ReadOut, Sizes, State
from echo.memory.spatial.settings import Settings


class SpatialMemory(Memory):
    """M tokens of width D, or the G x G cells that they are mixed of, whatever the number of frames."""

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__()
        self.settings, self.sizes, self.grid = settings, sizes, sizes.grid
        self.retrieves = settings.averaged == "all"
        if settings.mixing == "fixed":
            self.shares = nn.Parameter(torch.randn(settings.grid**2, settings.tokens) * 0.02)
        else:
            self.place = nn.Parameter(torch.randn(settings.grid**2, sizes.width) * 0.02)
            self.norm = nn.LayerNorm(sizes.width)
            self.mix = nn.Linear(sizes.width, settings.tokens)
            self.value = nn.Linear(sizes.width, sizes.width)
        self.readers = nn.ModuleDict()
        if settings.read_out == "cross_attention" and settings.reader == "first_block":
            self.readers["0"] = PlainCrossAttention(sizes.width, settings.reader_heads)
        elif settings.read_out == "cross_attention":
            self.readers.update({str(b): GatedCrossAttention(sizes.width, sizes.heads) for b in range(sizes.layers)})

    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The evidence, or its anchor alone, as ``tokens`` (B, M, D)."""
        kept = evidence if self.retrieves else evidence.span(0, 1)
        return {"tokens": self._mixed(self._averaged(kept, backbone))}

    def append(
        self, state: State | None, frames: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The average frame so far as ``cells`` (B, G G, D), and of how many frames it is, ``seen`` (B, 1).

        Of the anchor alone: the cells of the newest frame.
        """
        if not self.retrieves:
            return {"cells": self._averaged(frames.span(-1, None), backbone)}
        cells, count = self._averaged(frames, backbone), frames.count
        seen = frames.latents.new_full((len(frames.latents), 1), count)
        if state is None:
            return {"cells": cells, "seen": seen}
        seen = state["seen"] + seen
        share = rearrange(count / seen, "B one -> B one 1")
        return {"cells": state["cells"] + share * (cells - state["cells"]), "seen": seen}

    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """The tokens as text, or a cross-attention to them in every block or before the first, or nothing."""
        if self.settings.read_out == "none":
            return ReadOut()
        tokens = state["tokens"] if "tokens" in state else self._mixed(state["cells"])
        if self.settings.read_out == "text":
            return ReadOut(text=tokens)
        if self.settings.reader == "first_block":
            hook = partial(self._read_by_target, tokens, cameras.target.count)
            return ReadOut(hooks={0: hook}, hook_point="before_block")
        return ReadOut(hooks={int(block): partial(reader, memory=tokens) for block, reader in self.readers.items()})

    def _read_by_target(
        self, memory: Float[Tensor, "B M D"], count: int, tokens: Float[Tensor, "B F N D"]
    ) -> Float[Tensor, "B F N D"]:
        """The sequence's tokens, of which the target's ``count`` frames have read ``memory`` (B, M, D)."""
        clean, target = self.sizes.split_target(tokens, count)
        return self.sizes.join_target(clean, self.readers["0"](target, memory))

    def _averaged(self, frames: Frames, backbone: FrameEncoder) -> Float[Tensor, "B cells D"]:
        """G x G cells of the average frame."""
        mean = backbone.embed(frames).mean(1)  # (B, N, D): the N tokens of the average frame
        if self.settings.pooling == "flat":
            row = rearrange(mean, "B N D -> B D N")
            return rearrange(functional.adaptive_avg_pool1d(row, self.settings.grid**2), "B D cells -> B cells D")
        image = rearrange(mean, "B (h w) D -> B D h w", h=self.grid[0])
        return rearrange(functional.adaptive_avg_pool2d(image, self.settings.grid), "B D h w -> B (h w) D")

    def _mixed(self, cells: Float[Tensor, "B cells D"]) -> Float[Tensor, "B M D"]:
        """M tokens, each a share of every cell."""
        if self.settings.mixing == "fixed":
            return rearrange(self.shares.softmax(0), "cells M -> M cells") @ cells
        cells = self.norm(cells + self.place)
        share = rearrange(self.mix(cells).softmax(1), "B cells M -> B M cells")
        return share @ self.value(cells)


class GatedCrossAttention(nn.Module):
    """Tokens attend to the memory; the result is added through tanh of a gate that starts at zero."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = self.norm_of(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.gate = nn.Parameter(torch.zeros(()))

    @staticmethod
    def norm_of(width: int) -> nn.Module:
        """What the tokens pass through before they ask."""
        return nn.LayerNorm(width)

    def forward(self, tokens: Float[Tensor, "B F N D"], memory: Float[Tensor, "B M D"]) -> Float[Tensor, "B F N D"]:
        """Tokens (B, F, N, D), with what they read of memory (B, M, D)."""
        inputs = rearrange(self.norm(tokens), "B F N D -> B (F N) D")
        query, key, value = (
            rearrange(layer(x), "B length (heads d) -> B heads length d", heads=self.heads)
            for layer, x in ((self.query, inputs), (self.key, memory), (self.value, memory))
        )
        attended = functional.scaled_dot_product_attention(query, key, value)
        read = self.out(rearrange(attended, "B heads length d -> B length (heads d)"))
        return tokens + self.gate.tanh() * rearrange(read, "B (F N) D -> B F N D", F=tokens.shape[1])


class PlainCrossAttention(GatedCrossAttention):
    """The same without a norm, its weights drawn as torch's ``nn.MultiheadAttention`` draws them.

    As released: spatial_grid_memory.py:56-68.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        bound = sqrt(6 / (width + 3 * width))  # Glorot's, of one layer from D to queries, keys and values
        for layer in (self.query, self.key, self.value):
            nn.init.uniform_(layer.weight, -bound, bound)
        for layer in (self.query, self.key, self.value, self.out):
            nn.init.zeros_(layer.bias)

    @staticmethod
    def norm_of(width: int) -> nn.Module:
        """Nothing."""
        return nn.Identity()


def build(settings: Settings, sizes: Sizes) -> Memory:
    """The memory of a row, its parameters drawn from torch's generator."""
    return SpatialMemory(settings, sizes)
