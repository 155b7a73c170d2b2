"""Guidance by a weaker model: a row's flow is carried on, away from that of a base that was trained much less.

    v = v_guide + w (v_row - v_guide),  w = ``sampler.guidance``

Where a model is unsure its flow points to an average of what might be there, that of a less trained one still more so;
away from the latter lie sharper frames. Autoguidance: Karras et al. 2024 (arXiv:2406.02507, equation 2). The guide has
no memory, it sees text, cameras and the anchor, so w > 1 also strengthens what a row's memory says, as classifier-free
guidance (Ho and Salimans 2022, arXiv:2207.12598) would. One guide serves all rows, and every row is guided alike.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from echo.encoding.codec import Codec, load_codec
from echo.encoding.shipped import verified
from echo.encoding.text import Texts
from echo.evidence.frames import Frames
from echo.io.tensors import load_tensors
from echo.model.base import BASE
from echo.model.row import Row
from echo.study.config import Study
from echo.study.shipped import ShippedError

# Takes noisy target latents (B, T', C, H, W) and noise levels (B,), returns the velocity of the target.
Velocity: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def text_guided(velocity: Velocity, negative: Velocity, scale: float) -> Velocity:
    """Classifier-free guidance: ``velocity`` carried on, away from that of the negative prompt (Ho and Salimans 2022).

    Both read the same memory and anchor, as in the release, so that only what the caption says is strengthened.
    """

    def both(x: Tensor, t: Tensor) -> Tensor:
        away = negative(x, t)
        return away + scale * (velocity(x, t) - away)

    return both


def negative_of(study: Study, texts: Texts) -> Tensor | None:
    """The embedded negative prompt (L, E) of a study that guides by text; None for another."""
    sampler = study.sampler
    return texts.negative(sampler.negative_prompt) if sampler.text_guidance > 1 else None


class Guide:
    """A base that guides; ``scale`` is w, 1 changes nothing."""

    def __init__(self, row: Row, scale: float) -> None:
        self.row, self.scale = row.eval(), scale

    @classmethod
    def load(cls, study: Study, folder: Path, codec: Codec) -> Guide:
        """The guide of the shipped base in ``folder``; raises ShippedError where it speaks another codec's latents."""
        held, wanted = load_codec(verified(folder, "codec")).encoder_digest(), codec.encoder_digest()
        if held != wanted:
            raise ShippedError(
                f"{folder}: a guide for latents of encoder {held}, but the study's codec has {wanted}; set "
                "sampler.guide: null, or train a guide on this codec's latents (base.begin keeps a codec)"
            )
        row = Row(study, BASE)
        row.load_state_dict(load_tensors(verified(folder, "base")))  # copied into float32 weights
        return cls(row, study.sampler.guidance)

    @torch.no_grad()
    def guided(self, velocity: Velocity, target: Frames, anchor: Frames, text: Float[Tensor, "B L E"]) -> Velocity:
        """``velocity``, guided; target: cameras of the frames that are sampled; anchor: the frame before them."""
        row = self.row.to(anchor.latents.device)
        read = row.read(row.write(None, anchor, text), target, anchor)  # the base keeps nothing but the anchor

        def both(x: Tensor, t: Tensor) -> Tensor:
            weak = row.backbone(target.with_latents(x), t.to(x), anchor, text, read)
            return weak + self.scale * (velocity(x, t) - weak)

        return both
