"""Studies side by side, on tables whose agreement and whose factors are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from echo.tables.paper import paper
from echo.tables.policies import agreement_with_paper, explained, r_squared, rank_moves, rank_table, read_compared
from echo.tables.read import TableError
from tests.tables.made_policies import ROWS, STUDIES, write_study


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    shares = dict(zip(STUDIES, (1.0, 0.5, 0.0), strict=True))
    return [read_compared(write_study(folder, name, shares[name])) for name in STUDIES]


def test_a_row_as_released_has_the_place_of_its_row(studies):
    ranks = rank_table(studies)
    assert set(ranks["row"]) == set(ROWS) and list(dict.fromkeys(ranks["study"])) == list(STUDIES)
    assert set(zip(ranks["branch"], ranks["measure"], strict=True)) == {("return_45", "judge"), ("replay", "psnr")}
    here = ranks[(ranks["study"] == "as_released") & (ranks["measure"] == "judge")].set_index("row")
    published = paper()["opendomain_vlm"][list(ROWS)].rank(ascending=False)
    assert here["rank"].to_dict() == published.to_dict()
    last = ranks[(ranks["study"] == "mini") & (ranks["measure"] == "judge")].set_index("row")["rank"]
    assert last.loc[list(ROWS)].tolist() == [5, 4, 3, 2, 1]


def test_agreement_with_the_paper_is_the_rank_correlation_of_the_means(studies):
    found = agreement_with_paper(studies, resamples=50).set_index(["study", "branch"])
    assert found.loc[("as_released", "return_45"), "value"] == pytest.approx(1)
    theirs = paper()["replay_psnr"][list(ROWS)]
    assert found.loc[("mini", "replay"), "value"] == pytest.approx(spearmanr(theirs, range(5))[0])
    assert (found["rows"] == 5).all() and (found["scenes"] == 8).all() and (found["train_seeds"] == 1).all()
    assert ((found["low"] <= found["value"] + 1e-9) & (found["value"] <= found["high"] + 1e-9)).all()


def test_moves_are_the_rank_correlations_of_two_studies_and_say_in_what_they_differ(studies):
    moves = rank_moves(studies, resamples=50).set_index(["one", "other", "branch"])
    assert moves.loc[("matched", "mini", "replay"), "differ_in"] == "evidence"
    assert moves.loc[("as_released", "mini", "replay"), "differ_in"].split(", ") == [
        "module", "evidence", "shift", "freeze", "loss weight"
    ]  # fmt: skip
    assert list(moves["differ_in"])[:2] == ["evidence"] * 2 and len(moves) == 3 * 2
    for (one, other, branch), line in moves.iterrows():
        means = [study.means(branch, line["measure"]) for study in studies if study.name in (one, other)]
        assert line["value"] == pytest.approx(spearmanr(*means)[0]) and line["rows"] == 5
        assert line["low"] <= line["value"] + 1e-9 and line["value"] <= line["high"] + 1e-9


def test_a_study_and_itself_have_the_same_ranks_and_differ_in_nothing(studies):
    moves = rank_moves([studies[1], studies[1]], resamples=20)
    assert (moves["differ_in"] == "").all() and (moves["value"] == 1).all() and (moves["low"] == 1).all()


def test_shares_are_those_of_the_design():
    """A balanced table: what each factor explains alone is also what it explains beyond the other."""
    cells = pd.DataFrame([{"memory": m, "evidence": e} for m in "abcd" for e in "xyz"])
    effect = {"a": 0, "b": 1, "c": 5, "d": 2, "x": 0, "y": 10, "z": -3}
    values = np.array([effect[m] + effect[e] for m, e in cells.to_numpy()], dtype=float)
    assert r_squared(cells, ["memory", "evidence"], values) == pytest.approx(1)
    alone = [r_squared(cells, [factor], values) for factor in cells]
    assert sum(alone) == pytest.approx(1)
    means = values.reshape(4, 3).mean(1)
    assert alone[0] == pytest.approx(means.var() / values.var())


def test_factors_that_change_together_have_nothing_beyond_each_other(studies):
    shares = explained(studies)
    judged = shares[shares["measure"] == "judge"].set_index("factor")
    assert set(judged.index) == {"memory", "module", "evidence", "shift", "freeze", "loss weight"}  # one sampler
    together = {"module", "shift", "freeze", "loss weight"}
    for factor in together:
        assert set(judged.loc[factor, "not_told_from"].split(", ")) == together - {factor}
        assert judged.loc[factor, "beyond"] == pytest.approx(0, abs=1e-9)
    assert judged.loc["memory", "not_told_from"] == "" and judged.loc["evidence", "levels"] == 5 + 2
    assert ((judged["alone"] >= -1e-9) & (judged["alone"] <= 1 + 1e-9)).all()


def test_a_file_that_is_missing_is_named(tmp_path):
    tables = write_study(tmp_path, "matched", 0.5)
    (tables / "constants.csv").unlink()
    with pytest.raises(TableError, match=r"constants.csv: no such file; of each study summary.csv, "):
        read_compared(tables)
    (tables / "constants.csv").write_text("row_name,constant,value\n")
    (tables / "record.json").write_text("{}")
    with pytest.raises(TableError, match="no config.evidence.policy"):
        read_compared(tables)
