"""A study's tables by name, for those who read them in a notebook."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from echo import figures, tables
from echo.tables.build import build_tables
from echo.tables.files import COMPUTED, GATHERED
from echo.tables.paper import paper
from echo.tables.read import TableError
from tests.conftest import ROOT
from tests.synthetic import write_tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    study = tmp_path_factory.mktemp("study")
    write_tables(study / "tables", rows=("i2v", "context_k5", "spatial"), cases=4)
    build_tables(study / "tables", resamples=100)
    return study / "tables"


def test_a_study_is_taken_by_its_name_or_either_folder(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert tables.load(folder).folder == folder
    assert tables.load(folder.parent).folder == folder
    assert tables.load("mini").folder == ROOT / "results" / "mini" / "tables"
    with pytest.raises(TableError, match=r"study 'nowhere': no tables; expected a name in results/ \(.*mini"):
        tables.load("nowhere")


def test_every_table_is_there_by_its_name(folder):
    results = tables.load(folder)
    files = [name for name in (*GATHERED, *COMPUTED) if not name.endswith(".md")]
    assert sorted(name.partition(".")[0] for name in files) == list(results.names)
    for name in results.names:
        assert isinstance(results[name], pd.DataFrame)
    assert results["cases"]["case"].map(type).eq(str).all()  # names are text, whatever they look like
    with pytest.raises(TableError, match=r"no table 'sumary'; there are .*summary"):
        results["sumary"]


def test_results_stand_for_their_folder(folder):
    results = tables.load(folder)
    assert Path(results) == folder
    assert figures.draw("answer", results).axes


def test_the_papers_table_has_its_numbers_beside_ours(folder):
    results = tables.load(folder)
    shown, own = results.paper_table(1), results["summary"].set_index(["row_name", "branch", "measure"])["value"]
    assert shown.loc["Context K=5", ("replay psnr", "ours")] == own["context_k5", "replay", "psnr"]
    assert shown.loc["Context K=5", ("replay psnr", "paper")] == paper().loc["context_k5", "replay_psnr"]
    assert ("recall psnr", "ours") in shown and ("recall psnr", "paper") not in shown  # the paper has no such branch
    assert list(shown.index[:2]) == ["I2V", "Context K=5"]
    assert pd.isna(shown.loc["Context K=20", ("replay psnr", "ours")])  # not run in this study


def test_the_list_of_files_needs_no_pandas():
    code = "import sys, echo.tables, echo.tables.files; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("parameter", "said"), [("study", None), ("sutdy", "unknown parameter 'sutdy'; this notebook has study")]
)
def test_papermill_alone_fails_on_a_parameter_that_a_notebook_has_not(folder, tmp_path, parameter, said):
    """By papermill's own command line: of itself it warns."""
    cells = [
        nbformat.v4.new_code_cell(f"study = {str(folder)!r}", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("from echo import tables\nlen(tables.load(study).names)"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "book.ipynb")
    command = ["papermill", "-p", parameter, str(folder), "book.ipynb", "out.ipynb"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == (said is None), done.stderr
    assert said is None or said in done.stderr
