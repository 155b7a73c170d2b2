"""Numbers of a page, as the tests that trace them see them."""

import pytest

from tests.traced import agrees, numbers, paragraphs, sources


@pytest.mark.parametrize(
    ("number", "value", "found"),
    [("1.15", 1.1526, True), ("1.15", 1.1551, False), ("−4.0", -4.04, True), ("−4.0", 4.04, False),
     ("4.0", -4.04, True), ("2,049", 2049, True), ("6", 5.81, True), ("0.20", 0.2, True)],
)  # fmt: skip
def test_a_number_agrees_with_the_cell_that_it_rounds(number, value, found):
    assert agrees(number, value) == found


def test_names_code_and_links_have_no_numbers():
    text = "Context K=20 gains 1.5 dB\n(`k_5` 3), after [2](docs/4.md) −0.2 to 5,150; 45° and 64x64, v2."
    assert numbers(text, ["Context K=20"]) == [(0, "1.5"), (1, "3"), (1, "2"), (1, "−0.2"), (1, "5,150")]


def test_paragraphs_and_items_are_apart_and_tables_left_out():
    page = "# Title\n\nOne\ntwo\n- item\n  more\n- other\n\n| a | 1 |\n\n    code 2\n\nend\n"
    assert list(paragraphs(page)) == [
        (1, "# Title"),
        (3, "One\ntwo"),
        (5, "- item\n  more"),
        (7, "- other"),
        (13, "end"),
    ]


def test_a_line_is_picked_by_words_or_by_a_columns_value(tmp_path):
    (tmp_path / "t.csv").write_text("study,policy,value\nmatched,matched,1\nfrozen,matched,2\n")
    file = tmp_path / "sources.txt"
    file.write_text("[part]\n1 = t.csv study=matched value\n2 = t.csv frozen value\n")
    assert [one.value for one in sources(file, tmp_path)["part"]] == [1, 2]
    file.write_text("[part]\n1 = t.csv matched value\n")
    with pytest.raises(ValueError, match=r"line 2: .* 2 lines of t.csv have matched; expected one"):
        sources(file, tmp_path)
