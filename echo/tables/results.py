"""A study's tables as data frames, by name: ``echo.tables.load("mini")["summary"]``."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pandas as pd

from echo.tables.read import OWN_TEXTS, TEXTS, TableError

ROOT = Path(__file__).resolve().parent.parent.parent
SUFFIXES = (".csv", ".csv.xz", ".parquet")
INJECTED = "# Parameters\n"  # how papermill's cell of parameters begins


class Results(os.PathLike[str]):
    """The tables of one study. It stands for its folder wherever a path to tables is taken (``figures.draw``).

    ``folder`` is that folder, ``project`` this project's.
    """

    project = ROOT

    def __init__(self, study: str | Path) -> None:
        """Of a study's name in ``results/``, or of its folder, or of its folder of tables.

        Raises TableError, with the names there are, where none of them has tables; and in a notebook that papermill
        was given a parameter for which it has no variable, as papermill only warns.
        """
        _refuse_unknown_parameters()
        results = ROOT / "results"
        for folder in (Path(study), Path(study, "tables"), results / study / "tables"):
            if (folder / "rows.csv").is_file():
                self.folder = folder
                return
        there = ", ".join(sorted(path.parent.parent.name for path in results.glob("*/tables/rows.csv")))
        raise TableError(
            f"study {str(study)!r}: no tables; expected a name in results/ ({there}) or a folder of tables"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its tables; ``echo.tables`` and ``echo.tables.build`` say what each holds."""
        files = (path for suffix in SUFFIXES for path in self.folder.glob(f"*{suffix}"))
        return tuple(sorted(path.name.partition(".")[0] for path in files))

    def __getitem__(self, name: str) -> pd.DataFrame:
        """One table, read anew; raises TableError, with the names there are, for another name."""
        for path in (self.folder / f"{name}{suffix}" for suffix in SUFFIXES):
            if path.is_file():
                if path.suffix == ".parquet":
                    return pd.read_parquet(path)
                return pd.read_csv(path, dtype=dict.fromkeys((*TEXTS, *OWN_TEXTS.get(path.name, ())), str))
        raise TableError(f"{self.folder}: no table {name!r}; there are {', '.join(self.names)}")

    def paper_table(self, number: int) -> pd.DataFrame:
        """One of the paper's tables (1, 5 to 8) as it is printed: a line a row, ours and the paper's number by column.

        Columns that nobody has measured are left out, cells of which one side was not measured are empty.
        """
        table = self[f"table{number}"]
        table["column"] = table["branch"] + " " + table["measure"]
        sides = {"ours": "value", "paper": "paper"}
        parts = {side: table.pivot(index="label", columns="column", values=name) for side, name in sides.items()}
        columns = [(column, side) for column in table["column"].unique() for side in sides]
        wide = pd.concat(parts, axis=1).swaplevel(axis=1).reindex(index=table["label"].unique(), columns=columns)
        return wide.dropna(axis=1, how="all").rename_axis(index=None, columns=[None, None])

    def __fspath__(self) -> str:
        return os.fspath(self.folder)

    def __repr__(self) -> str:
        return f"{self.folder}: {', '.join(self.names)}"


def _refuse_unknown_parameters() -> None:
    """Raise TableError where papermill's cell of parameters sets what the notebook's own, before it, does not."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cells = [cell for cell in (shell.user_ns.get("In", []) if shell else []) if cell.strip()]
    injected = [number for number, cell in enumerate(cells) if cell.startswith(INJECTED)]
    if not injected or not injected[-1]:
        return
    given, known = (_assigned(cells[injected[-1] - before]) for before in (0, 1))
    for name in given:
        if name not in known:
            raise TableError(f"unknown parameter {name!r}; this notebook has {', '.join(known)}")


def _assigned(cell: str) -> list[str]:
    """Names that a cell assigns at its top."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:  # of a line for IPython alone
        return []
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]
