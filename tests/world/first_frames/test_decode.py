"""Pictures as frames: cropped centrally with their masks, upright, and refused where their pixels say nothing clear."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from echo.world.errors import PoolError
from echo.world.first_frames.decode import decode
from echo.world.first_frames.listing import FirstFrame
from tests.pictures import ball


def frame(tmp_path, pixels, mask=None, suffix=".png", **options):
    """A picture of an array, or of what is there already where that is None."""
    file, masked = tmp_path / f"picture{suffix}", tmp_path / "mask.png" if mask is not None else None
    if pixels is not None:
        Image.fromarray(pixels).save(file, **options)
    if mask is not None:
        Image.fromarray(mask).save(masked)
    return FirstFrame("picture", file, "A ball.", "ball", masked, "images.csv, line 2")


def test_a_picture_of_the_studys_size_is_taken_as_it_is(tmp_path):
    pixels, inside = ball(24, 40)
    shown, mask = decode(frame(tmp_path, pixels, inside), (24, 40), 75.0)
    np.testing.assert_array_equal(shown, pixels)
    np.testing.assert_array_equal(mask, inside)


@pytest.mark.parametrize(("shape", "crop"), [((40, 100), (slice(None), slice(30, 70))),
                                             ((100, 40), (slice(30, 70), slice(None)))])  # fmt: skip
def test_the_middle_of_a_picture_is_kept_and_of_its_mask_the_same(tmp_path, shape, crop):
    """Landscape loses its sides, upright its top and bottom: of a whole factor, the mask is a mean of its pixels."""
    pixels, _ = ball(*shape)
    inside = np.zeros(shape, bool)
    inside[shape[0] // 2 - 10 : shape[0] // 2, shape[1] // 2 - 6 : shape[1] // 2 + 9] = True
    shown, mask = decode(frame(tmp_path, pixels, inside), (20, 20), 75.0)
    middle = pixels[crop].reshape(20, 2, 20, 2, 3).mean((1, 3))
    assert np.abs(shown - middle).mean() < 3
    np.testing.assert_array_equal(mask, inside[crop].reshape(20, 2, 20, 2).mean((1, 3)) >= 0.5)


def test_a_small_picture_is_enlarged(tmp_path):
    pixels, inside = ball(12, 12)
    shown, mask = decode(frame(tmp_path, pixels, inside), (36, 36), 75.0)
    assert shown.shape == (36, 36, 3)
    np.testing.assert_array_equal(mask, inside.repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize(("suffix", "options", "tolerance"),
                         [(".webp", {"lossless": True}, 0), (".jpg", {"quality": 98}, 6)])  # fmt: skip
def test_other_formats_are_read(tmp_path, suffix, options, tolerance):
    pixels, _ = ball(24, 24)
    shown, mask = decode(frame(tmp_path, pixels, suffix=suffix, **options), (24, 24), 75.0)
    assert mask is None and np.abs(shown.astype(int) - pixels).mean() <= tolerance


def test_a_photograph_is_turned_upright(tmp_path):
    pixels, _ = ball(24, 24)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter, clockwise
    shown, _ = decode(frame(tmp_path, pixels, exif=exif), (24, 24), 75.0)
    np.testing.assert_array_equal(shown, np.rot90(pixels, -1))


def test_a_mask_has_any_format_of_white(tmp_path):
    """Grey of a soft edge counts by half; one bit, palette and colour are alike."""
    pixels, inside = ball(24, 24)
    grey = np.where(inside, 200, 90).astype(np.uint8)
    for mask in (grey, np.stack([grey] * 3, -1), inside):
        _, found = decode(frame(tmp_path, pixels, mask), (24, 24), 75.0)
        np.testing.assert_array_equal(found, inside)


def bomb(path, width, height):
    """A PNG that declares so many pixels and has none."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        chunks += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def refused(one, message):
    with pytest.raises(PoolError) as caught:
        decode(one, (24, 24), 75.0)
    assert re.search(message, str(caught.value)) and "\n" not in str(caught.value)
    assert str(caught.value).startswith("images.csv, line 2: ")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (16_385, 10), (10_000, 10_000), (2**31 - 1, 1)])
def test_a_bomb_is_not_decoded(tmp_path, width, height):
    bomb(tmp_path / "picture.png", width, height)
    refused(frame(tmp_path, None), r"picture.png (declares \d+ x \d+ pixels; expected sides|: ?cannot be read)|cannot")
    picture, _ = ball(24, 24)
    bomb(tmp_path / "mask.png", width, height)
    one = frame(tmp_path, picture)
    refused(FirstFrame("p", one.file, "A ball.", "ball", tmp_path / "mask.png", one.line), r"mask\.png")


def test_what_is_no_picture_or_a_cut_one_is_named(tmp_path):
    one = frame(tmp_path, ball(24, 24)[0])
    whole = one.file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"GIF89a" + whole, b"<svg/>"):
        one.file.write_bytes(content)
        refused(one, "picture.png: cannot be read as PNG or JPEG or WEBP")
    Image.fromarray(ball(24, 24)[0]).save(one.file, "TIFF")
    refused(one, "cannot be read")


def test_pixels_without_definite_colours_are_refused(tmp_path):
    refused(frame(tmp_path, np.zeros((24, 24), np.uint16)), "pixels of kind I;16; expected 8 bits")
    pixels = np.concatenate([ball(24, 24)[0], np.full((24, 24, 1), 255, np.uint8)], -1)
    decode(frame(tmp_path, pixels), (24, 24), 75.0)  # opaque
    pixels[3, 4, 3] = 254
    refused(frame(tmp_path, pixels), "transparent pixels")


def test_a_mask_of_another_size_or_without_an_anchor_in_the_crop_is_refused(tmp_path):
    pixels, inside = ball(24, 48)
    refused(frame(tmp_path, pixels, inside[:, :40]), "mask of 40 x 24 pixels for a picture of 48 x 24")
    refused(frame(tmp_path, pixels, np.zeros((24, 48), bool)), "marks nothing of the picture's central crop")
    refused(frame(tmp_path, pixels, np.ones((24, 48), bool)), "marks all of")
    aside = np.zeros((24, 48), bool)
    aside[:, :8] = True  # what the crop takes away
    refused(frame(tmp_path, pixels, aside), "marks nothing")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_a_picture_or_one_line(tmp_path, data):
    """Bytes of sound files with EXIF data, changed anywhere."""
    buffer, kind = io.BytesIO(), data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(ball(16, 16)[0]).save(buffer, kind, exif=exif)
    content = bytearray(buffer.getvalue())
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)))):
        content[place] = value
    one = frame(tmp_path, None)
    one.file.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        shown, _ = decode(one, (16, 16), 75.0)
    except PoolError as error:
        assert "\n" not in str(error)
    else:
        assert shown.shape == (16, 16, 3)
