"""The one rule of what probes say; the job that probes a row and the table of all rows agree on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.measures.probed import Probed
from echo.measures.probes import MemoryProbeError, check_probed
from echo.measures.verdict import GATE, PROBES, Effect, verdict
from tests.conftest import tiny_study

BETTER, UNSURE, WORSE = Effect(2.0, 1.0, 3.0), Effect(0.1, -1.0, 1.0), Effect(-2.0, -3.0, -1.0)
UNKNOWN = Effect(2.0, np.nan, np.nan)


@pytest.mark.parametrize(
    ("remembers", "erase", "swap", "effect", "word", "said"),
    [
        (True, [3.0], [2.0], BETTER, "remembers", "remembers"),
        (True, [3.0], [2.0], UNSURE, "inert", "inert: no effect is shown"),
        (True, [0.4], [0.1], UNSURE, "inert", "inert: no effect is shown, and it hardly moves"),
        (True, [0.4], [0.6], UNSURE, "inert", "inert: no effect is shown"),
        (True, [0.4], [0.1], BETTER, "remembers", "remembers"),
        (True, [3.0], [2.0], WORSE, "broken", "broken: another scene's memory serves it better"),
        (True, [3.0], [2.0], UNKNOWN, "not measured", "moves; what it is worth is not known"),
        (True, [3.0], [2.0], None, "not measured", "moves; what it is worth is not known"),
        (True, [0.0], [0.0, 0.0], BETTER, "broken", "broken: does not move when its memory is erased or swapped"),
        (True, [9.0], [0.0], BETTER, "broken", "broken: does not move when its memory is swapped"),
        (True, [9.0], [np.nan], BETTER, "broken", "broken: does not move when its memory is swapped"),
        (False, [0.0, 0.0], [0.0], Effect(0.0, 0.0, 0.0), "inert", "inert, as it should be"),
        (False, [0.0, 1e-6], [0.0], UNSURE, "broken", "broken: moves when its memory is erased"),
        (False, [0.0], [np.nan], UNSURE, "broken", "broken: moves when its memory is swapped"),
        (True, [3.0], [], BETTER, "not measured", "not measured"),
    ],
)
def test_verdict(remembers, erase, swap, effect, word, said):
    found = verdict(remembers, {"erase": erase, "swap": swap}, 0.5, effect)
    assert (found.word, found.text) == (word, said)
    assert found.fails == (word == "broken" and "serves it better" not in said)


def test_an_inert_row_must_not_move_under_any_intervention():
    still = dict.fromkeys(PROBES, [0.0])
    assert not verdict(False, still, 0.5).fails
    for probe in PROBES:
        assert verdict(False, still | {probe: [0.1]}, 0.5).contradicted_by == (probe,)


def test_a_probe_that_was_not_made_says_nothing():
    assert verdict(True, {"erase": [3.0]}, 0.5).text == "not measured"


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_a_memory_that_changes_nothing_fails_in_job_and_table(threshold):
    changes = dict.fromkeys(PROBES, [0.0, 0.0])
    assert verdict(True, changes, threshold, BETTER).contradicted_by == GATE
    study = tiny_study(evaluate={"probe_threshold": threshold})
    with pytest.raises(MemoryProbeError, match="context_k5: this memory does nothing"):
        check_probed(study.profiles["context_k5"], _probed(changes), study)


LEVELS = st.lists(st.integers(0, 9), min_size=2, max_size=2)


@given(st.sampled_from(["context_k5", "i2v"]), *[LEVELS] * 3, st.sampled_from([0.0, 0.5]))
def test_the_job_fails_exactly_where_the_table_says_so(row, erase, swap, shuffle, threshold):
    study = tiny_study(evaluate={"probe_threshold": threshold})
    levels = {"erase": erase, "swap": swap, "shuffle": shuffle}
    changes = dict.fromkeys(PROBES, [0.0, 0.0]) | {name: [*map(float, each)] for name, each in levels.items()}
    fails = verdict(study.profiles[row].remembers, changes, threshold, UNSURE).fails
    try:
        check_probed(study.profiles[row], _probed(changes), study)
    except MemoryProbeError:
        assert fails
    else:
        assert not fails


def _probed(changes):
    """Frames that change by whole grey levels."""
    frames = {name: np.stack([np.full((1, 2, 2, 3), int(value), np.uint8) for value in values])
              for name, values in changes.items()}  # fmt: skip
    return Probed({"intact": np.zeros((2, 1, 2, 2, 3), np.uint8), **frames}, ["x", "y"])
