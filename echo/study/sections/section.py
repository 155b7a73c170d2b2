"""What all sections of the configuration share: strict types, frozen models, no unknown keys.

YAML has numbers, truth values and text, and a value of one is never taken for another: ``"8"`` is no number and
``true`` is not 1. A whole number may stand for a real one. ``1e-4``, which YAML 1.1 reads as text, is a real number.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict

EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


class Section(BaseModel):
    """A section of the configuration: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _exponent(value: Any) -> Any:
    """The number of a text like ``1e-4``; anything else as it is."""
    return float(value) if isinstance(value, str) and EXPONENT.fullmatch(value) else value


def _whole(value: Any) -> Any:
    """The value, where it is a whole number; pydantic's ``Literal`` would take true and 1.0 for 1."""
    if type(value) is not int:
        raise ValueError("expected a whole number")
    return value


Integer = Annotated[int, Strict()]
Whole = BeforeValidator(_whole)  # for choices among whole numbers
# Outermost, so that bounds stay the number's own: Annotated[float, Strict(), Field(ge=0), Exponent].
Exponent = BeforeValidator(_exponent)
Number = Annotated[float, Strict(), Exponent]
Flag = Annotated[bool, Strict()]
ShippedName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]  # a folder of shipped/
Seed = Annotated[int, Strict(), Field(ge=0, le=2**63 - 1)]
Rate = Annotated[float, Strict(), Field(gt=0, le=10), Exponent]
Path = Annotated[str, Field(min_length=1, max_length=1000)]
