"""The site's own code; that its pages build without a warning is shown by `.ci/run`, which builds them."""

import importlib.util

from tests.conftest import ROOT


def fields(text: str) -> str:
    """A docstring as Sphinx gets it."""
    spec = importlib.util.spec_from_file_location("conf", ROOT / "docs" / "site" / "conf.py")
    conf = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conf)
    return "\n".join(conf.fields(text.split("\n")))


def test_arguments_of_a_docstring_are_items_of_a_list():
    text = "What it is.\n\nwidth: in tokens, which\n    may be many.\nrows, columns: of a frame.\nRaises it."
    wanted = (
        "What it is.\n\n\n- *width*: in tokens, which\n  may be many.\n- *rows, columns*: of a frame.\n\nRaises it."
    )
    assert fields(text) == wanted


def test_other_text_stays_but_for_code_within_bold():
    text = "One: two words, said as a sentence would not.\n\n- **``write`` and ``read``** are ``one``\n  in two.\n"
    assert fields("A list\n\n- one:\n  two\n") == "A list\n\n- one:\n  two\n"
    assert "- **write and read** are ``one``\n  in two.\n" in fields(text)
