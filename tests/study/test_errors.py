"""Errors of a configuration: one line with file, key and value."""

import pytest
from pydantic import BaseModel, ValidationError

from echo.io.errors import UserError
from echo.study.errors import ConfigError, from_pydantic, refuse, show


class Inner(BaseModel):
    size: int | tuple[int, int] = 1


class Outer(BaseModel, extra="forbid"):
    name: str
    inner: Inner = Inner()
    many: list[Inner] = []


def error_of(data: object, prefix: str = "") -> ConfigError:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return from_pydantic(caught.value, "study.yaml", data, prefix)


@pytest.mark.parametrize(
    ("data", "key", "message"),
    [
        ({}, "name", "study.yaml: `name` is missing; config/README.md says what it is"),
        ({"name": 3}, "name", "study.yaml: `name` = 3: expected text"),
        ({"name": "a", "x": 1}, "x", "study.yaml: unknown key `x`; config/README.md lists the keys"),
        ({"name": "a", "inner": 5}, "inner", "study.yaml: `inner` = 5: expected a mapping"),
        # pydantic's own path names the member of the union, which the file does not have
        ({"name": "a", "inner": {"size": [1, "x"]}}, "inner.size", "study.yaml: `inner.size` = [1, 'x']: expected a "),
        ({"name": "a", "many": [{}, {"size": None}]}, "many.1.size", "`many.1.size` = None: expected a whole number"),
    ],
)
def test_pydantics_complaints_become_one_line(data, key, message):
    error = error_of(data)
    assert message in str(error) and error.key == key and error.file == "study.yaml"


def test_a_prefix_says_where_the_value_stands():
    assert error_of({"name": 3}, "rows.i2v").key == "rows.i2v.name"


def test_an_error_is_meant_for_users_and_has_one_line():
    error = ConfigError("a\n  b", file="f", key="k", value=[1])
    assert isinstance(error, UserError) and str(error) == "a b" and error.value == [1]


def test_long_values_are_cut():
    assert len(show("x" * 1000)) == 80 and "\n" not in show("a\nb")
    assert str(refuse("f", "k", "x" * 1000, "why")).endswith("...: why")
