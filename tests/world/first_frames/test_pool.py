"""A pool of lone first frames: a pool like others, but for what nobody knows."""

import numpy as np
import pytest

from echo.world.errors import PoolError
from echo.world.first_frames.listing import read_listing
from echo.world.first_frames.pool import FirstFramePool
from echo.world.first_frames.write import write_pool
from echo.world.pool import Pool, open_pool
from tests.conftest import tiny_study
from tests.pictures import CENTRE, write_pictures

BRANCHES = ["return_45", "return_strict"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures") / "own")


@pytest.fixture(scope="module")
def study(folder):
    return tiny_study(open_domain={"images": str(folder), "branches": BRANCHES})


@pytest.fixture(scope="module")
def pool(study, folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("pool")
    assert write_pool(study, read_listing(folder), out) == {"pictures": 2, "masks": 1}
    return FirstFramePool(out)


def test_a_picture_is_a_video_on_each_branch(pool):
    assert isinstance(pool, Pool)
    assert pool.cases("return_45") == ["garden__return_45", "inside-hall__return_45"]
    assert sorted(pool.videos) == sorted([*pool.cases("return_45"), *pool.cases("return_strict")])
    assert list(pool.info.loc["garden__return_45"]) == ["pictures", "garden", "red ball", "return_45", 9]
    assert pool.caption("inside-hall__return_strict") == "A hall with a ball."


def test_it_opens_as_any_pool_but_not_as_one_of_the_studys_splits(pool):
    """Captions are embedded by the stage that embeds all others; rows never train on or report it as a split."""
    opened = open_pool(pool.folder)
    assert [opened.caption(video) for video in opened.videos] == [pool.caption(video) for video in pool.videos]
    with pytest.raises(PoolError, match="videos of split 'pictures'"):
        open_pool(pool.folder, ("open_domain",))


def test_there_is_one_frame_and_at_most_its_mask(pool):
    first = pool.first("garden__return_45")
    assert first.shape == (16, 16, 3)
    mask = pool.mask("garden__return_45")
    centre = np.argwhere(mask).mean(0) / 16
    # Sides of the landscape are cropped: its 90 columns show 60, from the 15th on.
    np.testing.assert_allclose(centre, [CENTRE[0], (CENTRE[1] * 90 - 15) / 60], atol=0.04)
    assert pool.mask("inside-hall__return_45") is None
    with pytest.raises(PoolError, match="frame 1 of garden__return_45 is missing"):
        pool.frames("garden__return_45")
    for absent in (pool.depth, pool.ids, pool.masks):
        with pytest.raises(PoolError):
            absent("garden__return_45")
