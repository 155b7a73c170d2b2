"""What makes a run stop: a signal, the launcher's note, a launcher that is gone."""

import os
import signal
import threading

import pytest

from echo.training import preemption
from echo.training.preemption import FOLDER, SIGNALS, STOP, Notice


@pytest.mark.parametrize("one", SIGNALS)
def test_a_signal_is_noticed_and_does_nothing_else(one):
    before = signal.getsignal(one)
    notice = Notice()
    with notice.awaited():
        assert not notice.given
        os.kill(os.getpid(), one)
        assert notice.given
    assert signal.getsignal(one) is before


def test_workers_read_their_launchers_note(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    notice = Notice()
    assert not notice.given
    (tmp_path / STOP).touch()
    assert notice.given


def test_workers_of_a_launcher_that_is_gone_stop(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    notice = Notice()
    monkeypatch.setattr(preemption.os, "getppid", lambda: 1)
    assert notice.given


def test_without_a_launcher_no_parent_matters(monkeypatch):
    monkeypatch.delenv(FOLDER, raising=False)
    notice = Notice()
    monkeypatch.setattr(preemption.os, "getppid", lambda: 1)
    assert not notice.given


def test_outside_the_main_thread_handlers_stay():
    before, seen = signal.getsignal(signal.SIGUSR1), []

    def work():
        with Notice().awaited():
            seen.append(signal.getsignal(signal.SIGUSR1))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
