"""Choosing: the winner's rule, nothing run twice, and no reported room in sight."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench import choose
from tests.conftest import ROOT

FILES = sorted((ROOT / "config").glob("choices*.yaml"))


CRITERION = choose.Criterion(measure="lpips", lower_is_better=True, rows=("i2v",), branches=("recall",), tolerance=0.01)


def summary(lpips: float) -> pd.DataFrame:
    values = {"psnr": 20.0, "ssim": 0.5, "lpips": lpips, "judge": 1.0}
    lines = [("i2v", branch, measure, value) for branch in ("recall", "replay") for measure, value in values.items()]
    return pd.DataFrame(lines, columns=["row_name", "branch", "measure", "value"])


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "choices.yaml"
    content = yaml.safe_load(FILES[0].read_text())
    content["settings"]["rows"] = ["i2v"]
    content["settings"]["row_options"] = {}
    content["criterion"] |= {"rows": ["i2v"], "branches": ["recall"], "tolerance": 0.01}
    content["choices"] = {
        "steps": [{"train": {"steps": n}} for n in (100, 200, 300)],
        "sampler": [{"sampler": {"steps": n}} for n in (4, 8)],
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def scripted(monkeypatch, quality) -> list[dict]:
    """In place of Snakemake: the summary of ``quality(config)``; returns the list of what was run."""
    ran = []

    def run(one, cores):
        ran.append(one.config)
        return summary(quality(one.config))

    monkeypatch.setattr(choose, "run", run)
    return ran


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0, 0.2), st.booleans())
def test_the_winner_is_the_first_within_the_tolerance_of_the_best(scores, tolerance, lower):
    criterion = CRITERION.model_copy(update={"tolerance": tolerance, "lower_is_better": lower})
    best = min(scores) if lower else max(scores)
    first = choose.winner(scores, criterion)
    assert abs(scores[first] - best) <= tolerance + 1e-12
    assert all(abs(score - best) > tolerance - 1e-12 for score in scores[:first])


def test_later_choices_stand_on_the_winners_so_far(file, monkeypatch):
    ran = scripted(monkeypatch, lambda config: {100: 0.5, 200: 0.3, 300: 0.295}[config["train"]["steps"]])
    chosen = choose.choose(file, Path("out"), 1)
    assert chosen == {"train": {"steps": 200}, "sampler": {"steps": 4}}
    assert [config["train"]["steps"] for config in ran] == [100, 200, 300, 200, 200]
    table = pd.read_csv("out/choices.csv")
    assert table[table["chosen"]].groupby("choice").ngroups == 2 and len(table) == 5
    assert json.loads(Path("out/chosen.json").read_text())["chosen"] == chosen


def test_what_stands_in_the_table_is_not_run_again(file, monkeypatch):
    scripted(monkeypatch, lambda config: 0.5)
    first = choose.choose(file, Path("out"), 1)
    before = Path("out/choices.csv").read_bytes()
    ran = scripted(monkeypatch, lambda config: 0.5)
    assert choose.choose(file, Path("out"), 1) == first and not ran
    assert Path("out/choices.csv").read_bytes() == before


def test_another_setting_is_run_again(file, monkeypatch):
    scripted(monkeypatch, lambda config: 0.5)
    choose.choose(file, Path("out"), 1)
    content = yaml.safe_load(file.read_text())
    content["settings"]["train"] = {"batch": 4}
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    ran = scripted(monkeypatch, lambda config: 0.5)
    choose.choose(file, Path("out"), 1)
    assert len(ran) == 5


def test_a_reported_split_is_refused_before_anything_is_run(file, monkeypatch):
    ran = scripted(monkeypatch, lambda config: 0.5)
    content = yaml.safe_load(file.read_text())
    content["choices"]["last"] = [{"evaluate": {"splits": "reported"}}]
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(choose.ChoiceError, match="evaluate.splits = reported; settings are chosen with"):
        choose.choose(file, Path("out"), 1)
    assert not ran


def test_a_missing_cell_is_an_error(file, monkeypatch):
    monkeypatch.setattr(choose, "run", lambda one, cores: summary(0.5).query("branch == 'replay'"))
    with pytest.raises(choose.ChoiceError, match="no row i2v on branch recall"):
        choose.choose(file, Path("out"), 1)


def test_a_value_that_was_tried_in_another_choice_is_not_run_again(file, monkeypatch):
    ran = scripted(monkeypatch, lambda config: 0.5)
    content = yaml.safe_load(file.read_text())
    content["choices"]["last"] = [{"train": {"steps": n}} for n in (100, 200)]
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    choose.choose(file, Path("out"), 1)
    assert len(ran) == 6  # of the last choice, 100 is known, 200 is not: the sampler has another number of steps by now
    table = pd.read_csv("out/choices.csv")
    assert list(table["choice"]) == ["steps"] * 3 + ["sampler"] * 2 + ["last"] * 2


def test_variants_share_what_they_make_alike():
    choices = choose.read_choices(ROOT / "config" / "choices.yaml")
    start = choose.merged(choose.read_mapping(ROOT / choices.start), choices.settings)

    def place(value):
        study = choose.variant(FILES[0], "c", start, value).study
        return study.study, study.rig

    study, rig = place({})
    assert place({"sampler": {"steps": 3}}) == (study, rig)
    assert place({"train": {"steps": 3}})[0] != study and place({"train": {"steps": 3}})[1] == rig
    other = place({"codec": {"options": {"decoder_steps": 7}}})
    assert other[0] != study and other[1] != rig
    recipe = {"base": {"source": "trained", "steps": 30}}
    assert place(recipe)[1] != place(choose.merged(recipe, {"base": {"steps": 31}}))[1]


def written(*paths: str) -> None:
    for path in paths:
        Path("runs", path).parent.mkdir(parents=True, exist_ok=True)
        Path("runs", path).write_text(path)


def held(rig: str) -> set[str]:
    return {str(path.relative_to(Path("runs", rig))) for path in Path("runs", rig).rglob("*") if path.is_file()}


def test_another_base_begins_with_the_rooms_that_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = ("pool/0", "codec.safetensors", "base.safetensors", "base/resume/0", "base/clips/0", "logs/base_train.log")
    written(*(f"c_rig_rooms_clips_first/{name}" for name in made))
    rooms = {"pool/0", "codec.safetensors"}
    choose.share("c_rig_rooms_clips_second")
    assert held("c_rig_rooms_clips_second") == rooms | {"base/clips/0"}
    assert Path("runs/c_rig_rooms_clips_second/pool/0").samefile("runs/c_rig_rooms_clips_first/pool/0")
    choose.share("c_rig_rooms_others_third")
    assert held("c_rig_rooms_others_third") == rooms
    for other in ("c_rig_elsewhere_clips_first", "d_rig_rooms_clips_first", "c_rig_rooms"):
        choose.share(other)
        assert not Path("runs", other).exists()


def test_a_rig_that_is_there_is_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written("c_rig_rooms_clips_first/pool/0", "c_rig_rooms_clips_second/pool/1")
    choose.share("c_rig_rooms_clips_second")
    assert held("c_rig_rooms_clips_second") == {"pool/1"}


def test_bases_of_the_same_rooms_have_rigs_that_say_so():
    choices = choose.read_choices(ROOT / "config" / "choices_base.yaml")
    start = choose.merged(choose.read_mapping(ROOT / choices.start), choices.settings)
    first, faster, other = (
        choose.variant(FILES[0], "c", choose.merged(start, {"base": base}), {}).study.rig.split("_")[-3:]
        for base in ({}, {"muon_lr": 0.04}, {"seed": 5})
    )
    assert first[:2] == faster[:2] and first[2] != faster[2]
    assert first[0] == other[0] and first[1] != other[1]


def test_realism_stands_in_the_table_where_it_was_measured(file, monkeypatch):
    distance = pd.DataFrame(
        [("i2v", "recall", choose.REALISM, 0.7)], columns=["row_name", "branch", "measure", "value"]
    )
    monkeypatch.setattr(choose, "run", lambda one, cores: pd.concat([summary(0.5), distance]))
    choose.choose(file, Path("out"), 1)
    assert set(pd.read_csv("out/choices.csv")[choose.REALISM]) == {0.7}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_projects_own_choices_are_studies_that_can_run(path):
    choices = choose.read_choices(path)
    config = choose.merged(choose.read_mapping(ROOT / choices.start), choices.settings)
    for name, values in choices.choices.items():
        for value in values:
            assert choose.variant(path, name, config, value).study.evaluate.splits == "choosing"
    rows, branches = set(choices.criterion.rows), set(choices.criterion.branches)
    assert rows <= set(choices.settings["rows"]) and branches <= set(choices.settings["evaluate"]["branches"])
