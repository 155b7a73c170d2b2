"""The audit says what differs between rows, and stands out where that is not their memory."""

import json

import pytest

from echo.tables.audit import ASPECTS, COLUMNS, audit
from tests.conftest import tiny_study
from tests.tables.conftest import TRAINED

ROWS = ["i2v", "context_k5", "spatial"]
CURRENT = dict.fromkeys(ROWS, "of this code")
MAY = {aspect for aspect, _, may_differ in ASPECTS if may_differ}


def made(folder, changes=(), study=None):
    """The audit of three rows with two seeds; changes: (row, training seed) to what its record has otherwise."""
    study = study or tiny_study(rows=ROWS)
    records, rollouts = [], {}
    for row in ROWS:
        rollouts[row] = folder / row
        rollouts[row].mkdir()
        counts = {"parameters": 100 + len(row), "memory_parameters": len(row)}
        (rollouts[row] / "record.json").write_text(json.dumps({"counts": counts}))
        for seed in (0, 7):
            record = TRAINED | {
                "stage": "train",
                "row": row,
                "train_seed": seed,
                "config": study.model_dump(mode="json"),
            }
            record |= dict(changes).get((row, seed), {})
            records.append(folder / f"{row}-{seed}.json")
            records[-1].write_text(json.dumps(record))
    other = folder / "pool.json"
    other.write_text(json.dumps({"stage": "pool"}))
    return audit(study.profiles, "i2v", CURRENT, [other, *records], rollouts)


def standing_out(table):
    here = table[table["differs"] & ~table["may_differ"]]
    return [(line["row_name"], line["train_seed"], line["aspect"]) for line in here.to_dict("records")]


def test_rows_that_differ_in_their_memory_alone_stand_out_in_nothing(tmp_path):
    table = made(tmp_path)
    assert list(table) == COLUMNS and len(table) == len(ASPECTS) * 3 * 2
    assert standing_out(table) == []
    memory = table[table["aspect"] == "memory"].set_index(["row_name", "train_seed"])["differs"]
    assert memory.to_dict() == {(row, seed): row != "i2v" for row in ROWS for seed in (0, 7)}


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        ({"base_sha256": "cd" * 32}, "initial weights"),
        ({"digest": "of another code"}, "code and configuration"),
        ({"rejected_steps": 3}, "rejected steps"),
        ({"device": "cuda"}, "device, precision, processes"),
        ({"precision": "bf16"}, "device, precision, processes"),
        ({"libraries": {"torch": "1"}}, "libraries"),
    ],
)
def test_one_training_that_differs_is_named(tmp_path, change, aspect):
    table = made(tmp_path, {("spatial", 7): change}.items())
    assert standing_out(table) == [("spatial", 7, aspect)]


def test_a_rate_of_its_own_stands_out(tmp_path):
    study = tiny_study(rows=ROWS, train={"row_lr": {"context_k5": 0.5}})
    table = made(tmp_path, study=study)
    assert standing_out(table) == [("context_k5", seed, "learning rates") for seed in (0, 7)]


def test_another_configuration_of_one_training_stands_out(tmp_path):
    other = tiny_study(rows=ROWS, train={"steps": 3}).model_dump(mode="json")
    assert standing_out(made(tmp_path, {("spatial", 0): {"config": other}}.items())) == [
        ("spatial", 0, "configuration")
    ]


def test_the_reference_row_stands_out_too_where_it_is_not_as_the_study_asks(tmp_path):
    table = made(tmp_path, {("i2v", 0): {"digest": "old"}}.items())
    assert standing_out(table) == [("i2v", 0, "code and configuration")]
