"""Valid studies with some keys changed, and the error that such a change ends in."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from echo.study.config import ConfigError, Study, parse_study
from echo.study.words import BRANCHES
from tests.conftest import ROOT, ROWS

# With drawn weights, as a shipped base fixes the sizes that tests change, and so without a guide, with evidence that is
# searched for, and with settings that nothing chose.
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text()) | {
    "base": {"source": "drawn"},
    "sampler": {"steps": 12},
    "evidence": {"policy": "matched"},
    "chosen_in": [],
}
RECORDINGS = {"source": "context_as_memory", "path": "videos", "held_out_videos": 2}

RECORDED = [name for name, branch in BRANCHES.items() if not branch.revisits]  # branches of such studies


def changed(**sections: Any) -> dict[str, Any]:
    """The default study with other sections; one given as a mapping keeps its other keys, but for ``row_options``."""
    data = copy.deepcopy(DEFAULT)
    for name, values in sections.items():
        merge = isinstance(values, dict) and name != "row_options"
        data[name] = {**data.get(name, {}), **values} if merge else values
    return data


def accepted(**sections: Any) -> Study:
    """The default study so changed, checked."""
    return parse_study(changed(**sections), ROWS)


def refused(key: str, message: str, matrix: dict[str, Any] | None = None, **sections: Any) -> ConfigError:
    """Assert that the change is refused in one line that names the file and ``key``, and matches ``message``."""
    with pytest.raises(ConfigError, match=message) as caught:
        parse_study(changed(**sections), ROWS if matrix is None else matrix, "study.yaml", "rows.yaml")
    error = caught.value
    assert "\n" not in str(error) and str(error).startswith(error.file) and error.file in ("study.yaml", "rows.yaml")
    assert error.key == key
    return error
