"""The plan of a study: what does not fit is named, equal rows cost the same."""

from __future__ import annotations

from dataclasses import replace

from echo.cost.study import plan
from tests.cost.steps import small


def test_a_row_that_does_not_fit_is_named_once():
    found = plan(small(), ["i2v"])
    assert found.warnings() == []
    cramped = replace(found, gpu=replace(found.gpu, memory=2**31))
    (training, rollout) = cramped.warnings()
    assert training.startswith("row i2v: a training step needs 2.0 GiB, but A100-80GB (compute.gpu) has 2 GiB")
    assert rollout.startswith("row i2v: a rollout needs")


def test_rows_that_differ_in_name_alone_cost_the_same():
    one, other = plan(small(), ["spatial", "spatial_concat_text"]).rows
    assert (one.row, other.row) == ("spatial", "spatial_concat_text")
    assert replace(one, row="") == replace(other, row="")
