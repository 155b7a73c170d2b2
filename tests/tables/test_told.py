"""What findings need of a study's tables, and what is said where they are not there."""

import json

import pandas as pd
import pytest

from echo.tables.contrasts import contrasts
from echo.tables.files import FINDINGS_READ, REPORTED
from echo.tables.findings import FINDINGS, NULL, OPEN, OUTCOMES
from echo.tables.read import TableError
from echo.tables.told import TITLES, read_told, reported, unsaid
from tests.tables.conftest import told_study


def test_a_study_says_its_policy_and_seeds(told):
    one = read_told(told)
    assert (one.name, one.policy, one.seeds) == ("invented", "streaming", 2)
    assert one.heading == "streaming (`invented`)"
    assert {one.verdict(title, *outcome) for title in TITLES for outcome in OUTCOMES}


@pytest.mark.parametrize("name", FINDINGS_READ)
def test_a_file_that_is_not_there_is_named(told, tmp_path, name):
    folder = told_study(told, tmp_path / "tables", "other", "matched")
    (folder / name).unlink()
    with pytest.raises(TableError, match=f"{name}: no such file"):
        read_told(folder)


def test_a_record_without_policy_is_named(told, tmp_path):
    folder = told_study(told, tmp_path / "tables", "other", "matched")
    (folder / "record.json").write_text(json.dumps({"config": {}}))
    with pytest.raises(TableError, match="no config.evidence.policy"):
        read_told(folder)


def test_reported_studies_are_those_that_have_tables(told, tmp_path):
    names = [one.study for one in REPORTED.values()]
    assert reported(tmp_path) == []
    folder = told_study(told, tmp_path / names[-1] / "tables", names[-1], "matched")
    assert reported(tmp_path) == [folder]


def test_what_cannot_be_said_names_findings_rows_and_how_real_frames_are(told, tmp_path):
    folder = told_study(told, tmp_path / "tables", "other", "matched")
    real = pd.read_csv(folder / "realism.csv")
    i2v = real[(real["row_name"] == "i2v") & (real["branch"] == "all")]
    pd.concat([real, i2v.assign(row_name="codec_ceiling", value=0.25)]).to_csv(folder / "realism.csv", index=False)
    one = read_told(folder)
    texts = unsaid(one)
    said = f"of `i2v` to true frames is {i2v['value'].iloc[0]:.2f}, the codec's own 0.25, "
    assert said in texts[-1] and f"at most {i2v['floor'].iloc[0]:.2f}" in texts[-1]
    unsure = [title for title in TITLES if OPEN in {one.verdict(title, *outcome) for outcome in OUTCOMES}]
    assert all(title in texts[0] for title in unsure)


def test_a_row_whose_pictures_are_as_far_from_rooms_as_a_flat_colour_is_named(told, tmp_path):
    folder = told_study(told, tmp_path / "tables", "other", "matched")
    real = pd.read_csv(folder / "realism.csv")
    rows = read_told(folder).probes["row_name"]
    one = real[(real["row_name"] == rows.iloc[0]) & (real["branch"] == "all")]

    def said(**flat: float) -> list[str]:
        added = pd.concat([real, one.assign(row_name="mean_colour", **flat)])
        added.to_csv(folder / "realism.csv", index=False)
        return [text for text in unsaid(read_told(folder)) if text.startswith("anything by a contrast with")]

    high = real.loc[(real["branch"] == "all") & real["row_name"].isin(rows), "high"]
    assert said(value=high.max() + 2, low=high.max() + 1) == []
    [text] = said(value=high.max() + 2, low=high.max() - 1e-6)
    worst = real.loc[high.idxmax()]
    assert f"`{worst['row_name']}` ({worst['value']:.2f})" in text and f"one flat colour ({high.max() + 2:.2f})" in text
    assert text.count("`") == 2 * (high >= high.max() - 1e-6).sum()


def test_named_contrasts_of_all_findings_are_told(told):
    named = {tuple(pair) for pair in pd.read_csv(told / "contrasts.csv")[["row_name", "other"]].itertuples(index=False)}
    assert named == {*(claim for finding in FINDINGS for claim in finding.claims), NULL}
    cases = pd.read_csv(told / "cases.csv.xz", dtype={"case": str})
    assert len(contrasts(cases, [NULL], 100, 0))
