"""How far the judges of a study agree, for every pair of them; the paper's Table 3, and more.

Compared are the cases of trained rows that both judges gave a score; what one of them left out is counted. Reference
rows are left out: copies and blanks are told from each other by any judge, and would make all of them look alike.
Intervals are over rooms (``echo.tables.resampling``), all judges on the same draws; training seeds are pooled, as what
is asked is how two judges see the same frames and not how trainings differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from echo.io.seeding import generator
from echo.study.references import FAMILY
from echo.tables.resampling import limits, room_weights
from echo.tables.two_judges import STATISTICS, Pairs

PAPERS = Path(__file__).parent / "reference" / "paper_judges.csv"
PAPERS_BRANCH = "return_45"
ALL = "all"  # in the place of a branch: all that return
SCORES = {"total": "score", "appearance": "appearance", "presence": "presence", "view": "view", "scene": "scene_score"}
TOPS = {"total": 100.0, **dict.fromkeys(("appearance", "presence", "view", "scene"), 5.0)}
CASE = ["row_name", "train_seed", "branch", "case", "scene"]
COLUMNS = ["judge", "other", "branch", "score", "statistic", "value", "low", "high", "pairs", "judge_missing",
           "other_missing", "rows", "scenes"]  # fmt: skip
TABLE3_COLUMNS = ["source", "judge", "against", "mean", "std", "difference", "difference_low", "difference_high",
                  "pearson", "pearson_low", "pearson_high", "cases"]  # fmt: skip


def agreement(judgements: pd.DataFrame, rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """A line (``COLUMNS``) for each pair of judges, branch, score and statistic of ``two_judges``.

    branch: ``ALL``, and the paper's own. judge_missing, other_missing: cases in which that judge gave no such score.
    rows, scenes: behind ``pairs``. Empty for a study of one judge.
    """
    trained = _trained(judgements, rows)
    judges = list(dict.fromkeys(trained["judge_name"]))
    lines = []
    for branch in (ALL, PAPERS_BRANCH):
        here = trained if branch == ALL else trained[trained["branch"] == branch]
        if here.empty or len(judges) < 2:
            continue
        scenes = np.unique(here["scene"].to_numpy(str))
        drawn = room_weights(len(scenes), resamples, generator(seed, "tables", "agreement", branch))
        weights = np.vstack([np.ones(len(scenes)), drawn])
        by_judge = {judge: own.set_index(CASE) for judge, own in here.groupby("judge_name", sort=False)}
        for judge, other in combinations(judges, 2):
            for score, column in SCORES.items():
                both = pd.concat([by_judge[judge][column], by_judge[other][column]], axis=1, keys=["one", "two"])
                about = {"judge": judge, "other": other, "branch": branch, "score": score}
                lines += [{**about, **line} for line in _lines(both.reset_index(), scenes, weights, TOPS[score])]
    return pd.DataFrame(lines, columns=COLUMNS)


def table3(judgements: pd.DataFrame, rows: pd.DataFrame, agreed: pd.DataFrame) -> pd.DataFrame:
    """The paper's Table 3 (``TABLE3_COLUMNS``), ours below it: each judge, and how far it is from the first one.

    Totals of 100 on the paper's branch. mean, std: over cases of trained rows. The paper has no intervals, and compares
    with its Qwen3-VL; ours compares with ``evaluate.judge``.
    """
    papers = pd.read_csv(PAPERS).rename(columns={"mean_abs_diff_vs_qwen": "difference", "pearson_vs_qwen": "pearson"})
    papers = papers.assign(source="paper", against=papers["judge"].iloc[0])
    trained = _trained(judgements, rows)
    here = trained[trained["branch"] == PAPERS_BRANCH]
    ours = []
    for judge, own in here.groupby("judge_name", sort=False):
        main, scores = here["judge_name"].iloc[0], own["score"].dropna()
        line = {"source": "ours", "judge": judge, "against": main, "mean": scores.mean(), "std": scores.std()}
        pair = agreed[(agreed["judge"] == main) & (agreed["other"] == judge) & (agreed["branch"] == PAPERS_BRANCH)]
        pair = pair[pair["score"] == "total"].set_index("statistic")
        for name in ("difference", "pearson") if len(pair) else ():
            line |= {name: pair.at[name, "value"]}
            line |= {f"{name}_{end}": pair.at[name, end] for end in ("low", "high")}
        ours.append({**line, "cases": len(scores)})
    table = pd.concat([papers, pd.DataFrame(ours, columns=TABLE3_COLUMNS)], ignore_index=True)
    return table.reindex(columns=TABLE3_COLUMNS).astype({"cases": "Int64"})


def _trained(judgements: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Judgements of trained rows."""
    return judgements[judgements["row_name"].isin(rows.loc[rows["family"] != FAMILY, "row_name"])]


def _lines(both: pd.DataFrame, scenes: np.ndarray, weights: np.ndarray, top: float) -> Iterator[dict[str, object]]:
    """A line for each statistic of the scores ``one`` and ``two`` of cases; the first weights are of all rooms."""
    given = both.dropna(subset=["one", "two"])
    rows = given["row_name"].unique()
    one, two = (given[side].to_numpy(np.float64) for side in ("one", "two"))
    room = np.searchsorted(scenes, given["scene"].to_numpy(str))
    row = pd.Categorical(given["row_name"], rows).codes.astype(np.int64)
    pairs = Pairs(one, two, room, row, top)
    missing = {f"{name}_missing": int(both[side].isna().sum()) for name, side in (("judge", "one"), ("other", "two"))}
    counts = {"pairs": len(given), **missing, "rows": len(rows), "scenes": given["scene"].nunique()}
    found = pairs.agreement(weights)
    for name in STATISTICS:
        value, drawn = float(found[name][0]), found[name][1:]
        known = drawn[np.isfinite(drawn)]
        low, high = limits(known) if len(known) and np.isfinite(value) and counts["scenes"] > 1 else (np.nan, np.nan)
        yield {"statistic": name, "value": value, "low": low, "high": high, **counts}
