"""The page: one HTML file that holds all it needs, and asks nothing of any network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from echo.figures.style import FAMILIES, REFERENCE_COLOUR
from echo.io.page import embedded, filled

FOLDER = Path(__file__).parent
PARTS = {"css": "page.css", "script": "page.js"}


def render(shown: Mapping[str, Any]) -> str:
    """The page of ``sample.contents``. The same contents give the same bytes."""
    colours = {family: colour for family, (colour, _) in FAMILIES.items()}
    parts = {name: (FOLDER / file).read_text(encoding="utf-8") for name, file in PARTS.items()}
    data = embedded({**shown, "colours": colours, "plain": REFERENCE_COLOUR})
    return filled(FOLDER / "page.html", **parts, data=data)
