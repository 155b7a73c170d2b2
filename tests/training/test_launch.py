"""Several processes as one job: which of them failed, why, and with which exit code."""

import json
import time
from types import SimpleNamespace

import pytest

from echo.io.files import write_json
from echo.study.batches import BatchError
from echo.training import launch as launching
from echo.training.launch import _cause, launch, processes, report
from echo.training.preemption import FOLDER, PREEMPTED, STOP, Preempted
from tests.conftest import ROOT, tiny_study

WORKER = """
import os, sys, time
import torch, torch.distributed as dist
from echo.training.launch import report
try:
    dist.init_process_group("gloo")
    for step in range(4):
        if step == 3 and os.environ["RANK"] == "1":
            {fault}
        dist.all_reduce(torch.ones(2))
except Exception as error:
    sys.exit(report("train", error, False))
"""


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("raise RuntimeError('the fault of one process')", "RuntimeError: the fault of one process"),
        ("os.kill(os.getpid(), 9)", "echo train: process 1 was killed by signal 9"),
    ],
)
def test_a_process_that_fails_ends_the_job_and_is_named(tmp_path, capfd, monkeypatch, fault, message):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "worker.py").write_text(WORKER.format(fault=fault))
    began = time.monotonic()
    assert launch("train", [str(tmp_path / "worker.py")], 2) == 1
    assert time.monotonic() - began < 100  # torch's own limit for a process that waits for its peer is 30 minutes
    told = capfd.readouterr().err
    assert message in told
    assert told.count("Traceback") == ("raise" in fault)  # that process's, and not its peer's broken connection


def failure(code):
    return SimpleNamespace(exitcode=code)


def test_what_was_killed_comes_before_what_its_peers_report(tmp_path):
    assert _cause("train", tmp_path, {1: failure(3)}) == (1, "echo train: process 1 ended with exit code 3")
    now = time.time_ns()
    for rank in (0, 1):
        write_json(tmp_path / f"{rank}.json", {"time": now - rank, "code": 1, "text": f"from {rank}"})
    assert _cause("train", tmp_path, {0: failure(1)}) == (1, "from 1")  # the earliest
    assert "process 2 was killed" in _cause("train", tmp_path, {0: failure(1), 2: failure(-9)})[1]
    write_json(tmp_path / "1.json", {"time": now - 10**11, "code": 1, "text": "from 1"})
    assert _cause("train", tmp_path, {0: failure(-9), 1: failure(1)}) == (1, "from 1")  # its peer was stuck, and ended
    (tmp_path / STOP).touch()
    assert _cause("train", tmp_path, {0: failure(-15)})[0] == PREEMPTED


def test_processes_must_share_the_batch():
    train = tiny_study(train={"batch": 6, "accumulate": 3}).train
    assert processes(train, 2) == 2
    with pytest.raises(BatchError, match="train.batch = 6 must be a multiple of .* = 4 x 3"):
        processes(train, 4)


@pytest.fixture
def worker(tmp_path, monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", FOLDER: str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "1.json"


def test_a_worker_leaves_a_report_for_its_launcher(worker, capsys):
    try:
        raise RuntimeError("a fault")
    except RuntimeError as error:
        assert report("train", error, expected=False) == 1
    note = json.loads(worker.read_text())
    assert note["code"] == 1 and note["text"].startswith("process 1 failed:\nTraceback") and "a fault" in note["text"]
    assert report("train", Preempted("stopped"), expected=True) == PREEMPTED
    assert json.loads(worker.read_text())["text"] == "echo train: stopped"
    assert capsys.readouterr().err == ""


def test_without_a_launcher_the_report_is_one_line_or_the_error_itself(monkeypatch, capsys):
    for name in ("RANK", "WORLD_SIZE", FOLDER):
        monkeypatch.delenv(name, raising=False)
    assert not launching.is_worker()
    assert report("train", Preempted("stopped"), expected=True) == PREEMPTED
    assert capsys.readouterr().err == "echo train: stopped\n"
    with pytest.raises(KeyError):
        report("train", KeyError("x"), expected=False)
