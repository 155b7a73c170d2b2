"""A reference row as a model: ``--model echo.protocol.adapters.reference:Reference --option row=copy_best``.

The shortest example of the interface. It sees what any model sees, so that its scores are those of the reference row.
"""

from __future__ import annotations

from echo.protocol.case import Case
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames
from echo.protocol.references import COPIES, copied


class Reference:
    """A copy of given pixels."""

    swaps = True  # it knows its history from nothing but the given frames

    def __init__(self, row: str) -> None:
        """row: one of ``echo.protocol.references.COPIES``."""
        if row not in COPIES:
            raise ProtocolError(f"row = {row}: expected one of {', '.join(COPIES)}")
        self.row = row

    def generate(self, case: Case) -> Frames:
        """The row's frames."""
        return copied(self.row, case)
