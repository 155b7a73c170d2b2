"""The error of a configuration that cannot run, and how pydantic's complaints become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from echo.io.errors import UserError

SHOWN = 80  # characters of a value that an error shows
# pydantic's kinds of errors in YAML's words; others keep pydantic's own.
EXPECTED = {
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "finite_number": "expected a finite number",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
    "string_too_short": "expected text of at least {min_length} characters",
    "string_too_long": "expected text of at most {max_length} characters",
    "string_pattern_mismatch": "expected text that matches {pattern}",
    "too_short": "expected at least {min_length} values",
    "too_long": "expected at most {max_length} values",
}
PLAIN = "expected a number, text, true or false, or a list of these"


class ConfigError(UserError):
    """A configuration that cannot run: one line that names the file, the key, what it holds and what is allowed.

    file: where it is; key: path of the key, parts joined by dots; value: what it holds. Empty where unknown.
    """

    def __init__(self, message: str, *, file: str = "", key: str = "", value: object = None) -> None:
        super().__init__(" ".join(message.split()))
        self.file, self.key, self.value = file, key, value


def show(value: object) -> str:
    """A value as an error shows it: one line, cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def refuse(file: str, key: str, value: object, reason: str) -> ConfigError:
    """The error that ``key`` of ``file`` cannot hold ``value``."""
    return ConfigError(f"{file}: `{key}` = {show(value)}: {reason}", file=file, key=key, value=value)


def from_pydantic(error: ValidationError, file: str, data: object, prefix: str = "") -> ConfigError:
    """The first complaint about ``data`` as one line. prefix: where in the file ``data`` stands."""
    errors = error.errors()
    first = errors[0]
    path = _path(first, data)
    plain = sum(_path(one, data) == path for one in errors) > 3  # every kind of plain value was tried
    key = ".".join([*([prefix] if prefix else []), *path])
    message = PLAIN if plain else _message(first)
    if first["type"] == "extra_forbidden":
        text = f"{file}: unknown key `{key}`; config/README.md lists the keys"
        return ConfigError(text, file=file, key=key, value=first["input"])
    if first["type"] == "missing":
        return ConfigError(f"{file}: `{key}` is missing; config/README.md says what it is", file=file, key=key)
    if first["type"] == "value_error" and _names_its_key(message, path):
        return ConfigError(f"{file}: {message}", file=file, key=key or "study", value=first["input"])
    return refuse(file, key, first["input"], message)


def _message(error: ErrorDetails) -> str:
    """What was expected."""
    text = EXPECTED.get(error["type"])
    return text.format(**error.get("ctx", {})) if text else error["msg"].removeprefix("Value error, ")


def _names_its_key(message: str, path: Sequence[str]) -> bool:
    """Whether a complaint about a whole section names the key itself, so that the section need not be shown."""
    return not path or message.startswith(f"{path[-1]}.")


def _path(error: ErrorDetails, data: Any) -> list[str]:
    """Keys of the value that an error is about; pydantic adds names of types to them, which the file does not have."""
    path: list[str] = []
    for part in error["loc"]:
        if isinstance(data, dict) and (part in data or error["type"] == "missing"):
            path.append(str(part))
            data = data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            path.append(str(part))
            data = data[part]
    return path
