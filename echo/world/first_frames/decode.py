"""Pictures and masks as a study's frames: decoded, turned upright, cropped around the centre, resized.

A picture's declared size is checked before it is decoded, and PIL opens no format but those listed. What has no
definite colours, transparent or 16-bit pixels, is refused and not guessed.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageOps

from echo.world.errors import PoolError
from echo.world.first_frames.listing import FirstFrame
from echo.world.recordings.fit import crop_box, fit
from echo.world.untrusted import check_pixels, first_line

FORMATS = ("PNG", "JPEG", "WEBP")
MASK_FORMATS = ("PNG",)
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "YCbCr", "CMYK")  # 8 bits or fewer a channel


def decode(
    frame: FirstFrame, size: tuple[int, int], field_of_view: float
) -> tuple[UInt8[np.ndarray, "height width 3"], Bool[np.ndarray, "height width"] | None]:
    """A picture at ``size`` (height, width) and its mask, None where it has none.

    The largest central crop of the study's shape, taken to have the study's horizontal ``field_of_view`` in degrees.
    Raises PoolError, with the line of the list, for files that cannot be read, and a mask that does not fit its
    picture or marks nothing, or everything, of the crop.
    """
    image = _read(frame.file, FORMATS, frame.line)
    pixels = fit(np.asarray(image)[None], None, size, field_of_view)[0]
    return pixels, _mask(frame.mask, image.size, size, field_of_view, frame.line) if frame.mask else None


def _mask(
    path: Path, picture: tuple[int, int], size: tuple[int, int], field_of_view: float, line: str
) -> Bool[np.ndarray, "height width"]:
    """A mask, white where the anchor is; a pixel of the frame is the anchor's if most of what it covers is.

    picture: (width, height) of the picture that it belongs to.
    """
    image = _read(path, MASK_FORMATS, line)
    if image.size != picture:
        raise PoolError(f"{line}: {path}: a mask of {image.width} x {image.height} pixels for a picture of "
                        f"{picture[0]} x {picture[1]}; expected the same size")  # fmt: skip
    marked = Image.fromarray(np.where(np.asarray(image.convert("L")) >= 128, 255, 0).astype(np.uint8))
    box = crop_box((picture[1], picture[0]), None, size, field_of_view)
    mask = np.asarray(marked.resize((size[1], size[0]), Image.Resampling.BOX, box=box)) >= 128
    if mask.all() or not mask.any():
        raise PoolError(f"{line}: {path}: marks {'all' if mask.any() else 'nothing'} of the picture's central crop of "
                        f"{size[1]} x {size[0]} pixels; expected white pixels where the anchor is")  # fmt: skip
    return mask


def _read(path: Path, formats: tuple[str, ...], line: str) -> Image.Image:
    """An RGB image, turned as its EXIF data say; PoolError for whatever PIL raises."""
    where = f"{line}: {path}"
    try:
        with Image.open(path, formats=formats) as image:
            check_pixels(image.width, image.height, where)
            if image.mode not in MODES:
                raise PoolError(f"{where}: pixels of kind {image.mode}; expected 8 bits a channel, such as RGB")
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data and np.asarray(upright.convert("RGBA"))[..., 3].min() < 255:
                raise PoolError(f"{where}: transparent pixels; expected an opaque picture")
            return upright.convert("RGB")
    # PIL raises SyntaxError for a broken PNG chunk, an error of its own for a file of very many pixels, and struct's
    # for EXIF data that are cut.
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise PoolError(f"{where}: cannot be read as {' or '.join(formats)} ({first_line(error)})") from None
