"""The mean colour of the given frames, everywhere: what a measure gives to a picture without any content.

It does not pass through the codec, which would only add its own error to three numbers.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from echo.encoding.codec import Codec
from echo.rollout.known import Known

LABEL = "mean colour"
NEEDS_DEPTH = False
READS_TRUTH = False


def draw(known: Known, codec: Codec) -> UInt8[np.ndarray, "targets height width 3"]:
    """One colour at every target; the codec is not used."""
    colour = np.rint(known.frames.reshape(-1, 3).mean(0)).astype(np.uint8)
    return np.broadcast_to(colour, (len(known.targets), *known.frames.shape[1:])).copy()


def kept(known: Known) -> int:
    """Three numbers."""
    return 3
