"""The page says how far judges agree, and of one judge alone that there is nothing to agree with."""

from echo.tables.build import build_tables
from tests.synthetic import write_tables


def section(folder, title):
    return (folder / "tables.md").read_text().split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_pair_has_a_table_of_its_own(built):
    part = section(built, "Agreement of judges")
    for pair in ("`embedded` and `second`", "`embedded` and `third`", "`second` and `third`"):
        own = part.split(f"### {pair}")[1].split("###")[0]
        lines = [line for line in own.splitlines() if line.startswith(("| All returns, ", "| 45° return, "))]
        assert len(lines) == 10 and all(line.count("[") == 5 for line in lines)
    table = section(built, "Table 3: Judges")
    assert "| *Human* | 20.9 | 11.9 | Qwen3-VL-30B-A3B | 1.3 | 0.96 |" in table and "| `third` |" in table


def test_missing_answers_are_counted_with_their_reasons(built):
    lines = section(built, "Answers of judges").splitlines()
    (third,) = [line for line in lines if line.startswith("| `third` |")]
    assert third.endswith("| 0 | no answer: not JSON (2 answers) |")
    (first,) = [line for line in lines if line.startswith("| `embedded` |")]
    assert first.endswith("| 0 | – |")


def test_one_judge_alone_is_said_to_be(tmp_path):
    folder = write_tables(tmp_path, rows=("i2v", "context_k5", "spatial"), cases=4, judges=("vision_language",))
    build_tables(folder, resamples=100)
    page = (folder / "tables.md").read_text()
    assert "This study has one judge, `vision_language`: how far judges agree needs a second one" in page
    assert "## Agreement of judges" not in page
    assert "judged by the judge `vision_language`" in " ".join(page.split())  # however its lines are broken
    assert "nan" not in page.lower() and "<NA>" not in page
