"""Run a command whose jobs are forks of this process: ``python -m workflow.forked_jobs COMMAND ...``."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType

from workflow.forked_jobs.ask import PLACE, TAKEN

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
# The dear ones of what stages import. Nothing of this project: a fork has that from the folder that it runs in.
IMPORTED = (
    "torch", "torchvision", "lpips", "timm", "diffusers.models.transformers.transformer_wan",
    "diffusers.models.autoencoders.autoencoder_kl_wan", "transformers", "safetensors.torch", "einops", "jaxtyping",
    "pandas", "pyarrow.parquet", "scipy.stats", "statsmodels.stats.multitest", "skimage.metrics", "seaborn", "pydantic",
    "typer", "yaml", "av", "imageio.v3",
)  # fmt: skip


def main(command: list[str], imported: Sequence[str] = IMPORTED) -> int:
    """Import and answer askers while ``command`` runs, and return its exit code."""
    if sys.platform != "linux":
        return subprocess.call(command)
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # pyarrow's allocator: a fork would lack its thread
    place = tempfile.mkdtemp()  # not one that removes itself: forks would do so at their end
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(Path(place, "socket")))
            listener.listen(64)
            running = _start(command, listener.getsockname())
            for name in imported:
                if running.poll() is None:
                    import_module(name)
            if len(os.listdir("/proc/self/task")) == 1:
                _serve(listener, running)
        if running.poll() is None:  # askers find no listener
            print("jobs are processes of their own: an import has started a thread, which forks lack", file=sys.stderr)
        return running.wait()
    finally:
        shutil.rmtree(place)


def _start(command: list[str], address: str) -> subprocess.Popen:
    """The command, whose jobs ask at ``address``."""
    env = {
        **os.environ, PLACE: address, "BASH_ENV": str(FOLDER / "python.sh"),
        "FORKED_JOBS_FOLDER": str(FOLDER), "FORKED_JOBS_PYTHON": sys.executable,
    }  # fmt: skip
    started: list[subprocess.Popen] = []
    early: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if not started:
            early.append(number)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(started[0].pid, number)

    # The command answers in its own way, and is waited for, from the moment that it is there: these come first. What a
    # terminal sends it has from the terminal.
    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, lambda *_: None)
    started.append(subprocess.Popen(command, env=env))
    for number in early:
        pass_on(number, None)
    return started[0]


def _serve(listener: socket.socket, running: subprocess.Popen) -> None:
    """Fork a job for each who asks, until the command has ended."""
    ended = os.pidfd_open(running.pid) if running.returncode is None else None
    while ended is not None:
        ready, _, _ = select.select([listener, ended], [], [])
        if listener in ready:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                os._exit(_attend(connection))
            connection.close()
            _reap(running.pid)
        elif ended in ready:
            return


def _reap(but: int) -> None:
    """Forget attendants that have ended; the command's own exit code is still asked for."""
    while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid != but:
        os.waitpid(found.si_pid, 0)


def _attend(connection: socket.socket) -> int:
    """See one job through: its exit code to the asker; its end, if the asker is gone."""
    connection.sendall(TAKEN)
    size, streams, _, _ = socket.recv_fds(connection, 8, 3)
    asked = b""
    while len(asked) < int.from_bytes(size, "big"):
        asked += connection.recv(1 << 20)
    job = os.fork()
    if job == 0:
        connection.close()
        _job(json.loads(asked), streams)
    for stream in streams:
        os.close(stream)
    ready, _, _ = select.select([connection, os.pidfd_open(job)], [], [])
    if connection in ready:  # nothing more is ever sent: the asker was killed
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job, signal.SIGTERM)
    _, status = os.waitpid(job, 0)
    if os.WIFEXITED(status) and connection not in ready:
        connection.sendall(bytes([os.WEXITSTATUS(status)]))
    return 0


def _job(asked: dict, streams: list[int]) -> None:
    """``python -m echo ARGUMENTS``, and the end of this process."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update({name: value for name, value in asked["environment"].items() if name != "BASH_ENV"})
    own = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    elsewhere = [path for path in sys.path if path and Path(path).resolve() != ROOT]
    sys.path[:] = [asked["folder"], *own, *elsewhere]
    for name in [name for name in sys.modules if name.partition(".")[0] == "workflow"]:
        del sys.modules[name]
    sys.argv = ["echo", *asked["arguments"]]
    Path("/proc/self/comm").write_text(f"echo {' '.join(asked['arguments'][:1])}")  # what `top` calls it
    code = 0
    try:
        runpy.run_module("echo", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue] what Python's end does first
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
