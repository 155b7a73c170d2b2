"""Snakemake's command line without the second that its imports take: in a fork of a process that has imported it.

Nothing of this package may be imported here: a fork imports it from the folder that it runs in, as a new process does.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from multiprocessing.context import ForkServerContext
from pathlib import Path

ROOT = Path(__file__).parent.parent
IMPORTED = ["snakemake.cli", "pandas", "pydantic", "yaml"]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """``PYTHONPATH=FOLDER python -m snakemake ARGUMENTS`` in a folder: its exit code and what it printed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    env = {**os.environ, "PYTHONPATH": str(folder)}
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        code = _ended(context, folder, arguments, env, out, err)
        return subprocess.CompletedProcess(["snakemake", *arguments], code, out.read_text(), err.read_text())


def _ended(context: ForkServerContext, *given: object) -> int | None:
    process = context.Process(target=_main, args=given)
    process.start()
    process.join()
    return process.exitcode


def _main(folder: Path, arguments: tuple[str, ...], env: dict[str, str], out: Path, err: Path) -> None:
    for stream, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    elsewhere = [path for path in sys.path if path and Path(path).resolve() != ROOT]
    sys.path[:] = [str(folder), str(folder), *elsewhere]  # of `python -m`, and of PYTHONPATH

    from snakemake import cli

    sys.argv = [str(Path(cli.__file__).with_name("__main__.py")), *arguments]
    try:
        cli.main()
    finally:
        atexit._run_exitfuncs()  # multiprocessing ends without them
