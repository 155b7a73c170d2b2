"""What chose a study's settings: tables of ``python -m bench.choose``, and where a study departs from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from echo.io.files import sha256

ROOT = Path(__file__).resolve().parents[2]
CHOSEN, TABLE = "chosen.json", "choices.csv"


def missing(folder: str) -> str | None:
    """Why ``folder`` names no table of choices, or None."""
    lost = [name for name in (CHOSEN, TABLE) if not (ROOT / folder / name).is_file()]
    if not lost:
        return None
    return f"has no {lost[0]}; made by: python -m bench.choose --choices FILE --out {folder}"


def chosen_values(folder: str) -> dict[str, Any]:
    """What the choices in ``folder`` chose, by dotted key."""
    return dict(_flat(json.loads((ROOT / folder / CHOSEN).read_text())["chosen"]))


def departures(folder: str, config: Mapping[str, Any]) -> list[str]:
    """Where a study's configuration is not what was chosen in ``folder``: `key = value (chosen: value)`."""
    held = dict(_flat(config))
    return [f"{key} = {held.get(key)} (chosen: {value})" for key, value in chosen_values(folder).items()
            if held.get(key) != value]  # fmt: skip


def table_hashes(folders: tuple[str, ...]) -> dict[str, str]:
    """sha256 of each table of choices, by its path."""
    return {f"{folder}/{TABLE}": sha256(ROOT / folder / TABLE) for folder in folders}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
