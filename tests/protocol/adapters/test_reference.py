"""A reference row by the public interface."""

from __future__ import annotations

import numpy as np
import pytest

from echo.protocol.adapters.reference import Reference
from echo.protocol.errors import ProtocolError


def test_it_draws_what_the_row_draws(cases):
    case = cases.of("revisit_near_000")
    assert np.array_equal(Reference("copy_first").generate(case), np.repeat(case.given_frames[:1], 8, 0))
    with pytest.raises(ProtocolError, match="row = ridge: expected one of copy_first"):
        Reference("ridge")
