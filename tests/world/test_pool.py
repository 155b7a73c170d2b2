"""What a pool is: both kinds are one, and what opens them says what it misses."""

from __future__ import annotations

import pytest

from echo.io.errors import UserError
from echo.study.words import splits_of
from echo.world.errors import RecordingError
from echo.world.pool import COLUMNS, INFO, Pool, PoolError, open_pool
from echo.world.recordings.clip_pool import ClipPool
from echo.world.rooms.rendered_pool import RenderedPool
from tests.world.small_pool import write_small_pool


def test_a_folder_of_others_opens_with_all_columns(tmp_path):
    write_small_pool(tmp_path)
    pool = open_pool(tmp_path)
    assert isinstance(pool, RenderedPool) and isinstance(pool, Pool)
    assert [pool.info.index.name, *pool.info.columns] == COLUMNS == list(INFO)
    assert pool.info.loc["scene"].tolist() == ["", "scene", "", "", 2]
    assert pool.frames("scene")[:, 0, 0, 0].tolist() == [0, 1]


def test_each_kind_has_every_method_of_a_pool():
    methods = [name for name in vars(Pool) if name[0] != "_"]
    assert {"info", "frames", "poses", "caption", "masks", "depth"} <= set(methods)
    for kind in (RenderedPool, ClipPool):
        assert all(hasattr(kind, name) or name == "info" for name in methods)


def test_no_pool_is_an_error_for_users(tmp_path):
    with pytest.raises(PoolError, match="no pool there"):
        open_pool(tmp_path)
    assert issubclass(RecordingError, PoolError) and issubclass(PoolError, UserError)


def test_a_pool_of_a_split_that_the_study_must_not_open_is_refused(tmp_path):
    """A study that chooses settings never sees what is reported, and the other way round."""
    write_small_pool(tmp_path, "open_domain")
    assert open_pool(tmp_path, splits_of("reported")).videos == ["scene"]
    with pytest.raises(PoolError, match=r"videos.csv: videos of split 'open_domain', where the study opens train, cho"):
        open_pool(tmp_path, splits_of("choosing"))
