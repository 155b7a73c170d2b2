"""Spatial memory: the evidence averaged over time into a G x G map, mixed into M tokens of constant number.

written: patch tokens of all evidence frames (anchor included), averaged over time, pooled to G x G cells, mixed by a
learned softmax over cells to M tokens. read: as extra text keys and values (the paper's default), through a
cross-attention of its own with a gate that starts at zero, or not at all (``none``: stored, never read).
Paper: Table 5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from echo.memory.base import Memory, Sizes
from echo.memory.spatial.settings import Settings
from echo.model.backbone import ReadOut


class SpatialMemory(Memory):
    """M tokens of width D."""

    def __init__(self, settings: Settings, sizes: Sizes):
        super().__init__()
        self.settings, self.cells = settings, sizes.grid
        self.place = nn.Parameter(torch.randn(settings.grid**2, sizes.width) * 0.02)
        self.norm = nn.LayerNorm(sizes.width)
        self.mix = nn.Linear(sizes.width, settings.tokens)
        self.value = nn.Linear(sizes.width, sizes.width)
        self.readers = nn.ModuleDict()
        if settings.read_out == "cross_attention":
            self.blocks = frozenset(range(sizes.layers))
            self.readers.update({str(b): GatedCrossAttention(sizes.width, sizes.heads) for b in self.blocks})

    def write(self, state, evidence, text, backbone):
        mean = backbone.embed(evidence).mean(1)  # (B, N, D): N tokens of the average frame
        grid = mean.transpose(1, 2).unflatten(2, self.cells)
        cells = functional.adaptive_avg_pool2d(grid, self.settings.grid).flatten(2).transpose(1, 2)
        cells = self.norm(cells + self.place)
        mixed = self.mix(cells).softmax(1).transpose(1, 2) @ self.value(cells)
        return {"tokens": mixed}

    def read(self, state, backbone):
        if self.settings.read_out == "text":
            return ReadOut(text=state["tokens"])
        return ReadOut(state=state if self.blocks else {})

    def at_block(self, index, tokens, state):
        return self.readers[str(index)](tokens, state["tokens"])


class GatedCrossAttention(nn.Module):
    """Tokens attend to the memory; the result is added through tanh of a gate that starts at zero."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, tokens: Tensor, memory: Tensor) -> Tensor:
        """Tokens (B, F, N, D), memory (B, M, D) -> (B, F, N, D)."""
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, x in (
                (self.query, self.norm(tokens).flatten(1, 2)), (self.key, memory), (self.value, memory)
            )
        )  # fmt: skip
        read = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        return tokens + self.gate.tanh() * self.out(read).unflatten(1, tokens.shape[1:3])


def build(settings, sizes):
    return SpatialMemory(settings, sizes)
