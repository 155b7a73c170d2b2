"""Rendering a split: what is whole is kept, what is damaged is rendered again, bad settings are one line."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from echo.world.errors import PoolError
from echo.world.rooms import build
from echo.world.rooms.build import build_pool
from echo.world.rooms.rendered_pool import RenderedPool
from tests.world.rooms.conftest import small_world


def test_a_half_rendered_pool_is_continued(pools, assets, tmp_path):
    shutil.copytree(pools["packed"], tmp_path / "pool")
    video = "open_001_medkit__return_45"
    (tmp_path / "pool" / "jsons" / f"{video}.json").unlink()
    (tmp_path / "pool" / "packed" / f"{video}.safetensors").write_bytes(b"half")
    untouched = tmp_path / "pool" / "packed" / "open_000_medkit__return_45.safetensors"
    before = untouched.stat().st_mtime_ns
    build_pool(small_world(), "open_domain", tmp_path / "pool", assets)
    assert untouched.stat().st_mtime_ns == before
    assert np.array_equal(RenderedPool(tmp_path / "pool").frames(video), RenderedPool(pools["packed"]).frames(video))


@pytest.mark.parametrize("damage", ["cut", "deleted"])
def test_a_damaged_video_is_rendered_again(pools, assets, tmp_path, damage):
    """What the message of the reader says mends it: running the rule again."""
    shutil.copytree(pools["packed"], tmp_path / "pool")
    file = tmp_path / "pool" / "packed" / "open_001_medkit__return_45.safetensors"
    whole = file.read_bytes()
    file.unlink() if damage == "deleted" else file.write_bytes(whole[:-50])
    build_pool(small_world(), "open_domain", tmp_path / "pool", assets)
    assert file.read_bytes() == whole


def test_unpacked_videos_without_their_frames_are_rendered_again(pools, assets, tmp_path):
    shutil.copytree(pools["unpacked"], tmp_path / "pool")
    shutil.rmtree(tmp_path / "pool" / "frames" / "open_001_medkit__return_45")
    build_pool(small_world(packed=False), "open_domain", tmp_path / "pool", assets)
    made, before = RenderedPool(tmp_path / "pool"), RenderedPool(pools["unpacked"])
    assert np.array_equal(made.frames("open_001_medkit__return_45"), before.frames("open_001_medkit__return_45"))


def test_a_room_that_never_shows_its_anchor_is_one_line(assets, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "SEEN", (2.0, 3.0))
    monkeypatch.setattr(build, "ATTEMPTS", 2)
    with pytest.raises(PoolError, match="room 0 of train: no layout fits its paths .* in 2 tries; change seed"):
        build_pool(small_world(), "train", tmp_path, assets)


def test_the_train_pool_has_one_clip_per_room(pools):
    pool = RenderedPool(pools["train"])
    assert pool.videos == ["train_00000", "train_00001", "train_00002"]
    assert pool.length("train_00000") == 1 + 4 * 4
