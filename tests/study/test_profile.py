import subprocess
import sys

import pytest

from echo.study.profile import families, parse_row, settings_of
from tests.conftest import ROWS


def test_families_are_the_modules():
    assert set(families()) == {"context", "compression", "spatial", "state_space"}


@pytest.mark.parametrize("name", list(ROWS))
def test_compiled_settings_agree_with_the_modules(name):
    """What the graph checks without torch is what the memory is built with."""
    import importlib

    profile = parse_row(name, ROWS[name])
    module = importlib.import_module(f"echo.memory.{profile.family}")
    real = module.Settings.model_validate({"name": name, **ROWS[name]})
    assert real.model_dump() == profile.model_dump()
    assert real.remembers == profile.remembers


def test_checking_rows_needs_no_torch():
    code = "import sys, echo.study.config as c; c.load_study('config/config.yaml'); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_an_unknown_family_lists_those_there_are():
    with pytest.raises(ValueError, match="unknown family 'telepathy'; echo/memory has compression, context, spatial"):
        settings_of("telepathy")


def test_one_module_and_one_entry_make_a_row(tmp_path, monkeypatch):
    """Adding a memory touches nothing else: a module that appears in the folder is a family."""
    from echo.study import profile

    source = (profile.FOLDER / "context.py").read_text().replace("K: frames", "Frames")
    (tmp_path / "diary.py").write_text(source)
    monkeypatch.setattr(profile, "FOLDER", tmp_path)
    profile.settings_of.cache_clear()
    row = profile.parse_row("diary_3", {"family": "diary", "label": "Diary", "frames": 3})
    profile.settings_of.cache_clear()
    assert row.frames == 3 and row.remembers
