"""The cache is whole or says so: kill -9, a corrupt shard, another codec's cache."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from echo.encoding import latents
from echo.encoding.codec import Codec, load_codec
from echo.encoding.fit import fit_codec
from echo.encoding.latents import CacheError, Latents, join_shares, shards_of, write_share
from echo.io.tensors import NotFiniteError
from tests.encoding.videos import PosedVideos, Videos, cache_study, write_latents
from tests.killed import killed


@pytest.fixture(scope="module")
def codec_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "codec.safetensors"
    study = cache_study()
    fit_codec(study.codec, study.seed, Videos(), path)
    return path


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(latents, "SHARD", 4)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_reads_what_was_encoded(tmp_path, codec_path):
    study, pool = cache_study(), PosedVideos()
    write_latents(study, pool, codec_path, tmp_path)
    cache, codec = Latents(tmp_path, study, codec_path), load_codec(codec_path)
    assert cache.videos == pool.videos
    assert torch.equal(cache.get("v7"), codec.encode(torch.from_numpy(pool.frames("v7"))))
    assert np.array_equal(cache.poses("v7"), pool.poses("v7"))
    with pytest.raises(CacheError, match="no video 'v99'"):
        cache.get("v99")


class Slow(PosedVideos):
    def poses(self, video):
        time.sleep(0.05)
        return super().poses(video)


def test_kill_9_equals_no_interruption(tmp_path, codec_path):
    """A process killed half-way; the cache says it is half-written, and the next run ends with the same bytes."""
    shards = tmp_path / "killed" / "shares" / "0"
    killed(write_latents, cache_study(), Slow(), codec_path, tmp_path / "killed",
           once=lambda: len(list(shards.glob("[0-9]*.safetensors"))) >= 4)  # fmt: skip
    with pytest.raises(CacheError, match="half-written; run the same snakemake command again"):
        Latents(tmp_path / "killed")
    before = {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed" / "shares" / "0").glob("[0-9]*.safetensors")
    }
    for folder in ("killed", "whole"):
        write_latents(cache_study(), PosedVideos(), codec_path, tmp_path / folder)
    for path in (tmp_path / "killed" / "shares" / "0").glob(".*"):
        path.unlink()  # the half-written temporary file of the killed process
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    kept = [
        name
        for name, stamp in before.items()
        if (tmp_path / "killed" / "shares" / "0" / name).stat().st_mtime_ns == stamp
    ]
    assert len(kept) >= 3


def test_a_corrupt_shard_is_named_and_rebuilt_alone(tmp_path, codec_path, capsys):
    study, pool = cache_study(), PosedVideos()
    write_latents(study, pool, codec_path, tmp_path)
    whole = contents(tmp_path)
    broken = tmp_path / "shares" / "0" / "00003.safetensors"
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    broken.write_bytes(whole[broken.name][:-8] + b"12345678")
    cache = Latents(tmp_path)
    cache.get("v0")
    with pytest.raises(
        CacheError, match=r"corrupt shard: .*00003.safetensors: damaged: .*it rebuilds this shard alone"
    ):
        cache.get("v12")
    write_latents(study, pool, codec_path, tmp_path)
    assert "00003.safetensors: damaged" in capsys.readouterr().out
    assert contents(tmp_path) == whole
    moved = {path.name for path in tmp_path.rglob("0*.*") if path.stat().st_mtime_ns != stamps[path.name]}
    assert moved == {broken.name}


def test_a_missing_shard_is_named(tmp_path, codec_path):
    write_latents(cache_study(), PosedVideos(), codec_path, tmp_path)
    (tmp_path / "shares" / "0" / "00001.safetensors").unlink()
    with pytest.raises(CacheError, match="00001.safetensors: shard is missing"):
        Latents(tmp_path).get("v4")


def test_another_codecs_cache_is_refused_and_replaced(tmp_path, codec_path):
    study, pool = cache_study(), PosedVideos()
    write_latents(study, pool, codec_path, tmp_path / "cache")
    other_study = study.model_copy(update={"seed": 3, "codec": study.codec.model_copy(update={"train_frames": 30})})
    other = tmp_path / "other.safetensors"
    fit_codec(other_study.codec, other_study.seed, Videos(), other)
    with pytest.raises(CacheError, match=r"cache of settings \w{16}, the study asks for \w{16}"):
        Latents(tmp_path / "cache", other_study, other)
    write_latents(other_study, pool, other, tmp_path / "cache")
    assert Latents(tmp_path / "cache", other_study, other).videos == pool.videos


def test_no_cache_is_an_error(tmp_path):
    with pytest.raises(CacheError, match="no latent cache there"):
        Latents(tmp_path)


def test_shares_are_stable_and_together_the_whole(tmp_path, codec_path):
    """Three shares in any order hold what one has, and each can be written again by itself."""
    study, pool = cache_study(), PosedVideos()
    write_latents(study, pool, codec_path, tmp_path / "one")
    for share in (2, 0, 1):
        write_share(study, pool, codec_path, tmp_path / "three" / "shares" / str(share), share, 3)
    folders = [tmp_path / "three" / "shares" / str(share) for share in range(3)]
    join_shares(study, pool, codec_path, tmp_path / "three", folders)
    one, three = Latents(tmp_path / "one"), Latents(tmp_path / "three")
    assert one.videos == three.videos == pool.videos
    assert all(torch.equal(one.get(video), three.get(video)) for video in pool.videos)
    names = [{path.name for path in folder.glob("*.safetensors")} for folder in folders]
    assert sum(map(len, names)) == len(set.union(*names)) == len(shards_of(study, pool))
    again = write_share(study, pool, codec_path, folders[1], 1, 3)
    assert again["frames"] == 0, "what is whole is not encoded again"


def test_an_absent_share_is_named(tmp_path, codec_path):
    study, pool = cache_study(), PosedVideos()
    folders = [tmp_path / "shares" / str(share) for share in range(2)]
    write_share(study, pool, codec_path, folders[0], 0, 2)
    with pytest.raises(CacheError, match="1/00001.safetensors: shard is missing or another's; write share 1 again"):
        join_shares(study, pool, codec_path, tmp_path, folders)
    with pytest.raises(CacheError, match="share 2 of 2: expected a number from 0 to 1"):
        write_share(study, pool, codec_path, tmp_path, 2, 2)


def test_large_videos_make_small_shards(monkeypatch):
    study, pool = cache_study(), PosedVideos()
    monkeypatch.setattr(latents, "SHARD_BYTES", 2 * 9 * study.numbers_per_frame * 4)
    assert [len(videos) for videos in shards_of(study, pool)] == [2] * 20


def test_bfloat16_storage_is_half_as_large_and_near(tmp_path, codec_path):
    study, pool = cache_study(), PosedVideos()
    half = study.model_copy(update={"codec": study.codec.model_copy(update={"storage": "bfloat16"})})
    write_latents(study, pool, codec_path, tmp_path / "full")
    write_latents(half, pool, codec_path, tmp_path / "half")
    full, near = Latents(tmp_path / "full").get("v5"), Latents(tmp_path / "half").get("v5")
    assert near.dtype == torch.float32 and torch.equal(near, full.bfloat16().float())
    with pytest.raises(CacheError, match="cache of settings"):
        Latents(tmp_path / "half", study, codec_path)


def test_a_whole_shard_of_another_cache_is_named(tmp_path, codec_path):
    """Its own hash is right, and it is not the one that the index lists."""
    study, pool = cache_study(), PosedVideos()
    for name in ("one", "two"):
        write_latents(study, pool, codec_path, tmp_path / name)
    swapped = tmp_path / "one" / "shares" / "0" / "00001.safetensors"
    swapped.write_bytes((tmp_path / "one" / "shares" / "0" / "00002.safetensors").read_bytes())
    with pytest.raises(CacheError, match="00001.safetensors: not the shard that .*index.json lists"):
        Latents(tmp_path / "one").get("v4")


@pytest.mark.parametrize(("storage", "value"), [("float32", float("nan")), ("bfloat16", 3.4e38)])
def test_latents_that_are_not_finite_are_never_written(tmp_path, codec_path, monkeypatch, storage, value):
    """Also where only the storage overflows: 3.4e38 is a float32 and no bfloat16."""
    study = cache_study()
    study = study.model_copy(update={"codec": study.codec.model_copy(update={"storage": storage})})
    honest = Codec.encode

    def broken(self, frames):
        latents = honest(self, frames)
        latents[3, 0, 0, 0] = value
        return latents

    monkeypatch.setattr(Codec, "encode", broken)
    with pytest.raises(NotFiniteError, match=f"video v0: its latents are not finite .* codec.storage = {storage}"):
        write_latents(study, PosedVideos(), codec_path, tmp_path)
    assert not list(tmp_path.rglob("*.safetensors")) and not (tmp_path / "index.json").exists()
