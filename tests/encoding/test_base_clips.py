"""Clips of the base: what a training pool would show, kept as latents; shards that fit each other or say so."""

from pathlib import Path

import numpy as np
import pytest
import torch

from echo.encoding.base_clips import BaseClips, BaseClipsError, write_shard
from echo.encoding.codec import load_codec
from echo.encoding.fit import fit_codec
from echo.io.tensors import NotFiniteError, TensorFileError, load_tensors, read_header, save_tensors
from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.build import build_pool
from echo.world.rooms.rendered_pool import RenderedPool
from tests.conftest import ROOT, tiny_study
from tests.encoding.videos import KINDS, Videos

STUDY = tiny_study().base_study


@pytest.fixture(scope="module")
def assets() -> Path:
    return fetch_assets(ROOT / "resources" / "assets")


@pytest.fixture(scope="module")
def codec(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("codec") / "codec.safetensors"
    fit_codec(KINDS["patch"].model_copy(update={"channels": 5}), 0, Videos(), path)
    return path


@pytest.fixture(scope="module")
def shards(assets, codec, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("shards")
    paths = [folder / f"{number}.safetensors" for number in range(2)]
    for number, path in enumerate(paths):
        write_shard(STUDY, range(2 * number, 2 * number + 2), codec, assets, path)
    return paths


def test_a_clip_is_what_a_training_pool_shows_of_the_room(shards, codec, assets, tmp_path):
    build_pool(STUDY.model_copy(update={"world": STUDY.world.model_copy(update={"train_rooms": 4})}), "train",
               tmp_path, assets)  # fmt: skip
    pool, clips = RenderedPool(tmp_path), BaseClips(shards)
    assert len(clips) == len(pool.videos) == 4
    for number, video in enumerate(pool.videos):
        latents = load_codec(codec).encode(torch.from_numpy(pool.frames(video)))
        np.testing.assert_array_equal(clips.latents(number, 0, len(latents)), latents.half().numpy())
        np.testing.assert_array_equal(clips.latents(number, 4, 9), latents[4:9].half().numpy())
        np.testing.assert_allclose(clips.poses[number], pool.poses(video))
        assert clips.captions[number] == pool.caption(video)


def test_a_shard_is_the_same_whenever_it_is_written(shards, codec, assets, tmp_path):
    again = write_shard(STUDY, range(2, 4), codec, assets, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == shards[1].read_bytes()
    assert again["sha256"] == BaseClips(shards).hashes[1] and again["rooms"] == 2
    assert again["encoder"] == load_codec(codec).encoder_digest()


def test_latents_beyond_the_range_of_the_file_are_refused(codec, assets, tmp_path):
    tensors = load_tensors(codec)
    tensors["scale"] = tensors["scale"] * 1e-9
    save_tensors(tmp_path / "codec.safetensors", tensors, read_header(codec))
    with pytest.raises(NotFiniteError, match="latents"):
        write_shard(STUDY, range(1), tmp_path / "codec.safetensors", assets, tmp_path / "a.safetensors")
    assert not (tmp_path / "a.safetensors").exists()


def test_shards_of_other_encoders_or_lengths_do_not_mix(shards, codec, assets, tmp_path):
    other = tmp_path / "codec.safetensors"
    fit_codec(KINDS["patch"].model_copy(update={"channels": 5, "train_frames": 30}), 1, Videos(), other)
    write_shard(STUDY, range(4, 5), other, assets, tmp_path / "a.safetensors")
    with pytest.raises(BaseClipsError, match="a.safetensors: latents of encoder .*, but .*0.safetensors has"):
        BaseClips([shards[0], tmp_path / "a.safetensors"])
    longer = tiny_study(base={"segments": 5}).base_study
    write_shard(longer, range(4, 5), codec, assets, tmp_path / "b.safetensors")
    with pytest.raises(
        BaseClipsError, match=r"b.safetensors: latents of shape \(21, 5, 2, 2\), but .* \(17, 5, 2, 2\)"
    ):
        BaseClips([shards[0], tmp_path / "b.safetensors"])


def test_a_damaged_shard_is_named(shards, tmp_path):
    content = bytearray(shards[0].read_bytes())
    content[-9] ^= 1
    (tmp_path / "0.safetensors").write_bytes(content)
    with pytest.raises(TensorFileError, match="0.safetensors: damaged"):
        BaseClips([tmp_path / "0.safetensors", shards[1]])


def test_the_decoder_is_no_part_of_what_latents_depend_on(codec, tmp_path):
    made = load_codec(codec)
    before = made.encoder_digest()
    made.paint.mul_(2)
    assert made.encoder_digest() == before
    for name in ("basis", "middle", "mean", "scale"):
        other = load_codec(codec)
        getattr(other, name).add_(1e-3)
        assert other.encoder_digest() != before, name
