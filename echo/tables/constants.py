"""The constants of every row (the paper's Table 2): as the study sets them, as the paper and its release say them.

``reference/constants.csv`` holds what the paper's Table 2 says and what its released recipes, code and notes on weights
say, under the names of our configuration (``*``: all rows); ``reference/released_recipes.csv`` the recipes row by row;
``reference/paper_tables.csv`` the paper's K. ``config/paper.yaml`` and ``docs/released.md`` discuss disagreements.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from echo.study.config import Study
from echo.tables.cells import MISSING, literal, markdown_table
from echo.tables.paper import paper, papers_name

REFERENCE = Path(__file__).parent / "reference"
SHARED = (  # keys of the study that all rows share
    "segment.frames", "backbone.layout", "codec.temporal", "evidence.policy", "evidence.drop", "train.steps",
    "train.batch", "train.adamw_lr", "train.timestep_shift", "train.spike", "sampler.steps",
)  # fmt: skip
RECIPES = {  # constant: column of the released recipes, row by row
    "evidence.policy": "evidence_source", "evidence.drop": "context_drop_prob", "frames": "context_frames",
    "mixture": "mixture_of_contexts", "train.timestep_shift": "timestep_shift",
}  # fmt: skip
NAMES = ("name", "family", "label", "seed_stream")  # of a profile: what it is, no constant of its memory
COLUMNS = ["row_name", "constant", "value"]
TABLE_COLUMNS = ["table", "row_name", "label", "constant", "value", "paper", "release", "sources"]
AGREE, DISAGREE = "agree", "disagree"


def constants(study: Study) -> pd.DataFrame:
    """A line (``COLUMNS``) for each row of the study and constant: what all rows share, then the row's own profile."""
    lines = []
    for row, profile in study.profiles.items():
        for key in SHARED:
            section, name = key.split(".")
            value = getattr(getattr(study, section), name)
            if key == "train.adamw_lr":
                value = study.train.row_lr.get(row, value)
            lines.append((row, key, plain(value)))
        own = profile.model_dump(mode="json", exclude=set(NAMES))
        lines += [(row, key, plain(value)) for key, value in own.items()]
    return pd.DataFrame(lines, columns=COLUMNS)


def plain(value: Any) -> str:
    """A value as the table has it: yes or no for a truth, a number without idle digits, commas in a list."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def table2(set_to: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The paper's Table 2, ours beside it: a line (``TABLE_COLUMNS``) for each row and constant.

    ``set_to``: what ``constants`` gave. ``paper`` and ``release`` are empty where they do not say; ``sources`` says
    whether the two agree where both do.
    """
    labels = dict(zip(rows["row_name"], rows["label"], strict=True))
    lines = []
    for line in set_to.itertuples():
        said = [source(str(line.row_name), str(line.constant)) for source in (papers, released)]
        both = all(said)
        agree = AGREE if said[0] == said[1] else DISAGREE
        label = labels.get(line.row_name, line.row_name)
        lines.append((2, line.row_name, label, line.constant, line.value, *said, agree if both else ""))
    return pd.DataFrame(lines, columns=TABLE_COLUMNS)


def constants_page(table: pd.DataFrame) -> str:
    """The part of the page of tables that is Table 2.

    Rows that are set alike, and of which the sources say the same, share a line; a disagreement is in bold.
    """
    columns, order = ["constant", "value", "paper", "release", "sources"], list(dict.fromkeys(table["constant"]))
    count = table["row_name"].nunique()
    groups = sorted(table.groupby(columns, sort=False)["row_name"], key=lambda group: order.index(group[0][0]))
    lines = [
        [f"`{constant}`", literal(value), *(literal(said) or MISSING for said in (papers, released)),
         f"**{sources}**" if sources == DISAGREE else sources or MISSING,
         "all" if len(own) == count else ", ".join(f"`{row}`" for row in own)]
        for (constant, value, papers, released, sources), own in groups
    ]  # fmt: skip
    text = (
        "## Table 2: constants\n\nAs this study sets them (config/README.md has every key), as the paper's Table 2 has "
        "them, and as its released recipes and notes say.\n\n"
    )
    return text + markdown_table(["constant", "here", "paper", "release", "sources", "rows"], lines)


def papers(row: str, constant: str) -> str:
    """What the paper says, or nothing: its Table 2, and its K."""
    row = papers_name(row)
    if row not in paper().index:
        return ""
    if constant == "frames":
        k = paper().loc[row, "K"]
        return "" if pd.isna(k) else plain(float(k))
    return _typed("paper", row, constant)


def released(row: str, constant: str) -> str:
    """What the release says, or nothing: the row's recipe, else what holds of all."""
    row = papers_name(row)
    if row not in _recipes().index:
        return ""
    column = RECIPES.get(constant)
    said = _recipes().loc[row, column] if column else ""
    return said or _typed("release", row, constant)


def _typed(source: str, row: str, constant: str) -> str:
    table = _constants()
    here = table[(table["constant"] == constant) & table["row_name"].isin([row, "*"])]
    own = here[here["row_name"] == row]
    found = own if len(own) else here
    return str(found[source].iloc[0]) if len(found) else ""


@cache
def _constants() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "constants.csv", dtype=str, keep_default_na=False)


@cache
def _recipes() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "released_recipes.csv", dtype=str, keep_default_na=False).set_index("row")
