"""The one rule of what probes say; the job that probes a row and the table of all rows agree on it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.measures.probes import MemoryProbeError, verdict
from echo.measures.verdict import PROBES, probe_verdict
from tests.conftest import tiny_study


@pytest.mark.parametrize(
    ("remembers", "erase", "swap", "said"),
    [
        (True, [3.0], [2.0], "moves, as it should"),
        (True, [0.4], [0.1], "hardly moves when memory is erased or swapped"),
        (True, [0.0], [0.0, 0.0], "FAILS: does not move when memory is erased or swapped"),
        (True, [9.0], [0.0], "FAILS: does not move when memory is swapped"),
        (True, [0.5], [0.6], "hardly moves when memory is erased"),  # more than the threshold, not as much
        (True, [0.0, 1e-6], [0.6], "hardly moves when memory is erased"),
        (True, [9.0], [np.nan], "FAILS: does not move when memory is swapped"),
        (False, [0.0, 0.0], [0.0], "inert, as it should be"),
        (False, [0.0, 1e-6], [0.0], "FAILS: moves when memory is erased"),
        (False, [0.0], [np.nan], "FAILS: moves when memory is swapped"),
        (True, [3.0], [], "not measured"),
    ],
)
def test_verdict(remembers, erase, swap, said):
    found = probe_verdict(remembers, {"erase": erase, "swap": swap}, threshold=0.5)
    assert found.text == said and found.fails == said.startswith("FAILS")


def test_a_probe_that_was_not_made_says_nothing():
    assert probe_verdict(True, {"erase": [3.0]}, 0.5).text == "not measured"


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_a_memory_that_changes_nothing_fails_in_job_and_table(threshold):
    changes = dict.fromkeys(PROBES, [0.0, 0.0])
    assert probe_verdict(True, changes, threshold).contradicted_by == PROBES
    study = tiny_study(evaluate={"probe_threshold": threshold})
    with pytest.raises(MemoryProbeError, match="context_k5: this memory does nothing"):
        verdict(study.profiles["context_k5"], _table(changes), study)


@given(
    st.sampled_from(["context_k5", "i2v"]),
    st.lists(st.floats(0, 2), min_size=2, max_size=4),
    st.lists(st.floats(0, 2), min_size=2, max_size=4),
    st.sampled_from([0.0, 0.5]),
)
def test_the_job_fails_exactly_where_the_table_says_so(row, erase, swap, threshold):
    study = tiny_study(evaluate={"probe_threshold": threshold})
    changes = {"erase": erase, "swap": swap}
    fails = probe_verdict(study.profiles[row].remembers, changes, threshold).fails
    try:
        verdict(study.profiles[row], _table(changes), study)
    except MemoryProbeError:
        assert fails
    else:
        assert not fails


def _table(changes):
    return pd.DataFrame([
        {"probe": probe, "case": f"case {i}", "change": change, "psnr_drop": 0.0}
        for probe, values in changes.items() for i, change in enumerate(values)
    ])  # fmt: skip
