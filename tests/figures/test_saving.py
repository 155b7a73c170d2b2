"""Files of figures: the same bytes for the same figure, and small ones for what moves."""

import numpy as np
import pytest
from PIL import Image

from echo import figures
from echo.figures import FigureError, saving


@pytest.mark.parametrize("suffix", [".pdf", ".svg"])
def test_vector_formats_have_no_date(small, tmp_path, suffix):
    for stem in ("one", "two"):
        saving.save(figures.draw("probes", small), tmp_path / f"{stem}{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_unknown_format_is_refused(small, tmp_path):
    with pytest.raises(FigureError, match="cannot write .bmp; use .png, .jpg, .pdf, .svg"):
        saving.save(figures.draw("probes", small), tmp_path / "figure.bmp")


def test_an_animation_shows_its_pictures_in_turn_for_ever(tmp_path):
    pictures = [np.full((20, 30, 3), level, np.uint8) for level in (10, 200, 90)]
    saving.save_gif(pictures, tmp_path / "a.gif", 200, 4)
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.size, picture.n_frames, picture.info["loop"]) == ((30, 20), 3, 0)
        durations = []
        for number, expected in enumerate(pictures):
            picture.seek(number)
            durations.append(picture.info["duration"])
            assert np.abs(np.asarray(picture.convert("RGB"), int) - expected).max() <= 2
    assert durations == [200, 200, 800]


def test_a_chart_keeps_its_colours_in_a_palette_and_pictures_keep_theirs_in_few_bytes(small, tmp_path):
    """A palette is near every colour of a chart; it would not be near those of a grid of pictures, which are JPEGs."""
    chart, grid = figures.draw("probes", small), figures.draw("rollouts_memory", small)
    for figure, name in ((chart, "chart.png"), (grid, "grid.jpg")):
        saving.save(figure, tmp_path / name)
        drawn = saving.pixels_of(figure).astype(int)
        with Image.open(tmp_path / name) as picture:
            kept = np.asarray(picture.convert("RGB"), int)
        assert kept.shape == drawn.shape and np.abs(kept - drawn).mean() < (0.5 if name == "chart.png" else 3)
    plain = Image.fromarray(saving.pixels_of(chart))
    plain.save(tmp_path / "plain.png", optimize=True)
    assert 2 * (tmp_path / "chart.png").stat().st_size < (tmp_path / "plain.png").stat().st_size


@pytest.mark.parametrize("suffix", ["png", "jpg", "pdf", "svg"])
def test_a_file_says_what_it_shows_and_what_drew_it(small, tmp_path, suffix):
    out = tmp_path / f"drift.{suffix}"
    figures.draw_to("drift", small, out)
    said = figures.about("drift")
    if suffix == "png":
        with Image.open(out) as picture:
            assert picture.text == {"Title": said.title, "Description": said.text, "Source": "echo/figures/drift.py"}
    elif suffix == "jpg":
        with Image.open(out) as picture:
            assert picture.info["comment"].decode().endswith("echo/figures/drift.py")
    else:
        assert b"echo/figures/drift.py" in out.read_bytes() and said.title.encode() in out.read_bytes()
