"""The checkpoints that the paper's authors released, as checkpoints of our rows (docs/released.md).

Each is one safetensors file in the names of the original Wan code, with the camera and memory modules of the release.
The map is a table for each part. It covers every parameter of a row, and every key of the file must be used: nothing
is skipped and nothing left at its initial value.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from safetensors import safe_open

from echo.io.errors import UserError
from echo.io.files import sha256
from echo.io.tensors import read_header
from echo.model.row import Row
from echo.study.config import Study
from echo.study.profile import AS_RELEASED, Profile
from echo.study.released import backbone_misfits, recurrence_misfits
from echo.study.sections.checkpoint import Checkpoint

# Our names of modules and parameters, without .weight and .bias, to the released ones. {n} is a block's number.
ATTENTION = {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "o", "norm_q": "norm_q", "norm_k": "norm_k"}
NAMES = {
    "backbone.transformer.patch_embedding": "patch_embedding",
    "backbone.transformer.condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "backbone.transformer.condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "backbone.transformer.condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "backbone.transformer.condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "backbone.transformer.condition_embedder.time_proj": "time_projection.1",
    "backbone.transformer.proj_out": "head.head",
    "backbone.transformer.scale_shift_table": "head.modulation",
    **{f"backbone.transformer.blocks.{{n}}.attn1.{a}": f"blocks.{{n}}.self_attn.{b}" for a, b in ATTENTION.items()},
    **{f"backbone.transformer.blocks.{{n}}.attn2.{a}": f"blocks.{{n}}.cross_attn.{b}" for a, b in ATTENTION.items()},
    "backbone.transformer.blocks.{n}.norm2": "blocks.{n}.norm3",
    "backbone.transformer.blocks.{n}.ffn.net.0.proj": "blocks.{n}.ffn.0",
    "backbone.transformer.blocks.{n}.ffn.net.2": "blocks.{n}.ffn.2",
    "backbone.transformer.blocks.{n}.scale_shift_table": "blocks.{n}.modulation",
    "backbone.actions.{n}": "blocks.{n}.action_mlp.proj",
    **{
        f"backbone.cameras.{{n}}.attention.{a}": f"blocks.{{n}}.self_attn_with_action.{b}" for a, b in ATTENTION.items()
    },
    "memory.cells.{n}.norm": "blocks.{n}.block_wise_ssm.norm",
    "memory.cells.{n}.enter": "blocks.{n}.block_wise_ssm.in_proj",
    "memory.cells.{n}.leave": "blocks.{n}.block_wise_ssm.out_proj",
    "memory.cells.{n}.rate": "blocks.{n}.block_wise_ssm.decay_logit",
    "memory.cells.{n}.residual.gate": "blocks.{n}.block_wise_ssm.residual_logit",
}
# The files whose sha256 the authors list, and the rows they are of.
LISTED = {
    "0dd90ea3f3423644f4d68c6d1185d7d717d328f5922ee21f745fc85abe9a01a9": "ssm_blockwise_causal_v2",
    "dd57625506a2c68c402dc05de8f3c6fc5f5376fcac77d7fb6f26eb6ace1d74bf": "framepack_len_r8",
}
SHOWN = 3  # keys an error lists of each side


class ReleasedError(UserError):
    """A released checkpoint that does not fit the study or the row."""


def released_name(ours: str) -> str | None:
    """The released key of one of our parameters; None where the release has no such parameter."""
    parts = cast("re.Match[str]", re.fullmatch(r"(.*?)(\.weight|\.bias)?", ours))  # it fits every name
    module, suffix = parts.groups()
    number = re.search(r"\.(?:blocks|actions|cameras|cells)\.(\d+)(?=\.|$)", module)
    if number is None:
        name = NAMES.get(module)
    else:
        name = NAMES.get(module[: number.start(1)] + "{n}" + module[number.end(1) :])
        name = name and name.replace("{n}", number[1])
    return name and name + (suffix or "")


def key_map(row: Row) -> dict[str, str]:
    """Released key to our parameter, for all parameters of a row.

    Raises ReleasedError for a row with parameters that no released checkpoint has.
    """
    names = {ours: released_name(ours) for ours in row.state_dict()}
    strange = [ours for ours, name in names.items() if name is None]
    if strange:
        raise ReleasedError(
            f"row {row.profile.name} has {len(strange)} parameters that no released checkpoint has{_few(strange)}"
        )
    return {name: ours for ours, name in names.items() if name is not None}


def check_rig(study: Study, profile: Profile) -> None:
    """Raise ReleasedError where the backbone or the recurrence is not what the released weights were trained in."""
    for key, held, value in recurrence_misfits(profile):
        raise ReleasedError(f"row {profile.name} has {key} = {held}, but the released recurrence has {value}")
    for key, held, value in backbone_misfits(study, profile):
        raise ReleasedError(
            f"backbone.{key} = {held}, but the released checkpoint of row {profile.name} was trained with {value}"
        )


def fill(row: Row, path: Path) -> None:
    """Set every parameter of ``row`` from a released file, whatever its precision.

    Raises TensorFileError for a damaged file and ReleasedError, in one line, for keys of the file that the row does
    not use, parameters of the row that the file does not hold, and shapes that differ.
    """
    read_header(path)
    asked, names = row.state_dict(), key_map(row)
    with safe_open(path, "pt") as file:
        held = set(file.keys())
        unused, missing = sorted(held - names.keys()), sorted(names.keys() - held)
        if unused or missing:
            raise ReleasedError(
                f"{path}: not a checkpoint of row {row.profile.name} at these sizes: {len(unused)} keys that the row "
                f"does not use{_few(unused)}; {len(missing)} keys that the file does not hold{_few(missing)}"
            )
        for name, ours in names.items():
            # A number is stored as a vector of one.
            expected, shape = tuple(asked[ours].shape) or (1,), tuple(file.get_slice(name).get_shape())
            if shape != expected:
                raise ReleasedError(f"{path}: {name} has shape {shape}, but {ours} has {expected}")
        for name, ours in names.items():
            asked[ours].copy_(file.get_tensor(name).reshape(asked[ours].shape))


def import_released(study: Study, profile: Profile, path: Path, out: Path, sha: str | None = None) -> str:
    """Write a released file as a checkpoint of ``profile``'s row in ``study``; returns the file's sha256.

    The checkpoint's header holds it too, as ``released_sha256``. sha: what it must be. Raises ReleasedError where it
    is another, and as ``check_rig`` and ``fill`` do.
    """
    check_rig(study, profile)
    origin = sha256(path)
    if sha is not None and origin != sha:
        raise ReleasedError(f"{path}: its sha256 is {origin}, expected {sha}; fetch it again, or mend checkpoints")
    if LISTED.get(origin, profile.name) not in (profile.name, profile.name.removesuffix(AS_RELEASED)):
        raise ReleasedError(f"{path}: by its sha256 this is the authors' {LISTED[origin]}, not {profile.name}")
    row = Row(study, profile)
    fill(row, path)
    row.save(out, released_sha256=origin)
    return origin


def fetch(checkpoint: Checkpoint, out: Path) -> None:
    """Download a released file of the model hub to ``out``, its path in the repository below a folder of the commit.

    A download that was interrupted goes on. Raises ReleasedError, in one line, where the hub cannot be reached or has
    no such file, and, removing it, where the file's sha256 is another one than asked for.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,  # pyright: ignore[reportPrivateImportUsage] of the HTTP library that this version of the hub uses
        LocalEntryNotFoundError,
    )

    # A checkpoint without a path has all three (``Checkpoint``).
    repo, file, revision = str(checkpoint.repo), str(checkpoint.file), str(checkpoint.revision)
    folder = out.parents[file.count("/")]
    try:
        hf_hub_download(repo, file, revision=revision, local_dir=folder)
    except (HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ReleasedError(
            f"checkpoints: {repo} at {revision}: the download of {file} to {folder} did not finish ({reason[:160]}); "
            f"run it again where the model hub can be reached, or set `path` to the file; it can be fetched with: "
            f"hf download {repo} {file} --revision {revision} --local-dir {folder}"
        ) from None
    held, wanted = sha256(out), checkpoint.sha256
    if wanted is not None and held != wanted:
        out.unlink()
        raise ReleasedError(f"checkpoints: {repo} at {revision}: {file} has sha256 {held}, expected {wanted}")


def _few(names: list[str]) -> str:
    """The first few names of a list, after a colon; nothing of an empty one."""
    return f": {', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''}" if names else ""
