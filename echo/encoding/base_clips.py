"""Clips for the base's training: fresh rooms, rendered, encoded at once; latents, poses and captions are kept.

One file a shard of rooms. 24,000 clips of 33 frames of 1,024 numbers are 1.6 GB in float16; their frames would be
9.7 GB. float16 has 11 bits, bfloat16 has 8; latents are of unit scale, far from the ends of either's range.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float16, Float64
from safetensors import safe_open
from tqdm import tqdm

from echo.encoding.codec import load_codec
from echo.io.errors import UserError
from echo.io.tensor_rows import TensorRows
from echo.io.tensors import mending, read_header, save_tensors, stored_hash
from echo.study.config import Study
from echo.world.rooms.build import render_clip
from echo.world.rooms.library import load_library, texture_resolution


class BaseClipsError(UserError):
    """A shard of the base's clips that is not what the study asks for."""


def write_shard(study: Study, rooms: range, codec_path: Path, assets: Path, path: Path) -> dict[str, Any]:
    """Render and encode training rooms of ``study`` (a ``base_study``) to ``path``, atomically.

    Returns what the record says of it. Raises NotFiniteError, with nothing written, for latents beyond float16's range.
    """
    codec, library = load_codec(codec_path), load_library(Path(assets), texture_resolution(study.world.height))
    latents, poses, captions = [], [], []
    for room in tqdm(rooms, desc=f"clips {rooms.start} to {rooms.stop - 1}", mininterval=5):
        frames, path_of_room, caption = render_clip(study, room, library)
        latents.append(codec.encode(torch.from_numpy(frames)).half().numpy())
        poses.append(path_of_room)
        captions.append(caption)
    header = {"rooms": [rooms.start, rooms.stop], "encoder": codec.encoder_digest(), "captions": captions}
    save_tensors(path, {"latents": np.stack(latents), "poses": np.stack(poses)}, header, finite=True)
    return {"sha256": stored_hash(path), "encoder": header["encoder"], "rooms": len(rooms),
            "frames": sum(len(one) for one in poses)}  # fmt: skip


class BaseClips:
    """Reads shards; every one is verified when it is opened, and its latents are then read piece by piece.

    poses: (clips, F, 6); captions: one a clip; encoder: digest of the encoder that all shards are of.
    """

    def __init__(self, shards: list[Path]) -> None:
        """Open all shards.

        Raises TensorFileError for a damaged one, BaseClipsError where they do not fit each other.
        """
        self._rows = [TensorRows(path, "latents") for path in shards]
        headers = [read_header(path) for path in shards]
        for path, rows, header in zip(shards, self._rows, headers, strict=True):
            for what, held, first in (
                ("latents of shape", rows.shape[1:], self._rows[0].shape[1:]),
                ("latents of encoder", header["encoder"], headers[0]["encoder"]),
            ):
                if held != first:
                    raise BaseClipsError(f"{path}: {what} {held}, but {shards[0]} has {first}; {mending(path)}")
        self.encoder: str = headers[0]["encoder"]
        self.hashes = [rows.hash for rows in self._rows]
        self.captions = [caption for header in headers for caption in header["captions"]]
        self.poses: Float64[np.ndarray, "clips F 6"] = np.concatenate(
            [safe_open(path, "np").get_tensor("poses") for path in shards]
        )
        self._starts = np.cumsum([0, *(len(rows) for rows in self._rows)])

    def __len__(self) -> int:
        return len(self.poses)

    def latents(self, clip: int, start: int, stop: int) -> Float16[np.ndarray, "frames c h w"]:
        """Latents of the frames ``start`` to ``stop`` of a clip."""
        shard = int(np.searchsorted(self._starts, clip, "right")) - 1
        return self._rows[shard].read(clip - int(self._starts[shard]), start, stop)
