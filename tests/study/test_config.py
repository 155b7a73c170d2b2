"""Studies are read and checked whole before any job; what cannot run stops with one line."""

import csv
import json
import subprocess
import sys

import pytest
import yaml

from echo.study.config import ConfigError, load_rows, load_study, parse_study, remarks, study_of_snakemake
from tests.conftest import ROOT, ROWS, tiny_study
from tests.scale.paper_tiny import write_study
from tests.study.studies import DEFAULT, accepted, changed


@pytest.mark.parametrize("name", ["config", "quick", "smoke", "paper"])
def test_the_studies_are_valid(name):
    study = load_study(ROOT / "config" / f"{name}.yaml")
    assert set(study.profiles) == set(study.rows)


def test_the_studies_of_the_tests_are_valid(tmp_path):
    assert load_study(ROOT / "tests/slurm/study.yaml", ROOT / "config/rows.yaml").study == "slurm_test"
    tiny = write_study(tmp_path, tmp_path / "model", tmp_path / "pool")
    assert load_study(tiny, ROOT / "config/rows.yaml").study == "paper_tiny"


def test_the_default_study_runs_every_row_of_the_papers_tables():
    with (ROOT / "echo" / "tables" / "reference" / "paper_tables.csv").open() as file:
        paper = {line["row_name"] for line in csv.DictReader(file)} & set(load_rows(ROOT / "config" / "rows.yaml"))
    assert len(paper) >= 14 and paper <= set(DEFAULT["rows"])


def test_reading_a_study_needs_no_torch():
    code = "import sys, echo.study.config as c; c.load_study('config/config.yaml'); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "False"


def test_a_study_written_as_json_is_the_same_study(tmp_path):
    """Jobs read study.json and the rows beside it; 5e-05 is text to YAML's own readers."""
    study = accepted(train={"adamw_lr": 0.00005, "row_lr": {"i2v": 1e-07}})
    (tmp_path / "study.json").write_text(study.model_dump_json(indent=1))
    (tmp_path / "rows.yaml").write_text(json.dumps({row: ROWS[row] for row in study.rows}))
    again = load_study(tmp_path / "study.json")
    assert again == study and again.profiles == study.profiles


def test_missing_and_malformed_files_are_named(tmp_path):
    study = tmp_path / "study.yaml"
    with pytest.raises(ConfigError, match="study.yaml: no such configuration file"):
        load_study(study)
    study.write_text(yaml.safe_dump(DEFAULT))
    with pytest.raises(ConfigError, match="rows.yaml: no such configuration file"):
        load_study(study)
    (tmp_path / "rows.yaml").write_text("i2v: {family: context\n")
    with pytest.raises(ConfigError, match="rows.yaml, line 2: expected"):
        load_study(study)
    (tmp_path / "rows.yaml").write_text("- i2v\n")
    with pytest.raises(ConfigError, match="rows.yaml: expected a mapping, got a list"):
        load_study(study)


@pytest.mark.parametrize("name", ["Row", "a-b", "a/b", "a|b", "a.b", "1a", "é", "x" * 65, "_a", "a b", "{a}"])
def test_a_rows_name_must_fit_the_rules_wildcards(tmp_path, name):
    (tmp_path / "rows.yaml").write_text(yaml.safe_dump({name: ROWS["i2v"]}))
    with pytest.raises(ConfigError, match="names of rows match") as error:
        load_rows(tmp_path / "rows.yaml")
    assert error.value.key == name and error.value.file == str(tmp_path / "rows.yaml")


@pytest.mark.parametrize("key", ["profiles", "colour"])
def test_an_unknown_key_is_named(key):
    with pytest.raises(ConfigError, match=f"unknown key `{key}`") as error:
        parse_study({**DEFAULT, key: {}}, ROWS, "mine.yaml")
    assert (error.value.file, error.value.key) == ("mine.yaml", key)


def test_a_dotted_key_says_how_it_is_written():
    with pytest.raises(ConfigError, match=r"unknown key `train.steps`; write train: \{steps: 3\}, or .* --config 'tra"):
        parse_study({**DEFAULT, "train.steps": 3}, ROWS)


def test_stages_may_be_tested_on_frames_too_small_to_measure():
    small = {"size": 16}
    with pytest.raises(ConfigError, match="LPIPS, which every study measures, needs 31 pixels"):
        accepted(world=small)
    linear = {"options": {}}
    assert parse_study(changed(world=small, codec=linear), ROWS, whole=False).world.height == 16


def test_snakemakes_nested_values_get_their_types_back():
    """Snakemake reads what is inside a nested --config as text."""
    overrides = {"train": {"steps": "3", "adamw_lr": "1e-4", "fused": "true"}, "train_seeds": ["0", "1"], "seed": 7}
    config = {**DEFAULT, "train": {"warmup": 2, **overrides["train"]}, "train_seeds": ["0", "1"], "seed": 7}
    study = study_of_snakemake(config, [], overrides, ROWS)
    assert (study.train.steps, study.train.warmup, study.train.fused) == (3, 2, True)
    assert study.train.adamw_lr == 1e-4 and study.train_seeds == (0, 1) and study.seed == 7


def test_quoted_numbers_of_a_file_stay_text_beside_overrides():
    config = {**DEFAULT, "train": {"steps": "3", "warmup": "2"}}
    with pytest.raises(ConfigError, match=r"--config: `train.warmup` = '2': expected a whole number"):
        study_of_snakemake(config, [], {"train": {"steps": "3"}}, ROWS)


def test_snakemakes_files_are_read_again_for_what_it_loses(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(DEFAULT) + "seed: 3\n")
    with pytest.raises(ConfigError, match=r"study.yaml, line \d+: key 'seed' stands twice"):
        study_of_snakemake({**DEFAULT, "seed": 3}, [path], {}, ROWS)
    path.write_text(yaml.safe_dump(DEFAULT))
    with pytest.raises(ConfigError, match=r"study.yaml and --config: `seed` = -1: expected at least 0"):
        study_of_snakemake({**DEFAULT, "seed": -1}, [path], {"seed": -1}, ROWS)


def test_without_depth_it_is_told_what_is_left_out():
    """Recordings have none; what needs it is left out and not refused, so that one list serves every study."""
    world = {"source": "realestate10k", "path": "/videos", "held_out_videos": 4, "open_domain_rooms": 4}
    recorded = tiny_study(world=world, evaluate={"branches": ["replay", "recall"]})
    *_, line = remarks(recorded)  # the first is of rows that get fewer frames than they ask for
    assert "realestate10k" in line and "have no depth" in line and line.endswith("the reference rows reprojection")
    assert set(tiny_study().references) - set(recorded.references) == {"reprojection"}
    few = tiny_study(world=world, evaluate={"branches": ["replay"], "references": ["ridge"]})
    assert few.references == ("ridge",) and "reference rows" not in remarks(few)[-1]


def test_a_row_may_not_have_the_name_of_a_reference_row():
    row = {**ROWS["context_k5"], "label": "a copy"}
    with pytest.raises(ConfigError, match="`rows` = 'copy_first': is the name of a reference row"):
        parse_study({**DEFAULT, "rows": [*DEFAULT["rows"], "copy_first"]}, {**ROWS, "copy_first": row})


def test_rows_that_get_fewer_frames_than_they_ask_for_are_told():
    assert remarks(accepted()) == []
    (line,) = remarks(tiny_study(rows=["i2v", "context_k5", "context_k20", "framepack_len_r8"]))
    assert "evidence.frames` = 8" in line and "context_k20 (20), framepack_len_r8 (81)" in line


def test_contrasts_of_rows_that_do_not_run_are_left_out_and_told():
    pairs = [["context_k5", "i2v"], ["spatial", "i2v"], ["misspelt", "i2v"]]
    study = tiny_study(rows=["i2v", "context_k5"], evaluate={"contrasts": pairs})
    (line,) = remarks(study)
    assert "contrasts left out, whose rows it does not run: spatial and i2v, misspelt and i2v" in line
