"""Which studies are put side by side (``echo.tables.policies``), and what of their tables is read. No pandas here.

Apart from ``echo.tables.files``, on which every table depends.
"""

STUDIES = ("as_released", "matched", "mini")  # in the order in which their ranks are drawn
READS = ("summary.csv", "cases.csv.gz", "rows.csv", "constants.csv", "record.json")
