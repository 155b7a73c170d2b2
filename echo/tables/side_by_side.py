"""Which studies are put side by side (``echo.tables.policies``), and what of their tables is read. No pandas here.

Apart from ``echo.tables.files``, on which every table depends.
"""

# In the order in which their ranks are drawn: each is nearer to the default study than the one before.
STUDIES = (
    "as_released", "as_released_our_sampler", "as_released_matched", "matched_frozen", "matched", "mini",
)  # fmt: skip
READS = ("summary.csv", "cases.csv.xz", "rows.csv", "constants.csv", "record.json")
