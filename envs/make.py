"""Write every environment file from ``packages.txt``: ``python -m envs.make``; with ``--check``, compare instead."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "packages.txt"
GENERATED = "# Generated from packages.txt by `python -m envs.make`; do not edit."
OPTIONAL = "# optional on GPUs"
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


def files(source: str) -> dict[str, str]:
    """Name and text of each generated file, from the text of ``packages.txt``.

    Raises ValueError for a line that is neither a comment nor an exact pin.
    """
    everywhere, optional = [], []
    for number, line in enumerate(source.splitlines(), 1):
        package = line.split("#")[0].strip()
        if package and package.count("==") != 1:
            raise ValueError(f"packages.txt, line {number}: expected name==version, got {package!r}")
        if package and line.endswith(OPTIONAL):
            optional.append(package)
        elif package or number > 1:
            everywhere.append(line)
    pins = "\n".join(everywhere) + "\n"
    return {
        "requirements.txt": f"{GENERATED}\n{pins}",
        "requirements-gpu.txt": f"{GENERATED}\n{CUDA}\n{pins}",
        "requirements-flash.txt": "\n".join(
            [
                GENERATED,
                "# Optional: fast kernels of linear attention, for GPUs alone.",
                "-r requirements-gpu.txt",
                *optional,
                "",
            ]
        ),
        "environment.yaml": f"{GENERATED}\n" + CONDA.format(name="echo", requirements="requirements.txt"),
        "environment-gpu.yaml": f"{GENERATED}\n" + CONDA.format(name="echo-gpu", requirements="requirements-gpu.txt"),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or name those that are out of date."""
    parser = argparse.ArgumentParser(prog="envs.make", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    stale = []
    for name, text in files(SOURCE.read_text()).items():
        path = FOLDER / name
        if not path.is_file() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    if check and stale:
        print(f"envs: {', '.join(stale)} differ from packages.txt; run: python -m envs.make", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
