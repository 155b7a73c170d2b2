"""Files of the names and shapes that the authors' checkpoints have, with random weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Sizes:
    """Of a transformer. recurrent: the blocks that hold a block-wise recurrence."""

    layers: int
    width: int
    ffn: int
    channels: int
    text: int
    patch: int = 2
    recurrent: tuple[int, ...] = ()


def linear(out: int, into: int) -> dict[str, tuple]:
    return {"weight": (out, into), "bias": (out,)}


def released_shapes(sizes: Sizes) -> dict[str, tuple]:
    """Names and shapes of a released file."""
    width = sizes.width
    parts = {
        "patch_embedding": {"weight": (width, sizes.channels, 1, sizes.patch, sizes.patch), "bias": (width,)},
        "text_embedding.0": linear(width, sizes.text),
        "text_embedding.2": linear(width, width),
        "time_embedding.0": linear(width, 2 * width),
        "time_embedding.2": linear(width, width),
        "time_projection.1": linear(6 * width, width),
        "head.head": linear(sizes.channels * sizes.patch**2, width),
        "head": {"modulation": (1, 2, width)},
    }
    for n in range(sizes.layers):
        for attention in ("self_attn", "cross_attn", "self_attn_with_action"):
            parts |= {f"blocks.{n}.{attention}.{name}": linear(width, width) for name in "qkvo"}
            parts |= {f"blocks.{n}.{attention}.norm_{name}": {"weight": (width,)} for name in "qk"}
        parts |= {
            f"blocks.{n}.norm3": {"weight": (width,), "bias": (width,)},
            f"blocks.{n}.ffn.0": linear(sizes.ffn, width),
            f"blocks.{n}.ffn.2": linear(width, sizes.ffn),
            f"blocks.{n}": {"modulation": (1, 6, width)},
            f"blocks.{n}.action_mlp.proj": linear(width, 12),
        }
        if n in sizes.recurrent:
            memory = f"blocks.{n}.block_wise_ssm"
            parts |= {
                f"{memory}.in_proj": linear(2 * width, width),
                f"{memory}.out_proj": linear(width, width),
                f"{memory}.norm": {"weight": (width,), "bias": (width,)},
                memory: {"decay_logit": (width,), "residual_logit": (1,)},
            }
    return {f"{part}.{name}": shape for part, values in parts.items() for name, shape in values.items()}


def released_weights(sizes: Sizes) -> dict[str, torch.Tensor]:
    """Random weights of these shapes, small enough for a forward pass."""
    draw = torch.Generator().manual_seed(3)
    return {
        name: torch.randn(shape, generator=draw) * (0.5 if len(shape) == 1 else shape[-1] ** -0.5)
        for name, shape in released_shapes(sizes).items()
    }
