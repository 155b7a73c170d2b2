"""Copy of the first frame, decoded from its latent: what a return to the first pose is without any memory at all."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from echo.encoding.codec import Codec
from echo.rollout.known import Known, decode_chosen

LABEL = "copy of the first frame"
NEEDS_DEPTH = False
READS_TRUTH = False


def draw(known: Known, codec: Codec) -> UInt8[np.ndarray, "targets height width 3"]:
    """Frame 0 at every target."""
    return decode_chosen(known, np.zeros(len(known.targets), dtype=np.int64), codec)


def kept(known: Known) -> int:
    """One frame's latent."""
    return known.latents[0].numel()
