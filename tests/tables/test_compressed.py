"""Compressed tables: what was written is read, and equal tables are equal bytes under any name."""

import pandas as pd

from echo.tables.compressed import write_compressed


def test_equal_tables_give_equal_bytes_that_pandas_reads(tmp_path):
    table = pd.DataFrame({"row_name": ["a", "b"], "psnr": [1.25, float("nan")]})
    for name in ("one.csv.xz", "two.csv.xz"):
        write_compressed(table, tmp_path / name)
    assert (tmp_path / "one.csv.xz").read_bytes() == (tmp_path / "two.csv.xz").read_bytes()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "one.csv.xz"), table, check_dtype=False)
