"""The page: one HTML file that holds all it needs, and asks nothing of any network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from echo.figures.style import FAMILIES, REFERENCE_COLOUR

FOLDER = Path(__file__).parent
PARTS = {"css": "page.css", "script": "page.js"}


def render(shown: Mapping[str, Any]) -> str:
    """The page of ``sample.contents``. The same contents give the same bytes."""
    text = (FOLDER / "page.html").read_text(encoding="utf-8")
    for name, file in PARTS.items():
        text = text.replace(f"/*{{{name}}}*/", (FOLDER / file).read_text(encoding="utf-8"))
    colours = {family: colour for family, (colour, _) in FAMILIES.items()}
    # No tag can begin inside the data, whatever a video is called.
    held = json.dumps({**shown, "colours": colours, "plain": REFERENCE_COLOUR}, separators=(",", ":"))
    return text.replace("/*{data}*/", held.replace("<", "\\u003c"))
