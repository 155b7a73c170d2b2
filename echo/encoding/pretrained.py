"""A pretrained Wan 2.1 in diffusers' folder layout: found or downloaded, checked file by file, and loaded part by part.

::

    model_index.json
    transformer/config.json   and weights: diffusion_pytorch_model.safetensors, or shards and their .index.json
    vae/config.json           and weights
    text_encoder/config.json  and weights (model.safetensors, or shards and their .index.json): UMT5
    tokenizer/                tokenizer.json or spiece.model, with tokenizer_config.json

A manifest, one JSON file, says which folder a study uses and what is in it, with sha256 of every file; stages read the
manifest, never search by themselves, and verify the files they are about to load.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from echo.io.errors import UserError
from echo.io.files import digest, sha256, write_json
from echo.io.tensors import TensorFileError, read_header, require_finite
from echo.study.config import Pretrained, Study

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
    from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

WEIGHTS = {
    "transformer": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}  # stem of the weights' files in each part
TOKENIZER = ("tokenizer.json", "spiece.model")  # one of them is enough


class PretrainedError(UserError):
    """A pretrained model that is missing, incomplete, damaged, or not the one the study describes."""


def parts_of(study: Study) -> tuple[str, ...]:
    """The parts of the folder that a study needs."""
    parts = ["transformer"]
    if study.codec.kind == "wan":
        parts.append("vae")
    if study.text.kind == "umt5":
        parts += ["text_encoder", "tokenizer"]
    return tuple(parts)


def download_folder(config: Pretrained, resources: Path) -> Path:
    """Where a download lies: one folder per repository and commit."""
    # A model that is given without a path has both (``Pretrained``).
    repo, revision = cast(str, config.repo), cast(str, config.revision)
    return resources / f"{repo.replace('/', '--')}@{revision[:12]}"


def fetch(study: Study, resources: Path) -> Path:
    """The folder of the study's pretrained model, downloaded to ``resources`` unless ``pretrained.path`` is given.

    A download that was interrupted goes on where it was; a complete one is not asked for again.
    Raises PretrainedError, in one line, where the folder is not whole or the hub cannot be reached.
    """
    config = study.pretrained
    if config.path:
        folder = Path(config.path)
        check(folder, parts_of(study), f"set pretrained.path to a folder with it, or fetch it with: {_command(config)}")
        return folder
    folder = download_folder(config, resources)
    try:
        check(folder, parts_of(study), "")
    except PretrainedError:
        _download(config, folder, parts_of(study))
        check(folder, parts_of(study), f"{config.repo} at {config.revision} does not hold it")
    return folder


def _command(config: Pretrained) -> str:
    repo = config.repo or "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
    return f"hf download {repo}{f' --revision {config.revision}' if config.revision else ''} --local-dir FOLDER"


def _download(config: Pretrained, folder: Path, parts: tuple[str, ...]) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,  # pyright: ignore[reportPrivateImportUsage] of the HTTP library that this version of the hub uses
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    wanted = ["model_index.json", *(f"{part}/*" for part in parts)]
    repo = cast(str, config.repo)  # a model that is given without a path has one
    try:
        snapshot_download(repo, revision=config.revision, local_dir=folder, allow_patterns=wanted)
    except RepositoryNotFoundError:
        raise PretrainedError(f"pretrained.repo = {config.repo} at {config.revision}: no such repository") from None
    except (HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise PretrainedError(
            f"pretrained.repo = {config.repo}: the download to {folder} did not finish ({reason[:160]}); run it again "
            f"where the model hub can be reached, or copy the folder and set pretrained.path; it can be fetched with: "
            f"{_command(config)}"
        ) from None


def check(folder: Path, parts: tuple[str, ...], remedy: str) -> None:
    """Raise PretrainedError, naming the first file that is missing or damaged, unless every part is whole."""
    if not folder.is_dir():
        raise PretrainedError(f"{folder}: no such folder, expected a pretrained Wan model there; {remedy}")
    for part in parts:
        if part == "tokenizer":
            _needed(folder / "tokenizer" / "tokenizer_config.json", remedy)
            if not any((folder / "tokenizer" / name).is_file() for name in TOKENIZER):
                raise PretrainedError(f"{folder}/tokenizer: neither {' nor '.join(TOKENIZER)} is there; {remedy}")
            continue
        _needed(folder / part / "config.json", remedy)
        for path in weight_files(folder, part, remedy):
            _needed(path, remedy)
            try:
                read_header(path)
            except TensorFileError as error:
                raise PretrainedError(f"{error}; {remedy}") from None


def _needed(path: Path, remedy: str) -> None:
    if not path.is_file():
        raise PretrainedError(f"{path} is missing from the pretrained model; {remedy}")


def weight_files(folder: Path, part: str, remedy: str = "") -> list[Path]:
    """The safetensors files of a part: those its index lists, or the single one."""
    stem = WEIGHTS[part]
    index = folder / part / f"{stem}.safetensors.index.json"
    if not index.is_file():
        return [folder / part / f"{stem}.safetensors"]
    try:
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    except (ValueError, KeyError, AttributeError):
        raise PretrainedError(f"{index}: not an index of weight shards; {remedy}") from None
    return [folder / part / name for name in names]


def write_manifest(study: Study, folder: Path, path: Path) -> dict[str, Any]:
    """Write and return the manifest: folder, repository, commit, sha256 of every file the study reads."""
    files = []
    for part in parts_of(study):
        if part == "tokenizer":
            files += sorted(p for p in (folder / part).iterdir() if p.is_file())
        else:
            files += [folder / part / "config.json", *weight_files(folder, part)]
    config = study.pretrained
    manifest = {
        "folder": str(folder.resolve()),
        "repo": None if config.path else config.repo,
        "revision": None if config.path else config.revision,
        "files": {str(file.relative_to(folder)): sha256(file) for file in files},
    }
    write_json(path, manifest)
    return manifest


def read_manifest(path: Path, *parts: str) -> Path:
    """The folder that a manifest names, once the files of these parts are known to be those the manifest lists.

    Raises PretrainedError, naming the file, where the folder is gone or a file is missing or differs.
    """
    if not Path(path).is_file():
        raise PretrainedError(
            f"{path}: no manifest of a pretrained model there; write it with `python -m echo pretrained`"
        )
    manifest = json.loads(Path(path).read_text())
    folder = Path(manifest["folder"])
    if not folder.is_dir():
        raise PretrainedError(f"{path} names {folder}, which is gone; write it again with `python -m echo pretrained`")
    for name, expected in manifest["files"].items():
        if Path(name).parts[0] not in parts:
            continue
        remedy = f"restore the file, or remove {path} and run the same snakemake command again"
        if not (folder / name).is_file():
            raise PretrainedError(f"{folder / name} is missing, but {path} lists it; {remedy}")
        actual = sha256(folder / name)
        if actual != expected:
            raise PretrainedError(
                f"{folder / name}: sha256 is {actual[:12]}..., expected {expected[:12]}... as in {path}; {remedy}"
            )
    return folder


def contents(path: Path | None) -> str:
    """Digest of the files behind a manifest, whatever folder they lie in; empty without one."""
    return digest(json.loads(Path(path).read_text())["files"]) if path else ""


def load_transformer(folder: Path) -> WanTransformer3DModel:
    """Diffusers' WanTransformer3DModel with its weights, in float32."""
    import torch
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

    return _load_strictly(WanTransformer3DModel, folder, "transformer", torch_dtype=torch.float32)


def load_vae(folder: Path) -> AutoencoderKLWan:
    """Diffusers' AutoencoderKLWan with its weights, in float32."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    return _load_strictly(AutoencoderKLWan, folder, "vae", torch_dtype=torch.float32).eval()


def load_text_encoder(folder: Path) -> tuple[PreTrainedTokenizerBase, UMT5EncoderModel]:
    """The tokenizer and the UMT5 encoder, in bfloat16 on a GPU and float32 elsewhere."""
    import torch
    from transformers import AutoTokenizer, UMT5EncoderModel

    precision = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    encoder = _load_strictly(UMT5EncoderModel, folder, "text_encoder", dtype=precision).eval()
    return tokenizer, encoder


def _load_strictly(kind: Any, folder: Path, part: str, **options: Any) -> Any:
    """A model of the class ``kind``: never with a random weight, nor with one that is not finite.

    Raises PretrainedError where the file lacks a weight or has one too many, and NotFiniteError.
    """
    model, loading = kind.from_pretrained(folder / part, output_loading_info=True, **options)
    odd = {
        name: sorted(loading[name]) for name in ("missing_keys", "unexpected_keys", "mismatched_keys") if loading[name]
    }
    if odd:
        name, keys = next(iter(odd.items()))
        raise PretrainedError(
            f"{folder / part}: {len(keys)} {name.replace('_', ' ')}, the first {keys[0]}; expected the weights of its "
            "config.json and no others"
        )
    require_finite(model.state_dict(), str(folder / part), "fetch the pretrained model again")
    return model
