"""Notebooks are valid, stored without outputs, call only what they may, and execute on synthetic tables."""

import ast
import json
import os
import re
import sys
from base64 import b64decode
from io import BytesIO

import nbformat
import pytest
from PIL import Image

from echo.figures.notebook import NotebookError, execute
from echo.tables.build import build_tables
from tests.conftest import ROOT
from tests.synthetic import write_tables

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALLOWED = {"pandas", "numpy", "echo"}
OFFERED = {"figures", "tables", "contrasts", "follows", "statistics"}  # modules of echo that notebooks may use
SCREEN = 20  # lines of code in a cell


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = write_tables(tmp_path_factory.mktemp("tables"), rows=("i2v", "context_k5", "spatial"), cases=4)
    build_tables(folder, resamples=100)
    return folder


def write_notebook(path, *sources):
    cells = [nbformat.v4.new_code_cell('study = "nowhere"', metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebooks_are_valid_and_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0].metadata.tags == ["parameters"]
    assert code[0].source.startswith('study = "mini"')
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert any(cell.source.startswith("## Extend it") for cell in notebook.cells)
    assert notebook.cells[-2].source.startswith("## What follows")
    assert re.fullmatch(r"follows\.\w+\(results\)", notebook.cells[-1].source)
    assert all(len(cell.source.splitlines()) <= SCREEN for cell in code)
    lines = [line for cell in code for line in cell.source.splitlines() if not line.startswith("%")]
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("echo"):
            assert {alias.name for alias in node.names} <= OFFERED


@pytest.mark.parametrize("path", NOTEBOOKS[:2], ids=lambda path: path.stem)
def test_notebooks_execute(path, tables, tmp_path):
    """Two of them: ``.ci/run`` executes all on the committed tables, and one on the smoke study's."""
    execute(path, tmp_path / "out.ipynb", tables)
    notebook = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(notebook)
    outputs = [(cell, out) for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    assert all(out.output_type in ("execute_result", "display_data") for _, out in outputs)  # no warning, no print
    for cell in notebook.cells:
        if "figures.draw(" in cell.source:
            (out,) = cell.outputs  # once, as a picture
            assert {"image/png", "image/jpeg"} & set(out.data)
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]


def test_runs_this_python_in_its_own_folder_whatever_the_users_kernel_is(tables, tmp_path, monkeypatch):
    wrong = {"argv": ["/nonexistent/python"], "display_name": "wrong", "language": "python"}
    kernel = tmp_path / "home" / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(wrong))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "home" / "jupyter"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "home" / "jupyter"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    before = dict(os.environ)
    (tmp_path / "books").mkdir()
    path = write_notebook(
        tmp_path / "books" / "where.ipynb",
        "import sys, os, echo\nfrom pathlib import Path\n"
        "(sys.executable, Path.cwd().name, (Path(study) / 'cases.csv.xz').is_file(), Path(study).is_absolute())",
    )
    execute(path, tmp_path / "out.ipynb", tables)
    shown = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs[0].data["text/plain"]
    assert ast.literal_eval(shown) == (sys.executable, "books", True, False)
    assert dict(os.environ) == before


def test_equal_tables_give_equal_bytes(tables, tmp_path):
    path = write_notebook(tmp_path / "short.ipynb", "1 + 1")
    execute(path, tmp_path / "one.ipynb", tables)
    execute(path, tmp_path / "two.ipynb", tables)
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()
    assert str(tables) not in (tmp_path / "one.ipynb").read_text()


def test_a_failing_cell_is_named_and_nothing_is_written(tables, tmp_path):
    path = write_notebook(tmp_path / "broken.ipynb", "fine = 1", "# a remark\nfine / 0")
    with pytest.raises(NotebookError, match=r"broken.ipynb: cell \d .*failed: ZeroDivisionError: division by zero"):
        execute(path, tmp_path / "out.ipynb", tables)
    assert [found.name for found in tmp_path.iterdir()] == ["broken.ipynb"]


def test_missing_notebook_and_tables_are_named(tables, tmp_path):
    with pytest.raises(NotebookError, match="no such notebook"):
        execute(tmp_path / "absent.ipynb", tmp_path / "out.ipynb", tables)
    path = write_notebook(tmp_path / "short.ipynb")
    with pytest.raises(NotebookError, match="no such tables folder"):
        execute(path, tmp_path / "out.ipynb", tmp_path / "absent")


def test_a_notebook_without_parameters_is_refused(tables, tmp_path):
    """Papermill alone would warn, and run on the tables that the notebook names itself."""
    path = write_notebook(tmp_path / "untagged.ipynb", "1 + 1")
    path.write_text(path.read_text().replace('"parameters"', '"notes"'))
    with pytest.raises(NotebookError, match="untagged.ipynb: no cells are tagged 'parameters'; expected one"):
        execute(path, tmp_path / "out.ipynb", tables)
    path = write_notebook(tmp_path / "twice.ipynb", "1 + 1")
    book = nbformat.read(path, as_version=4)
    book.cells[1].metadata.tags = ["parameters"]
    nbformat.write(book, path)
    with pytest.raises(NotebookError, match="twice.ipynb: 2 cells are tagged"):
        execute(path, tmp_path / "out.ipynb", tables)
    assert not (tmp_path / "out.ipynb").exists()


def test_an_unknown_parameter_is_refused(tables, tmp_path):
    path = write_notebook(tmp_path / "other.ipynb", "1 + 1")
    path.write_text(path.read_text().replace("study = ", "folder = "))
    with pytest.raises(NotebookError, match="other.ipynb: unknown parameter 'study': .* assigns folder"):
        execute(path, tmp_path / "out.ipynb", tables)


def test_what_is_no_notebook_is_refused(tables, tmp_path):
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(NotebookError, match="broken.ipynb: not a notebook"):
        execute(tmp_path / "broken.ipynb", tmp_path / "out.ipynb", tables)


def test_charts_keep_a_palette_and_pictures_become_jpegs(tables, tmp_path):
    draw = "import numpy as np\nfrom PIL import Image\n"
    path = write_notebook(
        tmp_path / "two.ipynb",
        draw + "Image.fromarray(np.tile(np.uint8([[[0, 90, 200]], [[255, 255, 255]]]), (40, 60, 1)))",
        draw + "Image.fromarray(np.random.default_rng(0).integers(0, 255, (120, 120, 3), np.uint8))",
    )
    execute(path, tmp_path / "out.ipynb", tables)
    chart, picture = (cell.outputs[0].data for cell in nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-2:])
    assert "image/png" in chart
    assert "image/jpeg" in picture and "image/png" not in picture
    shown = Image.open(BytesIO(b64decode(chart["image/png"])))
    assert shown.mode == "P" and set(shown.convert("RGB").getdata()) == {(0, 90, 200), (255, 255, 255)}
