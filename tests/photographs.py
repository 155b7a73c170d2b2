"""Photographs, and the downloaded weights, that tests of the measures and the judge share."""

from pathlib import Path

import numpy as np
import pytest
from skimage import data
from skimage.transform import resize

from echo.io.vgg16 import fetch_vgg16
from echo.io.weights import fetch_weights

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def weights() -> Path:
    return fetch_weights(ROOT / "resources" / "weights")


@pytest.fixture(scope="session")
def vgg_weights() -> Path:
    folder = ROOT / "resources" / "weights"
    fetch_vgg16(folder)
    return folder


def thumbnail(photo: np.ndarray, size: int = 64) -> np.ndarray:
    """The middle square of a photograph, uint8 (size, size, 3)."""
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    small = resize(photo[top : top + side, left : left + side], (size, size), anti_aliasing=True)
    return np.round(255 * small).astype(np.uint8)


@pytest.fixture(scope="session")
def photos() -> dict[str, np.ndarray]:
    return {name: thumbnail(getattr(data, name)()) for name in ("chelsea", "coffee", "astronaut", "rocket")}


def painted(background: np.ndarray, colour: tuple[int, int, int], place: tuple[int, int] = (32, 32)) -> np.ndarray:
    """A ball of 11 pixels' radius, shaded from its top left, on a background."""
    frame = background.copy()
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    inside = ball(frame.shape[0], place)
    light = 1 - 0.03 * ((rows - place[0]) + (columns - place[1])) / 2
    frame[inside] = np.clip(np.array(colour) * light[..., None], 0, 255).astype(np.uint8)[inside]
    return frame


def ball(size: int = 64, place: tuple[int, int] = (32, 32)) -> np.ndarray:
    """Where the ball is, bool (size, size)."""
    rows, columns = np.mgrid[:size, :size]
    return (rows - place[0]) ** 2 + (columns - place[1]) ** 2 <= 11**2
