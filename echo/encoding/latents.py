"""The latent cache: latents and poses of a pool's videos, in safetensors shards that carry their own hash.

The shards of a split are dealt out to a fixed number of shares, each written by one job, wherever it runs; an index
joins them and lists their hashes. A half-written share is continued; a damaged shard is named, and rebuilt alone when
its share is written again.
"""

from __future__ import annotations

import json
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor
from tqdm import tqdm

from echo.encoding.codec import Codec, load_codec
from echo.io.errors import UserError
from echo.io.files import digest, sha256, write_json
from echo.io.tensors import (
    NotFiniteError,
    TensorFileError,
    first_not_finite,
    mending,
    open_tensors,
    read_header,
    save_tensors,
    stored_hash,
    verify_tensors,
)
from echo.study.config import Study
from echo.study.words import first_target, segments_of

if TYPE_CHECKING:
    from echo.world.pool import Pool

SHARD = 100  # videos at most
SHARD_BYTES = 2**30  # of latents; large videos make shards of fewer
INDEX = "index.json"
STORAGE = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class CacheError(UserError):
    """A latent cache that is incomplete or damaged, or not the one asked for."""


def _settings(study: Study, codec_path: Path) -> dict[str, Any]:
    """What a cache's latents depend on, beside the frames."""
    settings = {"codec_sha256": sha256(codec_path), "storage": study.codec.storage}
    return settings if study.codec.temporal == 1 else {**settings, "segment": study.segment.frames}


def shards_of(study: Study, pool: Pool) -> list[list[str]]:
    """The videos of each shard, in the pool's order: the same for every share and every run."""
    videos = pool.videos
    longest = max(pool.length(video) for video in videos)
    one = longest * study.numbers_per_frame * STORAGE[study.codec.storage].itemsize
    size = max(1, min(SHARD, SHARD_BYTES // one))
    return [videos[start : start + size] for start in range(0, len(videos), size)]


def write_share(
    study: Study, pool: Pool, codec_path: Path, folder: Path, share: int = 0, shares: int = 1
) -> dict[str, float | int]:
    """Encode every ``shares``-th shard of ``pool``, from number ``share`` on, to ``folder``; returns the throughput.

    Undamaged shards that are there are kept, so that a share killed at any time goes on. A shard of another codec is
    replaced. Throughput: frames that were encoded now, the seconds it took, and their ratio.
    """
    if not 0 <= share < shares:
        raise CacheError(f"share {share} of {shares}: expected a number from 0 to {shares - 1}")
    folder.mkdir(parents=True, exist_ok=True)
    settings, codec = _settings(study, codec_path), load_codec(codec_path)
    frames, start = 0, time.monotonic()
    own = list(enumerate(shards_of(study, pool)))[share::shares]
    for position, videos in tqdm(own, desc=f"latents {share + 1}/{shares}", mininterval=5):
        path, header = shard_path(folder, position), {"settings": settings, "videos": videos}
        if _is_whole(path, header):
            continue
        _write_shard(study, pool, codec, path, header)
        frames += sum(pool.length(video) for video in videos)
    seconds = time.monotonic() - start
    return {"frames": frames, "seconds": round(seconds, 2), "frames_per_second": round(frames / seconds, 2)}


def shard_path(folder: Path, position: int) -> Path:
    """The file of a shard in its share's folder."""
    return folder / f"{position:05d}.safetensors"


def _is_whole(path: Path, header: dict[str, Any]) -> bool:
    """Whether a shard with this header is there, and undamaged; a damaged one is reported."""
    if not path.is_file():
        return False
    try:
        if read_header(path) != header:
            return False
        verify_tensors(path, "rebuilding this shard")
    except TensorFileError as error:
        tqdm.write(str(error))
        return False
    return True


def _write_shard(study: Study, pool: Pool, codec: Codec, path: Path, header: dict[str, Any]) -> None:
    """Encode the videos that ``header`` lists; raises NotFiniteError, with nothing written, for NaN or infinities."""
    tensors, storage = {}, STORAGE[study.codec.storage]
    for video in header["videos"]:
        frames = torch.from_numpy(pool.frames(video))
        own = {"latents": codec.encode(frames).to(storage)}
        if study.codec.temporal > 1:
            size = study.segment.frames
            starts = [first_target(n, size) for n in range(1, segments_of(len(frames), size) + 1)]
            segments = torch.stack([frames[start : start + size] for start in starts])
            own["targets"] = codec.encode_segments(segments).to(storage)
        name = first_not_finite(own)
        if name is not None:
            raise NotFiniteError(
                f"video {video}: its {name} are not finite (NaN or infinite) as codec.storage = {study.codec.storage}; "
                "check the codec (codec.options, codec.train_steps) and that storage"
            )
        own["poses"] = torch.from_numpy(pool.poses(video))
        tensors |= {f"{video}/{part}": value for part, value in own.items()}
    save_tensors(path, tensors, header)


def join_shares(study: Study, pool: Pool, codec_path: Path, folder: Path, shares: list[Path]) -> None:
    """Write the index of a cache whose shares lie in ``shares``, in order; CacheError where a shard is missing."""
    settings, entries = _settings(study, codec_path), []
    for position, videos in enumerate(shards_of(study, pool)):
        share = position % len(shares)
        path = shard_path(shares[share], position)
        if not path.is_file() or read_header(path) != {"settings": settings, "videos": videos}:
            raise CacheError(f"{path}: shard is missing or another's; write share {share} again")
        entries.append({"file": str(path.relative_to(folder)), "videos": videos, "sha256": stored_hash(path)})
    write_json(folder / INDEX, {"settings": settings, "shards": entries})


class Latents:
    """Reads a cache; each shard is verified once, when it is first needed, and then read tensor by tensor."""

    def __init__(self, folder: Path, study: Study | None = None, codec_path: Path | None = None) -> None:
        """With ``study`` and ``codec_path``, also checks that the cache was made with them.

        Raises CacheError where the cache is missing, half-written or another's, and when a shard is damaged.
        """
        self.folder = Path(folder)
        if not (self.folder / INDEX).is_file():
            if any(self.folder.rglob("*.safetensors")):
                raise CacheError(
                    f"{self.folder}: the latent cache is half-written; run the same snakemake command again, it "
                    "continues it"
                )
            raise CacheError(f"{self.folder}: no latent cache there ({INDEX} is missing)")
        index = json.loads((self.folder / INDEX).read_text())
        if study is not None and codec_path is not None:
            wanted = _settings(study, codec_path)
            if index["settings"] != wanted:
                raise CacheError(
                    f"{self.folder}: cache of settings {digest(index['settings'])}, the study asks for {digest(wanted)}"
                )
        self.shards = index["shards"]
        self._verify = True
        self._open: dict[str, safe_open] = {}

    @property
    def videos(self) -> list[str]:
        """Names of all videos, in the pool's order."""
        return list(self._where)

    @cached_property
    def _where(self) -> dict[str, dict[str, Any]]:
        """The index's entry of each video."""
        return {video: entry for entry in self.shards for video in entry["videos"]}

    def get(self, video: str) -> Float[Tensor, "f c h w"]:
        """Latents of every frame, each coded alone, as float32."""
        return self._tensor(video, "latents").float()

    def targets(self, video: str) -> Float[Tensor, "s t c h w"]:
        """Target latents of every segment as float32, where they are not the frames' own."""
        return self._tensor(video, "targets").float()

    def poses(self, video: str) -> Float[np.ndarray, "f 6"]:
        """Poses as float64."""
        return self._tensor(video, "poses").numpy()

    def verify_share(self, share: int, shares: int) -> None:
        """Verify every ``shares``-th shard from number ``share`` on, and trust the others from now on.

        For processes that read one cache together, each with a share of its own: a shard is hashed once for all of
        them, and none may read before all have verified theirs. Raises CacheError for a damaged shard.
        """
        for entry in self.shards[share::shares]:
            self._verified(entry)
        self._verify = False

    def _tensor(self, video: str, part: str) -> Tensor:
        if video not in self._where:
            raise CacheError(f"{self.folder}: no video {video!r} in this cache of {len(self._where)}")
        entry = self._where[video]
        if entry["file"] not in self._open:
            self._open[entry["file"]] = self._verified(entry)
        return self._open[entry["file"]].get_tensor(f"{video}/{part}")

    def _verified(self, entry: dict[str, Any]) -> safe_open:
        """A shard, once its contents are known to be those that the index lists."""
        path = self.folder / entry["file"]
        remedy = f"{mending(path)}; it rebuilds this shard alone"
        if not path.is_file():
            raise CacheError(f"{path}: shard is missing; run the same snakemake command again; it rebuilds this shard")
        try:
            file = open_tensors(path, "pt", remedy) if self._verify else safe_open(path, "pt")
        except TensorFileError as error:
            raise CacheError(f"corrupt shard: {error}") from None
        if stored_hash(path) != entry["sha256"]:
            raise CacheError(f"{path}: not the shard that {self.folder / INDEX} lists; {remedy}")
        return file
