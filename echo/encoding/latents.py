"""The latent cache: latents and poses of a pool's videos, in safetensors shards with checksums.

The shards of a split are dealt out to a fixed number of shares, each written by one job, wherever it runs; an index
joins them. A half-written share is continued; a corrupt shard is named, and rebuilt alone when its share is written
again.
"""

from __future__ import annotations

import json
import time
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor
from tqdm import tqdm

from echo.encoding.codec import Codec, load_codec
from echo.io.errors import UserError
from echo.io.files import digest, sha256, write_json
from echo.io.tensors import save_tensors
from echo.study.config import Study
from echo.study.words import first_target, segments_of
from echo.world.pool import Pool

SHARD = 100  # videos at most
SHARD_BYTES = 2**30  # of latents; large videos make shards of fewer
INDEX = "index.json"
STORAGE = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class CacheError(UserError):
    """A latent cache that is not whole, or not the one asked for."""


def _settings(study: Study, codec_path: Path) -> dict:
    settings = {"codec_sha256": sha256(codec_path), "storage": study.codec.storage}
    return settings if study.codec.temporal == 1 else {**settings, "segment": study.segment.frames}


def shards_of(study: Study, pool: Pool) -> list[list[str]]:
    """The videos of each shard, in the pool's order: the same for every share and every run."""
    videos = pool.videos
    longest = max(pool.length(video) for video in videos)
    one = longest * study.numbers_per_frame * STORAGE[study.codec.storage].itemsize
    size = max(1, min(SHARD, SHARD_BYTES // one))
    return [videos[start : start + size] for start in range(0, len(videos), size)]


def write_share(study: Study, pool: Pool, codec_path: Path, folder: Path, share: int = 0, shares: int = 1) -> dict:
    """Encode every ``shares``-th shard of ``pool``, from number ``share`` on, to ``folder``; returns the throughput.

    Shards that are there and whole stay, so that a share killed at any time goes on. A shard of another codec is
    replaced. Throughput: frames that were encoded now, the seconds it took, and their ratio.
    """
    if not 0 <= share < shares:
        raise CacheError(f"share {share} of {shares}: expected a number from 0 to {shares - 1}")
    folder.mkdir(parents=True, exist_ok=True)
    settings, codec = _settings(study, codec_path), load_codec(codec_path)
    frames, start = 0, time.monotonic()
    mine = list(enumerate(shards_of(study, pool)))[share::shares]
    for number, videos in tqdm(mine, desc=f"latents {share + 1}/{shares}", mininterval=5):
        path = folder / f"{number:05d}.safetensors"
        if _is_whole(path, settings, videos):
            continue
        _write_shard(study, pool, codec, videos, path)
        write_json(path.with_suffix(".json"), {"settings": settings, "videos": videos, "sha256": sha256(path)})
        frames += sum(pool.length(video) for video in videos)
    seconds = time.monotonic() - start
    return {"frames": frames, "seconds": round(seconds, 2), "frames_per_second": round(frames / seconds, 2)}


def _is_whole(path: Path, settings: dict, videos: list[str]) -> bool:
    """Whether a shard is there as its note says; a damaged one is named."""
    note_path = path.with_suffix(".json")
    if not path.is_file() or not note_path.is_file():
        return False
    note = json.loads(note_path.read_text())
    if note["settings"] != settings or note["videos"] != videos:
        return False
    found = sha256(path)
    if found != note["sha256"]:
        tqdm.write(f"{path}: corrupt (sha256 {found[:12]}, expected {note['sha256'][:12]}); rebuilding this shard")
    return found == note["sha256"]


def _write_shard(study: Study, pool: Pool, codec: Codec, videos: list[str], path: Path) -> None:
    tensors, storage = {}, STORAGE[study.codec.storage]
    for video in videos:
        frames = torch.from_numpy(pool.frames(video))
        tensors[f"{video}/latents"] = codec.encode(frames).to(storage)
        if study.codec.temporal > 1:
            size = study.segment.frames
            starts = [first_target(n, size) for n in range(1, segments_of(len(frames), size) + 1)]
            segments = torch.stack([frames[start : start + size] for start in starts])
            tensors[f"{video}/targets"] = codec.encode_segments(segments).to(storage)
        tensors[f"{video}/poses"] = torch.from_numpy(pool.poses(video))
    save_tensors(path, tensors)


def join_shares(study: Study, pool: Pool, codec_path: Path, folder: Path, shares: list[Path]) -> None:
    """Write the index of a cache whose shares lie in ``shares``, in order; CacheError where a shard is missing."""
    settings, entries = _settings(study, codec_path), []
    for number, videos in enumerate(shards_of(study, pool)):
        path = shares[number % len(shares)] / f"{number:05d}.safetensors"
        note_path = path.with_suffix(".json")
        note = json.loads(note_path.read_text()) if path.is_file() and note_path.is_file() else None
        if note is None or note["settings"] != settings or note["videos"] != videos:
            raise CacheError(f"{path}: shard is missing or another's; write share {number % len(shares)} again")
        entries.append({"file": str(path.relative_to(folder)), "videos": videos, "sha256": note["sha256"]})
    write_json(folder / INDEX, {"settings": settings, "shards": entries})


class Latents:
    """Reads a cache; each shard is verified once, when it is first needed, and then read tensor by tensor."""

    def __init__(self, folder: Path, study: Study | None = None, codec_path: Path | None = None):
        """With ``study`` and ``codec_path``, also checks that the cache was made with them.

        Raises CacheError where the cache is missing, half-written or another's.
        """
        self.folder = Path(folder)
        if not (self.folder / INDEX).is_file():
            if any(self.folder.rglob("*.safetensors")):
                raise CacheError(f"{self.folder}: the latent cache is half-written; write it again to continue it")
            raise CacheError(f"{self.folder}: no latent cache there ({INDEX} is missing)")
        index = json.loads((self.folder / INDEX).read_text())
        if study is not None and codec_path is not None:
            wanted = _settings(study, codec_path)
            if index["settings"] != wanted:
                raise CacheError(
                    f"{self.folder}: cache of settings {digest(index['settings'])}, the study asks for {digest(wanted)}"
                )
        self.shards = index["shards"]
        self._open: dict[str, safe_open] = {}

    @property
    def videos(self) -> list[str]:
        """Names of all videos, in the pool's order."""
        return list(self._where)

    @cached_property
    def _where(self) -> dict[str, dict]:
        return {video: entry for entry in self.shards for video in entry["videos"]}

    def get(self, video: str) -> Tensor:
        """Latents (F, C, h, w) float32 of every frame, each coded alone."""
        return self._tensor(video, "latents").float()

    def targets(self, video: str) -> Tensor:
        """Target latents (S, T', C, h, w) float32 of every segment, where they are not the frames' own."""
        return self._tensor(video, "targets").float()

    def poses(self, video: str) -> np.ndarray:
        """Poses (F, 6) float64."""
        return self._tensor(video, "poses").numpy()

    def _tensor(self, video: str, part: str) -> Tensor:
        if video not in self._where:
            raise CacheError(f"{self.folder}: no video {video!r} in this cache of {len(self._where)}")
        entry = self._where[video]
        if entry["file"] not in self._open:
            path = self.folder / entry["file"]
            if not path.is_file():
                raise CacheError(f"{path}: shard is missing; write the cache again, it rebuilds this shard alone")
            found = sha256(path)
            if found != entry["sha256"]:
                raise CacheError(
                    f"{path}: corrupt shard (sha256 {found[:12]}, expected {entry['sha256'][:12]}); write the cache "
                    "again (python -m echo latents-share), it rebuilds this shard alone"
                )
            self._open[entry["file"]] = safe_open(path, "pt")
        return self._open[entry["file"]].get_tensor(f"{video}/{part}")
