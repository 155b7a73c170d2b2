"""Execute a notebook by papermill on a study's tables, without any set-up outside the running Python.

The kernel is the Python that runs this (a kernel specification is written for the occasion and put first on Jupyter's
path, so that one of the user's named ``python3`` cannot take its place). The notebook runs in its own folder, as it
does when opened there, with the repository on the path. Dates and durations are removed from the result, so that
equal tables give equal notebooks.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from echo.figures.saving import PNG_COLOURS
from echo.io.errors import UserError
from echo.io.files import atomic_path, write_json

QUALITY = 70  # of JPEGs
CHART_COLOURS = 6000  # a chart has fewer, by the smoothed edges of its lines; a picture has more
ROOT = Path(__file__).resolve().parent.parent.parent


class NotebookError(UserError):
    """A notebook that cannot be run, or failed: one line that names the notebook, and the cell and error if any."""


@contextmanager
def _kernel_of_this_python() -> Iterator[None]:
    """Jupyter's environment variables, for the time of one run: this Python, the repository, no file in the home."""
    with tempfile.TemporaryDirectory(prefix="echo-notebook-") as folder:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        write_json(
            Path(folder) / "jupyter" / "kernels" / "python3" / "kernel.json",
            {"argv": command, "display_name": "Python 3", "language": "python"},
        )
        paths = {
            "JUPYTER_PATH": os.pathsep.join(filter(None, [f"{folder}/jupyter", os.environ.get("JUPYTER_PATH")])),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
            "IPYTHONDIR": f"{folder}/ipython",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # silences a warning of the debugger that ipykernel loads
        }
        before = {name: os.environ.get(name) for name in paths}
        os.environ.update(paths)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def execute(notebook: str | Path, out: str | Path, tables: str | Path) -> None:
    """Run ``notebook`` with its parameter ``study`` set to the folder ``tables``, and write ``out`` atomically.

    The parameter is passed relative to the notebook's folder, so that no path of this machine enters the result.
    Raises NotebookError where the notebook or the tables are not there, where the notebook has no such parameter, or
    naming the cell that failed.
    """
    import papermill

    notebook, out, tables = Path(notebook), Path(out), Path(tables)
    if not notebook.is_file():
        raise NotebookError(f"{notebook}: no such notebook")
    if not tables.is_dir():
        raise NotebookError(f"{notebook}: {tables}: no such tables folder")
    _check_parameter(notebook, "study")
    folder = notebook.resolve().parent
    relative = Path(os.path.relpath(tables.resolve(), folder)).as_posix()
    with atomic_path(out) as temporary, _kernel_of_this_python():
        try:
            papermill.execute_notebook(
                str(notebook),
                str(temporary),
                parameters={"study": relative},
                kernel_name="python3",
                language="python",
                cwd=str(folder),
                progress_bar=False,
            )
        except papermill.PapermillExecutionError as error:
            lines = [line for line in error.source.splitlines() if line.strip()]
            where = f"cell {error.cell_index + 1} ({lines[0].strip() if lines else 'empty'})"
            raise NotebookError(f"{notebook}: {where} failed: {error.ename}: {error.evalue}") from None
        _forget_times(temporary)


def _check_parameter(notebook: Path, name: str) -> None:
    """Raise NotebookError unless one cell is tagged ``parameters`` and assigns ``name``.

    Papermill would run the notebook with the values that are stored in it, and warn at most.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise NotebookError(f"{notebook}: not a notebook in JSON") from None
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise NotebookError(
            f"{notebook}: {len(tagged) or 'no'} cells are tagged 'parameters'; expected one, which assigns {name!r} "
            "(in JupyterLab: the cell's property inspector, Cell Tags)"
        )
    names = _assigned(_text(tagged[0]["source"]))
    if name not in names:
        raise NotebookError(
            f"{notebook}: unknown parameter {name!r}: the cell tagged 'parameters' assigns "
            f"{', '.join(names) or 'nothing'}"
        )


def _assigned(code: str) -> list[str]:
    """Names that a cell of plain assignments assigns."""
    targets: list[ast.expr] = []
    for node in ast.parse("\n".join(line for line in code.splitlines() if not line.startswith("%"))).body:
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _forget_times(path: Path) -> None:
    """Remove papermill's paths and times from an executed notebook, in place, and make its pictures small."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    content["metadata"].pop("papermill", None)
    for number, cell in enumerate(content["cells"]):
        cell["metadata"].pop("papermill", None)
        cell["metadata"].pop("execution", None)
        for output in cell.get("outputs", []):
            _shrink(output.get("data", {}))
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["id"] = f"injected-{number}"  # papermill draws a random one
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _shrink(data: dict[str, Any]) -> None:
    """A PNG among an output's forms as figures are saved: with a palette, or, of many colours, as JPEG."""
    if "image/png" not in data:
        return
    picture = Image.open(BytesIO(b64decode(_text(data["image/png"])))).convert("RGB")
    bytes_, name = BytesIO(), "image/png"
    if picture.getcolors(CHART_COLOURS) is None:
        name = "image/jpeg"
        picture.save(bytes_, "JPEG", quality=QUALITY, optimize=True)
    else:
        palette = picture.quantize(PNG_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        palette.save(bytes_, "PNG", optimize=True)
    del data["image/png"]
    data[name] = b64encode(bytes_.getvalue()).decode()
