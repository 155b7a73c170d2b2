"""Shipping a base with the codec whose latents it speaks, and reading what was shipped.

Weights are kept as float16: half the size, 11 bits; a weight beyond its range is refused. Readers verify each file's
own hash and compare it with the record's, and compute in float32.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from echo.encoding.codec import load_codec
from echo.io.files import write_json
from echo.io.tensors import load_tensors, read_header, save_tensors, stored_hash, verify_tensors
from echo.study.provenance import read_record, record_of
from echo.study.shipped import RECORD, ShippedError, read_shipped, restoring
from echo.study.study import MODEL_SECTIONS

LARGEST = 20_000_000  # bytes of a shipped base and its codec
# Of the record of the training: what says where the weights come from.
TOLD = (
    *("recipe", "begun_from", "steps", "windows", "encoder", "shards", "final_loss", "rejected_steps", "seconds"),
    *("device", "processes", "peak_mb", "commit", "uncommitted_changes", "digest", "python", "libraries", "machine"),
)


def ship(base: Path, codec: Path, out: Path) -> dict[str, Any]:
    """Write ``base`` and ``codec`` in half precision, and their record, to the folder ``out``; returns the record.

    Raises ShippedError, with nothing written, for a base that the recipe did not train, another codec's base, and files
    of more than 20 MB together.
    """
    header, made = read_header(base), record_of(base)
    if "encoder" not in header or not made.is_file():
        raise ShippedError(f"{base}: not a base with its record, which base.source: trained makes; ship such a one")
    encoder = load_codec(codec).encoder_digest()
    if encoder != header["encoder"]:
        raise ShippedError(f"{codec}: its encoder is {encoder}, but {base} was trained on latents of encoder "
                           f"{header['encoder']}; ship the codec that the base was trained with")  # fmt: skip
    sources = {"base": base, "codec": codec}
    halves = {name: _halved(load_tensors(path), path) for name, path in sources.items()}
    size = sum(value.nbytes for half in halves.values() for value in half.values())
    if size > LARGEST:
        raise ShippedError(f"{base} and {codec} are {size} bytes in half precision, expected at most {LARGEST}")
    files = {}
    for name, path in sources.items():
        target = out / f"{name}.safetensors"
        save_tensors(target, halves[name], read_header(path), finite=True)
        files[name] = {"sha256": stored_hash(target), "bytes": target.stat().st_size,
                       "full_precision_sha256": stored_hash(path)}  # fmt: skip
    rig, training = json.loads(header["rig"]), read_record(made)
    record = {"sizes": {section: rig[section] for section in MODEL_SECTIONS}, "files": files,
              "training": {key: training[key] for key in TOLD if key in training}}  # fmt: skip
    record["codec"] = read_header(codec)["codec"]
    write_json(out / RECORD, record)
    return record


def _halved(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors with float16 in place of any other real numbers; ShippedError where one is beyond its range."""
    halved = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    for name, value in halved.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ShippedError(f"{path}: {name} has values beyond the range of half precision")
    return halved


def verified(folder: Path, name: str) -> Path:
    """The file ``name`` ("base" or "codec") of a shipped base, once its contents are those that the record lists.

    Raises TensorFileError or ShippedError, in one line, where they are not.
    """
    path = folder / f"{name}.safetensors"
    wanted = read_shipped(folder)["files"][name]["sha256"]
    if not path.is_file():
        raise ShippedError(f"{path} is missing; {restoring(folder)}")
    held = verify_tensors(path, restoring(folder))
    if held != wanted:
        raise ShippedError(f"{path}: contents of sha256 {held[:12]}..., {folder / RECORD} lists {wanted[:12]}...; "
                           f"{restoring(folder)}")  # fmt: skip
    return path
