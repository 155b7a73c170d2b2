"""What chose a study's settings: named in its records, and departures from it are said."""

from __future__ import annotations

import json

import pytest

from echo.study import chosen
from echo.study.config import parse_study, remarks
from echo.study.reading import read_mapping
from tests.conftest import ROOT, ROWS
from tests.study.studies import accepted, refused


@pytest.fixture
def folder(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chosen, "ROOT", tmp_path)
    place = tmp_path / "results" / "choosing"
    place.mkdir(parents=True)
    value = accepted().model_dump(mode="json")["train"]["steps"]
    (place / "chosen.json").write_text(json.dumps({"chosen": {"train": {"steps": value}, "sampler": {"steps": 77}}}))
    (place / "choices.csv").write_text("choice,value\n")
    return "results/choosing"


def test_a_departure_from_what_was_chosen_is_said(folder):
    study = accepted(chosen_in=[folder])
    (line,) = remarks(study)
    assert "not as chosen in results/choosing: sampler.steps = " in line and "(chosen: 77)" in line
    assert "train.steps" not in line
    assert remarks(accepted(chosen_in=[folder], sampler={"steps": 77})) == []


@pytest.mark.parametrize("lost", ["chosen.json", "choices.csv"])
def test_a_table_that_is_not_there_is_refused(folder, lost, tmp_path):
    (tmp_path / folder / lost).unlink()
    refused("chosen_in", rf"has no {lost}; made by: python -m bench.choose", chosen_in=[folder])


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"chosen": 3}', "\xff"])
def test_a_damaged_record_is_refused_in_one_line(folder, content, tmp_path):
    (tmp_path / folder / "chosen.json").write_bytes(content.encode("latin-1"))
    refused("chosen_in", "its chosen.json is damaged; make it again: python -m bench.choose", chosen_in=[folder])


def test_the_record_holds_the_hash_of_the_table(folder, tmp_path):
    first = chosen.table_hashes((folder,))
    assert list(first) == ["results/choosing/choices.csv"]
    (tmp_path / folder / "choices.csv").write_text("choice,value\nsteps,1\n")
    assert chosen.table_hashes((folder,)) != first


@pytest.mark.parametrize("more", [None, "matched.yaml", "diagnostic.yaml"])
def test_the_default_studies_are_as_their_tables_chose(more):
    config = read_mapping(ROOT / "config" / "config.yaml")
    study = parse_study(config | (read_mapping(ROOT / "config" / more) if more else {}), ROWS)
    held = study.model_dump(mode="json")
    assert [chosen.departures(folder, held) for folder in study.chosen_in] == [[] for _ in study.chosen_in]
