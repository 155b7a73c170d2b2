"""Errors for users are told apart from faults of the code."""

from echo.io.errors import UserError


def test_no_error_of_python_is_one_for_users():
    assert UserError.__mro__[1] is Exception
    assert not issubclass(ValueError, UserError) and not isinstance(RuntimeError("x"), UserError)
    assert str(UserError("train.batch = 3: expected 4")) == "train.batch = 3: expected 4"
