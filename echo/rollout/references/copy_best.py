"""Copy of the given frame whose view overlaps most with the target's, decoded from its latent: K without a limit.

Overlap is what evidence is retrieved by (``camera.overlap``, walls not considered); of frames that overlap alike, the
latest is copied. Where frame 0 alone is given, this is the copy of the first frame.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from echo.encoding.codec import Codec
from echo.rollout.known import Known, decode_chosen
from echo.world.camera import overlap

LABEL = "copy of the best past frame"
NEEDS_DEPTH = False
READS_TRUTH = False


def draw(known: Known, codec: Codec) -> UInt8[np.ndarray, "targets height width 3"]:
    """At every target the frame that sees most of what the target sees."""
    shared = overlap(known.targets, known.poses, known.field_of_view, aspect=known.aspect)
    latest = shared.shape[1] - 1 - shared[:, ::-1].argmax(1)
    return decode_chosen(known, latest, codec)


def kept(known: Known) -> int:
    """The latents and poses of all given frames."""
    return known.latents.numel() + known.poses.size
