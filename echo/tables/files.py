"""The files of a study's tables folder, in one list. It can be read without pandas or numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's tables. ``family``: the row family it is about, or None for the overview."""

    title: str
    family: str | None = None


PAPER_TABLES = {  # by the paper's number
    1: PaperTable("All families (the rows of the paper's Tables 1 and 4)"),
    5: PaperTable("Spatial memory: read-out", "spatial"),
    6: PaperTable("Compressed context", "compression"),
    7: PaperTable("State-space memory", "state_space"),
    8: PaperTable("Context length", "context"),
}
# Gathered from the runs: one row per frame, per case, per judge and judged case, per reason of missing answers, per
# probed case, per row of the study, per row and segment, per recorded job, (realism) per row and branch, (audit) per
# run and aspect, and (constants) per row and constant.
GATHERED = ("frames.parquet", "cases.csv.xz", "judgements.csv.xz", "missing_answers.csv", "probes.csv.xz", "rows.csv",
            "kept.csv", "timings.csv", "realism.csv", "audit.csv", "constants.csv")  # fmt: skip
# Computed from the gathered ones by ``echo.tables.build``.
COMPUTED = (
    "summary.csv",
    *(f"table{number}.csv" for number in PAPER_TABLES),
    "table2.csv",
    "table3.csv",
    "agreement.csv",
    "differences.csv",
    "contrasts.csv",
    "rank_correlation.csv",
    "against_references.csv",
    "seen.csv",
    "probes_table.csv",
    "drift.csv",
    "tables.md",
    "findings.md",
)
# What the page of findings reads of each study.
FINDINGS_READ = ("contrasts.csv", "rank_correlation.csv", "rows.csv", "probes_table.csv", "realism.csv", "record.json")


@dataclass(frozen=True)
class Reported:
    """The study that the page of findings takes for an evidence policy, and the command that makes it."""

    study: str
    command: str


REPORTED = {  # by policy
    "streaming": Reported("mini", "snakemake --cores all"),
    "matched": Reported("matched", "snakemake --cores all --configfile config/config.yaml config/matched.yaml"),
    "as_released": Reported(
        "as_released", "snakemake --cores all --configfile config/config.yaml config/as_released.yaml"
    ),
}
POOL_SAMPLE = "samples/pool.npz"
ROLLOUTS_SAMPLE = "samples/rollouts.npz"


def sample_file(branch: str) -> str:
    """The file with pictures of a few cases of a branch."""
    return f"samples/{branch}.npz"


def table_files(branches: tuple[str, ...]) -> tuple[str, ...]:
    """Every file of the tables folder of a study that evaluates ``branches``, relative to the folder."""
    return (*GATHERED, "record.json", *map(sample_file, branches), POOL_SAMPLE, ROLLOUTS_SAMPLE, *COMPUTED)
