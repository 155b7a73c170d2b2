"""Shapes written in signatures (jaxtyping) are checked in the tests, at no cost outside of them.

Call ``check_shapes`` before the modules are imported, at the top of tests/conftest.py.
"""

from __future__ import annotations

from jaxtyping import install_import_hook

# Modules, and packages with all that is in them, whose annotated shapes hold in every test.
SHAPED = [
    "echo.evidence.frames",
    "echo.memory",
    "echo.model.backbone",
    "echo.model.blocks",
    "echo.model.flow",
]


def check_shapes() -> None:
    """Check argument and return types of the modules in ``SHAPED`` that are imported from now on."""
    install_import_hook(SHAPED, "beartype.beartype")
