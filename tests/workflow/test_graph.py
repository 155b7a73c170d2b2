"""What the graph of a study lists: its jobs, their inputs, and what they ask of the machine."""

import re

import pytest

from echo import figures
from echo.study.config import load_study
from tests.conftest import ROOT
from tests.pictures import write_pictures
from tests.workflow.running import MINI, PAPER, jobs, snakemake


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


def test_the_slurm_profile_is_found_and_keeps_the_default_one(clone):
    done = snakemake(clone, "-n", "--profile", "slurm")
    assert done.returncode == 0, done.stderr
    assert "profiles slurm and workflow specific profile" in done.stderr
