"""Large tables as compressed CSV."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd


def write_compressed(table: pd.DataFrame, path: Path) -> None:
    """Write a table as gzipped CSV; equal tables give equal bytes, as pandas' own, with a file's name in it, do not."""
    path.write_bytes(gzip.compress(table.to_csv(index=False).encode(), 9, mtime=0))
