"""Download a checkpoint that the paper's authors released, pinned to a commit and verified."""

from __future__ import annotations

from pathlib import Path

from echo.io.errors import UserError
from echo.io.files import sha256
from echo.study.sections.checkpoint import Checkpoint


class ReleasedFileError(UserError):
    """A released file that cannot be had, or is another one than asked for."""


def fetch(checkpoint: Checkpoint, out: Path) -> None:
    """Download a released file of the model hub to ``out``, its path in the repository below a folder of the commit.

    A download that was interrupted goes on. Raises ReleasedFileError, in one line, where the hub cannot be reached or
    has no such file, and, removing it, where the file's sha256 is another one than asked for.
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
        raise ReleasedFileError(
            f"checkpoints: {repo} at {revision}: the download of {file} to {folder} did not finish ({reason[:160]}); "
            f"run it again where the model hub can be reached, or set `path` to the file; it can be fetched with: "
            f"hf download {repo} {file} --revision {revision} --local-dir {folder}"
        ) from None
    held, wanted = sha256(out), checkpoint.sha256
    if wanted is not None and held != wanted:
        out.unlink()
        raise ReleasedFileError(f"checkpoints: {repo} at {revision}: {file} has sha256 {held}, expected {wanted}")
