"""Captions to text tokens. The small study's encoder is a fixed random vector a word, in place of a language model."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from echo.config import Text
from echo.seeding import torch_generator

WORD = re.compile(r"[a-z0-9]+")


def embed(config: Text, captions: list[str]) -> Tensor:
    """Text tokens (n, tokens, dim) float32 of n captions.

    ``hashed``: every lower-case word is a vector of unit-variance numbers drawn from a stream named by the word, the
    same in every process; captions are cut or zero-padded to ``config.tokens``. ``none``: one zero token.
    """
    if config.kind == "none":
        return torch.zeros(len(captions), 1, config.dim)
    out = torch.zeros(len(captions), config.tokens, config.dim)
    for row, caption in zip(out, captions, strict=True):
        for slot, word in zip(row, WORD.findall(caption.lower()), strict=False):
            slot.copy_(torch.randn(config.dim, generator=torch_generator(0, "word", word)))
    return out
