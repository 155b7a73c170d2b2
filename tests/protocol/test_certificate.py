"""The certificate: a model that ignores its history is shown to have no memory, one that copies it to have one."""

from __future__ import annotations

from echo.protocol.certificate import certificate
from echo.protocol.rows import reference_sources


def test_a_model_that_ignores_its_history_loses_nothing(cases):
    first = reference_sources(cases)["copy_first"][1]
    found = certificate(cases, first, first)["revisit_near"]
    assert found["seen_drop"]["mean"] == found["toward"]["mean"] == 0 and not found["remembers"]
    assert certificate(cases, first, lambda entry: None) == {}


def test_a_model_that_shows_the_other_room_moves_toward_it(cases):
    truth = reference_sources(cases)["truth"][1]
    by_name = {entry.name: entry for entry in cases.set.cases}
    found = certificate(cases, truth, lambda entry: truth(by_name[cases.of(entry.name).about.swap]))["revisit_near"]
    assert found["seen_drop"]["low"] > 50 and found["toward"]["low"] > 50 and found["remembers"]
