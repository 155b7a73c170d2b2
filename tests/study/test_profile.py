"""Profiles: families are found by their folders, their settings are checked without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from echo.study import profile
from echo.study.profile import Profile, families, parse_row, settings_of
from tests.conftest import ROWS


def test_families_are_the_folders_with_settings():
    folders = {path.name for path in profile.FOLDER.iterdir() if (path / "settings.py").is_file()}
    assert set(families()) == folders
    assert {entry["family"] for entry in ROWS.values()} <= folders
    assert {"context", "spatial"} <= folders


@pytest.mark.parametrize("family", families())
def test_settings_need_no_torch(family):
    code = f"import sys; import echo.memory.{family}.settings; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_checking_rows_needs_no_torch():
    code = "import sys, echo.study.config as c; c.load_study('config/config.yaml'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", list(ROWS))
def test_a_row_has_the_settings_of_its_family(name):
    row = parse_row(name, ROWS[name])
    assert type(row) is settings_of(ROWS[name]["family"])
    assert (row.name, row.label) == (name, ROWS[name]["label"])


def test_an_unknown_family_lists_those_there_are():
    with pytest.raises(ValueError) as error:
        settings_of("telepathy")
    assert str(error.value) == f"unknown family 'telepathy'; echo/memory has {', '.join(families())}"


@pytest.mark.parametrize("family", ["../study", "", "registry", "base"])
def test_a_family_is_the_name_of_a_folder(family):
    with pytest.raises(ValueError, match="unknown family"):
        settings_of(family)


@pytest.mark.parametrize("entry", [None, "context", {"label": "no family"}, {"family": ["context"]}])
def test_a_row_names_its_family(entry):
    with pytest.raises(ValueError, match="expected a mapping with a family, one of: "):
        parse_row("diary", entry)


@pytest.fixture
def new_family(tmp_path, monkeypatch):
    """A function that writes the settings of a family ``diary`` in a folder of its own."""
    import echo.memory

    def write(settings: str) -> None:
        (tmp_path / "diary").mkdir()
        (tmp_path / "diary" / "__init__.py").write_text('"""A diary."""\n')
        (tmp_path / "diary" / "settings.py").write_text(settings)

    monkeypatch.setattr(profile, "FOLDER", tmp_path)
    monkeypatch.setattr(echo.memory, "__path__", [*echo.memory.__path__, str(tmp_path)])
    yield write
    for name in [name for name in sys.modules if name.startswith("echo.memory.diary")]:
        del sys.modules[name]
    settings_of.cache_clear()


def test_one_folder_and_one_entry_make_a_row(new_family):
    """Adding a memory touches nothing else: a folder with settings is a family."""
    new_family((Path(profile.__file__).parent.parent / "memory" / "context" / "settings.py").read_text())
    assert families() == ("diary",)
    row = parse_row("diary_3", {"family": "diary", "label": "Diary", "frames": 3})
    assert row.frames == 3 and row.remembers and isinstance(row, Profile)


def test_settings_without_the_class_are_named(new_family):
    new_family("Settings = dict\n")
    with pytest.raises(ValueError, match=r"echo/memory/diary/settings.py has no class Settings\(Profile\)"):
        settings_of("diary")


def test_a_setting_that_came_later_is_not_dumped_at_its_default():
    """So fingerprints and checkpoints of rows from before it stay what they were."""
    before = {"family": "state_space", "label": "x", "cell": "average", "every": 4, "gate": "zero"}
    later = {"norm", "attended", "mixture", "timestep_shift"}
    assert not later & parse_row("x", before).model_dump().keys()
    other = parse_row("x", {**before, "norm": False, "timestep_shift": 5})
    assert {key: other.model_dump()[key] for key in later & other.model_dump().keys()} == {
        "norm": False,
        "timestep_shift": 5,
    }
    assert parse_row("x", other.model_dump(exclude={"name"})) == other
