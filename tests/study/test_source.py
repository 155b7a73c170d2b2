"""What a module does and imports, read from its source."""

import pytest

from echo.study import source


@pytest.fixture
def package(tmp_path):
    """``echo.a`` imports ``echo.b`` at its top and ``echo.deep.c`` in a function; ``echo.d`` for its types alone."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "__init__.py").write_text('"""A package."""\n')
    (tmp_path / "deep" / "c.py").write_text("C = 1\n")
    (tmp_path / "b.py").write_text("B = (1, 2)\n")
    (tmp_path / "d.py").write_text("import echo.a\n")
    (tmp_path / "a.py").write_text(
        '"""What a does."""\nfrom typing import TYPE_CHECKING\n\nimport echo.b\n\n'
        "if TYPE_CHECKING:\n    from echo import d\n\n"
        "def run():\n    from echo.deep import c\n    return c\n"
    )
    return tmp_path


def test_imports_are_followed_wherever_they_stand(package):
    assert set(source.closure(package, "echo.a")) == {"echo.a", "echo.b", "echo.deep", "echo.deep.c"}
    assert set(source.closure(package, "echo.d")) == {"echo.d", "echo.a", "echo.b", "echo.deep", "echo.deep.c"}


def test_what_is_left_out_is_not_followed(package):
    assert set(source.closure(package, "echo.a", leave_out=("echo.deep",))) == {"echo.a", "echo.b"}


def test_a_circle_ends(package):
    (package / "b.py").write_text("import echo.a\n")
    assert "echo.b" in source.closure(package, "echo.a")


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        (lambda text: "# a comment\n" + text, False),
        (lambda text: text.replace("What a does", "Something else"), False),
        (lambda text: text.replace("\n\n", "\n\n\n"), False),
        (lambda text: text.replace("return c", "return c, 1"), True),
    ],
)
def test_behaviour_is_what_the_code_does(package, edit, changes):
    path = package / "a.py"
    before = source.behaviour(path)
    path.write_text(edit(path.read_text()))
    assert (source.behaviour(path) != before) == changes


def test_constants_are_literals_at_the_top(package):
    assert source.constant(package / "b.py", "B") == (1, 2)
    assert source.constant(package / "a.py", "B") is None
