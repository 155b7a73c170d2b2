"""The page of figures has every file, its caption and what drew it."""

import re

from echo import figures
from echo.figures.captions import page
from echo.study.words import BRANCHES


def test_every_figure_has_its_caption_and_its_module():
    files = figures.files(BRANCHES)
    text = page(files)
    assert re.findall(r"\]\(([\w.]+)\)", text) == list(files)
    for name in figures.names():
        assert f"*echo/figures/{name}.py, from `" in text
        assert figures.about(name).title in text
    assert "``" not in text


def test_what_follows_the_title_begins_a_sentence():
    (caption,) = re.findall(r"\*\*Drift\.\*\* (.*)", page(["drift.png"]))
    assert caption.startswith("How PSNR falls")
