"""Copies of the project with committed tables, for the tests of the workflow."""

import shutil
from pathlib import Path

import pytest

from tests.copied import copy_project
from tests.synthetic import write_tables
from tests.workflow.running import MINI


@pytest.fixture(scope="module")
def made_tables(tmp_path_factory) -> Path:
    """Tables of invented numbers, as a study commits them."""
    tables = tmp_path_factory.mktemp("made") / "tables"
    write_tables(tables, cases=6, rows=("i2v", "context_k5", "spatial", "ssm_blockwise"))
    from echo.tables.build import build_tables

    build_tables(tables, resamples=100)
    (tables / "record.json").write_text("{}")
    return tables


@pytest.fixture
def clone(tmp_path, made_tables) -> Path:
    """What a fresh clone holds, with committed tables (synthetic ones) and no run folder."""
    copy_project(tmp_path, *MINI["chosen_in"])
    shutil.copytree(made_tables, tmp_path / "results" / "mini" / "tables")
    return tmp_path
