"""Rows and the study's options for them: errors blame the file that holds what is wrong."""

import pytest

from echo.study.config import parse_study
from echo.study.rows import short_of_frames
from tests.conftest import ROWS
from tests.study.studies import DEFAULT, accepted, refused


def rows_with(row: str, **entry: object) -> dict:
    return {**ROWS, row: {**ROWS[row], **entry}}


@pytest.mark.parametrize(
    ("row", "entry", "key", "message"),
    [
        ("context_k5", {"frames": 0}, "context_k5.frames", "expected at least 1"),
        ("context_k5", {"frames": True}, "context_k5.frames", "expected a whole number"),
        ("context_k5", {"frames": "5"}, "context_k5.frames", "expected a whole number"),
        ("context_k5", {"frames": 5.0}, "context_k5.frames", "expected a whole number"),
        ("context_k5", {"frames": float("inf")}, "context_k5.frames", "finite"),
        ("context_k5", {"frames": 10**6}, "context_k5.frames", "expected at most 65536"),
        ("spatial", {"read_out": "aloud"}, "spatial.read_out", "expected 'text', 'cross_attention' or 'none'"),
        ("ssm_blockwise", {"carry_state": "no"}, "ssm_blockwise.carry_state", "expected true or false"),
        ("ssm_blockwise", {"context": "after_target"}, "ssm_blockwise", "context = after_target in a recurrent row"),
        ("ssm_blockwise", {"attended": 5}, "ssm_blockwise", "attended = 5 with carry_state: true"),
        ("ssm_blockwise", {"mixture": True}, "ssm_blockwise", "attended = 0 has none there"),
        ("spatial", {"reader": "first_block"}, "spatial", "is for read_out = cross_attention, got text"),
        (
            "spatial_cross_attn",
            {"reader_heads": 4},
            "spatial_cross_attn",
            "is for reader = first_block, got every_block",
        ),
        ("i2v", {"timestep_shift": 0}, "i2v.timestep_shift", "expected at least 0.001"),
        ("compress_weight", {"gain": 0}, "compress_weight.gain", "expected more than 0"),
        ("compress_weight", {"decay": 1.0}, "compress_weight", "ratio = 1 and decay = 1 compress nothing"),
        ("compress_weight", {"views": [0.5, 0.6]}, "compress_weight", r"must sum to 1, got 1.1"),
        ("compress_weight", {"views": [1 / 32] * 32}, "compress_weight.views", "expected at most 16 values"),
        ("spatial", {"family": "telepathy"}, "spatial.family", "unknown family 'telepathy'; echo/memory has compress"),
        ("spatial", {"family": ["spatial"]}, "spatial", "expected a mapping with a family"),
        ("i2v", {"colour": 1}, "i2v.colour", "unknown key `i2v.colour`"),
        ("i2v", {"name": "other"}, "i2v.name", "the row's name is its key; remove it"),
        ("i2v", {"seed_stream": 2**62 * 2}, "i2v.seed_stream", "at most"),
    ],
)
def test_impossible_rows_are_refused_in_rows_yaml(row, entry, key, message):
    error = refused(key, message, rows_with(row, **entry), row_options={})
    assert error.file == "rows.yaml"


def test_heads_of_the_released_reader_must_divide_the_width():
    row = "spatial_cross_attn_released"
    matrix = rows_with(row, reader_heads=7)
    error = refused(
        f"{row}.reader_heads", "does not divide the model's width", matrix, rows=["i2v", row], row_options={}
    )
    assert error.file == "rows.yaml"
    options = {"spatial": {"reader_heads": 7}}
    error = refused("row_options.spatial.reader_heads", "width", rows=["i2v", row], row_options=options)
    assert error.file == "study.yaml"


@pytest.mark.parametrize("entry", [None, 5, "context", ["context"], {"label": "I2V", "frames": 1}])
def test_a_row_that_is_no_mapping_with_a_family_is_refused(entry):
    assert refused("i2v", "expected a mapping with a family", {**ROWS, "i2v": entry}).file == "rows.yaml"


@pytest.mark.parametrize("label", ["", " ", " I2V", "$x$", "$", "_I2V", "a|b", "x" * 81, "zero\u200bwidth"])
def test_labels_that_figures_or_tables_cannot_show_are_refused(label):
    refused("i2v.label", "label|letters|matplotlib|ends a cell|one line", rows_with("i2v", label=label))


def test_labels_of_other_alphabets_are_kept():
    study = parse_study({**DEFAULT, "rows": ["i2v"], "row_options": {}}, rows_with("i2v", label="記憶 K=∞ (50 %)"))
    assert study.profiles["i2v"].label == "記憶 K=∞ (50 %)"


def test_two_rows_have_two_labels():
    refused("context_k5.label", "is the label of i2v too", rows_with("context_k5", label="I2V"))


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({"telepathy": {"grid": 4}}, "row_options.telepathy", "no such family; echo/memory has compression, context"),
        ({"spatial": {"gird": 4}}, "row_options.spatial.gird", "no setting of spatial; it has .*grid"),
        ({"spatial": {"label": "x"}}, "row_options.spatial.label", "no setting of spatial"),
        ({"spatial": {"family": "context"}}, "row_options.spatial.family", "no setting of spatial"),
        ({"spatial": {"grid": 0}}, "row_options.spatial.grid", "expected at least 1"),
        ({"spatial": {"grid": "4"}}, "row_options.spatial.grid", "expected a whole number"),
        ({"spatial": {"grid": 5000}}, "row_options.spatial.grid", "expected at most 1024 cells"),
        ({"compression": {"ratio": 1, "decay": 1}}, "row_options.compression", "compress nothing"),
        ({"spatial": 5}, "row_options.spatial", "expected a mapping"),
        ({"spatial": {"grid": [[1]]}}, "row_options.spatial.grid", "expected a number, text, true or false, or a list"),
    ],
)
def test_wrong_options_are_blamed_on_the_study(options, key, message):
    assert refused(key, message, row_options=options).file == "study.yaml"


def test_options_of_a_family_that_no_row_has_are_kept_for_other_rows():
    """So that `--config rows=[i2v]` runs a part of a study."""
    accepted(rows=["i2v", "ssm_hybrid"], row_options={"spatial": {"grid": 4}})


def test_options_reach_the_rows_of_their_family_alone():
    study = accepted(row_options={"spatial": {"grid": 3}})
    assert study.profiles["spatial"].grid == study.profiles["spatial_cross_attn"].grid == 3
    assert study.profiles["context_k5"].frames == 5


def test_a_real_number_may_be_written_with_an_exponent():
    study = accepted(row_options={"compression": {"decay": "5e-1"}})
    assert study.profiles["compress_weight"].decay == 0.5


def test_a_row_that_reads_history_before_the_target_needs_it_there():
    assert accepted(backbone={"layout": "target_first"}, rows=["i2v", "compress_weight"], row_options={})
    refused("backbone.layout", "row ssm_hybrid .* needs context_first", backbone={"layout": "target_first"})


def test_rows_that_few_frames_make_the_same_are_refused():
    few = {"frames": 5}
    refused("evidence.frames", "rows context_k5 and context_k20 would be handed the same frames", evidence=few)
    kept = ["i2v", "context_k20", "spatial", "spatial_concat_text"]
    assert accepted(evidence=few, rows=kept, row_options={}).profiles["context_k20"].frames == 20


def test_a_streams_rows_keep_their_own_k():
    """What a retriever hands out limits no row that is offered every frame."""
    few = accepted(evidence={"frames": 5, "policy": "streaming"}, row_options={})
    assert few.profiles["context_k20"].frames == 20 and short_of_frames(few) == []


def test_rows_that_the_matrix_lacks_are_refused():
    refused("rows", "no such row; rows.yaml has compress_hybrid_r2", rows=["i2v", "telepathy"])
