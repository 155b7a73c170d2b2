"""Pages that hold all they need in one HTML file: their head, their parts, and data and pictures inside them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<!-- Nothing is ever fetched or sent: the browser itself forbids it. -->
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<link rel="icon" href="data:,">"""


def filled(template: Path, **parts: str) -> str:
    """A template with each part in place of ``/*{its name}*/``, in their order, and ``HEAD`` as its head."""
    text = template.read_text(encoding="utf-8")
    for name, value in {"head": HEAD, **parts}.items():
        text = text.replace(f"/*{{{name}}}*/", value)
    return text


def embedded(data: Any) -> str:
    """Data as JSON for a script element; no tag can begin inside, whatever a name in it is."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def picture_address(pixels: UInt8[np.ndarray, "height width 3"], kind: str, **options: Any) -> str:
    """A picture inside an address. kind: PNG or WEBP; options: Pillow's."""
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(held.getvalue()).decode()}"
