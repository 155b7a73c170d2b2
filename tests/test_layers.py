"""The house: what `echo/` holds, and which way its imports run."""

from __future__ import annotations

import pytest

from echo.study import source
from tests.conftest import ROOT

PACKAGE = ROOT / "echo"
# From the ground up: a folder imports those before it, and itself.
ORDER = (
    "io", "study", "world", "encoding", "evidence", "memory", "model", "rollout", "training", "measures", "judge",
    "tables", "figures", "protocol", "__main__",
)  # fmt: skip
MODULES = sorted(
    ".".join(("echo", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


def imported(module: str) -> list[str]:
    """Modules of echo that a module imports, packages on the way left out."""
    path = source.module_file(PACKAGE, module)
    return [name for name in source.imports(path, PACKAGE) if name in MODULES]


def test_the_listing_reads_in_one_glance():
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries == {*ORDER[:-1], "__main__.py", "__init__.py"} and len(entries) <= 16


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module):
    """No folder imports a later one, and no module imports what imports it."""
    place = ORDER.index(module.split(".")[1])
    for name in imported(module):
        assert ORDER.index(name.split(".")[1]) <= place, f"{module} imports {name}"
    waiting, reached = imported(module), set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += imported(name)
    assert module not in reached, f"{module} imports, in the end, itself"


def test_the_backbone_knows_no_memory():
    reached = source.closure(PACKAGE, "echo.model.backbone")
    families = {path.parent.name for path in (PACKAGE / "memory").glob("*/settings.py")}
    assert not [name for name in reached if name.split(".")[1:3] in [["memory", family] for family in families]]


def is_found_by_its_folder(module: str) -> bool:
    """Families, codecs, judges, figures, reference rows, sections, stages, commands: one test runs over all there are.

    So that adding one needs no test module of its own to pass this test (CONTRIBUTING asks for one all the same).
    """
    parts = module.split(".")[1:]
    kinds = ({"memory"}, {"sections"}, {"codecs"}, {"judges"}, {"stages"}, {"figures"}, {"references"})
    return (
        len(parts) > 2
        and any(kind & set(parts[:2]) for kind in kinds)
        or parts[-1] == "command"
        or (parts[0] == "figures" and source.constant(source.module_file(PACKAGE, module), "READS") is not None)
    )


def test_every_module_has_a_test_module_that_mirrors_it():
    missing = []
    for module in MODULES:
        parts = module.split(".")[1:]
        mirror = (ROOT / "tests").joinpath(*parts[:-1], f"test_{parts[-1].strip('_')}.py")
        if not mirror.is_file() and not is_found_by_its_folder(module):
            missing.append(module)
    assert not missing


def test_test_modules_import_no_other_test_module():
    for path in (ROOT / "tests").rglob("test_*.py"):
        for line in path.read_text().splitlines():
            assert not (line.lstrip().startswith("from tests.") and ".test_" in line.split(" import ")[0]), path
