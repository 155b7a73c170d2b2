"""What makes the workflow run again, and what does not."""

import json
import os
import re
import shutil

from echo import figures
from echo.study.config import load_study
from tests.conftest import ROOT
from tests.workflow.running import MINI, snakemake

WEIGHTS = ("alexnet", "efficientnet_lite0")


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
