import pytest

from echo.judge.people.answers import AnswersError, read_answers
from echo.judge.people.questions import COLUMNS
from echo.judge.rubric import Scores
from tests.judge.people.made import PAGE, line, write_answers

ONE, TWO = "p00000000000000a1", "p00000000000000b2"
GOOD = line(ONE, 4, 3.5, 5, 0)


def test_answers_are_read_as_the_page_writes_them(tmp_path):
    path = write_answers(tmp_path / "a.csv", GOOD, line(ONE, 4.0, 3, 5, 0, showing=2), line(TWO, 0, 0, 0, 0.5))
    first, again, other = read_answers([path])
    assert first.scores == Scores(4, 3.5, 5, 0) and (first.pair, first.showing) == (ONE, 1)
    assert (first.rater, first.by, first.page, first.seconds) == ("anna", "person", PAGE, 3.2)
    assert first.where == f"{path}, line 2" and again.showing == 2 and other.scores.scene == 0.5


def test_a_page_that_nobody_answered_gives_no_answers(tmp_path):
    assert read_answers([write_answers(tmp_path / "a.csv")]) == []


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_make_of_a_file_is_read(tmp_path, bom, end):
    """A byte order mark, semicolons with decimal commas, quotes, empty lines."""
    path, semicolons = write_answers(tmp_path / "a.csv", GOOD), tmp_path / "b.csv"
    header = ";".join(COLUMNS)
    body = f'"{ONE}";1;4,0;3,5;5;0;3,2;"anna";person;{PAGE}'
    semicolons.write_text(
        bom + end.join([header, body, "", ";" * (len(COLUMNS) - 1), ""]), encoding="utf-8", newline=""
    )
    (plain,), (read,) = read_answers([path]), read_answers([semicolons])
    assert (plain.scores, plain.seconds, plain.rater) == (read.scores, read.seconds, read.rater)


@pytest.mark.parametrize("name", ["Anna", "Jürgen Müller", "r2-d2", "王芳", "हिन्दी", "A. B_c", "7"])
def test_names_of_all_scripts_are_names(tmp_path, name):
    assert read_answers([write_answers(tmp_path / "a.csv", line(ONE, 1, 1, 1, 1, rater=name))])[0].rater == name


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (GOOD.replace(ONE, "a1"), "pair = 'a1', expected p and 16 hexadecimal digits"),
        (GOOD.replace(",1,4", ",3,4"), "showing = '3', expected 1 or 2"),
        (line(ONE, 5.5, 1, 1, 1), "appearance = '5.5', expected 0 to 5 in steps of 0.5"),
        (line(ONE, 1, -1, 1, 1), "presence = '-1', expected 0 to 5"),
        (line(ONE, 1, 1, 2.25, 1), "view = '2.25', expected 0 to 5 in steps of 0.5"),
        (GOOD.replace(",0,", ",nan,"), "scene = 'nan'"),
        (GOOD.replace(",0,", ",,"), "scene = ''"),
        (GOOD.replace("3.5", "03. May"), "presence = '03. May'"),
        (GOOD.replace("3.5", "３"), "presence = '３'"),
        (GOOD.replace("3.2", "-3"), "seconds = '-3'"),
        (GOOD.replace("anna", "=HYPERLINK(1)"), "rater = '=HYPERLINK"),
        (GOOD.replace("anna", "+49 1"), "rater = '.49 1', expected a name"),
        (GOOD.replace("anna", "@anna"), "rater = '@anna'"),
        (GOOD.replace("anna", "-anna"), "rater = '-anna'"),
        (GOOD.replace("anna", ""), "rater = ''"),
        (GOOD.replace("anna", "a" * 41), "at most 40 letters"),
        (GOOD.replace("person", "robot"), "by = 'robot', expected person or script"),
        (GOOD.replace(PAGE, "x"), "page = 'x', expected q and 16"),
        (GOOD + ",more", "11 fields, expected 10"),
        (GOOD.rpartition(",")[0], "9 fields, expected 10"),
        (line(TWO, 1, 1, 1, 1, page="q0000000000000000"), f"line 3: saved by page q0.*line 2 by page {PAGE}"),
        (GOOD, f"line 3: anna has answered pair {ONE} before .*a.csv, line 2.; give each rater's last file alone"),
        (f'"{GOOD}', "unexpected end of data"),
    ],
)
def test_a_line_that_is_no_answer_is_named(tmp_path, bad, message):
    with pytest.raises(AnswersError, match=message) as caught:
        read_answers([write_answers(tmp_path / "a.csv", GOOD, bad)])
    assert "a.csv, line 3" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (b"", "line 1: expected the header pair,showing,appearance"),
        (b"pair,total\np1,3\n", "line 1: expected the header"),
        (",".join(COLUMNS[::-1]).encode(), "line 1: expected the header"),
        (",".join(COLUMNS).encode("utf-16"), "cannot be read as UTF-8 text"),
        (",".join(COLUMNS).encode() + "\nJürgen".encode("latin-1"), "cannot be read as UTF-8 text"),
    ],
)
def test_another_file_is_refused(tmp_path, written, message):
    (tmp_path / "a.csv").write_bytes(written)
    with pytest.raises(AnswersError, match=message):
        read_answers([tmp_path / "a.csv"])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(AnswersError, match=r"gone.csv: no such file; expected answers that the page"):
        read_answers([tmp_path / "gone.csv"])


def test_files_of_several_raters_and_pages_are_read_together_and_one_rater_twice_is_not(tmp_path):
    anna = write_answers(tmp_path / "anna.csv", GOOD)
    other_page = write_answers(tmp_path / "ben.csv", line(ONE, 1, 1, 1, 1, rater="ben", page="q0000000000000000"))
    assert [answer.rater for answer in read_answers([anna, other_page])] == ["anna", "ben"]
    later = write_answers(tmp_path / "later.csv", line(TWO, 1, 1, 1, 1), GOOD)
    with pytest.raises(AnswersError, match=r"later.csv, line 3: anna has answered .* before \(.*anna.csv, line 2\)"):
        read_answers([anna, later])
