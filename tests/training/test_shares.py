"""Several processes hash each shard once; one alone hashes what it reads."""

from types import SimpleNamespace

import pytest

from echo.encoding import latents
from echo.encoding.fit import fit_codec
from echo.encoding.latents import CacheError, Latents
from echo.evidence.clips import Clips
from echo.io import tensors
from echo.training.shares import verify_once
from tests.encoding.videos import PosedVideos, cache_study, write_latents


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Ten shards of four videos, and the names of the files that are hashed from now on."""
    monkeypatch.setattr(latents, "SHARD", 4)
    study, codec = cache_study(), tmp_path / "codec.safetensors"
    fit_codec(study.codec, 0, PosedVideos(), codec)
    write_latents(study, PosedVideos(), codec, tmp_path / "cache")
    hashed, honest = [], tensors._hashes
    monkeypatch.setattr(tensors, "_hashes", lambda path: hashed.append(path.name) or honest(path))
    return tmp_path / "cache", hashed


def processes(folder, count):
    """What each of ``count`` processes makes of a cache, up to where they wait for each other."""
    made = [Clips(Latents(folder), None, None) for _ in range(count)]
    for index, clips in enumerate(made):
        verify_once(clips, SimpleNamespace(count=count, index=index, wait=lambda: None))
    return made


@pytest.mark.parametrize("count", [1, 3])
def test_a_job_hashes_each_shard_once(cache, count):
    """Eight processes would read 83 GB eight times before their first steps were done."""
    folder, hashed = cache
    for clips in processes(folder, count):
        assert [clips.cache.get(video).shape[0] for video in clips.videos] == [9] * 40
    assert sorted(hashed) == [f"{number:05d}.safetensors" for number in range(10)]


def test_a_damaged_shard_ends_the_process_whose_share_it_is(cache):
    folder, _ = cache
    path = folder / "shares" / "0" / "00004.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CacheError, match="corrupt shard: .*00004.safetensors: damaged"):
        processes(folder, 3)
