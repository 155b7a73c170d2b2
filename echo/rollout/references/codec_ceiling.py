"""The true frames through the codec: no row that generates latents can be better, whatever it remembers."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from echo.encoding.codec import Codec
from echo.rollout.known import Known, through_codec

LABEL = "codec's ceiling"
NEEDS_DEPTH = False
READS_TRUTH = True


def draw(known: Known, codec: Codec) -> UInt8[np.ndarray, "targets height width 3"]:
    """The true targets, coded as a row's targets are and decoded again."""
    if known.truth is None:
        raise ValueError("codec_ceiling: needs the true frames (READS_TRUTH)")
    return through_codec(known, known.truth, codec)


def kept(known: Known) -> None:
    """Nothing is kept: it is handed what the others must remember."""
    return
