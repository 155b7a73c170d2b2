"""Bad configuration stops with one line that names the key and what is allowed."""

import copy
from pathlib import Path

import pytest
import yaml

from echo.study.config import ConfigError, load_rows, load_study, parse_study
from echo.study.docs import render
from tests.conftest import ROOT, ROWS

DEFAULT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


def changed(**sections) -> dict:
    data = copy.deepcopy(DEFAULT)
    for name, values in sections.items():
        data[name] = {**data.get(name, {}), **values} if isinstance(values, dict) else values
    return data


@pytest.mark.parametrize("name", ["config", "quick", "smoke", "paper"])
def test_the_studies_are_valid(name):
    study = load_study(ROOT / "config" / f"{name}.yaml")
    assert set(study.profiles) == set(study.rows)


RELEASED_LATER = {"framepack_len_r8", "ssm_blockwise_causal_v2"}


def test_the_default_study_runs_every_row_of_the_papers_tables():
    assert set(DEFAULT["rows"]) == set(load_rows(ROOT / "config" / "rows.yaml")) - RELEASED_LATER


def test_a_row_that_reads_history_before_the_target_needs_it_there():
    assert parse_study(changed(backbone={"layout": "target_first"}, rows=["i2v", "compress_weight"]), ROWS)
    with pytest.raises(ConfigError, match="row ssm_hybrid .* needs backbone.layout = context_first, got target_first"):
        parse_study(changed(backbone={"layout": "target_first"}), ROWS)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"train": {"stepz": 3}}, r"unknown key `train.stepz`; config/README.md lists the keys"),
        ({"colour": "red"}, r"unknown key `colour`"),
        ({"train": {"steps": "many"}}, r"`train.steps` = 'many': Input should be a valid integer"),
        ({"train": {"steps": 0}}, r"`train.steps` = 0: Input should be greater than or equal to 1"),
        (
            {"evidence": {"rule": "best"}},
            r"`evidence.rule` = 'best': Input should be 'fov_mid', 'fov_cover' or 'recent'",
        ),
        ({"world": {"poses": False}}, r"ranks frames by camera pose, but world.poses = false"),
        ({"world": {"size": 60}}, r"world.size = 60 must be a multiple of codec.downsample x backbone.patch = 16"),
        ({"rows": ["i2v", "telepathy"]}, r"`rows` names 'telepathy'; config/rows.yaml has"),
        ({"rows": ["i2v", "i2v"]}, r"rows lists a row twice"),
        ({"rows": ["context_k5"]}, r"reference = i2v is not among rows"),
        ({"segment": {"history_weights": [1, 2]}}, r"history_weights has 2 entries, expected train_segments = 4"),
        ({"evaluate": {"cases": 65}}, r"evaluate.cases = 65, but world.in_domain_rooms = 64"),
        ({"evaluate": {"probe_cases": 65}}, r"evaluate.probe_cases = 65 exceeds evaluate.cases = 64"),
        ({"seed": -1}, r"`seed` = -1"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(sections, message):
    with pytest.raises(ConfigError, match=message) as error:
        parse_study(changed(**sections), ROWS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "entry", "message"),
    [
        (
            "context_k5",
            {"frames": 0},
            r"rows.yaml: context_k5: `frames` = 0: Input should be greater than or equal to 1",
        ),
        ("ssm_blockwise", {"context": "after_target"}, r"ssm_blockwise: context = after_target in a recurrent row"),
        ("compress_weight", {"decay": 1.0}, r"compress_weight: ratio = 1 and decay = 1 compress nothing"),
        ("framepack_len_r8", {"views": [0.6, 0.6]}, r"framepack_len_r8: views = \[0.6, 0.6\] must sum to 1, got 1.2"),
        ("spatial", {"grid": "wide"}, r"spatial: `grid` = 'wide'"),
        ("spatial", {"family": "telepathy"}, r"spatial: unknown family 'telepathy'; echo/memory has compression"),
        ("i2v", {"colour": 1}, r"i2v: unknown key `colour`"),
    ],
)
def test_impossible_rows_are_named(row, entry, message):
    rows = {**ROWS, row: {**ROWS[row], **entry}}
    with pytest.raises(ConfigError, match=message) as error:
        parse_study({**DEFAULT, "rows": list(rows), "row_options": {}}, rows)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such configuration file"):
        load_study(tmp_path / "absent.yaml")


def test_every_key_is_described_and_the_document_is_up_to_date():
    text = render()
    assert text == Path(ROOT / "config" / "README.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(lines) > 60
    assert all(line.rstrip(" |").rsplit("|", 1)[1].strip() for line in lines)
