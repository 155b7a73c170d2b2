"""Every figure draws, from full and from incomplete tables; its digest follows its code and nothing else."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from echo import figures
from echo.figures import FigureError, style
from echo.study import provenance
from echo.study.provenance import code_digest
from echo.study.words import BRANCHES

NAMES = figures.names()
CHOSEN = ("return_cases",)  # of each family one row
LEVELS = ("answer", "context_length_and_cost", "drift", "replay_against_return")  # figures with reference rows as lines


def texts(figure):
    """All visible text of a figure and, by name of the label, how far it reaches beyond the figure's edge."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    found = {}
    for text in figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_visible()):
        if text.get_text().strip():
            box = text.get_window_extent(renderer)
            found[text.get_text()] = max(-box.x0, -box.y0, box.x1 - width, box.y1 - height)
    return found


def test_names_are_the_modules_that_declare_what_they_read(copied):
    """A new module with READS and draw is a figure; helpers are none, and nothing else has to name it."""
    assert {"answer", "pool"} <= set(NAMES) and not {"style", "notebook", "__init__"} & set(NAMES)
    (copied / "extra.py").write_text('READS = ("rows.csv",)\n\n\ndef draw(tables):\n    return None\n')
    (copied / "helper.py").write_text("SHADE = 1\n")
    assert set(figures.names()) == {*NAMES, "extra"}
    assert figures.reads("extra") == ("rows.csv",)


def fits_a_page(figure):
    """Whether it is no larger than a page of a journal, and its text can be read there; the title is the caption's."""
    width, height = figure.get_size_inches()
    written = figure.findobj(lambda artist: hasattr(artist, "get_fontsize") and artist.get_visible())
    smallest = min(text.get_fontsize() for text in written if text.get_text().strip())
    assert width <= style.PAGE + 1e-9 and height <= 9.6 and smallest >= style.SMALLEST
    assert not figure.get_suptitle()
    return True


@pytest.mark.parametrize("name", NAMES)
def test_draws_all_rows_on_a_page_with_no_label_cut_off_from_the_files_that_it_declares(full, name, tmp_path):
    for file in figures.reads(name):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(full / file, tmp_path / file)
    figure = figures.draw(name, tmp_path)
    found = texts(figure)
    assert found and fits_a_page(figure)
    number = re.compile(r"[-\d.]+|\$.*\$")  # matplotlib keeps, and does not draw, ticks beyond an axis' limits
    hidden = {text: beyond for text, beyond in found.items() if beyond > 1.5 and not number.fullmatch(text)}
    assert not hidden
    if "rows.csv" in figures.reads(name):
        rows = pd.read_csv(full / "rows.csv")
        shown = rows if name in LEVELS else rows[rows["family"] != "reference"]
        if name in CHOSEN:
            assert "I2V" in found
            there = shown[[any(label in text for text in found) for label in shown["label"]]]
            assert len(there) == 1 + shown["family"].nunique() and set(there["family"]) == set(shown["family"])
            return
        for label in shown["label"]:
            assert any(label in text for text in found), label


@pytest.fixture(scope="module")
def elsewhere(small, tmp_path_factory):
    """Every figure of four rows as another process draws it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    program = (
        "import sys, pathlib, echo.figures as f\n"
        "tables, out = map(pathlib.Path, sys.argv[1:])\n"
        "[f.draw_to(name, tables, out / f'{name}.png') for name in f.names()]"
    )
    subprocess.run([sys.executable, "-c", program, str(small), str(folder)], check=True)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_draws_four_rows_to_the_bytes_that_another_process_draws(small, elsewhere, name, tmp_path):
    figures.draw_to(name, small, tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.width > 300 and np.asarray(picture).std() > 5
    assert (tmp_path / "one.png").read_bytes() == (elsewhere / f"{name}.png").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["one.png"]


@pytest.mark.parametrize("name", NAMES)
def test_draws_where_rows_branches_and_costs_are_missing(gappy, name):
    """What was measured is still drawn, and what was not is no number: neither 0 nor the word nan."""
    found = texts(figures.draw(name, gappy))
    assert not [text for text in found if "nan" in text.lower().replace("duckie", "")]
    if "rows.csv" in figures.reads(name):
        for label in ("I2V", "Context K=5"):  # measured wherever any row is
            assert any(label in text for text in found), label


def test_missing_estimates_leave_no_mark(gappy):
    """ssm_blockwise was not probed, spatial not measured on recall: their rows of the figures stay empty."""
    table = pd.read_csv(gappy / "probes_table.csv")
    axes = figures.draw("probes", gappy).axes[0]
    marks = {round(float(y)) for line in axes.lines if line.get_marker() in ("o", "D") for y in line.get_ydata()}
    assert marks == set(table.index[table["erase_value"].notna()]) and len(marks) == len(table) - 1


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FigureError, match="figure drift: .*drift.csv is not there"):
        figures.draw("drift", tmp_path)


def test_a_study_without_some_branches_has_the_figures_that_need_no_pictures_of_them(small, tmp_path):
    assert figures.files() == figures.files(BRANCHES)
    assert set(figures.files()) - set(figures.files(["recall"])) == {"replay_strip.jpg"}
    assert set(figures.files()) - set(figures.files(["replay"])) == {"return_cases.jpg"}
    assert figures.reads("return_cases", ["recall"]) == ("samples/recall.npz", "cases.csv.xz", "rows.csv")
    shutil.copytree(small, tmp_path / "tables")
    (tmp_path / "tables" / "samples" / "return_strict.npz").unlink()
    both, recall = (texts(figures.draw("return_cases", tables)) for tables in (small, tmp_path / "tables"))
    assert "strict\nreturn" in both and "strict\nreturn" not in recall and "recall" in recall
    (tmp_path / "tables" / "samples" / "recall.npz").unlink()
    with pytest.raises(FigureError, match="figure return_cases: .*recall.npz is not there"):
        figures.draw("return_cases", tmp_path / "tables")


def test_unknown_figure_is_named_with_those_there_are():
    with pytest.raises(FigureError, match="unknown figure 'aswer'; there are agreement, answer, "):
        figures.reads("aswer")


def test_missing_array_is_named(small, tmp_path):
    (tmp_path / "samples").mkdir()
    np.savez(tmp_path / "samples" / "pool.npz", images=np.zeros((1, 2, 8, 8, 3), np.uint8))
    with pytest.raises(FigureError, match="pool.npz: no array 'labels'"):
        figures.draw("pool", tmp_path)


def test_labels_are_drawn_as_they_are(small, tmp_path):
    """A dollar sign would begin a formula, which matplotlib may fail to parse."""
    known = pd.read_csv(small / "rows.csv")["label"]
    odd = dict(zip(known, ["$x", "$\\frac{$", "costs $5 and $6", "100 %_^{}"], strict=True))
    shutil.copytree(small, tmp_path / "tables")
    for path in (tmp_path / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        if "label" in table:
            table["label"] = table["label"].replace(odd)
            table.to_csv(path, index=False)
    for name in NAMES:
        shown = texts(figures.draw(name, tmp_path / "tables"))
        for label in odd.values() if "rows.csv" in figures.reads(name) else ():
            assert any(style.literal(label) in text for text in shown), (name, label)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The figures' sources in a folder that a test may edit."""
    package = tmp_path / "echo"
    shutil.copytree(figures.FOLDER.parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(figures, "FOLDER", package / "figures")
    monkeypatch.setattr(provenance, "ROOT", package)
    return package / "figures"


def edit(path, old, new):
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new, 1))


def digest_of(name: str) -> str:
    """What the workflow redraws a figure by."""
    return code_digest(f"echo.figures.{name}")


def test_digest_is_blind_to_comments_docstrings_and_formatting(copied):
    before = {name: digest_of(name) for name in NAMES}
    edit(copied / "drift.py", '"""Drift: ', '"""# Another docstring: ')
    edit(
        copied / "drift.py",
        "    rows = style.read_rows(tables)\n",
        "    # why\n\n    rows = (style.read_rows( tables))\n",
    )
    edit(copied / "style.py", "REFERENCE_COLOUR = ", "REFERENCE_COLOUR   =   ")
    assert {name: digest_of(name) for name in NAMES} == before


def test_digest_of_one_figure_alone_changes_with_its_code(copied):
    before = {name: digest_of(name) for name in NAMES}
    edit(copied / "drift.py", '"alpha": 0.1', '"alpha": 0.2')
    after = {name: digest_of(name) for name in NAMES}
    assert [name for name in NAMES if after[name] != before[name]] == ["drift"]


def test_digest_of_every_figure_changes_with_the_style(copied):
    before = {name: digest_of(name) for name in NAMES}
    edit(copied / "style.py", '"font.size": 7.5', '"font.size": 9')
    assert all(digest_of(name) != before[name] for name in NAMES)


def test_digest_follows_what_a_figure_imports(copied):
    before = digest_of("pool"), digest_of("drift")
    (copied / "helper.py").write_text("SHADE = 1\n")
    edit(copied / "pool.py", "from echo.figures import FigureError, style", "from echo.figures import FigureError, "
         "helper, style")  # fmt: skip
    with_helper = digest_of("pool")
    edit(copied / "helper.py", "SHADE = 1", "SHADE = 2")
    assert len({before[0], with_helper, digest_of("pool")}) == 3
    assert digest_of("drift") == before[1]


def test_what_a_workflow_asks_needs_no_matplotlib():
    program = (
        "import sys, echo.figures as f; [(f.reads(n)) for n in f.names()]; "
        "print(sorted({'matplotlib', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"


def test_drawing_imports_that_figure_alone_and_no_torch(full):
    program = (
        f"import sys, echo.figures as f; f.draw('probes', {str(full)!r}); "
        "print(*(m for m in sys.modules if m.startswith('echo.figures.') or m == 'torch'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"echo.figures.probes", "echo.figures.style"}
