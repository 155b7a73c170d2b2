"""Agreement of the judges of a study: which pairs and cases, what is missing, and the paper's table beside ours."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, pearsonr

from echo.tables.agreement import ALL, COLUMNS, PAPERS, SCORES, TABLE3_COLUMNS, agreement, table3
from echo.tables.two_judges import STATISTICS
from tests.synthetic import REFERENCES, write_tables


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Judgements by three judges of four rows and all reference rows, and the table of rows."""
    rows = ("i2v", "context_k5", "spatial", "ssm_blockwise")
    folder = write_tables(tmp_path_factory.mktemp("judged"), rows, (0, 1), cases=12, references=tuple(REFERENCES),
                          judges=("one", "two", "three"))  # fmt: skip
    return pd.read_csv(folder / "judgements.csv.xz"), pd.read_csv(folder / "rows.csv")


def trained(judgements, rows):
    return judgements[~judgements["row_name"].isin(REFERENCES)]


def line(table, **wanted):
    for column, value in wanted.items():
        table = table[table[column] == value]
    (found,) = table.to_dict("records")
    return found


def test_every_pair_branch_score_and_statistic_has_a_line(study):
    table = agreement(*study, 100, 0)
    assert list(table) == COLUMNS and len(table) == 3 * 2 * len(SCORES) * len(STATISTICS)
    assert list(dict.fromkeys(zip(table["judge"], table["other"], strict=True))) == [
        ("one", "two"), ("one", "three"), ("two", "three"),
    ]  # fmt: skip
    assert set(table["branch"]) == {ALL, "return_45"} and not table["value"].isna().any()
    outside = (table["low"] > table["value"] + 1e-9) | (table["high"] < table["value"] - 1e-9)
    assert outside.mean() < 0.05  # percentiles need not hold the estimate
    assert (table["low"] <= table["high"]).all()


def test_numbers_are_those_of_the_trained_rows_cases(study):
    table, own = agreement(*study, 100, 0), trained(*study)
    keys = ["row_name", "train_seed", "branch", "case"]
    for branch in (ALL, "return_45"):
        here = own if branch == ALL else own[own["branch"] == branch]
        wide = here.pivot(index=keys, columns="judge_name", values="score")
        found = line(table, judge="one", other="three", branch=branch, score="total", statistic="pearson")
        assert found["value"] == pytest.approx(pearsonr(wide["one"], wide["three"]).statistic)
        assert (found["pairs"], found["rows"], found["scenes"]) == (len(wide), 4, here["scene"].nunique())
        means = wide.groupby("row_name").mean()
        found = line(table, judge="one", other="three", branch=branch, score="total", statistic="rows")
        assert found["value"] == pytest.approx(kendalltau(means["one"], means["three"]).statistic)


def test_a_missing_score_is_counted_and_compared_with_nothing(study):
    judgements, rows = study
    gone = (judgements["judge_name"] == "two") & (judgements["row_name"] == "i2v") & (judgements["branch"] == "recall")
    holey = judgements.assign(**{name: judgements[name].mask(gone) for name in ("view", "score")})
    table, before = agreement(holey, rows, 100, 0), agreement(judgements, rows, 100, 0)
    found = line(table, judge="one", other="two", branch=ALL, score="total", statistic="difference")
    whole = line(before, judge="one", other="two", branch=ALL, score="total", statistic="difference")
    assert (found["judge_missing"], found["other_missing"]) == (0, gone.sum())
    assert found["pairs"] == whole["pairs"] - gone.sum() and whole["other_missing"] == 0
    untouched = {"judge": "one", "other": "two", "branch": ALL, "score": "scene", "statistic": "alpha"}
    assert line(table, **untouched) == line(before, **untouched)
    wide = trained(holey, rows).pivot(
        index=["row_name", "train_seed", "branch", "case"], columns="judge_name", values="score"
    )
    assert found["value"] == pytest.approx((wide["one"] - wide["two"]).abs().mean())


def test_the_same_rooms_are_drawn_whatever_other_judges_there_are(study):
    judgements, rows = study
    fewer = agreement(judgements[judgements["judge_name"] != "two"], rows, 100, 0)
    whole = agreement(judgements, rows, 100, 0)
    whole = whole[(whole["judge"] == "one") & (whole["other"] == "three")]
    pd.testing.assert_frame_equal(fewer, whole.reset_index(drop=True))


def test_of_one_room_there_is_no_interval(study):
    judgements, rows = study
    for statistic in STATISTICS:
        wanted = {"judge": "one", "other": "two", "branch": "return_45", "score": "view", "statistic": statistic}
        whole = line(agreement(judgements, rows, 200, 0), **wanted)
        assert whole["low"] < whole["high"] and whole["scenes"] == 3
        room = judgements[judgements["scene"] == judgements["scene"].iloc[0]]
        alone = line(agreement(room, rows, 200, 0), **wanted)
        assert np.isnan([alone["low"], alone["high"]]).all() and alone["scenes"] == 1 and np.isfinite(alone["value"])


def test_one_judge_alone_has_no_pair_and_still_its_line_in_table_3(study):
    judgements, rows = study
    alone = judgements[judgements["judge_name"] == "two"]
    agreed = agreement(alone, rows, 100, 0)
    assert list(agreed) == COLUMNS and len(agreed) == 0
    ours = table3(alone, rows, agreed).query("source == 'ours'")
    assert ours["judge"].tolist() == ["two"] and ours[["difference", "pearson"]].isna().all(axis=None)
    own = trained(alone, rows).query("branch == 'return_45'")["score"]
    assert (ours["mean"].item(), ours["std"].item()) == pytest.approx((own.mean(), own.std()))
    assert ours["cases"].item() == len(own)


def test_the_papers_numbers_stand_above_ours_as_they_are(study):
    agreed = agreement(*study, 100, 0)
    table = table3(*study, agreed)
    assert list(table) == TABLE3_COLUMNS and table["judge"].tolist()[-3:] == ["one", "two", "three"]
    paper, reference = table[table["source"] == "paper"], pd.read_csv(PAPERS)
    assert paper["judge"].tolist() == reference["judge"].tolist() == [
        "Qwen3-VL-30B-A3B", "Claude Opus 4.6", "GPT-5.5", "Human",
    ]  # fmt: skip
    assert paper["mean"].tolist() == [19.6, 20.7, 21.1, 20.9] and paper["difference"].tolist()[1:] == [3.1, 2.7, 1.3]
    assert paper["pearson"].tolist() == [1.0, 0.93, 0.94, 0.96] and set(paper["against"]) == {"Qwen3-VL-30B-A3B"}
    ours = table[table["source"] == "ours"].set_index("judge")
    assert set(ours["against"]) == {"one"} and np.isnan(ours.at["one", "pearson"])
    for name in ("difference", "pearson"):
        pair = line(agreed, judge="one", other="three", branch="return_45", score="total", statistic=name)
        assert [ours.at["three", name], ours.at["three", f"{name}_low"]] == [pair["value"], pair["low"]]


def test_a_study_without_returns_has_tables_without_our_lines(study):
    judgements, rows = study
    nothing = judgements.iloc[:0]
    agreed = agreement(nothing, rows, 100, 0)
    assert len(agreed) == 0 and set(table3(nothing, rows, agreed)["source"]) == {"paper"}
