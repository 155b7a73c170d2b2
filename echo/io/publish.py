"""Outputs of long stages: kept in a folder of the stage's own while it runs, published under their names at the end.

Snakemake removes a job's declared outputs before it runs the job again, and when the job fails. What a stage has
finished must survive that, so it writes to a work folder that no rule declares, and links what is whole to the
declared names. A link costs no space; where the file system has none, the file is copied.

``publish_folder`` replaces the files of a folder that is committed. They are copied beside it first, which is where a
full disk shows, and then renamed one by one: a reader, or whoever comes after a kill, finds each file old or new, never
none. After an error all are old. Until it has succeeded a file beside the made folder says that it has not: Snakemake
gives restored files a new time, and would take them for the new ones.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from echo.io.files import atomic_path


def publish(made: Path, out: Path) -> None:
    """Let ``out`` be the file ``made``, at once and whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as temporary:
        try:
            os.link(made, temporary)
        except OSError:
            shutil.copyfile(made, temporary)


def publish_folder(made: Path, out: Path) -> None:
    """Put every file below ``made`` at the same place below ``out``; other files of ``out`` stay.

    On any error the files of ``out`` are what they were before, and ``unpublished(made)`` stays.
    """
    unpublished(made).touch()
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    names = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    for left in (new, old):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    replaced: list[Path] = []
    try:
        shutil.copytree(made, new)
        if out.is_dir():
            shutil.copytree(out, old)
        for name in names:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            replaced.append(name)
            os.replace(new / name, out / name)
    except BaseException:
        for name in replaced:
            if (old / name).is_file():
                os.replace(old / name, out / name)
            else:
                (out / name).unlink(missing_ok=True)
        raise
    finally:
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
    unpublished(made).unlink()


def unpublished(made: Path) -> Path:
    """The file that is there while ``made`` is not, or not wholly, published."""
    return made.with_name(f"{made.name}.unpublished")
