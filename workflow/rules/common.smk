# The checked study, and names that the rules share. Nothing is written here: a dry run, or a run that the lock refuses,
# must not change what the jobs of another run read.
import json
import os
import re
import signal
import sys
from pathlib import Path

for place in (ROOT, Path.cwd()):
    if set(str(place)) & set("{}\n"):
        sys.exit(
            f"{place}: Snakemake cannot work in a path with braces or line breaks; move the folder"
        )
# Jobs use this package, and the Python that runs Snakemake, activated or not.
sys.path.insert(0, str(ROOT))
for name, first in (("PYTHONPATH", ROOT), ("PATH", Path(sys.executable).parent)):
    parts = os.environ.get(name, "").split(os.pathsep)
    if str(first) != parts[0]:
        os.environ[name] = os.pathsep.join([str(first), *filter(None, parts)])

from echo import figures as drawn
from echo.io.contents import damage
from echo.io.errors import UserError
from echo.io.files import digest, write_text
from echo.io.publish import unpublished
from echo.memory.parameters import check_trainable
from echo.study.config import load_rows, remarks, study_of_snakemake, study_variable
from echo.study.judges import judge_files, judge_weights
from echo.study.sections.checkpoint import DOWNLOADS
from echo.study.shown import filmed_rows
from echo.study.shipped import FILES, RECORD, find_shipped
from echo.study.provenance import (
    code_digest,
    pool_stage,
    read_record,
    reads,
    stage_digest,
)
from echo.study.source import constant
from echo.study.time_left import KEPT, TimeLeft, places, read_seconds
from echo.study.words import BRANCHES, EVALUATED, UNTRAINED, splits_of
from echo.tables import side_by_side
from echo.tables.files import FINDINGS_READ, PAPER_TABLES, REPORTED, table_files

# A cluster that takes a machine back signals every process of the job. Training answers with a checkpoint, which takes a
# while; Snakemake and the shell around it must live as long, or the job would count as ended while it still writes.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
shell.prefix("trap : TERM USR1; ")

try:
    MATRIX = load_rows(ROOT / "config" / "rows.yaml")
    # As a module, the study is the `config` of another workflow, whose files are not ours to read.
    STUDY = study_of_snakemake(
        config,
        workflow.configfiles if OURS else (),
        workflow.config_settings.config,
        MATRIX,
    )
    check_trainable(STUDY)
except UserError as error:
    sys.exit(f"{error}")  # one line, without Snakemake's trace of where it was raised

for remark in remarks(STUDY):
    print(remark, file=sys.stderr)

# A study has what it trains on and what it evaluates on (evaluate.splits); no rule makes or reads another split.
HELD_OUT = EVALUATED[STUDY.evaluate.splits]
SPLITS = splits_of(STUDY.evaluate.splits)
RUN = f"runs/{STUDY.study}"
# Where what its rig shares with other studies lies: pools, texts, codec, latents and a base that is trained here.
RIG = f"runs/{STUDY.rig or STUDY.study}"
RESULTS = f"results/{STUDY.study}"
OPEN = f"{RUN}/open_domain"  # of lone first frames
# Rows with a released checkpoint are not trained; where none is, nothing is prepared to train on.
IMPORTED = {
    row: STUDY.checkpoints[row] for row in STUDY.rows if row in STUDY.checkpoints
}
PREPARED = SPLITS if STUDY.trained_rows else HELD_OUT
# A rig's captions may have no negative prompt beside them, or another one: a study that guides by text has its own.
TEXTS = RUN if STUDY.sampler.text_guidance > 1 else RIG
RUNS = [f"{row}-{seed}" for row in STUDY.rows for seed in STUDY.train_seeds]
# Reference rows, which need no training, are measured and judged as runs are.
REFERENCES = list(STUDY.references)
MEASURED = RUNS + REFERENCES
# What videos show: two rows of the first training seed, and a copy.
FILMED = [
    row if row in REFERENCES else f"{row}-{STUDY.train_seeds[0]}"
    for row in filmed_rows(STUDY)
]
FIGURES = drawn.names()
FIGURE_FILES = drawn.files(STUDY.evaluate.branches)
CHARTS = [Path(file).stem for file in FIGURE_FILES if Path(file).suffix == ".png"]
TABLES = table_files(STUDY.evaluate.branches)
# Tables that Snakemake's report shows: file, category, label.
IN_REPORT = {
    "tables.md": ("Tables", "all tables on one page"),
    "summary.csv": ("Tables", "every row, branch and measure"),
    "table2.csv": ("Tables", "Table 2: constants"),
    "table3.csv": ("Tables", "Table 3: judges"),
    "agreement.csv": ("Tables", "agreement of judges"),
    **{
        f"table{number}.csv": ("Tables", f"Table {number}: {table.title}")
        for number, table in PAPER_TABLES.items()
    },
    "differences.csv": ("Tables", f"difference to {STUDY.reference}"),
    "against_references.csv": ("Tables", "difference to rows that need no training"),
    "realism.csv": ("Tables", "realism"),
    "findings.md": ("Findings", "this study"),
    "contrasts.csv": ("Findings", "contrasts named before the run"),
    "rank_correlation.csv": ("Findings", "replay against return"),
    "probes_table.csv": ("Certificates", "what each memory is worth"),
    "audit.csv": ("Audit", "in what trainings differ"),
}
# The studies on the page of findings: those of the reported ones that have tables, or will have them by this run.
FOUND_IN = [
    one.study
    for one in REPORTED.values()
    if one.study == STUDY.study
    or Path(f"results/{one.study}/tables/contrasts.csv").is_file()
]
# Studies side by side, where there are two of them by this run.
COMPARED_IN = [
    name
    for name in side_by_side.STUDIES
    if name == STUDY.study or Path(f"results/{name}/tables/record.json").is_file()
]
COMPARISON = (
    expand(
        "results/policies/{file}",
        file=[
            "ranks.csv",
            "paper_agreement.csv",
            "moves.csv",
            "changes.csv",
            "explained.csv",
            "policies.md",
            "ranks.png",
        ],
    )
    if STUDY.study in COMPARED_IN and len(COMPARED_IN) > 1
    else []
)
NOTEBOOK_FOLDER = "notebooks" if ROOT == Path.cwd() else f"{ROOT}/notebooks"
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
GPU_STUDY = STUDY.compute.device == "cuda"
# For --sdm conda.
ENVIRONMENT = f"../../envs/environment{'-gpu' if GPU_STUDY else ''}.yaml"
# What only some studies have: a pretrained model's manifest, an index of recordings in place of an asset pack.
PRETRAINED = [f"{RIG}/pretrained.json"] if STUDY.pretrained.given else []
SHIPPED = str(find_shipped(STUDY.base.taken)) if STUDY.base.taken else ""
GUIDE = str(find_shipped(STUDY.sampler.guide)) if STUDY.sampler.guide else ""
BASE_SHARDS = range(STUDY.base.shards) if STUDY.base.source == "trained" else []
RECORDED = STUDY.world.source != "rooms"
# Shipped files are `ancient`, as their times in a fresh clone say nothing: what is made of them runs again where their
# record, which holds their hashes, is another one.
SHIPPED_DIGEST, GUIDE_DIGEST = (
    digest(read_record(Path(folder, RECORD))) if folder else ""
    for folder in (SHIPPED, GUIDE)
)
# AlexNet's weights, where the codec's decoder is trained on LPIPS; a shipped codec comes trained.
CODEC_WEIGHTS = (
    [ancient("resources/weights/alexnet.safetensors")]
    if STUDY.codec.needs_lpips and not SHIPPED
    else []
)
# The pool that the codec is fitted to; one that comes trained needs none, and need not wait for it.
FITTED_ON = (
    []
    if SHIPPED or (PRETRAINED and STUDY.codec.kind == "wan")
    else [f"{RIG}/pool/train/record.json"]
)
# Which pixels were seen before is known where frames have depth.
SEEN = [f"{RUN}/seen.safetensors"] if STUDY.has_depth else []
BASE = f"{RIG if BASE_SHARDS else RUN}/base.safetensors"
SHARES = range(STUDY.compute.latent_shares)
# Jobs are handed the study as it was checked here, whatever --configfile and --config made of it, in the environment: a
# Slurm job reads this file once more and so has it too. It is no file of the graph: Snakemake does not look at what
# follows a rebuilt `ancient` input, so that a changed key would end well with nothing made. A job refuses a study whose
# fingerprint is not the planned one.
STUDY_OPTION, RIG_OPTION = f"@{STUDY.study}", f"@{Path(RIG).name}"
for name in {STUDY.study, Path(RIG).name}:
    os.environ[study_variable(name)] = json.dumps(
        {
            "study": {**STUDY.model_dump(mode="json"), "study": name, "rig": None},
            "rows": {row: MATRIX[row] for row in STUDY.rows},
        }
    )
# Files of weights: all that can be fetched, and those that each judge of the study needs.
WEIGHTS = constant(ROOT / "echo" / "io" / "weights.py", "FILES")
JUDGE, JUDGES = STUDY.evaluate.judge, STUDY.all_judges
JUDGE_WEIGHTS = {
    judge: [
        f"resources/weights/{name}.safetensors"
        for name in judge_weights(STUDY.judged_by(judge).judge_kind)
    ]
    for judge in JUDGES
}
# Files that judges read, as their settings name them. Snakemake would take committed tables for whole without them.
JUDGE_FILES = {
    judge: judge_files(asked.judge_kind, asked.judge_settings)
    for judge, asked in ((judge, STUDY.judged_by(judge)) for judge in JUDGES)
}
for judge, files in JUDGE_FILES.items():
    for file in files:
        if not Path(file).is_file():
            sys.exit(
                f"judges.{judge}: {file}: no such file; name files that are there, and until then leave the judge out of "
                "evaluate"
            )
for row, one in IMPORTED.items():
    if one.path is not None and not Path(one.path).is_file():
        sys.exit(
            f"checkpoints.{row}: {one.path}: no such file; put the released file there, or give its repo, file and "
            "revision in place of path (docs/released.md)"
        )
PROBED = BRANCHES["recall"].split(STUDY.evaluate.splits)
# The records of all stages: their times stand in the tables.
RECORDS = [
    *([f"{RIG}/index/recordings.record.json"] if RECORDED else []),
    *(f"{RIG}/pool/{split}/record.json" for split in PREPARED),
    *(f"{TEXTS}/text/{split}.record.json" for split in PREPARED),
    f"{RIG}/codec.record.json",
    # Of the training pool, which a study that trains nothing does not make.
    *([f"{RIG}/codec_quality.record.json"] if STUDY.trained_rows else []),
    *(f"{RIG}/latents/{s}/shares/{n}/record.json" for s in PREPARED for n in SHARES),
    *(f"{RIG}/latents/{split}/record.json" for split in PREPARED),
    *(f"{RUN}/evidence/{split}.record.json" for split in PREPARED),
    *(f"{RIG}/base/clips/{shard}.record.json" for shard in BASE_SHARDS),
    *([BASE.replace(".safetensors", ".record.json")] if STUDY.trained_rows else []),
    *(f"{RUN}/train/{run}/model.record.json" for run in RUNS),
    *(f"{RUN}/rollout/{run}/record.json" for run in RUNS),
    *(f"{RUN}/reference/{name}/record.json" for name in REFERENCES),
    *(f"{RUN}/probes/{run}.record.json" for run in RUNS),
    *(f"{RUN}/certificates/{JUDGE}/{run}.record.json" for run in RUNS),
    *([f"{RUN}/seen.record.json"] if SEEN else []),
    *(f"{RUN}/measures/{run}/record.json" for run in MEASURED),
    f"{RUN}/realism/true.record.json",
    *(f"{RUN}/realism/{run}.record.json" for run in MEASURED),
    *(f"{RUN}/judge/{judge}/{run}.record.json" for judge in JUDGES for run in MEASURED),
]
# What another study's rig holds is used as it is, and never made anew for this one under that study's feet.
if RIG != RUN:
    held = {f"{RIG}/codec.record.json": "codec"}
    held |= {f"{RIG}/pool/{split}/record.json": pool_stage(STUDY) for split in SPLITS}
    if TEXTS == RIG:
        held |= {f"{RIG}/text/{split}.record.json": "text" for split in SPLITS}
    held |= {f"{RIG}/latents/{split}/record.json": "latents" for split in SPLITS}
    held |= (
        {BASE.replace(".safetensors", ".record.json"): "base_train"}
        if BASE_SHARDS
        else {}
    )
    for record, stage in held.items():
        if Path(record).is_file() and read_record(Path(record))[
            "digest"
        ] != stage_digest(STUDY, stage):
            sys.exit(
                f"{record}: stage {stage} was run with other settings or code than study {STUDY.study} asks for, whose rig "
                f"({Path(RIG).name}) this is; give both studies the same sections {', '.join(reads(stage))}, or this one "
                "a rig of its own"
            )
# Pools and latents are many files; each folder lists them, and what is gone or cut is named before work is spent.
for listing in (
    *(Path(RIG, "pool", split, "files.json") for split in SPLITS),
    *(
        Path(RIG, "latents", s, "shares", str(n), "files.json")
        for s in SPLITS
        for n in SHARES
    ),
):
    if listing.is_file() and (lost := damage(listing)):
        sys.exit(
            f"{lost}; remove {listing} and run the same snakemake command again: what is whole is kept"
        )

if unpublished(Path(RUN, "tables")).is_file():
    sys.exit(
        f"{RUN}/tables was made, but publishing it failed ({RUN}/logs/publish.log); publish it with: "
        f"python -m echo publish --tables {RUN}/tables --out {RESULTS}/tables"
    )


# Assets and weights are `ancient` (their times would make committed tables look outdated), so what depends on them is not
# looked at in a run that fetches them: what was made with them must not be there without them.
for fetched, command, made in (
    (
        "resources/assets/assets.json",
        "assets --out resources/assets",
        "pool/*/record.json",
    ),
    (
        "resources/weights/alexnet.safetensors",
        "weights --out resources/weights",
        "codec.safetensors" if CODEC_WEIGHTS else "measures/*/record.json",
    ),
    *(
        (
            file,
            f"weights --only {Path(file).stem} --out resources/weights",
            f"judge/{judge}/*.record.json",
        )
        for judge, files in JUDGE_WEIGHTS.items()
        for file in files
    ),
    (
        "resources/weights/efficientnet_lite0.safetensors",
        "weights --out resources/weights",
        "realism/*.record.json",
    ),
):
    needed = not (RECORDED and "assets" in fetched)
    if needed and not Path(fetched).is_file() and any(Path(RUN).glob(made)):
        sys.exit(
            f"{fetched} is missing, though files of {RUN} were made with it; fetch it with: python -m echo {command}"
        )


wildcard_constraints:
    row="|".join(STUDY.rows),
    reference="|".join(REFERENCES) or "none",
    measured="|".join(MEASURED),
    judge="|".join(JUDGES),
    figure="|".join(FIGURES),
    suffix="|".join(sorted({Path(file).suffix[1:] for file in FIGURE_FILES})),
    seed=r"\d+",
    share=r"\d+",
    split="|".join(SPLITS),
    # Downloads of released checkpoints, below their folder.
    download="|".join(
        re.escape(one.local.removeprefix(f"{DOWNLOADS}/")) for one in IMPORTED.values()
    )
    or "none",


def fingerprint(stage):
    """What a stage depends on beside its inputs, as a digest; of the row and the judge, where the rule has them."""

    def of_job(wildcards):
        judge = wildcards.get("judge")
        study = STUDY.judged_by(judge) if judge else STUDY
        return stage_digest(study, stage, measured_row(wildcards))

    return of_job


def measured_row(wildcards):
    """The row, or reference row, that a job is about; None where it is about none."""
    if measured := wildcards.get("measured"):
        return measured if measured in REFERENCES else measured.rpartition("-")[0]
    return wildcards.get("row") or wildcards.get("reference")


def measured_seed(wildcards):
    """The training seed of what a job measures."""
    measured = wildcards.measured
    return UNTRAINED if measured in REFERENCES else measured.rpartition("-")[2]


def folder(name):
    """The folder of the input called ``name``; of the first of several."""
    return lambda wildcards, input: str(
        Path(input[name] if isinstance(input[name], str) else input[name][0]).parent
    )


def released_checkpoint(wildcards):
    """The released file that a row is made of: one that is there, or a download."""
    return IMPORTED[wildcards.row].local


def released_sha256(wildcards):
    """The option with what the sha256 of that file must be, where it is known."""
    held = IMPORTED[wildcards.row].sha256
    return f"--sha256 {held}" if held else ""


def row_of_download(wildcards, output):
    """The row that a download is for."""
    return next(row for row, one in IMPORTED.items() if one.local == str(output))


def judges_weights(wildcards):
    """The files of weights that a job's judge needs."""
    return [ancient(file) for file in JUDGE_WEIGHTS[wildcards.judge]]


def weights_folder(wildcards):
    """Where weights lie, for a judge that may use none of them."""
    return "resources/weights"


def out_folder(wildcards, output):
    """The folder of a rule's first output."""
    return str(Path(output[0]).parent)


def tables_folder(wildcards):
    """The study's tables, as they are published."""
    return f"{RESULTS}/tables"


def option(flag, name, parents=False):
    """A command's option, once for each input called ``name``: the file, or the folder that holds it."""
    return lambda wildcards, input: " ".join(
        f"{flag} {Path(path).parent if parents else path}" for path in input.get(name)
    )


def held_out(pattern):
    """A file of each held-out split, in their order."""
    return [pattern.format(split=split) for split in HELD_OUT]


def rollouts(run="{row}-{seed}"):
    """A run's rollouts, or what a reference row draws, one a branch, in the study's order."""
    made = "reference" if run in (*REFERENCES, "{reference}") else "rollout"
    return [
        f"{RUN}/{made}/{run}/{branch}.safetensors" for branch in STUDY.evaluate.branches
    ]


def measured_rollouts(wildcards):
    """The rollouts of what a job measures."""
    return rollouts(wildcards.measured)


def figure_category(wildcards):
    """The figure's category in the report."""
    return drawn.about(wildcards.figure).category


def figure_labels(wildcards):
    """The figure's line in the report's menu.

    One label: a second with two values, each of half a category's results, is taken for a switch between two versions
    of each result, and the page goes blank where a version is missing.
    """
    return {"item": drawn.about(wildcards.figure).title}


def figure_text(wildcards):
    """The figure's description, for its caption."""
    return drawn.about(wildcards.figure).text


def open_rollouts(run="{row}-{seed}"):
    """A run's rollouts from lone first frames, or what a reference row draws, one a branch."""
    made = "reference" if run in (*REFERENCES, "{reference}") else "rollout"
    return [
        f"{OPEN}/{made}/{run}/{branch}.safetensors"
        for branch in STUDY.open_domain.branches
    ]


def open_measured_rollouts(wildcards):
    """The rollouts from lone first frames of what a job judges."""
    return open_rollouts(wildcards.measured)


def without_pictures(wildcards):
    """Say why there is nothing to roll out."""
    sys.exit(
        f"study {STUDY.study} has no pictures: set open_domain.images to a folder of them (docs/open_domain.md)"
    )


def filmed(wildcards):
    """The rollouts of a branch that its video shows."""
    folders = ["reference" if run in REFERENCES else "rollout" for run in FILMED]
    return [
        f"{RUN}/{folder}/{run}/{wildcards.branch}.safetensors"
        for folder, run in zip(folders, FILMED)
    ]


def filmed_pool(wildcards):
    """The pool of a branch's cases."""
    split = BRANCHES[wildcards.branch].split(STUDY.evaluate.splits)
    return f"{RIG}/pool/{split}/record.json"


def video_labels(wildcards):
    """The video's line in the report's menu."""
    return {"item": BRANCHES[wildcards.branch].label}


def video_text(wildcards):
    """What happens on the branch, for the video's caption."""
    return BRANCHES[wildcards.branch].explained
