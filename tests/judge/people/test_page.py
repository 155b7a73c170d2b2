import base64
import io
import json
import re

import numpy as np
from PIL import Image

from echo.judge.people.page import contents, page_id, readable, render
from echo.judge.people.pairs import Showing
from tests.judge.people.made import made_pair

SHOWINGS = [Showing(made_pair(0), 1), Showing(made_pair(1, None), 1), Showing(made_pair(0), 2)]


def data(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def pixels(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


def test_the_page_holds_every_pixel_and_each_frame_once():
    held = data(render(SHOWINGS))
    assert len(held["images"]) == 6
    for shown, showing in zip(held["pairs"], SHOWINGS, strict=True):
        np.testing.assert_array_equal(pixels(held["images"][shown["first"]]), showing.pair.first)
        for number, frame in zip(shown["returned"], showing.pair.returned, strict=True):
            np.testing.assert_array_equal(pixels(held["images"][number]), frame)
    assert [(one["id"], one["showing"], one["anchor"]) for one in held["pairs"]] == [
        (SHOWINGS[0].pair.id, 1, "tree pine"), (SHOWINGS[1].pair.id, 1, None), (SHOWINGS[0].pair.id, 2, "tree pine"),
    ]  # fmt: skip


def test_the_page_asks_nothing_of_any_network_and_holds_all_its_parts():
    page = render(SHOWINGS)
    assert "http:" not in page and "https:" not in page and "/*{" not in page
    assert not re.search(r"\b(src|href)=\"(?!data:)", page) and "@import" not in page and "url(" not in page
    assert "default-src 'none'" in page and "class Answers" in page and ".question" in page


def test_no_name_of_an_anchor_ends_the_data():
    hostile = made_pair(0, "</script><script>alert(1)</script>")
    page = render([Showing(hostile, 1)])
    assert page.count("</script>") == 2 and data(page)["pairs"][0]["anchor"] == hostile.anchor


def test_a_page_is_known_by_what_is_asked_in_its_order():
    assert render(SHOWINGS) == render(list(SHOWINGS))
    known = page_id(SHOWINGS)
    assert re.fullmatch("q[0-9a-f]{16}", known) and contents(SHOWINGS)["id"] == known
    renamed = [Showing(made_pair(0, "duck"), 1), *SHOWINGS[1:]]
    assert len({known, page_id(SHOWINGS[::-1]), page_id(SHOWINGS[:2]), page_id(renamed)}) == 4


def test_broad_views_stand_one_above_the_other():
    assert not contents(SHOWINGS)["broad"]
    assert contents([Showing(made_pair(0, size=(10, 18)), 1)])["broad"]


def test_names_of_assets_are_shown_as_words():
    assert [readable(name) for name in ("tree_pine", "duck", "", None)] == ["tree pine", "duck", None, None]
    assert len(readable("x" * 1000) or "") == 200
