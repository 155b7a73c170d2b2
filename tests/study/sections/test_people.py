import pytest
from pydantic import ValidationError

from echo.study.sections.people import People


def test_most_of_a_page_are_rows_pairs():
    assert People(pairs=40, repeats=6, controls=4).pairs == 40
    for values in ({"pairs": 40, "repeats": 7, "controls": 4}, {"pairs": 30}):
        with pytest.raises(ValidationError, match="expected a quarter at most"):
            People(**values)


@pytest.mark.parametrize("values", [{"pairs": 0}, {"repeats": -1}, {"pairs": 1.5}, {"rows": 3}])
def test_refused(values):
    with pytest.raises(ValidationError):
        People(**values)
