"""Pages in one file: parts in their places, data that cannot end its element, pictures that come back."""

import base64
import io
import json

import numpy as np
from PIL import Image

from echo.io.page import HEAD, embedded, filled, picture_address


def test_parts_stand_where_the_template_has_them(tmp_path):
    (tmp_path / "page.html").write_text("/*{head}*/\n<title>/*{title}*/</title>\n/*{body}*/\n")
    assert filled(tmp_path / "page.html", title="ä", body="<p>") == f"{HEAD}\n<title>ä</title>\n<p>\n"


def test_no_tag_can_begin_in_data():
    data = {"name": "</script><b>", "numbers": [1, 2.5]}
    assert "<" not in embedded(data) and json.loads(embedded(data)) == data


def test_a_picture_comes_back():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    kind, held = picture_address(pixels, "PNG", optimize=True).split(",")
    assert kind == "data:image/png;base64"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(held)))), pixels)
