"""The page itself: one HTML file that holds all it needs, and asks nothing of any network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from echo.io.files import digest
from echo.io.page import embedded, filled, picture_address
from echo.judge.people.pairs import Showing
from echo.judge.people.questions import COLUMNS, QUESTIONS, STEP
from echo.judge.rubric import TOP
from echo.judge.vision_language.question import LONGEST_NAME

FOLDER = Path(__file__).parent
PARTS = {"css": ("page.css",), "script": ("answers.js", "page.js", "screens.js")}
BROAD = 1.3  # width over height from which the two views stand one above the other


def render(showings: Sequence[Showing]) -> str:
    """The page of these showings, in their order. The same showings and questions give the same bytes."""
    parts = {name: "\n".join((FOLDER / file).read_text(encoding="utf-8") for file in files)
             for name, files in PARTS.items()}  # fmt: skip
    return filled(FOLDER / "page.html", **parts, data=embedded(contents(showings)))


def contents(showings: Sequence[Showing]) -> dict[str, Any]:
    """What the page's script reads: each frame once, pairs as numbers of frames; nothing of what drew them."""
    images: dict[str, int] = {}

    def number(frame: UInt8[np.ndarray, "height width 3"]) -> int:
        return images.setdefault(data_uri(frame), len(images))

    pairs = [
        {
            "id": showing.pair.id,
            "showing": showing.number,
            "anchor": readable(showing.pair.anchor),
            "first": number(showing.pair.first),
            "returned": [number(frame) for frame in showing.pair.returned],
        }
        for showing in showings
    ]
    height, width = showings[0].pair.first.shape[:2]
    return {
        "id": page_id(showings),
        "columns": COLUMNS,
        "scores": [question.name for question in QUESTIONS],
        "top": TOP,
        "step": STEP,
        "questions": [asdict(question) for question in QUESTIONS],
        "broad": width / height > BROAD,
        "pairs": pairs,
        "images": list(images),
    }


def page_id(showings: Sequence[Showing]) -> str:
    """Digest of what is asked: questions, pairs with their anchors' names, order. ``q`` and 16 hexadecimal digits."""
    asked = [[showing.pair.id, showing.number, showing.pair.anchor] for showing in showings]
    return f"q{digest([[asdict(question) for question in QUESTIONS], asked])}"


def readable(anchor: str | None) -> str | None:
    """An anchor's name as words: names of assets have underscores for spaces."""
    return anchor[:LONGEST_NAME].replace("_", " ").strip() if anchor else None


def data_uri(frame: UInt8[np.ndarray, "height width 3"]) -> str:
    """A frame as a PNG inside an address."""
    return picture_address(frame, "PNG", optimize=True)
