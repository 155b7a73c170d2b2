"""The error of a configuration that cannot run, and how pydantic's complaints become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from echo.io.errors import UserError

SHOWN = 80  # characters of a value that an error shows


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
    first = error.errors()[0]
    path = _path(first, data)
    key = ".".join([*([prefix] if prefix else []), *path])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        text = f"{file}: unknown key `{key}`; config/README.md lists the keys"
        return ConfigError(text, file=file, key=key, value=first["input"])
    if first["type"] == "missing":
        return ConfigError(f"{file}: `{key}` is missing; config/README.md says what it is", file=file, key=key)
    if first["type"] == "value_error" and _names_its_key(message, path):
        return ConfigError(f"{file}: {message}", file=file, key=key or "study", value=first["input"])
    return refuse(file, key, first["input"], message)


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
