"""The graph: what it lists, what makes it run again, and what stops it. Snakemake itself is run, on a copy."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from echo import figures
from echo.io.files import write_text
from echo.study.config import load_study
from echo.tables.files import table_files
from tests import forked
from tests.conftest import ROOT
from tests.copied import copy_project
from tests.pictures import write_pictures
from tests.synthetic import write_tables

MINI, PAPER = (yaml.safe_load((ROOT / "config" / name).read_text()) for name in ("config.yaml", "paper.yaml"))
WEIGHTS = ("alexnet", "efficientnet_lite0")


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return forked.snakemake(folder, "--cores", "2", *arguments)


@pytest.fixture(scope="module")
def made_tables(tmp_path_factory) -> Path:
    """Tables of invented numbers, as a study commits them."""
    tables = tmp_path_factory.mktemp("made") / "tables"
    write_tables(tables, cases=6, rows=("i2v", "context_k5", "spatial", "ssm_blockwise"))
    from echo.tables.build import build_tables

    build_tables(tables, resamples=100)
    (tables / "record.json").write_text("{}")
    return tables


@pytest.fixture
def clone(tmp_path, made_tables) -> Path:
    """What a fresh clone holds, with committed tables (synthetic ones) and no run folder."""
    copy_project(tmp_path, *MINI["chosen_in"])
    shutil.copytree(made_tables, tmp_path / "results" / "mini" / "tables")
    return tmp_path


def test_a_fresh_clones_graph_runs_the_whole_study_and_a_small_one_asks_for_no_gpu(clone):
    """Committed tables do not make the study look done."""
    out = snakemake(clone, "-n").stdout
    assert "gpu=" not in out and "mem_mb=3000" in out
    counts = {line.split()[0]: int(line.split()[1]) for line in out.splitlines() if len(line.split()) == 2
              and line.split()[1].isdigit()}  # fmt: skip
    assert counts["train"] == counts["probe"] == len(MINI["rows"])
    assert counts["measure"] == counts["realism"] == len(MINI["rows"]) + counts["reference"]
    judges = load_study(ROOT / "config" / "config.yaml").all_judges
    assert counts["judge"] == len(judges) * counts["measure"]
    assert counts["tables"] == 1 and counts["figure"] == len(figures.files())


@pytest.mark.parametrize(
    ("on", "own", "other"),
    [
        ("reported", ("in_domain", "open_domain"), ("choosing",)),
        ("choosing", ("choosing",), ("in_domain", "open_domain")),
    ],
)
def test_a_study_plans_jobs_of_what_it_evaluates_on_and_of_nothing_else(clone, on, own, other):
    """Neither inputs nor outputs nor commands of any job name another split's files."""
    done = snakemake(clone, "-n", "-p", "--config", f"evaluate={{splits: {on}}}")
    assert done.returncode == 0, done.stderr
    for split in own:
        assert f"runs/mini/pool/{split}/record.json" in done.stdout
    for split in other:
        assert not re.search(rf"\b{split}\b", done.stdout), split
        refused = snakemake(
            clone, "-n", f"runs/mini/pool/{split}/record.json", "--config", f"evaluate={{splits: {on}}}"
        )
        assert refused.returncode != 0 and "MissingRuleException" in refused.stdout + refused.stderr


def test_figures_come_from_the_committed_tables_and_one_edit_redraws_one(clone):
    for path in ("assets/assets.json", *(f"weights/{name}.safetensors" for name in WEIGHTS)):
        (clone / "resources" / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / "resources" / path).write_text("fetched by another study, after the tables were committed")
    listed = snakemake(clone, "figures", "-n").stdout
    assert listed.count("rule figure:") == len(figures.files()) and "rule tables:" not in listed
    targets = [f"results/mini/figures/{name}.png" for name in ("drift", "probes")]
    first = snakemake(clone, *targets)
    assert first.returncode == 0, first.stderr
    assert "train" not in first.stderr and "tables" not in first.stderr.split("Job stats")[1].split("total")[0]
    drawn = sorted((clone / "results" / "mini" / "figures").glob("*.png"))
    assert [path.name for path in drawn] == ["drift.png", "probes.png"]

    for path in (*clone.rglob("*.py"), *clone.rglob("*.csv")):
        os.utime(path)  # a new time is not a change
    module = clone / "echo" / "figures" / "drift.py"
    module.write_text("# a comment is not a change either\n" + module.read_text())
    assert "Nothing to be done" in snakemake(clone, *targets).stderr

    stamps = {path.name: path.stat().st_mtime_ns for path in drawn}
    source = module.read_text()
    module.write_text(source + "\n\nNEW = 1\n")
    again = snakemake(clone, *targets)
    assert again.returncode == 0, again.stderr
    changed = [path.name for path in drawn if path.stat().st_mtime_ns != stamps[path.name]]
    assert changed == ["drift.png"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train={stepz: 3}", "unknown key `train.stepz`"),
        ("rows=[i2v,telepathy]", "`rows` = 'telepathy': no such row"),
        ("reference=spatial_typo", "`reference` = 'spatial_typo': not among rows"),
    ],
)
def test_bad_configuration_stops_before_any_job(clone, setting, message):
    done = snakemake(clone, "-n", "--config", setting)
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr and not re.search(r"line \d", done.stderr)
    assert not (clone / "runs" / "mini" / "pool").exists()


RELEASED = {
    "study": "authors", "rows": ["i2v", "context_k5", "framepack_len_r8"], "row_options": {},
    "base": {"source": "drawn"}, "train": {"steps": 1},
    "backbone": {"camera": "attention", "ray_frequencies": 0, "clean_timestep": "target", "layout": "target_first"},
    "checkpoints": {
        "i2v": {"path": "k1.safetensors", "sha256": "a" * 64},
        "framepack_len_r8": {"repo": "a/b", "file": "r8/epoch-0.safetensors", "revision": "0123456789abcdef"},
    },
}  # fmt: skip


def test_rows_with_a_released_checkpoint_are_imported_and_not_trained(clone):
    """By one command: one file is there, the other one is downloaded; the third row is trained as ever."""
    (clone / "authors.yaml").write_text(yaml.safe_dump(RELEASED))
    arguments = ("results/authors/tables/tables.md", "-n", "-p", "--configfile", "authors.yaml")
    missing = snakemake(clone, *arguments)
    assert missing.returncode != 0 and "checkpoints.i2v: k1.safetensors: no such file" in missing.stderr
    (clone / "k1.safetensors").write_text("")
    done = snakemake(clone, *arguments)
    assert done.returncode == 0, done.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert [counts[rule] for rule in ("train", "import_released", "released_file", "rollout")] == ["1", "2", "1", "3"]
    commands = [line for line in done.stdout.splitlines() if " import-released " in line]
    held = "resources/released/a--b@0123456789ab/r8/epoch-0.safetensors"
    assert sorted(re.findall(r"--row (\w+) --checkpoint (\S+)", " ".join(commands))) == [
        ("framepack_len_r8", held), ("i2v", "k1.safetensors")
    ]  # fmt: skip
    assert f"--sha256 {'a' * 64} --out runs/authors/train/i2v-0/model.safetensors" in done.stdout
    assert f"released-file --study @authors --row framepack_len_r8 --out {held}" in done.stdout
    assert "--row i2v --seed 0 --latents" not in done.stdout

    alone = {**RELEASED, "rows": ["i2v", "framepack_len_r8"]}
    (clone / "authors.yaml").write_text(yaml.safe_dump(alone))
    done = snakemake(clone, *arguments)
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert counts.get("train") is None and counts.get("base") is None and counts["latents"] == "2"  # none to train on


def test_jobs_read_the_study_that_was_checked(clone):
    done = snakemake(clone, "runs/mini/study.json", "--config", "seed=7")
    assert done.returncode == 0, done.stderr
    assert json.loads((clone / "runs" / "mini" / "study.json").read_text())["seed"] == 7


def test_a_changed_key_runs_what_reads_it_again(clone):
    """At once: a run that ends well has made everything that was asked for, of the study that was asked for."""
    if (ROOT / "resources" / "assets").is_dir():
        shutil.copytree(ROOT / "resources" / "assets", clone / "resources" / "assets")
    target = "runs/smoke/pool/open_domain/record.json"
    for seed in (0, 3):
        done = snakemake(clone, target, "--configfile", "config/smoke.yaml", "--config", f"seed={seed}")
        assert done.returncode == 0, done.stderr
        assert json.loads((clone / target).read_text())["seed"] == seed
    again = snakemake(clone, target, "--configfile", "config/smoke.yaml", "--config", "seed=3")
    assert "Nothing to be done" in again.stderr
    shutil.rmtree(clone / "resources" / "assets")
    gone = snakemake(clone, target, "--configfile", "config/smoke.yaml", "--config", "seed=4")
    assert gone.returncode != 0
    assert "assets.json is missing, though files of runs/smoke were made with it" in gone.stderr.splitlines()[-1]


def test_a_study_of_another_policy_uses_the_rig_as_it_is_and_refuses_one_of_other_rooms(clone):
    if (ROOT / "resources" / "assets").is_dir():
        shutil.copytree(ROOT / "resources" / "assets", clone / "resources" / "assets")
    pool, text = "runs/smoke/pool/open_domain/record.json", "runs/smoke/text/open_domain.safetensors"
    made = snakemake(clone, text, "--configfile", "config/smoke.yaml")
    assert made.returncode == 0, made.stderr
    before = {path: path.read_bytes() for path in (clone / "runs" / "smoke").rglob("*") if path.is_file()}
    second = ("--configfile", "config/smoke.yaml", "--config", "study=second", "rig=smoke")
    again = snakemake(clone, text, *second, "evidence={policy: streaming}")
    assert "Nothing to be done" in again.stderr
    listed = snakemake(clone, "-n", *second, "evidence={policy: streaming}").stdout
    assert "runs/second/train/i2v-0/model.safetensors" in listed and "runs/second/pool" not in listed
    refused = snakemake(clone, text, *second, "seed=3")
    line = refused.stderr.splitlines()[-1]
    assert refused.returncode != 0 and pool in line and "whose rig (smoke) this is" in line
    assert {path: path.read_bytes() for path in (clone / "runs" / "smoke").rglob("*") if path.is_file()} == before


def test_a_dry_run_and_a_run_that_the_lock_refuses_change_nothing(clone):
    """Jobs of the run beside it read the study's file."""
    snakemake(clone, "runs/mini/study.json")
    before = {path: path.read_bytes() for path in (clone / "runs").rglob("*") if path.is_file()}
    locks = clone / ".snakemake" / "locks"
    snakemake(clone, "-n", "--config", "seed=7")
    for number, kind in enumerate(("input", "output")):
        (locks / f"{number}.{kind}.lock").write_text("runs/mini/study.json\n")
    refused = snakemake(clone, "runs/mini/study.json", "--config", "seed=7")
    assert refused.returncode != 0 and "lock" in refused.stderr.lower()
    assert {path: path.read_bytes() for path in (clone / "runs").rglob("*") if path.is_file()} == before


def test_single_keys_change_the_default_study(clone):
    """`--config study=NAME` alone is the default study under another name."""
    out = snakemake(clone, "-n", "--config", "study=other").stdout
    assert "runs/other/study.json" in out and out.count("rule train:") == len(MINI["rows"])


def jobs(out: str, rule: str) -> int:
    """Jobs of a rule that a dry run lists."""
    return len(re.findall(rf"^(?:local)?rule {rule}:", out, re.MULTILINE))


def pretended(clone, *arguments) -> None:
    """Have Snakemake believe that a target was made: its files are there, of one line each."""
    listed = snakemake(clone, *arguments, "--summary")
    assert listed.returncode == 0, listed.stderr
    for line in listed.stdout.splitlines()[1:]:
        path = clone / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    touched = snakemake(clone, *arguments, "--touch", "--forceall")
    assert touched.returncode == 0, touched.stderr
    assert "Nothing to be done" in snakemake(clone, *arguments, "-n").stdout


def test_a_further_judge_and_a_changed_one_run_their_own_jobs_and_no_other(clone):
    """Neither the other judges' scores nor a training: `judges` makes the scores of all and nothing of them."""
    smoke, study = ("judges", "--configfile", "config/smoke.yaml"), load_study(ROOT / "config" / "smoke.yaml")
    measured = len(study.rows) * len(study.train_seeds) + len(study.references)
    entries = "same: {kind: embedded}, one: {kind: vision_language, side: %d}"
    pretended(clone, *smoke, "--config", "evaluate={judges: [same, one]}", f"judges={{{entries % 64}}}")
    further = "more: {kind: vision_language}"
    listed = snakemake(
        clone, *smoke, "-n", "--config", "evaluate={judges: [more, same, one]}",
        f"judges={{{further}, {entries % 96}}}",
    ).stdout  # fmt: skip
    assert set(re.findall(r"^(?:local)?rule (\w+):", listed, re.MULTILINE)) == {"judge", "judges"}
    made = re.findall(r"output: runs/smoke/judge/(\w+)/", listed)
    assert sorted(made) == measured * ["more"] + measured * ["one"]


UNGUIDED = "sampler={guide: null, guidance: 1}"  # a guide speaks the latents of the shipped codec


def test_a_base_is_trained_on_shards_of_its_own_and_shipped_by_one_command(clone):
    recipe = "base={source: trained, rooms: 30, shard_rooms: 10, shipped: own}"
    out = snakemake(clone, "-n", "ship", "--config", recipe, UNGUIDED).stdout
    assert [jobs(out, rule) for rule in ("base_clips", "base_train", "ship", "train", "base")] == [3, 1, 1, 0, 0]
    assert "shipped/own/base.safetensors" in out
    assert all(f"runs/mini/base/clips/{number}.safetensors" in out for number in range(3))
    drawn = snakemake(clone, "-n", "runs/mini/base.safetensors", "--config", "base={source: drawn}", UNGUIDED).stdout
    assert jobs(drawn, "base") == 1 and not jobs(drawn, "pool")  # drawn weights need no frames


def test_a_shipped_base_is_an_input_and_brings_its_codec(clone, tmp_path):
    from echo.study.config import load_study
    from echo.study.study import model_sizes

    folder = clone / "shipped" / "own"
    folder.mkdir()
    sizes = model_sizes(load_study(clone / "config" / "config.yaml"))
    files = {name: {"sha256": "0"} for name in ("base", "codec")}
    (folder / "record.json").write_text(json.dumps({"sizes": sizes, "files": files}))
    for name in files:
        (folder / f"{name}.safetensors").touch()
    out = snakemake(clone, "-n", "runs/mini/base.safetensors", "runs/mini/codec.safetensors", "--config",
                    "base={source: shipped, shipped: own}", UNGUIDED).stdout  # fmt: skip
    assert jobs(out, "base") == jobs(out, "codec") == 1 and not jobs(out, "base_clips")
    for name in files:
        assert re.search(rf"input: .*shipped/own/{name}.safetensors", out)
    refused = snakemake(clone, "-n", "--config", "base={source: shipped, shipped: own}", "codec={channels: 32}",
                        UNGUIDED)  # fmt: skip
    assert refused.returncode != 0
    assert "`codec.channels` = 32: the shipped base own is for 64" in refused.stderr.splitlines()[-1]


def test_videos_are_made_of_two_rows_and_a_copy_alone(clone):
    out = snakemake(clone, "-n", "videos").stdout
    branches = len(load_study(ROOT / "config" / "config.yaml").evaluate.branches)
    asked = [jobs(out, rule) for rule in ("video", "train", "rollout", "reference", "measure", "tables")]
    assert asked == [branches, 2, 2, 1, 0, 0]
    out = snakemake(clone, "-n", "results/mini/videos/recall.mp4").stdout
    inputs = re.search(r"^rule video:\n    input: (.*)", out, re.MULTILINE).group(1).split(", ")
    rollouts = [f"runs/mini/{run}/recall.safetensors" for run in
                ("reference/copy_best", "rollout/i2v-0", "rollout/context_k20-0")]  # fmt: skip
    assert inputs == [*rollouts, "runs/mini/pool/open_domain/record.json"]


def test_the_page_for_people_is_made_of_rollouts_alone_and_their_answers_are_inputs(clone):
    """No table waits for the page; whoever judges by answers judges again when they change."""
    assert "rule people" not in snakemake(clone, "-n").stdout
    out = snakemake(clone, "-n", "people", "leaderboard", "--forcerun", "leaderboard").stdout
    rows = len(MINI["rows"])
    assert [jobs(out, rule) for rule in ("people", "train", "rollout", "measure", "judge")] == [1, rows, rows, 0, 0]
    assert jobs(out, "leaderboard") == 1  # whose entries no study makes
    out = snakemake(clone, "-n", "viewer").stdout
    assert [jobs(out, rule) for rule in ("viewer", "probe", "rollout", "measure")] == [1, rows, rows, 0]
    judge = ["judges={seen: {kind: people, answers: [anna.csv]}}", "evaluate={judges: [seen]}"]
    refused = snakemake(clone, "-n", "--config", *judge)
    assert refused.returncode != 0 and "judges.seen: anna.csv: no such file" in refused.stderr.splitlines()[-1]
    (clone / "anna.csv").touch()
    out = snakemake(clone, "-n", "--config", *judge).stdout
    asked = re.findall(r"^rule judge:\n    input: (.*)", out, re.MULTILINE)
    assert {"anna.csv" in inputs for inputs in asked} == {True, False}  # of this judge, and not of the other


def test_what_a_training_begins_with_and_what_guides_are_inputs(clone):
    recipe = "base={source: trained, rooms: 20, shard_rooms: 10, shipped: own, begin: mini}"
    out = snakemake(clone, "-n", "ship", "--config", recipe).stdout
    assert [jobs(out, rule) for rule in ("base_clips", "base_train", "ship", "weights")] == [2, 1, 1, 0]
    assert re.search(r"input: .*clips/1.safetensors, shipped/mini/base.safetensors", out)
    assert re.search(r"input: .*shipped/mini/codec.safetensors", out)  # no codec is fitted, so no weights are fetched
    guided = "sampler={steps: 12, guide: guide, guidance: 1.5}"
    out = snakemake(clone, "-n", "--config", guided, "rows=[i2v]", "reference=i2v").stdout
    used = re.findall(r"^rule (\w+):\n    input: .*shipped/guide/base.safetensors", out, re.MULTILINE)
    assert sorted(used) == ["probe", "rollout"]
    refused = snakemake(clone, "-n", "--config", "sampler={guide: null, guidance: 1.5}")
    assert refused.returncode != 0 and "`sampler.guidance` = 1.5: needs sampler.guide" in refused.stderr


def test_a_file_that_is_gone_or_cut_is_named_before_work_is_spent(clone):
    folders = ("pool/train", "latents/train/shares/0")
    for folder in folders:
        place = clone / "runs" / "mini" / folder
        place.mkdir(parents=True)
        (place / "kept.safetensors").write_bytes(b"12345")
        (place / "files.json").write_text('{"kept.safetensors": 5}')
    assert snakemake(clone, "-n").returncode == 0
    for folder in folders:
        place = clone / "runs" / "mini" / folder
        (place / "kept.safetensors").write_bytes(b"1234")
        message = snakemake(clone, "-n").stderr.splitlines()[-1]
        assert f"{folder}/kept.safetensors has 4 bytes, expected 5; remove runs/mini/{folder}/files.json" in message
        (place / "kept.safetensors").unlink()
        assert f"{folder}/kept.safetensors is missing" in snakemake(clone, "-n").stderr.splitlines()[-1]
        (place / "files.json").unlink()


def test_a_checkout_whose_path_the_shell_would_read_runs_nothing_of_it(clone, tmp_path_factory):
    odd = tmp_path_factory.mktemp("odd") / "a $(touch pwned) `touch pwned` 'b\" c"
    clone.rename(odd)
    done = snakemake(odd, "figures", "-n")
    assert done.returncode == 0, done.stderr
    done = snakemake(odd, "results/mini/figures/drift.png")
    assert done.returncode == 0, done.stderr
    assert not list(odd.parent.rglob("pwned"))
    braces = odd.with_name("a {b}")
    odd.rename(braces)
    refused = snakemake(braces, "-n")
    assert refused.returncode != 0 and "a path with braces" in refused.stderr.splitlines()[-1]


def test_the_study_runs_in_another_working_directory_and_as_a_module(clone, tmp_path_factory):
    place = tmp_path_factory.mktemp("elsewhere")
    (place / "resources" / "assets").mkdir(parents=True)
    (place / "resources" / "assets" / "mine.txt").write_text("somebody's")
    done = snakemake(place, "-s", str(clone / "workflow" / "Snakefile"), "runs/mini/study.json")
    assert done.returncode == 0 and (place / "runs" / "mini" / "study.json").is_file(), done.stderr
    (place / "study.yaml").write_text((clone / "config" / "quick.yaml").read_text())
    (place / "Snakefile").write_text(
        f"""
configfile: "study.yaml"

module echo_study:
    snakefile: "{clone}/workflow/Snakefile"
    config: config

use rule * from echo_study as echo_*

rule mine:
    default_target: True
    input: rules.echo_all.input
"""
    )
    listed = snakemake(place, "-n")
    assert listed.returncode == 0 and listed.stdout.count("rule echo_train:") == 4, listed.stderr
    done = snakemake(place, "runs/quick/study.json")
    assert done.returncode == 0 and (place / "runs" / "quick" / "study.json").is_file(), done.stderr
    assert (place / "resources" / "assets" / "mine.txt").is_file()


def test_pictures_are_rolled_out_where_a_study_names_them_and_nowhere_else(clone):
    assert not re.search(r"open_(rollout|judge|text)\b|first_frames|rule open_domain", snakemake(clone, "-n").stdout)
    without = snakemake(clone, "open_domain")
    assert without.returncode and "study mini has no pictures: set open_domain.images to a folder" in without.stderr
    folder = write_pictures(clone / "own pictures")
    named = ("-n", "-p", "open_domain", "--config", f"open_domain={{images: '{folder.name}'}}")
    planned = snakemake(clone, *named)
    assert planned.returncode == 0, planned.stderr
    for row in MINI["rows"]:
        assert f"runs/mini/open_domain/rollout/{row}-0/return_45.safetensors" in planned.stdout
    assert "--row ridge --seed -1" in planned.stdout and "codec_ceiling" not in planned.stdout
    assert "pool/in_domain" not in planned.stdout and "strips/inside-hall__return_45.jpg" in planned.stdout
    (folder / "garden.jpg").unlink()
    refused = snakemake(clone, *named)
    assert refused.returncode and "images.csv, line 2: " in refused.stderr and "no such file" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_papers_graph_is_listed_with_what_each_job_asks_of_the_cluster(clone):
    """No data and no weights are there yet."""
    out = snakemake(clone, "-n", "--configfile", "config/paper.yaml").stdout
    jobs = re.findall(r"^(?:local)?rule (\w+):\n((?: .*\n)+)", out, re.M)
    asked = {name: dict(re.findall(r"(\w+)=(\w+)", re.search(r"resources: (.*)", text)[1])) for name, text in jobs}
    asked.pop("all")
    assert {"pretrained", "latents_share", "train", "rollout", "measure", "figure"} <= set(asked)
    assert sum(name == "train" for name, _ in jobs) == len(PAPER["rows"])
    made_of = {name: re.search(r"input: (.*)", text)[1] for name, text in jobs if name in ("codec", "codec_quality")}
    assert made_of["codec"] == "runs/paper/pretrained.json"  # it is trained: nothing waits for frames
    assert asked["codec_quality"]["gpu"] == "1" and "runs/paper/codec.safetensors" in made_of["codec_quality"]
    for name, resources in asked.items():
        assert int(resources["runtime"]) >= 15 and int(resources["mem_mb"]) >= 1000, name
    assert asked["train"]["gpu"] == "8" and int(asked["train"]["cpus_per_task"]) >= 8
    assert asked["rollout"]["gpu"] == asked["measure"]["gpu"] == "1" and "gpu" not in asked["judge"]
    assert int(asked["train"]["mem_mb"]) > 200_000  # no limit of a local run cuts it


def test_a_stage_is_handed_the_cpus_that_its_job_asks_for(clone):
    """``--threads`` would stay 1, and eight CPUs do the work of one."""
    out = snakemake(clone, "-n", "-p", "--cores", "64", "--configfile", "config/paper.yaml").stdout
    jobs = re.findall(r"^rule (\w+):\n((?: .*\n)+)[^\n]*\n?.*?--threads (\d+)", out, re.M)
    asked = {name: int(re.search(r"cpus_per_task=(\d+)", text)[1]) for name, text, _ in jobs}
    assert {"text", "codec", "latents_share", "rollout", "probe", "measure", "judge"} <= set(asked)
    assert {name: int(threads) for name, _, threads in jobs} == asked


def test_publishing_that_fails_loses_no_committed_table(clone):
    committed, made = clone / "results" / "mini" / "tables", clone / "runs" / "mini" / "tables"
    for name in table_files(load_study(clone / "config" / "config.yaml").evaluate.branches):
        (committed / name).touch()  # those of branches that the invented tables leave out
    before = {path: path.read_bytes() for path in committed.rglob("*") if path.is_file()}
    shutil.copytree(committed, made)
    (made / "tables.md").write_text("# New\n")
    (made / "broken").symlink_to("nowhere")
    target = ("results/mini/tables/tables.md", "--allowed-rules", "publish")
    failed = snakemake(clone, *target)
    assert failed.returncode != 0 and "Error in rule publish" in failed.stderr
    assert {path: path.read_bytes() for path in committed.rglob("*") if path.is_file()} == before
    (made / "broken").unlink()
    command = "python -m echo publish --tables runs/mini/tables --out results/mini/tables"
    assert snakemake(clone, "-n").stderr.splitlines()[-1].endswith(command)
    subprocess.run([sys.executable, *command.split()[1:]], cwd=clone, check=True)
    assert (committed / "tables.md").read_text() == "# New\n"
    assert "Nothing to be done" in snakemake(clone, *target).stderr


def test_the_slurm_profile_is_found_and_keeps_the_default_one(clone):
    done = snakemake(clone, "-n", "--profile", "slurm")
    assert done.returncode == 0, done.stderr
    assert "profiles slurm and workflow specific profile" in done.stderr


def test_findings_are_written_from_the_tables_and_the_report_shows_what_it_says(clone):
    """Each result has its category, its line in the menu and a caption of its own kind."""
    committed = clone / "results" / "mini"
    for name in table_files(load_study(clone / "config" / "config.yaml").evaluate.branches):
        (committed / "tables" / name).touch()  # those of branches that the invented tables leave out
    record = {"config": {"study": "mini", "evidence": {"policy": "streaming"}}}
    (committed / "tables" / "record.json").write_text(json.dumps(record))
    (committed / "figures").mkdir()
    pictures = figures.files()
    for name in pictures:
        (committed / "figures" / name).write_bytes(b"a picture")
    pages = [f"{branch}.html" for branch in load_study(clone / "config" / "config.yaml").evaluate.branches]
    for name in pages:
        write_text(clone / "runs" / "mini" / "videos" / name, "a video")
    done = snakemake(clone, "findings")
    assert done.returncode == 0 and "| streaming | `mini` |" in (clone / "docs" / "findings.md").read_text(), (
        done.stderr
    )
    done = snakemake(clone, "findings", "figures", "videos", "--report", "report.html")
    assert done.returncode == 0, done.stderr
    page = (clone / "report.html").read_text()
    categories = json.loads(re.search(r"var categories = (\{.*?\});?\n", page)[1])
    shown = {name: {Path(path).name for own in parts.values() for path in own} for name, parts in categories.items()}
    assert set(shown) == {"Findings", "Tables", "Certificates", "Audit", "Figures", "Rollouts", "Videos"}
    assert shown["Audit"] == {"audit.csv"} and "findings.md" in shown["Findings"]
    assert shown["Certificates"] == {"certificates.png", "probes.png", "probes_table.csv"}
    assert {"rollouts_memory.jpg", "rollouts_reference.jpg", "return_cases.jpg"} <= shown["Rollouts"]
    assert set(pictures) <= set.union(*shown.values())
    assert shown["Videos"] == set(pages)
    captions = re.findall(r'"caption": "(.*?[^\\])"', page)
    assert len(captions) == sum(map(len, shown.values())) + 1 and all(
        len(text) > 100 for text in captions
    )  # two findings.md
