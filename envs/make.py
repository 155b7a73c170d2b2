"""Write every environment file from ``packages.txt``: ``python -m envs.make``; with ``--check``, compare instead.

``packages.txt`` has a section for each set of packages (``## name: what for``). ``requirements.txt`` pins all but the
section ``gpu``; ``extras/<section>.txt`` has the packages of one section, from which ``pyproject.toml`` takes the
dependencies and extras of the installed package.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "packages.txt"
GENERATED = "# Generated from packages.txt by `python -m envs.make`; do not edit."
SECTIONS = ("core", "workflow", "notebooks", "docs", "dev", "gpu", "in turn")
CUDA = """\
# For GPU clusters. Wheels of torch for Linux carry CUDA, and pin the NVIDIA libraries they need, unless an index serves
# a CPU build under the same version: `python -c "import torch; print(torch.version.cuda)"` must print a version."""
CONDA = """name: {name}
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - pip:
      - -r {requirements}
"""


def sections(source: str) -> dict[str, list[str]]:
    """The pins of each section of ``packages.txt``'s text, in their order.

    Raises ValueError for a line that is neither a comment nor an exact pin, and for a section that is not expected.
    """
    pins: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith("## "):
            name = line.removeprefix("## ").split(":")[0]
            if name not in SECTIONS:
                raise ValueError(f"packages.txt, line {number}: section {name!r}, expected one of {SECTIONS}")
            pins[name] = []
        elif line.strip() and not line.startswith("#"):
            if line.count("==") != 1 or not name:
                raise ValueError(f"packages.txt, line {number}: expected name==version in a section, got {line!r}")
            pins[name].append(line.strip())
    return pins


def files(source: str) -> dict[str, str]:
    """Name and text of each generated file, from the text of ``packages.txt``; errors as ``sections``."""
    pins = sections(source)
    everywhere = [pin for name, listed in pins.items() if name != "gpu" for pin in listed]
    written = {
        "requirements.txt": [GENERATED, *everywhere],
        "requirements-gpu.txt": [GENERATED, CUDA, *everywhere],
    }
    for name, listed in pins.items():
        if name != "in turn":
            written[f"extras/{name}.txt"] = [GENERATED, *listed]
    texts = {name: "\n".join(lines) + "\n" for name, lines in written.items()}
    for kind in ("", "-gpu"):
        conda = CONDA.format(name=f"echo{kind}", requirements=f"requirements{kind}.txt")
        texts[f"environment{kind}.yaml"] = f"{GENERATED}\n{conda}"
    return texts


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or name those that are out of date; returns the exit code."""
    parser = argparse.ArgumentParser(prog="envs.make", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    stale = []
    for name, text in files(SOURCE.read_text()).items():
        path = FOLDER / name
        if not path.is_file() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
    if check and stale:
        print(f"envs: {', '.join(stale)} differ from packages.txt; run: python -m envs.make", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
