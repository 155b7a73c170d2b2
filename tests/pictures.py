"""A folder of pictures such as users bring: drawn shapes, a list, a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CENTRE = (0.5, 0.6)  # of the ball, as shares of height and width
RADIUS = 0.2  # as a share of the height


def ball(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A ball on a background of soft colours, and where it is: (H, W, 3) uint8 and (H, W) bool."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / height
    waves = draw.uniform(2, 9, (3, 2))
    picture = np.stack([127 + 60 * np.sin(a * rows + b * columns) for a, b in waves], -1)
    inside = (rows - CENTRE[0]) ** 2 + (columns - CENTRE[1] * width / height) ** 2 < RADIUS**2
    picture[inside] = draw.integers(0, 256, 3)
    return picture.round().astype(np.uint8), inside


def write_pictures(folder: Path) -> Path:
    """Two pictures: a landscape JPEG with a mask, and an upright PNG in a folder of its own without one."""
    (folder / "inside").mkdir(parents=True)
    picture, inside = ball(60, 90)
    Image.fromarray(picture).save(folder / "garden.jpg", quality=95)
    Image.fromarray(inside.astype(np.uint8) * 255).save(folder / "garden_mask.png")
    Image.fromarray(ball(80, 50, seed=1)[0]).save(folder / "inside" / "hall.png")
    lines = ["file,caption,anchor,mask", '"garden.jpg","A garden, at noon.",red ball,garden_mask.png',
             "inside/hall.png,A hall with a ball.,ball,"]  # fmt: skip
    (folder / "images.csv").write_text("\n".join(lines) + "\n")
    return folder
