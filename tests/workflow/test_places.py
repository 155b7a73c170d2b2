"""Bad configuration, files that are gone, and folders of any name: what stops a run, and what does not."""

import re

import pytest

from tests.workflow.running import snakemake


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
