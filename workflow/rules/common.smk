# The checked study, and names that the rules share.
import json
import signal
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from echo import figures
from echo.study.config import ConfigError, load_rows, parse_study
from echo.io.files import digest, write_text
from echo.study.provenance import code_digest, pool_stage, stage_digest

ROWS_FILE = Path(workflow.basedir) / "config" / "rows.yaml"
MATRIX = load_rows(ROWS_FILE)
try:
    STUDY = parse_study(dict(config), MATRIX)
except ConfigError as error:
    sys.exit(
        str(error)
    )  # that one line, without Snakemake's trace of where it was raised

RUN = f"runs/{STUDY.study}"
RESULTS = f"results/{STUDY.study}"
RUNS = [f"{row}-{seed}" for row in STUDY.rows for seed in STUDY.train_seeds]
FIGURES = figures.names()
TABLE_FILES = (
    *(
        "frames.parquet",
        "cases.csv",
        "probes.csv",
        "rows.csv",
        "timings.csv",
        "record.json",
    ),
    *(f"samples/{name}.npz" for name in (*STUDY.evaluate.branches, "pool")),
    *("summary.csv", "differences.csv", "probes_table.csv", "drift.csv", "tables.md"),
    *(f"table{number}.csv" for number in (1, 5, 6, 7, 8)),
)
NOTEBOOKS = sorted(path.stem for path in Path("notebooks").glob("*.ipynb"))
# A cluster that takes a machine back signals every process of the job. Training answers with a checkpoint, which takes a
# while; Snakemake and the shell around it must live as long, or the job would count as ended while it still writes.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
# Jobs use the Python that runs Snakemake, activated or not.
shell.prefix(f'trap : TERM USR1; export PATH="{Path(sys.executable).parent}:$PATH"; ')
# For --sdm conda.
ENVIRONMENT = (
    "../../envs/environment-gpu.yaml"
    if STUDY.compute.device == "cuda"
    else "../../envs/environment.yaml"
)
# Jobs read the study as it was checked here, whatever --configfile and --config made of it.
# It is `ancient` in every rule, as assets and weights are: their contents are known by digest, and their times would
# make committed tables look outdated.
STUDY_FILE = f"{RUN}/study.json"
# What only some studies have: a pretrained model's manifest, an index of recordings, an asset pack.
PRETRAINED = [f"{RUN}/pretrained.json"] if STUDY.pretrained.given else []
RECORDED = STUDY.world.source != "rooms"
SHARES = range(STUDY.compute.latent_shares)
for path, content in (
    (STUDY_FILE, STUDY.model_dump_json(indent=1)),
    (
        f"{RUN}/rows.yaml",
        json.dumps({row: MATRIX[row] for row in STUDY.rows}, indent=1),
    ),
):
    if not Path(path).is_file() or Path(path).read_text() != content:
        write_text(path, content)


wildcard_constraints:
    row=r"[a-z][a-z0-9_]*",
    seed=r"\d+",
    share=r"\d+",
    split="train|in_domain|open_domain",


def about(stage):
    """What a stage depends on beside its inputs, as a digest; of the row, where the rule has one."""
    return lambda wildcards: stage_digest(STUDY, stage, wildcards.get("row"))


def out_folder(wildcards, output):
    """The folder of a rule's first output."""
    return str(Path(output[0]).parent)


def folder(name):
    """The folder of the input called ``name``; of the first of several."""
    return lambda wildcards, input: str(
        Path(input[name] if isinstance(input[name], str) else input[name][0]).parent
    )


def option(flag, name):
    """A command's option for the input called ``name``; nothing where the study has no such input."""
    return lambda wildcards, input: " ".join(
        f"{flag} {path}" for path in input.get(name)
    )


def run_folder(wildcards):
    """The study's folder of bulky files."""
    return RUN


def tables_folder(wildcards):
    """The study's tables."""
    return f"{RESULTS}/tables"
