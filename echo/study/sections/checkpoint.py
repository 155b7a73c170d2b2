"""An entry of ``checkpoints``: a released file that a row is made of, instead of being trained."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field, model_validator

from echo.study.sections.section import Path, Section

DOWNLOADS = "resources/released"


class Checkpoint(Section):
    """A checkpoint that the paper's authors released: a file that is there, or one of the model hub at a commit."""

    path: Path | None = Field(default=None, description="a file that is there already")
    repo: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", max_length=200)] | None = Field(
        default=None, description="or the repository of the model hub it is downloaded from"
    )
    file: Annotated[str, Field(pattern=r"^[\w.-]+(/[\w.-]+)*\.safetensors$", max_length=300)] | None = Field(
        default=None, description="its path in that repository"
    )
    revision: Annotated[str, Field(pattern=r"^[\w./-]+$", max_length=200)] | None = Field(
        default=None, description="commit of that repository; a download must be pinned"
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="of the file, which is refused where it has another one; null: not known (of the released "
        "`context_k1` the authors list none)",
    )

    @property
    def local(self) -> str:
        """Where the file lies, or will lie once it is downloaded."""
        if self.path is not None:
            return self.path
        return f"{DOWNLOADS}/{str(self.repo).replace('/', '--')}@{str(self.revision)[:12]}/{self.file}"

    @model_validator(mode="after")
    def _one_place(self) -> Checkpoint:
        """A file, or a pinned download of one, that stays below the folder of downloads."""
        hub = (self.repo, self.file, self.revision)
        if (self.path is None) == (hub == (None, None, None)):
            raise ValueError("expected either path, or repo, file and revision")
        if self.path is None and None in hub:
            raise ValueError("a download needs repo, file and revision, the commit it is pinned to")
        if self.file is not None and ".." in PurePosixPath(self.file).parts:
            raise ValueError(f"file = {self.file}: a path within the repository")
        return self
