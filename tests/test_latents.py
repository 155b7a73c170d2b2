"""The cache is whole or says so: kill -9, a corrupt shard, another codec's cache."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from echo import latents
from echo.codec import fit_codec, load_codec
from echo.config import Codec, World
from echo.latents import INDEX, CacheError, Latents, write_latents
from echo.text import embed
from tests.conftest import ROOT, tiny_study
from tests.test_codec import Videos


class PosedVideos(Videos):
    videos = [f"v{i}" for i in range(40)]

    def poses(self, video):
        return np.full((9, 6), float(video[1:]))

    def caption(self, video, start=0):
        return f"room {video}"


def study_of():
    codec = Codec(kind="patch", channels=5, downsample=8, train_frames=60)
    return tiny_study().model_copy(update={"codec": codec, "world": World(size=16)})


@pytest.fixture(scope="module")
def codec_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "codec.safetensors"
    fit_codec(study_of(), Videos(), path)
    return path


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(latents, "SHARD", 4)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_reads_what_was_encoded(tmp_path, codec_path):
    study, pool = study_of(), PosedVideos()
    write_latents(study, pool, codec_path, tmp_path)
    cache, codec = Latents(tmp_path, study, codec_path), load_codec(codec_path)
    assert cache.videos == pool.videos
    assert torch.equal(cache.get("v7"), codec.encode(torch.from_numpy(pool.frames("v7"))))
    assert np.array_equal(cache.poses("v7"), pool.poses("v7"))
    assert torch.equal(cache.text("v7"), embed(study.text, ["room v7"])[0])
    with pytest.raises(CacheError, match="no video 'v99'"):
        cache.get("v99")


SCRIPT = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from echo import latents
from tests.test_latents import PosedVideos, study_of
latents.SHARD = 4
class Slow(PosedVideos):
    def caption(self, video, start=0):
        time.sleep(float(sys.argv[3]))
        return super().caption(video)
latents.write_latents(study_of(), Slow(), Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_kill_9_equals_no_interruption(tmp_path, codec_path):
    """A process killed half-way; the cache says it is half-written, and the next run ends with the same bytes."""
    command = [sys.executable, "-c", SCRIPT.format(root=str(ROOT)), str(codec_path)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    killed = subprocess.Popen([*command, str(tmp_path / "killed"), "0.05"], **quiet)
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "killed").glob("[0-9]*.safetensors"))) < 4:
        assert time.monotonic() < deadline and killed.poll() is None
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    with pytest.raises(CacheError, match="half-written; write it again to continue it"):
        Latents(tmp_path / "killed")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("[0-9]*.safetensors")}
    for folder in ("killed", "whole"):
        subprocess.run([*command, str(tmp_path / folder), "0"], check=True, **quiet)
    for path in (tmp_path / "killed").glob(".*"):
        path.unlink()  # the half-written temporary file of the killed process
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    kept = [name for name, stamp in before.items() if (tmp_path / "killed" / name).stat().st_mtime_ns == stamp]
    assert len(kept) >= 3


def test_a_corrupt_shard_is_named_and_rebuilt_alone(tmp_path, codec_path, capsys):
    study, pool = study_of(), PosedVideos()
    write_latents(study, pool, codec_path, tmp_path)
    whole = contents(tmp_path)
    broken = tmp_path / "00003.safetensors"
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    broken.write_bytes(whole[broken.name][:-8] + b"12345678")
    cache = Latents(tmp_path)
    cache.get("v0")
    with pytest.raises(CacheError, match=r"00003.safetensors: corrupt shard \(sha256 .*it rebuilds this shard alone"):
        cache.get("v12")
    write_latents(study, pool, codec_path, tmp_path)
    assert "00003.safetensors: corrupt" in capsys.readouterr().out
    assert contents(tmp_path) == whole
    moved = {path.name for path in tmp_path.iterdir() if path.stat().st_mtime_ns != stamps[path.name]}
    assert moved == {broken.name, INDEX}


def test_a_missing_shard_is_named(tmp_path, codec_path):
    write_latents(study_of(), PosedVideos(), codec_path, tmp_path)
    (tmp_path / "00001.safetensors").unlink()
    with pytest.raises(CacheError, match="00001.safetensors: shard is missing"):
        Latents(tmp_path).get("v4")


def test_another_codecs_cache_is_refused_and_replaced(tmp_path, codec_path):
    study, pool = study_of(), PosedVideos()
    write_latents(study, pool, codec_path, tmp_path / "cache")
    other_study = study.model_copy(update={"seed": 3, "codec": study.codec.model_copy(update={"train_frames": 30})})
    other = tmp_path / "other.safetensors"
    fit_codec(other_study, Videos(), other)
    with pytest.raises(CacheError, match=r"cache of settings \w{16}, the study asks for \w{16}"):
        Latents(tmp_path / "cache", other_study, other)
    write_latents(other_study, pool, other, tmp_path / "cache")
    assert Latents(tmp_path / "cache", other_study, other).videos == pool.videos
    assert json.loads((tmp_path / "cache" / INDEX).read_text())["complete"]


def test_no_cache_is_an_error(tmp_path):
    with pytest.raises(CacheError, match="no latent cache there"):
        Latents(tmp_path)
