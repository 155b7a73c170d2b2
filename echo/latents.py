"""The latent cache: latents, poses and text of a pool's videos, in safetensors shards with checksums.

A half-written cache is continued; a corrupt shard is named, and rebuilt alone when the cache is written again.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor
from tqdm import tqdm

from echo.codec import load_codec
from echo.config import Study
from echo.files import digest, sha256, write_json
from echo.tensors import save_tensors
from echo.text import embed
from echo.world.pool import Pool

SHARD = 100  # videos
INDEX = "index.json"


class CacheError(ValueError):
    """A latent cache that is not whole, or not the one asked for."""


def _settings(study: Study, codec_path: Path) -> dict:
    return {"codec_sha256": sha256(codec_path), "text": study.text.model_dump(mode="json")}


def write_latents(study: Study, pool: Pool, codec_path: Path, folder: Path) -> None:
    """Encode every video of ``pool`` to ``folder``. What is there and whole stays; killed at any time, it continues.

    A cache of another codec or another text encoder is replaced from the first shard on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings, codec = _settings(study, codec_path), load_codec(codec_path)
    known = _known_shards(folder, settings)
    shards = [pool.videos[i : i + SHARD] for i in range(0, len(pool.videos), SHARD)]
    index = {"settings": settings, "shards": [], "complete": False}
    for number, videos in enumerate(tqdm(shards, desc="latents", mininterval=5)):
        name = f"{number:05d}.safetensors"
        entry = known.get(name)
        if entry is None or entry["videos"] != videos or not _whole(folder / name, entry["sha256"]):
            _write_shard(study, pool, codec, videos, folder / name)
            entry = {"file": name, "videos": videos, "sha256": sha256(folder / name)}
        index["shards"].append(entry)
        # Shards known from before stay known, whichever is being rebuilt.
        rest = [known[s] for s in sorted(known) if s > name]
        write_json(folder / INDEX, {**index, "shards": index["shards"] + rest})
    write_json(folder / INDEX, {**index, "complete": True})


def _known_shards(folder: Path, settings: dict) -> dict[str, dict]:
    if not (folder / INDEX).is_file():
        return {}
    index = json.loads((folder / INDEX).read_text())
    return {entry["file"]: entry for entry in index["shards"]} if index["settings"] == settings else {}


def _whole(path: Path, expected: str) -> bool:
    if not path.is_file():
        return False
    found = sha256(path)
    if found != expected:
        tqdm.write(f"{path}: corrupt (sha256 {found[:12]}, expected {expected[:12]}); rebuilding this shard")
    return found == expected


def _write_shard(study: Study, pool: Pool, codec, videos: list[str], path: Path) -> None:
    tensors = {}
    texts = embed(study.text, [pool.caption(video) for video in videos])
    for video, text in zip(videos, texts, strict=True):
        tensors[f"{video}/latents"] = codec.encode(torch.from_numpy(pool.frames(video))).contiguous()
        tensors[f"{video}/poses"] = torch.from_numpy(pool.poses(video))
        tensors[f"{video}/text"] = text.contiguous()
    save_tensors(path, tensors)


class Latents:
    """Reads a cache; each shard is verified once, when it is first needed."""

    def __init__(self, folder: Path, study: Study | None = None, codec_path: Path | None = None):
        """With ``study`` and ``codec_path``, also checks that the cache was made with them.

        Raises CacheError where the cache is missing, half-written or another's.
        """
        self.folder = Path(folder)
        if not (self.folder / INDEX).is_file():
            raise CacheError(f"{self.folder}: no latent cache there ({INDEX} is missing)")
        index = json.loads((self.folder / INDEX).read_text())
        if not index["complete"]:
            raise CacheError(f"{self.folder}: the latent cache is half-written; write it again to continue it")
        if study is not None and codec_path is not None:
            wanted = _settings(study, codec_path)
            if index["settings"] != wanted:
                raise CacheError(
                    f"{self.folder}: cache of settings {digest(index['settings'])}, the study asks for {digest(wanted)}"
                )
        self.shards = index["shards"]
        self._open: dict[str, dict[str, Tensor]] = {}

    @property
    def videos(self) -> list[str]:
        """Names of all videos, in the pool's order."""
        return list(self._where)

    @cached_property
    def _where(self) -> dict[str, dict]:
        return {video: entry for entry in self.shards for video in entry["videos"]}

    def get(self, video: str) -> Tensor:
        """Latents (F, C, h, w) float32."""
        return self._tensor(video, "latents")

    def poses(self, video: str) -> np.ndarray:
        """Poses (F, 6) float64."""
        return self._tensor(video, "poses").numpy()

    def text(self, video: str) -> Tensor:
        """Text tokens (L, text_dim) float32."""
        return self._tensor(video, "text")

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
                    "again (python -m echo latents), it rebuilds this shard alone"
                )
            self._open[entry["file"]] = load(path.read_bytes())
        return self._open[entry["file"]][f"{video}/{part}"]
