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
    with pytest.raises(FigureError, match="cannot write .bmp; use .png, .pdf, .svg"):
        saving.save(figures.draw("probes", small), tmp_path / "figure.bmp")


def test_an_animation_shows_its_pictures_in_turn_for_ever(tmp_path):
    pictures = [np.full((20, 30, 3), level, np.uint8) for level in (10, 200, 90)]
    saving.save_gif(pictures, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.size, picture.n_frames, picture.info["loop"]) == ((30, 20), 3, 0)
        durations = []
        for number, expected in enumerate(pictures):
            picture.seek(number)
            durations.append(picture.info["duration"])
            assert np.abs(np.asarray(picture.convert("RGB"), int) - expected).max() <= 2
    assert durations[0] == durations[1] < durations[2]
