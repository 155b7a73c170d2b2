"""The plan of a study: what does not fit is named, equal rows cost the same."""

from __future__ import annotations

from dataclasses import replace

from echo.measures.cost.report import assumptions
from echo.measures.cost.study import plan
from tests.measures.cost.steps import small


def test_a_row_that_does_not_fit_is_named_once():
    found = plan(small(), ["i2v"])
    assert found.warnings() == []
    cramped = replace(found, gpu=replace(found.gpu, memory=2**31))
    (training, rollout) = cramped.warnings()
    assert training.startswith("row i2v: a training step needs 2.0 GiB, but A100-80GB (compute.gpu) has 2 GiB")
    assert rollout.startswith("row i2v: a rollout or probe needs")


def test_guidance_by_text_evaluates_the_row_twice_a_step():
    plain, guided = small(), small(sampler={"text_guidance": 5.0, "steps": 2})
    (once,), (twice,), (longer,) = (plan(study, ["i2v"]).rows for study in (plain, guided, small(sampler={"steps": 4})))
    assert plain.sampler.steps == 2 and twice.rollout_flops == longer.rollout_flops > once.rollout_flops
    assert twice.rollout_memory == once.rollout_memory
    assert any("two evaluations each (guidance 5)" in line for line in assumptions(plan(guided, ["i2v"])))


def test_rows_that_differ_in_name_alone_cost_the_same():
    one, other = plan(small(), ["spatial", "spatial_concat_text"]).rows
    assert (one.row, other.row) == ("spatial", "spatial_concat_text")
    assert replace(one, row="") == replace(other, row="")
