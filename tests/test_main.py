"""The command line: what a user can mend is one line on stderr and exit code 1."""

import json
import subprocess
import sys

import pytest
import typer

from echo.__main__ import app, main
from echo.io.tensors import read_header
from echo.model.row import Row
from echo.study.provenance import stage_digest, stages
from tests.conftest import ROOT, ROWS, tiny_study
from tests.judge.people.made import line as line_of
from tests.judge.people.made import write_answers
from tests.pictures import write_pictures
from tests.world.small_pool import write_small_pool


def small_study(**sections):
    """The tests' study, with frames as large as the measures need: it is read as a user's file is."""
    return tiny_study(world={"size": 32}, **sections)


@pytest.fixture
def study_file(tmp_path):
    """A study and its rows, as Snakemake hands them to the stages."""
    (tmp_path / "study.json").write_text(small_study().model_dump_json())
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    return tmp_path / "study.json"


def complaint(capsys, *arguments) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def train(study_file, folder, row="i2v"):
    base, text, evidence, out = (folder / f"{name}.safetensors" for name in ("base", "text", "evidence", "m"))
    for path in (base, text, evidence):
        path.touch()
    return ("train", "--study", study_file, "--row", row, "--seed", 0, "--latents", folder, "--text", text,
            "--evidence", evidence, "--base", base, "--out", out)  # fmt: skip


def test_a_study_that_is_not_there(capsys, tmp_path):
    line = complaint(capsys, "index", "--study", tmp_path / "absent.yaml", "--out", tmp_path)
    assert line.startswith("echo index: ") and "absent.yaml: no such configuration file" in line


def test_a_row_that_the_study_has_not(capsys, study_file, tmp_path):
    assert "--row telepathy: " in complaint(capsys, *train(study_file, tmp_path, "telepathy"))


def test_a_reference_row_is_drawn_and_measured_and_never_trained(capsys, study_file, tmp_path):
    """Its name is taken where it may be, and refused where only rows are, and the other way round."""
    assert "--row copy_first: " in complaint(capsys, *train(study_file, tmp_path, "copy_first"))
    common = ("--study", study_file, "--pool", tmp_path, "--pool", tmp_path, "--out", tmp_path / "out")
    drawn = ("reference", *common, "--codec", tmp_path / "gone", "--latents", tmp_path, "--latents", tmp_path)
    line = complaint(capsys, *drawn, "--row", "i2v")
    assert "--row i2v: " in line and "copy_best, copy_first" in line
    assert "gone: no such file or folder (--codec)" in complaint(capsys, *drawn, "--row", "copy_first")
    measured = ("measure", *common, "--seed", -1, "--rollout", tmp_path / "gone", "--weights", tmp_path)
    assert "--row copy_last: " in complaint(capsys, *measured, "--row", "copy_last")
    assert "gone: no such file or folder (--rollouts)" in complaint(capsys, *measured, "--row", "copy_first")


def test_a_judge_that_the_study_has_not(capsys, tmp_path):
    """Of several judges a job is told which; its fingerprint is of that one alone."""
    judges = {name: {"kind": "vision_language", "side": side} for name, side in (("one", 64), ("two", 96))}
    study = small_study(judges=judges, evaluate={"judges": ["one", "two"]})
    (tmp_path / "study.json").write_text(study.model_dump_json())
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    judge = ("judge", "--study", tmp_path / "study.json", "--row", "i2v", "--seed", 0, "--pool", tmp_path, "--pool",
             tmp_path, "--weights", tmp_path, "--out", tmp_path / "out", "--rollout", tmp_path / "gone")  # fmt: skip
    line = complaint(capsys, *judge, "--judge", "three")
    assert "--judge three: " in line and "has embedded, one, two (evaluate.judge and .judges)" in line
    planned = stage_digest(study.judged_by("two"), "judge", "i2v")
    assert "gone: no such file" in complaint(capsys, *judge, "--judge", "two", "--fingerprint", planned)
    assert f"planned {planned}" in complaint(capsys, *judge, "--judge", "one", "--fingerprint", planned)
    assert f"planned {planned}" in complaint(capsys, *judge, "--fingerprint", planned)


def test_a_job_refuses_a_study_that_changed_since_it_was_planned(capsys, study_file, tmp_path):
    planned = stage_digest(small_study(), "train", "i2v")
    changed = small_study(train={"adamw_lr": 0.001})
    study_file.write_text(changed.model_dump_json())
    line = complaint(capsys, *train(study_file, tmp_path), "--fingerprint", planned)
    assert "the study or the code has changed since this job was planned" in line and planned in line
    assert not (tmp_path / "m.safetensors").exists()
    # With the fingerprint of what is there the job goes on, to the first file that is missing.
    there = stage_digest(changed, "train", "i2v")
    assert "base.safetensors: truncated" in complaint(capsys, *train(study_file, tmp_path), "--fingerprint", there)


def test_a_job_has_its_study_from_the_environment(capsys, study_file, tmp_path, monkeypatch):
    arguments = [*train("@tiny", tmp_path), "--fingerprint", "0"]
    assert "the environment has no ECHO_STUDY_TINY" in complaint(capsys, *arguments)
    study = small_study(seed=5)
    monkeypatch.setenv("ECHO_STUDY_TINY", json.dumps({"study": study.model_dump(mode="json"), "rows": ROWS}))
    planned = stage_digest(study, "train", "i2v")
    assert f"fingerprint {planned}, planned 0" in complaint(capsys, *arguments)


def test_an_error_that_is_not_meant_for_users_keeps_its_trace(study_file, tmp_path, monkeypatch):
    """A fault of the code, or of a library, whatever its class."""
    from echo.training.stages import train as stage

    arguments = [str(argument) for argument in train(study_file, tmp_path)]
    for fault in (ValueError("shapes"), RuntimeError("mat1 and mat2"), OSError("disk")):
        monkeypatch.setattr(stage, "run", lambda fault=fault, **values: raise_(fault))
        with pytest.raises(type(fault), match=str(fault)):
            main(arguments)


def raise_(error: Exception) -> None:
    raise error


def test_captions_of_pictures_are_embedded_though_they_are_of_no_split(study_file, tmp_path):
    """Not so a reference row that a lone frame gives nothing to draw from."""
    study = small_study(open_domain={"images": str(write_pictures(tmp_path / "own"))})
    study_file.write_text(study.model_dump_json())
    assert main(["first-frames", "--study", str(study_file), "--out", str(tmp_path / "pool")]) == 0
    out = tmp_path / "text.safetensors"
    assert main(["text", "--study", str(study_file), "--pool", str(tmp_path / "pool"), "--out", str(out)]) == 0
    assert read_header(out)["videos"].keys() == {"garden__return_45", "inside-hall__return_45"}


def test_a_reference_row_that_needs_more_than_a_picture_is_refused(capsys, study_file, tmp_path):
    drawn = ("open-reference", "--study", study_file, "--codec", tmp_path, "--pool", tmp_path, "--out", tmp_path)
    assert "--row codec_ceiling: cannot be drawn" in complaint(capsys, *drawn, "--row", "codec_ceiling")
    assert "--row i2v: " in complaint(capsys, *drawn, "--row", "i2v")


def test_every_command_and_option_has_help(capsys):
    command = typer.main.get_command(app)
    for name, one in command.commands.items():
        assert one.help, name
        for option in one.params:
            assert option.name == "help" or option.help, (name, option.name)
    assert set(stages()) <= {name.replace("-", "_") for name in command.commands}


def test_help_starts_at_once():
    """It must not import torch."""
    code = "import sys; from echo.__main__ import main; main(['--help']); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_a_pool_that_is_not_there(capsys, study_file, tmp_path):
    arguments = ("codec", "--study", study_file, "--pool", tmp_path / "pool", "--out", tmp_path / "c")
    assert f"{tmp_path}/pool: no such file or folder (--pool)" in complaint(capsys, *arguments)
    (tmp_path / "pool").mkdir()
    assert f"{tmp_path}/pool: no pool there" in complaint(capsys, *arguments)


def test_a_truncated_base(capsys, study_file, tmp_path):
    arguments = train(study_file, tmp_path)
    base = tmp_path / "base.safetensors"
    Row(small_study(), small_study().profiles["i2v"]).save(base)
    base.write_bytes(base.read_bytes()[:-100])
    assert "base.safetensors: truncated or not a safetensors file" in complaint(capsys, *arguments)
    assert not (tmp_path / "m.safetensors").exists()


def test_the_base_of_another_row(capsys, study_file, tmp_path):
    arguments = train(study_file, tmp_path)
    Row(small_study(), small_study().profiles["context_k5"]).save(tmp_path / "base.safetensors")
    assert "the checkpoint's profile has" in complaint(capsys, *arguments)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("codec", "--studdy", "x"), 2, "No such option: --studdy"),
        (("telepathy",), 2, "No such command 'telepathy'"),
        (("codec",), 2, "Missing option '--study'"),
        (("train", "--seed", "one"), 2, "Invalid value for '--seed'"),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(capsys, arguments, code, message):
    assert main(list(arguments)) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and message in lines[0]


def test_a_wrong_split_names_the_right_ones(capsys, study_file, tmp_path):
    line = complaint(capsys, "pool", "--study", study_file, "--split", "mars", "--assets", tmp_path, "--out", tmp_path)
    assert "--split mars" in line and "open_domain" in line


def test_a_study_that_chooses_settings_builds_and_opens_no_reported_split(capsys, tmp_path):
    """Its command line refuses to render one, and refuses the folder of one, by what its videos.csv says."""
    (tmp_path / "study.json").write_text(small_study(evaluate={"splits": "choosing"}).model_dump_json())
    (tmp_path / "rows.yaml").write_text(json.dumps(ROWS))
    study, pool = tmp_path / "study.json", tmp_path / "pool"
    for split in ("in_domain", "open_domain"):
        line = complaint(capsys, "pool", "--study", study, "--split", split, "--assets", tmp_path, "--out", tmp_path)
        assert f"--split {split}: expected one of train, choosing (evaluate.splits: choosing)" in line
    write_small_pool(pool, "open_domain")
    line = complaint(capsys, "text", "--study", study, "--pool", pool, "--out", tmp_path / "text.safetensors")
    assert "videos of split 'open_domain', where the study opens train, choosing" in line
    assert not (tmp_path / "text.safetensors").exists()


def test_files_of_each_split_are_counted(capsys, study_file, tmp_path):
    names = ("--model", "--codec", "--pool", "--latents", "--text", "--evidence", "--out")
    given = [part for name in names for part in (name, tmp_path)]
    line = complaint(capsys, "rollout", "--study", study_file, "--row", "i2v", "--seed", "0", *given)
    assert "--pool: expected 2 paths (in_domain, open_domain), got 1" in line


def test_the_page_for_people_needs_a_folder_of_every_row(capsys, study_file, tmp_path):
    common = ("--study", study_file, "--pool", tmp_path, "--pool", tmp_path, "--codec", tmp_path)
    line = complaint(capsys, "people", *common, "--rollout", tmp_path, "--out", tmp_path / "page.html")
    assert line.startswith("echo people: --rollout: expected ") and "(i2v, " in line and "got 1" in line
    assert not (tmp_path / "page.html").exists()


def test_raters_are_printed_and_a_damaged_file_is_named(capsys, tmp_path):
    answers = write_answers(tmp_path / "a.csv", line_of("p" + "0" * 16, 1, 2, 3, 4, rater="anna"))
    assert main(["raters", "--answers", str(answers)]) == 0
    assert "anna" in capsys.readouterr().out
    answers.write_text(answers.read_text().replace(",4,", ",6,"))
    assert "a.csv, line 2: scene = '6', expected 0 to 5" in complaint(capsys, "raters", "--answers", answers)
