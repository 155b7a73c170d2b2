"""Cells show numbers as they are, and a missing one as missing."""

import numpy as np
import pandas as pd

from echo.study.words import BRANCHES
from echo.tables.cells import branch_name, literal, markdown_table, number, row_label, verdict_word, with_interval


def test_numbers_have_a_true_minus_sign_and_missing_ones_a_dash():
    assert number(-1.234, 2) == "\u22121.23" and number(np.nan, 2) == "\u2013"
    assert with_interval(1.0, 0.5, 1.5, 1) == "1.0 [0.5, 1.5]"
    assert with_interval(1.0, np.nan, np.nan, 1) == "1.0 [\u2013, \u2013]"
    assert with_interval(np.nan, 0.0, 1.0, 1) == "\u2013"


def test_a_label_with_a_bar_keeps_its_table_in_shape():
    table = markdown_table(["Row", "psnr"], [[literal("a|b"), "1"]])
    assert table.splitlines()[2] == "| a\\|b | 1 |"


def test_reference_rows_are_in_italics():
    assert row_label(pd.Series({"label": "a|b", "family": "reference"})) == "*a\\|b*"
    assert row_label(pd.Series({"label": "I2V", "family": "context"})) == "I2V"


def test_branches_are_named_by_their_labels():
    assert branch_name("return_strict") == "Strict return" and branch_name("loop") == "180° loop"
    assert all(branch_name(name).lower() == branch.label.lower() for name, branch in BRANCHES.items())


def test_a_verdict_in_a_word_is_without_its_reason():
    said = ("remembers", "inert, as it should be", "inert: no effect is shown, and it hardly moves", "not measured",
            "broken: moves when its memory is erased", "moves; what it is worth is not known")  # fmt: skip
    assert [verdict_word(one) for one in said] == ["remembers", "inert", "inert", "not measured", "broken", "moves"]
