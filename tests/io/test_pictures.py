"""Pictures come back from an archive: exactly, or nearly where a quality was asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from skimage import data

from echo.io.pictures import PicturesError, load_pictures, save_pictures
from echo.io.seeding import generator


@settings(deadline=None, max_examples=20)
@given(array_shapes(min_dims=1, max_dims=3, max_side=4), st.integers(1, 9), st.integers(1, 9))
def test_every_pixel_comes_back_in_its_place(tmp_path_factory, lead, height, width):
    path = tmp_path_factory.mktemp("pictures") / "a.npz"
    images = generator(0, "pixels").integers(0, 256, (*lead, height, width, 3)).astype(np.uint8)
    save_pictures(path, images=images, names=np.array(["a", "b"]))
    found = load_pictures(path)
    np.testing.assert_array_equal(found["images"], images)
    assert list(found["names"]) == ["a", "b"] and set(found) == {"images", "names"}


def test_a_quality_costs_little_and_saves_much(tmp_path):
    photo = data.astronaut()
    images = np.stack([photo[y : y + 64, x : x + 64] for y in range(0, 448, 64) for x in range(0, 448, 64)])
    save_pictures(tmp_path / "exact.npz", images=images)
    save_pictures(tmp_path / "near.npz", quality=90, images=images)
    near = load_pictures(tmp_path / "near.npz")["images"]
    assert near.shape == images.shape and np.square(near.astype(float) - images).mean() < 40
    sizes = [(tmp_path / name).stat().st_size for name in ("exact.npz", "near.npz")]
    assert sizes[1] < 0.5 * sizes[0] < 0.5 * images.size


def test_equal_pictures_give_equal_bytes(tmp_path):
    images = generator(0, "pixels").integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    for name in ("one", "two"):
        save_pictures(tmp_path / f"{name}.npz", images=images)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_plain_archives_are_read_as_they_are(tmp_path):
    images = np.zeros((2, 4, 4, 3), np.uint8)
    np.savez(tmp_path / "plain.npz", images=images)
    np.testing.assert_array_equal(load_pictures(tmp_path / "plain.npz")["images"], images)


def test_what_does_not_fit_or_is_damaged_is_named(tmp_path):
    with pytest.raises(PicturesError, match=r"large.npz: 1 pictures of 16384 x 1 pixels do not fit"):
        save_pictures(tmp_path / "large.npz", images=np.zeros((1, 1, 16_384, 3), np.uint8))
    save_pictures(tmp_path / "a.npz", images=np.zeros((2, 4, 4, 3), np.uint8))
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "cut.npz", **{**arrays, "images": arrays["images"][:9]})
    with pytest.raises(PicturesError, match=r"cut.npz: its pictures cannot be read"):
        load_pictures(tmp_path / "cut.npz")
