"""Configuration files as plain values: YAML (or JSON) read so that nothing in it is lost or blown up in silence.

A key that stands twice in one mapping is an error, where YAML's usual readers keep the last. What is read is checked
to be plain: mappings with text keys, lists, text, finite numbers, truth values and nothing, in bounded number and
depth, so that no later stage meets an infinity, a date, or a file whose anchors stand for billions of values.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from echo.study.errors import ConfigError, refuse, show

DEEPEST = 8
MOST_VALUES = 20_000
LONGEST = 2_000  # characters of a text
LARGEST = 2**63 - 1
MOST_BYTES = 4_000_000


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, without keys that stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; raises ConstructorError, which has file and line, for a key that stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value!r} stands twice in one mapping", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_mapping(path: str | Path) -> dict[str, Any]:
    """The mapping that a YAML or JSON file holds, of plain values; raises ConfigError, with the line where it can."""
    path = Path(path)
    try:
        if not path.is_file():
            raise ConfigError(f"{path}: no such configuration file", file=str(path))
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})", file=str(path)) from None
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{path}: {len(raw)} bytes; a configuration has at most {MOST_BYTES}", file=str(path))
    data = parse_text(raw, str(path))
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping, got {_kind(data)}", file=str(path))
    check_plain(data, str(path))
    return data


def parse_text(text: str | bytes, file: str) -> Any:
    """What YAML text holds; raises ConfigError with the line that is wrong."""
    try:
        loader = _Loader(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text ({error.reason} at byte {error.start})", file=file) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}, line {mark.line + 1}" if mark else file
        raise ConfigError(f"{where}: {error.problem or error.context}", file=file) from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConfigError(f"{file}: not YAML ({str(error).splitlines()[0][:200]})", file=file) from None


def check_plain(data: Any, file: str) -> None:
    """Raise ConfigError for a value that no key can hold, or for too many of them."""
    for count, (key, value, depth) in enumerate(_walk(data, "", 0), 1):
        if count > MOST_VALUES:
            raise ConfigError(f"{file}: more than {MOST_VALUES} values; anchors (&, *) may repeat them", file=file)
        if depth > DEEPEST:
            raise ConfigError(f"{file}: `{key[:80]}`: nested more than {DEEPEST} deep", file=file, key=key)
        reason = _unusable(value)
        if reason:
            raise refuse(file, key, value, reason)


def _walk(value: Any, key: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    """Every value with its key and depth; keys of mappings are values too."""
    yield key, value, depth
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{key}.{name}" if key else str(name)
            yield path, name if isinstance(name, str) else _BadKey(name), depth
            yield from _walk(inner, path, depth + 1)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{key}.{index}", depth + 1)


class _BadKey:
    """A key that is no text."""

    def __init__(self, key: object) -> None:
        self.key = key

    def __repr__(self) -> str:
        return repr(self.key)


def _unusable(value: Any) -> str:
    """Why no key of a configuration can hold a value; empty where one can."""
    if isinstance(value, _BadKey):
        return "keys are text; put quotes around it"
    if isinstance(value, bool) or value is None or isinstance(value, dict | list | tuple):
        return ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "settings are finite numbers"
    if isinstance(value, int):
        return "" if abs(value) <= LARGEST else f"whole numbers are at most {LARGEST}"
    if isinstance(value, str):
        return _unusable_text(value)
    return f"settings are numbers, text, true or false, lists and mappings, and no {_kind(value)}"


def _unusable_text(value: str) -> str:
    if len(value) > LONGEST:
        return f"text has at most {LONGEST} characters, got {len(value)}"
    if any(ord(letter) < 32 or ord(letter) in (127, 0x85, 0x2028, 0x2029) for letter in value):
        return "text has no line breaks and no control characters"
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        return "text must be valid Unicode"
    return ""


def _kind(value: object) -> str:
    """What a value is, in YAML's words."""
    names = {"NoneType": "nothing", "str": "text", "list": "a list", "dict": "a mapping", "bool": "a truth value"}
    return names.get(type(value).__name__, type(value).__name__)


def with_types(data: Any, overrides: Any) -> Any:
    """``data`` in which what ``overrides`` put there has YAML's types.

    Snakemake leaves every value inside a mapping or list of ``--config`` as text (``train={steps: 3}`` has the text
    "3"); such text is read once more.
    """
    if isinstance(data, dict) and isinstance(overrides, Mapping):
        typed = {name: with_types(value, overrides[name]) for name, value in data.items() if name in overrides}
        return {**data, **typed}
    if isinstance(data, list) and data == overrides:
        return [with_types(value, value) for value in data]
    if not isinstance(data, str) or data != overrides:
        return data
    again = parse_text(data, f"--config: {show(data)}")
    return again if isinstance(again, bool | int | float) or (again is None and data) else data
