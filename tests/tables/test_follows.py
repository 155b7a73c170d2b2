"""The last words of the notebooks say what the tables say, and no more."""

from pathlib import Path

import pandas as pd

from echo.tables import follows
from echo.tables.build import build_tables
from echo.tables.results import Results
from tests.synthetic import write_tables

TEXTS = ("answer", "replay_and_return", "length_and_cost", "cases", "probes", "certificates", "statistics", "judges")
ROWS = [
    ("i2v", "context", "I2V", False, 0), ("context_k5", "context", "Context K=5", True, 500),
    ("context_k20", "context", "Context K=20", True, 2000),
    ("copy_best", "reference", "copy of the best past frame", True, 900),
]  # fmt: skip


class Made(Results):
    """Tables from data frames."""

    def __init__(self, **frames: pd.DataFrame) -> None:
        self.frames, self.folder = frames, Path("made")

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frames[name].copy()


def rows():
    return pd.DataFrame(ROWS, columns=["row_name", "family", "label", "remembers", "kept_numbers"])


def compared(*lines, train_seeds=3):
    """Rows of ``differences``: (row, measure, difference, p_holm)."""
    known = rows().set_index("row_name")
    return pd.DataFrame([
        {"row_name": row, "label": known.loc[row, "label"], "family": known.loc[row, "family"], "branch": "revisit_far",
         "measure": measure, "reference": "i2v", "difference": difference, "p_holm": p, "train_seeds": train_seeds}
        for row, measure, difference, p in lines
    ])  # fmt: skip


def against(*lines):
    """Rows of ``against_references``: (row, measure, low, high)."""
    columns = ["row_name", "measure", "low", "high"]
    return pd.DataFrame(lines, columns=columns).assign(branch="revisit_far", reference="copy_best")


def measured(**values):
    """Cases of the far revisit: each row's PSNR by room."""
    return pd.DataFrame([
        {"row_name": row, "train_seed": -1 if row == "copy_best" else 0, "branch": "revisit_far", "scene": f"room_{i}",
         "case": f"case_{i}", "psnr": value}
        for row, each in values.items() for i, value in enumerate(each)
    ])  # fmt: skip


def test_every_text_can_be_written_of_any_study(tmp_path):
    write_tables(tmp_path, rows=("i2v", "context_k5", "spatial"), cases=4)
    build_tables(tmp_path, resamples=100)
    for text in TEXTS:
        said = getattr(follows, text)(Results(tmp_path))
        assert said.startswith("- ") and "nan" not in said
        assert said._repr_markdown_() == said


def test_a_row_that_only_may_be_better_is_not_named():
    differences = compared(
        ("context_k5", "psnr", 2.0, 0.01), ("context_k20", "psnr", 3.0, 0.06), ("copy_best", "psnr", 4.0, 0.0)
    )
    said = follows.answer(Made(differences=differences, against_references=against()))
    assert "1 of 2 rows are better than `i2v` beyond chance, in PSNR: Context K=5." in said
    assert "copy of the best past frame was not measured" in said and "training seed" not in said


def test_a_row_that_is_worse_beyond_chance_is_not_better():
    said = follows.answer(Made(differences=compared(("context_k5", "psnr", -2.0, 0.01)), against_references=against()))
    assert "0 of 1 rows" in said and "in PSNR: none." in said


def test_above_a_copy_is_an_interval_beyond_0_on_the_better_side():
    differences = compared(("context_k5", "psnr", 2.0, 0.01), ("context_k20", "psnr", 3.0, 0.01), train_seeds=1)
    lines = against(
        ("context_k5", "psnr", 0.1, 0.5), ("context_k5", "lpips", 0.01, 0.02),
        ("context_k20", "psnr", -0.1, 0.5), ("context_k20", "lpips", -0.02, -0.01),
    )  # fmt: skip
    said = follows.answer(Made(differences=differences, against_references=lines))
    assert "in PSNR: Context K=5; in LPIPS: Context K=20; in both: none." in said
    assert "One training seed" in said


def test_the_cheapest_of_those_that_are_not_told_apart_is_named():
    tight = [20.0, 21, 22, 23, 24, 25]
    same = measured(i2v=[v - 5 for v in tight], context_k5=[v + (-1) ** i * 0.1 for i, v in enumerate(tight)],
                    context_k20=[v + 0.01 for v in tight], copy_best=[v + 9 for v in tight])  # fmt: skip
    said = follows.length_and_cost(Made(cases=same, rows=rows()))
    assert "Context K=20 is best in PSNR, with 22.5 dB and 2,000 numbers kept." in said
    assert "Not told apart from it: Context K=5." in said and "Context K=5 keeps the fewest numbers, 500." in said
    store = rows().assign(kept_numbers=149350)
    assert "All of them keep as many." in follows.length_and_cost(Made(cases=same, rows=store))
    apart = measured(i2v=tight, context_k5=[v + 1 for v in tight], context_k20=[v + 2 for v in tight])
    said = follows.length_and_cost(Made(cases=apart, rows=rows()))
    assert "Not told apart from it: none." in said and "Context K=20 keeps the fewest numbers, 2,000." in said


def test_rooms_are_counted_against_the_copy():
    table = measured(i2v=[10, 10, 10], context_k5=[20, 21, 25], context_k20=[9, 9, 9], copy_best=[21, 20, 20])
    said = follows.cases(Made(cases=table, rows=rows()))
    assert "Context K=5, the best row on the whole, is nearer to the truth" in said
    assert "in 2 of 3 rooms." in said
    assert "from −1.0 dB (room room_0) to 5.0 dB (room room_2)" in said


def probed(*lines):
    """Rows of ``probes_table``: (row, change, verdict, swap, keep_seen, keep_unseen)."""
    names = ["row_name", "erase_value", "verdict", "swap_drop", "keep_seen_drop", "keep_unseen_drop"]
    table = pd.DataFrame(lines, columns=names).merge(rows(), on="row_name")
    return table.assign(swap_value=table["erase_value"], threshold=0.5)


def test_who_moves_and_who_remembers_are_two_things():
    table = probed(
        ("i2v", 0.0, "inert, as it should be", 0, 0, 0), ("context_k5", 3.0, "remembers", 2.0, -0.01, 1.5),
        ("context_k20", 0.6, "inert: no effect is shown", 0.0, 0.0, 0.0),
    )  # fmt: skip
    moved, worth = follows.probes(Made(probes_table=table)), follows.certificates(Made(probes_table=table))
    assert "as they should be: Context K=5, Context K=20." in moved and "none of them moved" in moved
    assert (
        "by its interval: Context K=5 (2.00 dB)." in worth and "they lose 0.0 dB, left only the others 1.5 dB" in worth
    )
    assert "No effect is shown for Context K=20" in worth
    table.loc[table["row_name"] == "i2v", "swap_value"] = 2
    assert "These moved: I2V" in follows.probes(Made(probes_table=table))


def test_contrasts_that_are_told_are_counted():
    line = {"branch": "revisit_far", "measure": "psnr", "row_name": "context_k5", "other": "i2v", "detectable": 0.5,
            "train_seeds": 3}  # fmt: skip
    named = pd.DataFrame(
        [line | {"p_holm": 0.01}, line | {"row_name": "context_k20", "p_holm": 0.2, "detectable": 1.25}]
    )
    said = follows.statistics(Made(contrasts=named))
    assert "Far revisit, PSNR: 1 of 2 named contrasts are beyond chance (`context_k5` and `i2v`)" in said
    assert "0.50 to 1.25" in said
    assert "No contrast was named" in follows.statistics(Made(contrasts=named.iloc[:0]))


def test_the_pair_of_judges_that_agrees_least_is_named():
    pair = {
        "judge": "one",
        "other": "two",
        "branch": "all",
        "score": "total",
        "statistic": "rows",
        "low": 0.1,
        "high": 1,
    }
    table = pd.DataFrame([pair | {"value": 0.9}, pair | {"other": "three", "value": 0.3}])
    said = follows.judges(Made(agreement=table))
    assert "3 judges" in said and "at least 0.30 (0.10 to 1.00), its value for `one` and `three`" in said
    assert "One judge" in follows.judges(Made(agreement=table.iloc[:0]))
