"""The constants of every row against the study's configuration, and what the sources say of them."""

import pandas as pd
import pytest

from echo.study.config import load_study
from echo.tables.constants import AGREE, DISAGREE, SHARED, constants, plain, table2
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def papers_study():
    return load_study(ROOT / "config" / "paper.yaml", whole=False)


@pytest.fixture(scope="module")
def table(papers_study):
    rows = pd.DataFrame([(row, one.label) for row, one in papers_study.profiles.items()], columns=["row_name", "label"])
    return table2(constants(papers_study), rows).set_index(["row_name", "constant"])


def test_every_row_has_what_the_study_shares_and_its_own_profile(papers_study):
    found = constants(papers_study)
    for row, profile in papers_study.profiles.items():
        own = found[found["row_name"] == row].set_index("constant")["value"]
        assert set(SHARED) <= set(own.index)
        for key, value in profile.model_dump(exclude={"name", "family", "label", "seed_stream"}).items():
            assert own[key] == plain(value)
        assert float(own["train.adamw_lr"]) == papers_study.train.row_lr.get(row, papers_study.train.adamw_lr)


def test_sources_that_disagree_are_said(table):
    assert table.loc[("i2v", "train.adamw_lr")][["value", "paper", "release", "sources"]].tolist() == [
        "0.0001", "0.0001", "5e-05", DISAGREE]  # fmt: skip
    assert table.loc[("context_k5", "train.adamw_lr"), "sources"] == AGREE
    shifts = table.xs("train.timestep_shift", level="constant")
    assert set(shifts.index[shifts["sources"] == DISAGREE]) == {"i2v", "context_k5", "context_k20"}
    assert table.loc[("compress_weight", "frames"), ["paper", "release"]].tolist() == ["5", "81"]


def test_what_a_source_does_not_say_is_empty_and_nothing_is_compared(table):
    assert table.loc[("i2v", "sampler.steps"), ["paper", "sources"]].tolist() == ["", ""]
    assert table.loc[("framepack_len_r8", "train.steps"), "paper"] == ""  # the paper's tables do not have the row
    assert table.loc[("ssm_blockwise_causal_v2", "backbone.layout"), "release"] == "context_first"


def test_constants_of_the_papers_study_are_the_papers_where_it_speaks(table):
    """config/paper.yaml says that Table 2 wins where it speaks; the two that differ are explained there.

    A policy has another name than its source: matched evidence is what the paper retrieves by field of view.
    """
    other = table[(table["paper"] != "") & (table["paper"] != table["value"])]
    differing = {"backbone.layout", "codec.temporal", "evidence.policy"}
    assert set(other.index.get_level_values("constant")) == differing


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "yes"), (False, "no"), (0.0, "0"), (5e-05, "5e-05"), (30000, "30000"), ((0.5, 1), "0.5, 1")],
)
def test_values_are_said_plainly(value, text):
    assert plain(value) == text
