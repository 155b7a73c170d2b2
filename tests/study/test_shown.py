"""Which rows are shown: named ones, and what stands for them in a study without them."""

from echo.study.shown import filmed_rows, shown_rows
from tests.conftest import tiny_study


def test_shown_are_the_reference_row_and_the_one_asked_for_or_the_last():
    study = tiny_study(rows=["i2v", "context_k5", "spatial"], evaluate={"shown": "context_k5"})
    assert shown_rows(study) == ["i2v", "context_k5"]
    assert shown_rows(tiny_study(rows=["i2v", "spatial"])) == ["i2v", "spatial"]  # without context_k20


def test_a_film_has_the_copy_where_the_study_draws_it_and_no_row_twice():
    rows = {"rows": ["i2v", "spatial"]}
    assert filmed_rows(tiny_study(**rows)) == ["copy_best", "i2v", "spatial"]
    assert filmed_rows(tiny_study(**rows, evaluate={"references": ["copy_first"]})) == ["i2v", "spatial"]
    assert filmed_rows(tiny_study(rows=["i2v"], evaluate={"references": []})) == ["i2v"]
