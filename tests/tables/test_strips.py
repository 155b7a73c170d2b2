"""Strips show each row's frames in their own pixels, under each other."""

import numpy as np
import pytest
from PIL import Image

from echo.tables.strips import GAP, HEAD_HEIGHT, LABEL_WIDTH, save_strips


def frames(height, width, *greys):
    return tuple(np.full((height, width, 3), grey, np.uint8) for grey in greys)


@pytest.mark.parametrize(("size", "shown"), [((32, 48), (128, 192)), ((50, 50), (100, 100)), ((352, 640), (128, 233))])
def test_a_line_a_row_with_first_farthest_and_returned_frame(tmp_path, size, shown):
    lines = {"I2V": frames(*size, 40, 90, 140), "Context K=5": frames(*size, 40, 190, 240)}
    save_strips(lines, tmp_path / "strips" / "hall.jpg")
    with Image.open(tmp_path / "strips" / "hall.jpg") as image:
        page = np.asarray(image.convert("L")).astype(int)
    height, width = shown
    assert page.shape == (HEAD_HEIGHT + 2 * (height + GAP), LABEL_WIDTH + 3 * (width + GAP))
    for line, greys in enumerate(((40, 90, 140), (40, 190, 240))):
        for column, grey in enumerate(greys):
            middle = (
                HEAD_HEIGHT + line * (height + GAP) + height // 2,
                LABEL_WIDTH + column * (width + GAP) + width // 2,
            )
            assert abs(page[middle] - grey) < 4
    labels = page[HEAD_HEIGHT:, : LABEL_WIDTH - GAP]
    for line in range(2):
        assert (labels[line * (height + GAP) :][:height] < 100).any()  # something is written


def test_pixels_of_small_frames_are_not_smoothed(tmp_path):
    checks = np.indices((4, 4)).sum(0)[..., None].repeat(3, -1).astype(np.uint8) % 2 * 255
    save_strips({"row": (checks, checks, checks)}, tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        shown = np.asarray(image.convert("L"))[HEAD_HEIGHT : HEAD_HEIGHT + 128, LABEL_WIDTH : LABEL_WIDTH + 128]
    centres = shown[16::32, 16::32].astype(int)
    np.testing.assert_allclose(centres, checks[..., 0], atol=3)


def test_equal_frames_give_equal_bytes(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        save_strips({"row": frames(16, 16, 1, 2, 3)}, tmp_path / name)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
