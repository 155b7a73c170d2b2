"""x"""


def table_files(branches):
    return (
        "frames.parquet",
        "cases.csv",
        "probes.csv",
        "rows.csv",
        "timings.csv",
        "record.json",
        *(f"samples/{n}.npz" for n in (*branches, "pool")),
        "summary.csv",
        "differences.csv",
        "probes_table.csv",
        "drift.csv",
        "tables.md",
        *(f"table{n}.csv" for n in (1, 5, 6, 7, 8)),
    )
