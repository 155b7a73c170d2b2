"""``python -m echo.figures NAME --tables DIR --out FILE``: draw one figure; the suffix of FILE gives its format."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from echo.figures import FigureError, draw, names


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m echo.figures", description=__doc__)
    parser.add_argument("name", help=f"one of: {', '.join(names())}")
    parser.add_argument("--tables", type=Path, required=True, help="results/<study>/tables")
    parser.add_argument("--out", type=Path, required=True, help="file to write: .png, .pdf or .svg")
    given = parser.parse_args()
    try:
        figure = draw(given.name, given.tables)
    except FigureError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    from echo.figures.style import save

    save(figure, given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
