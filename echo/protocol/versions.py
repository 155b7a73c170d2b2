"""The versions of everything that a case set or a result was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from echo.study.provenance import code_digest

LIBRARIES = ("numpy", "torch", "scikit-image", "scipy", "lpips", "timm", "embreex", "numba", "av", "pillow")
PACKAGE = "echo-study"


def versions(*modules: str) -> dict[str, Any]:
    """Python, machine and libraries; ``code``: digest of ``modules`` of this package and all that they import."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "processor": platform.machine(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        PACKAGE: _version(PACKAGE),
    }
    return found | ({"code": code_digest(*modules)} if modules else {})


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
