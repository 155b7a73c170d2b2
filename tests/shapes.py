"""Shapes written in signatures (jaxtyping) are checked in the tests, at no cost outside of them.

Call ``check_shapes`` before the modules are imported, at the top of tests/conftest.py.
"""

from __future__ import annotations

from jaxtyping import install_import_hook

# Modules, and packages with all that is in them, whose annotated shapes hold in every test.
SHAPED = [
    *(f"echo.world.{name}" for name in ("camera", "paths", "pool", "layout", "images", "untrusted", "recordings")),
    *(f"echo.world.rooms.{name}" for name in ("pool_writer", "rendered_pool", "arrays", "meshes", "library")),
    *(f"echo.world.rooms.{name}" for name in ("build", "rooms", "identities")),  # render is compiled by numba
    *(f"echo.encoding.{name}" for name in ("codec", "codecs", "trained_codec", "fit", "latents")),
    "echo.evidence.frames",
    "echo.memory",
    *(f"echo.model.{name}" for name in ("backbone", "blocks", "flow")),
    "echo.rollout.frames",
    *(f"echo.measures.{name}" for name in ("cases", "closure", "departed", "departure", "features", "images")),
    *(f"echo.measures.{name}" for name in ("interventions", "lpips", "probed", "probes", "realism", "regions", "seen")),
    *(f"echo.measures.{name}" for name in ("ssim", "stages", "verdict", "yaw", "efficientnet")),
    *(f"echo.judge.{name}" for name in ("base", "comparisons", "cases", "judges")),
]


def check_shapes() -> None:
    """Check argument and return types of the modules in ``SHAPED`` that are imported from now on."""
    install_import_hook(SHAPED, "beartype.beartype")
