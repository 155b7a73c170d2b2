"""The house in numbers: modules, imports between them and between their folders, circles, and imports that run upwards.

    python -m bench.imports [--package echo]

An import counts once for a pair of modules, wherever it stands; packages' own ``__init__`` and imports for types alone
do not count. A folder is upward of those that it imports, so that an import runs up where two folders import each
other: the one with fewer imports is the one that runs up.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from echo.study import source


def arrows(package: Path) -> set[tuple[str, str]]:
    """Pairs (importing module, imported module) of a package, by dotted name."""
    files = {path for path in package.rglob("*.py") if path.name != "__init__.py"}
    names = {path: ".".join((source.PACKAGE, *path.relative_to(package).with_suffix("").parts)) for path in files}
    known = set(names.values())
    return {(name, other) for path, name in names.items() for other in source.imports(path, package) if other in known}


def circles(edges: set[tuple[str, str]]) -> int:
    """Groups of two or more modules that import each other, directly or through others."""
    out: dict[str, set[str]] = {}
    for start, end in edges:
        out.setdefault(start, set()).add(end)

    def reached(start: str) -> set[str]:
        waiting, found = [start], set()
        while waiting:
            for name in out.get(waiting.pop(), ()):
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found

    reach = {name: reached(name) for name in out}
    groups = {frozenset(other for other in reach if name in reach[other] and other in reach[name]) for name in reach}
    return sum(len(group) > 1 for group in groups)


def main() -> None:
    """Print the numbers of a package."""
    parser = argparse.ArgumentParser(prog="bench.imports", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--package", type=Path, default=Path("echo"), help="folder of the package")
    package = parser.parse_args().package.resolve()
    edges = arrows(package)
    modules = {path for path in package.rglob("*.py") if path.name != "__init__.py"}
    entries = [path.name for path in package.iterdir() if path.name != "__pycache__"]
    folder = {name: name.split(".")[1] for edge in edges for name in edge}
    between = Counter((folder[a], folder[b]) for a, b in edges if folder[a] != folder[b])
    upward = sum(min(count, between[end, start]) for (start, end), count in between.items() if start < end)
    print(f"entries of {package.name}/: {len(entries)}")
    print(f"modules: {len(modules)}, imports between modules: {len(edges)}")
    print(f"imports between entries: {len(between)} pairs of entries")
    print(f"circles of modules: {circles(edges)}, imports that run upwards between entries: {upward}")


if __name__ == "__main__":
    main()
