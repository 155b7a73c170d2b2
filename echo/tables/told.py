"""One study's tables as far as findings need them, and which studies the page of findings is about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from echo.study.provenance import read_record
from echo.tables.cells import number
from echo.tables.files import FINDINGS_READ, REPORTED
from echo.tables.findings import DISAGREE, FINDINGS, OPEN, OUTCOMES, disagree, told
from echo.tables.paper import papers_name
from echo.tables.read import TableError
from echo.tables.realism import ALL

FLAT = "mean_colour"  # the reference row that draws one colour
TITLES = (*(finding.title for finding in FINDINGS), DISAGREE)


@dataclass(frozen=True)
class Told:
    """One study's tables, as far as findings need them. ``policy``: how its past frames reach a memory."""

    name: str
    policy: str
    folder: str
    contrasts: pd.DataFrame
    ranks: pd.DataFrame
    rows: pd.DataFrame
    probes: pd.DataFrame
    realism: pd.DataFrame

    @property
    def seeds(self) -> int:
        """Training seeds behind its contrasts."""
        return int(self.contrasts["train_seeds"].max()) if len(self.contrasts) else 0

    @property
    def heading(self) -> str:
        """Its column's heading."""
        return f"{self.policy} (`{self.name}`)"

    def verdict(self, title: str, branch: str, measure: str) -> str:
        """Whether a finding holds on an outcome."""
        for finding in FINDINGS:
            if finding.title == title:
                return told(finding, self.contrasts, branch, measure)
        return disagree(self.ranks, branch, measure)


def read_told(tables: Path) -> Told:
    """Read one study's tables; raises TableError, naming the file, where one is not there or names no policy."""
    for name in FINDINGS_READ:
        if not (tables / name).is_file():
            raise TableError(f"{tables / name}: no such file; findings read {', '.join(FINDINGS_READ)} of each study")
    config = read_record(tables / "record.json").get("config", {})
    if "policy" not in config.get("evidence", {}):
        raise TableError(f"{tables / 'record.json'}: no config.evidence.policy; the stage `tables` writes it")
    frames = [_papers_names(pd.read_csv(tables / name)) for name in FINDINGS_READ if name.endswith(".csv")]
    return Told(config["study"], config["evidence"]["policy"], tables.as_posix(), *frames)


def _papers_names(frame: pd.DataFrame) -> pd.DataFrame:
    """With rows as released under the names of the paper's rows, so that studies stand side by side."""
    return frame.assign(row_name=frame["row_name"].map(papers_name)) if "row_name" in frame else frame


def reported(results: Path) -> list[Path]:
    """The tables folders of ``REPORTED`` that are in the folder ``results``."""
    folders = [results / one.study / "tables" for one in REPORTED.values()]
    return [folder for folder in folders if (folder / "contrasts.csv").is_file()]


def unsaid(one: Told) -> list[str]:
    """What its tables cannot say, a sentence each."""
    return [text for text in (_ruined(one), _open(one), _unlearnt(one), _unreal(one)) if text]


def _ruined(one: Told) -> str:
    """Rows whose pictures are no nearer to true frames than one flat colour, by the intervals of that distance."""
    here = one.realism[one.realism["branch"] == ALL].set_index("row_name")
    if FLAT not in here.index:
        return ""
    rows = here.index.isin(one.probes["row_name"]) & (here["high"] >= here.loc[FLAT, "low"])
    if not rows.any():
        return ""
    listed = ", ".join(f"`{name}` ({number(value, 2)})" for name, value in here.loc[rows, "value"].items())
    return (
        f"anything by a contrast with {listed}: in kernel distance its pictures are as far from true frames as one "
        f"flat colour ({number(here.loc[FLAT, 'value'], 2)}), so that the contrast is about that failure and no memory."
    )


def _open(one: Told) -> str:
    titles = [title for title in TITLES if OPEN in {one.verdict(title, *outcome) for outcome in OUTCOMES}]
    return f"{', '.join(titles)} cannot be told by every outcome." if titles else ""


def _unlearnt(one: Told) -> str:
    inert = one.probes[one.probes["remembers"] & ~one.probes["verdict"].str.startswith("remembers")]
    return f"whether {', '.join(inert['label'])} cannot remember or have not learnt yet." if len(inert) else ""


def _unreal(one: Told) -> str:
    real = one.realism[one.realism["branch"] == ALL].set_index("row_name")
    if not {"i2v", "codec_ceiling"} <= set(real.index):
        return ""
    values = [number(value, 2) for value in (*real.loc[["i2v", "codec_ceiling"], "value"], real.loc["i2v", "floor"])]
    return (
        f"what a generator would do that invents plausible rooms. The kernel distance of `i2v` to true frames is "
        f"{values[0]}, the codec's own {values[1]}, that of true frames among themselves at most {values[2]}."
    )
