"""The plan of a study: what does not fit is named, equal rows cost the same."""

from __future__ import annotations

from dataclasses import replace

from echo.measures.cost.report import assumptions, tables, text
from echo.measures.cost.row import RowPlan
from echo.measures.cost.study import StudyPlan, plan
from echo.study.config import Study
from echo.study.sections.checkpoint import Checkpoint
from tests.measures.cost.steps import small


def test_a_row_that_does_not_fit_is_named_once():
    found = plan(small(), ["i2v"])
    assert found.warnings() == []
    cramped = replace(found, gpu=replace(found.gpu, memory=2**31))
    (training, rollout) = cramped.warnings()
    assert training.startswith("row i2v: a training step needs 2.0 GiB, but CPU core has 2 GiB")
    assert rollout.startswith("row i2v: a rollout or probe needs")


def test_guidance_by_text_evaluates_the_row_twice_a_step():
    plain, guided = small(), small(sampler={"text_guidance": 5.0, "steps": 2})
    plans = [plan(study, ["i2v"]) for study in (plain, guided, small(sampler={"steps": 4}))]
    (once,), (twice,), (longer,) = (planned.rows for planned in plans)
    assert plain.sampler.steps == 2 and twice.rollout_flops == longer.rollout_flops > once.rollout_flops
    assert twice.rollout_memory == once.rollout_memory
    assert any("two evaluations each (guidance 5)" in line for line in assumptions(plans[1]))


def test_rows_that_differ_in_name_alone_cost_the_same():
    one, other = plan(small(), ["spatial", "spatial_concat_text"]).rows
    assert (one.row, other.row) == ("spatial", "spatial_concat_text")
    assert replace(one, row="") == replace(other, row="")


def test_a_released_checkpoint_costs_no_training():
    study = small()
    imported = study.model_copy(update={"checkpoints": {"i2v": Checkpoint(path="epoch-0.safetensors")}})
    (trained,), (held,) = (plan(one, ["i2v"]).rows for one in (study, imported))
    assert trained.train_flops > 0 == held.train_flops and held.rollout_flops == trained.rollout_flops
    trains = {name: getattr(trained, name) for name in ("train_flops", "muon_flops", "resume_bytes")}
    assert replace(held, **trains) == trained


def test_frozen_blocks_have_no_gradient_and_no_optimizers_state():
    plain, frozen = (small(train={"batch": 8, "optimizer": "adamw", "frozen": some})
                     for some in ((), ("backbone.transformer.blocks.*",)))  # fmt: skip
    (all_train,), (few,) = (plan(study, ["i2v"]).rows for study in (plain, frozen))
    blocks = sum(weight.numel() for name, weight in RowPlan(plain, plain.profiles["i2v"]).row.named_parameters()
                 if name.startswith("backbone.transformer.blocks."))  # fmt: skip
    assert all_train.parameters["trainable"] - few.parameters["trainable"] == blocks
    assert all_train.memory["optimizer"] - few.memory["optimizer"] == 8 * blocks
    assert all_train.memory["gradients"] - few.memory["gradients"] == 4 * blocks
    assert few.step_flops["backward"] < all_train.step_flops["backward"]
    assert few.resume_bytes == all_train.resume_bytes - 8 * blocks


def test_more_hours_than_there_are_is_a_warning():
    study = small(compute={"hours": 1000.0})
    some = plan(study, ["i2v"])
    assert some.warnings() == []
    assert "fits the 1000 core-hours of compute.hours" in text(some)
    assert totals(some)["fits the 1000 core-hours of compute.hours"] == "not all rows are planned"
    whole = replace(some, study=study.model_copy(update={"rows": ("i2v",)}))
    assert totals(whole)["fits the 1000 core-hours of compute.hours"] == "yes"
    short = replace(whole, study=within(whole.study, 1e-9))
    (line,) = short.warnings()
    assert line.startswith("the study needs 0.0 core-hours of CPU core, more than compute.hours = 1e-09")
    assert totals(short)["fits the 1e-09 core-hours of compute.hours"] == "NO"
    (line,) = replace(some, study=within(study, 1e-9)).warnings()
    assert line.startswith("these rows alone (1) need")


def within(study: Study, hours: float) -> Study:
    """The study with other ``compute.hours``, which no cost depends on."""
    return study.model_copy(update={"compute": study.compute.model_copy(update={"hours": hours})})


def totals(planned: StudyPlan) -> dict[str, str]:
    """The last table, line by line."""
    *_, (title, _, lines) = tables(planned)
    assert title == "The study"
    return {line[0]: line[1] for line in lines}
