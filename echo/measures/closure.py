"""Closure: the last frames of a way that comes back, against its first; the only comparison that needs no truth.

It is no measure of memory. A camera that never leaves closes best, and a copy of the first frame closes perfectly.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from echo.measures.cases import CEILING, Metric
from echo.measures.images import Frames, psnr
from echo.study.words import RETURN_FRAMES

COLUMNS = ("first_psnr", "first_lpips")  # as in the study's table of cases


def closure(generated: Frames, first: UInt8[np.ndarray, "height width 3"], lpips: Metric) -> dict[str, float]:
    """``COLUMNS`` of a case: means over its last ``RETURN_FRAMES`` frames; PSNR in dB, at most ``CEILING``."""
    back = generated[-RETURN_FRAMES:]
    given = np.repeat(first[None], len(back), 0)
    values = np.minimum(psnr(back, given), CEILING), lpips(back, given)
    return {name: float(value.mean()) for name, value in zip(COLUMNS, values, strict=True)}
