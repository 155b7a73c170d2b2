"""The figure of judges shows every pair, what both scored, and of one judge that it is alone."""

import pandas as pd

from echo import figures
from echo.tables.build import build_tables
from tests.synthetic import REFERENCES, write_tables


def shown(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_every_pair_of_judges_has_its_panels_with_the_tables_numbers(full):
    figure = figures.draw("agreement", full)
    table = pd.read_csv(full / "agreement.csv")
    pairs = list(dict.fromkeys(zip(table["judge"], table["other"], strict=True)))
    assert len(pairs) == 3 and len(figure.axes) == 6
    for axes, (judge, other) in zip(figure.axes[::2], pairs, strict=True):
        assert judge.startswith(axes.get_xlabel().rstrip("…")) and other.startswith(axes.get_ylabel().rstrip("…"))
        here = table.query("judge == @judge and other == @other and branch == 'all' and score == 'total'")
        pearson = here.set_index("statistic").loc["pearson"]
        assert (
            f"Pearson {pearson['value']:.2f} ({pearson['low']:.2f} to {pearson['high']:.2f})"
            in axes.texts[0].get_text()
        )


def test_points_are_returns_of_trained_rows_that_both_judges_scored(full, gappy):
    for folder in (full, gappy):
        judged = pd.read_csv(folder / "judgements.csv.xz")
        own = judged[~judged["row_name"].isin(REFERENCES)]
        both = own.pivot(index=["row_name", "train_seed", "branch", "case"], columns="judge_name", values="score")
        both = both[["embedded", "second"]].dropna()
        _, cases, means = figures.draw("agreement", folder).axes[0].lines
        assert sorted(zip(*cases.get_data(), strict=True)) == sorted(both.itertuples(index=False, name=None))
        assert len(means.get_xdata()) == own["row_name"].nunique()


def test_marks_stand_where_the_table_has_them(full):
    axes = figures.draw("agreement", full).axes[1]
    table = pd.read_csv(full / "agreement.csv").query("judge == 'embedded' and other == 'second'")
    for number, (branch, statistic) in enumerate(
        (branch, statistic) for branch in ("all", "return_45") for statistic in ("spearman", "alpha")
    ):
        line = [line for line in axes.lines if line.get_marker() in ("o", "D")][number]
        here = table[(table["branch"] == branch) & (table["statistic"] == statistic)]
        assert sorted(line.get_xdata()) == sorted(here["value"])


def test_one_judge_alone_is_said_to_be(small):
    figure = figures.draw("agreement", small)
    assert any("One judge alone: how far judges agree needs a second one" in text for text in shown(figure))
    bars = sum(bar.get_height() for bar in figure.axes[0].patches)
    assert bars == len(pd.read_csv(small / "judgements.csv.xz"))


def test_of_many_judges_the_studys_own_stands_against_each_other_one_on_a_page(tmp_path):
    judges = ("embedded", "second", "third", "fourth", "fifth")
    folder = write_tables(tmp_path, rows=("i2v", "context_k5", "spatial"), cases=4, judges=judges)
    build_tables(folder, resamples=50)
    figure = figures.draw("agreement", folder)
    assert [axes.get_xlabel() for axes in figure.axes[::2]] == ["embedded"] * 4
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == list(judges[1:])
    assert figure.get_size_inches()[1] <= 9.6
