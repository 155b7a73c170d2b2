"""Fitting recorded frames to the study's: a central crop to its field of view and shape, then an antialiased resize."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from echo.world.errors import RecordingError

ROUNDING = 0.5  # recorded pixels by which a crop may exceed the frame: focal lengths are stored rounded
SQUARE = 0.02  # part by which the two focal lengths of square pixels may differ


def check_square(fx: float, fy: float, size: tuple[int, int], where: str) -> None:
    """Raise RecordingError, which begins with ``where``, unless both focal lengths are the same number of pixels.

    fx, fy: as parts of the width and the height of frames of ``size`` (height, width). Intrinsics that are of other
    frames (before a crop, say), or pixels that are not square, would bend every view.
    """
    across, down = fx * size[1], fy * size[0]
    if not abs(across - down) <= SQUARE * max(across, down):
        raise RecordingError(
            f"{where}: focal lengths of fx W = {across:.1f} and fy H = {down:.1f} pixels at {size[1]} x {size[0]}, a "
            f"ratio of {across / down if down else np.inf:.2f}; expected square pixels: intrinsics of these very frames"
        )


def crop_box(
    recorded: tuple[int, int],
    field_of_view_source: float | None,
    size: tuple[int, int],
    field_of_view: float,
    name: str = "the recording",
) -> tuple[float, float, float, float]:
    """The crop (left, top, right, bottom) in recorded pixels, around the centre; pixels are square.

    recorded, size: (height, width). A recording that does not know its field of view gives its largest crop of the
    study's shape, which is then taken to have the study's field of view. Raises RecordingError for a recording that
    sees less than the study asks for.
    """
    height, width = recorded
    aspect = size[0] / size[1]
    if field_of_view_source is None:
        across = min(width, height / aspect)
    else:
        focal = width / 2 / np.tan(np.deg2rad(field_of_view_source) / 2)
        across = 2 * focal * np.tan(np.deg2rad(field_of_view) / 2)
        room = min(width, height / aspect)
        if across > room + ROUNDING:
            seen = 2 * np.rad2deg(np.arctan(room / 2 / focal))
            raise RecordingError(
                f"{name}: frames of {width} x {height} with a field of view of {field_of_view_source:.1f} degrees show "
                f"{seen:.1f} degrees in the study's shape, world.field_of_view asks for {field_of_view:g}; lower it"
            )
        across = min(across, room)
    down = across * aspect
    return (width - across) / 2, (height - down) / 2, (width + across) / 2, (height + down) / 2


def fit(
    frames: UInt8[np.ndarray, "frames height width 3"],
    field_of_view_source: float | None,
    size: tuple[int, int],
    field_of_view: float,
    name: str = "the recording",
) -> UInt8[np.ndarray, "frames fitted_height fitted_width 3"]:
    """Frames at ``size`` (height, width) and the horizontal ``field_of_view``, in degrees."""
    box = crop_box(frames.shape[1:3], field_of_view_source, size, field_of_view, name)
    if frames.shape[1:3] == tuple(size) and box == (0, 0, size[1], size[0]):
        return frames
    wanted = (size[1], size[0])
    images = [Image.fromarray(frame).resize(wanted, Image.Resampling.BICUBIC, box=box) for frame in frames]
    return np.stack([np.asarray(image) for image in images]) if images else np.zeros((0, *size, 3), np.uint8)
