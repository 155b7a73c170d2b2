"""Reading ahead changes nothing but the time: the same batches in the same order, errors where they belong."""

import threading

import pytest

from echo.io.draws import BatchSlice
from echo.training.loader import Loader

SLICES = [BatchSlice(4, 0, 2), BatchSlice(4, 2, 4)]


def asked(loader, first=0, steps=3):
    found = [loader.get(step, part) for step in range(first, steps) for part in SLICES]
    loader.close()
    return found


@pytest.mark.parametrize("first", [0, 2])
def test_batches_come_in_their_order_whether_read_ahead_or_not(first):
    read, threads = [], set()

    def reading(step, part):
        threads.add(threading.current_thread().name)
        read.append((step, part.start))
        return step, part.start

    expected = [(step, part.start) for step in range(first, 3) for part in SLICES]
    assert asked(Loader(reading, SLICES, 3, ahead=False), first) == read == expected
    assert threads == {"MainThread"}
    read.clear()
    assert asked(Loader(reading, SLICES, 3, ahead=True), first) == read == expected  # none is read twice, or beyond
    assert len(threads) == 2


def test_the_next_batch_is_read_while_the_present_one_is_used():
    begun = threading.Event()
    loader = Loader(lambda step, part: begun.set() if step == 1 else None, SLICES[:1], 2, ahead=True)
    loader.get(0, SLICES[0])
    assert begun.wait(10)
    loader.close()


def test_an_error_is_raised_where_its_batch_is_asked_for():
    def reading(step, part):
        if step:
            raise OSError("shard is gone")
        return step

    loader = Loader(reading, SLICES[:1], 3, ahead=True)
    assert loader.get(0, SLICES[0]) == 0
    with pytest.raises(OSError, match="shard is gone"):
        loader.get(1, SLICES[0])
    loader.close()


def test_waiting_is_counted():
    loader = Loader(lambda step, part: threading.Event().wait(0.05), SLICES[:1], 2, ahead=False)
    loader.get(0, SLICES[0])
    assert loader.waited >= 0.05
