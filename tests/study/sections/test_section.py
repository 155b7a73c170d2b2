"""Types that all sections share."""

from typing import Annotated

import pytest
from pydantic import Field, Strict, ValidationError

from echo.study.sections.section import Exponent, Flag, Integer, Number, Rate, Section, Seed


class Keys(Section):
    whole: Integer = 0
    real: Number = 0.0
    bounded: Annotated[float, Strict(), Field(ge=0, lt=1), Exponent] = 0.0
    rate: Rate = 0.1
    flag: Flag = False
    seed: Seed = 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("whole", True), ("whole", "8"), ("whole", 8.0), ("whole", None),
        ("real", True), ("real", "8"), ("real", "0.5"), ("real", float("nan")), ("real", float("inf")), ("real", "inf"),
        ("real", "1e999"), ("bounded", 1), ("bounded", "1e0"), ("rate", 0), ("rate", 11), ("rate", "1e1000"),
        ("flag", 1), ("flag", "true"), ("flag", 0), ("seed", -1), ("seed", 2**63), ("unknown", 1),
    ],
)  # fmt: skip
def test_a_value_of_one_type_is_never_taken_for_another(key, value):
    with pytest.raises(ValidationError) as error:
        Keys.model_validate({key: value})
    assert error.value.errors()[0]["loc"][0] == key


@pytest.mark.parametrize(
    ("key", "value", "held"),
    [("real", 1, 1.0), ("real", "1e-4", 1e-4), ("bounded", "5.e-1", 0.5), ("rate", "+2E-3", 2e-3), ("whole", -3, -3)],
)
def test_whole_numbers_and_exponents_are_real_numbers(key, value, held):
    got = getattr(Keys.model_validate({key: value}), key)
    assert got == held and type(got) is type(held)


def test_sections_are_frozen():
    with pytest.raises(ValidationError):
        Keys().__setattr__("whole", 1)  # an assignment, which the type checker would refuse already
