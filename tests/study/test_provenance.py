"""Fingerprints change with what a stage depends on and with nothing else; records say what a run was."""

import json
import shutil
from functools import cache

import pytest

from echo.study import provenance, source
from echo.study.provenance import part_of, read_record, recorded, stage_digest, stage_modules, stages
from tests.conftest import tiny_study

ROWS = ("train", "rollout", "probe", "open_rollout")  # stages that depend on the row's family

REFERENCES = {
    "reference": lambda study: study.references,
    "open_reference": lambda study: study.open_references,
}


def subjects(study, stage: str) -> tuple:
    """What a stage runs for: rows, reference rows, or once."""
    return study.rows if stage in ROWS else REFERENCES.get(stage, lambda study: (None,))(study)


# For a module, the stages that run again after an edit of it; with a row where only rows of one family do.
RERUNS = {
    "world/camera": "pool clips base_clips evidence base base_train train import_released rollout reference probe seen "
    "measure certificate first_frames open_rollout open_reference open_domain",
    "world/rooms/render": "pool base_clips base_train",
    "encoding/codecs/patch": "codec codec_quality latents_share base_clips rollout reference probe people open_rollout "
    "open_reference",
    "world/recordings/clips": "clips",
    "evidence/retrieval": "evidence base base_train train rollout probe open_rollout",
    "model/backbone": "base base_train train import_released rollout probe open_rollout",
    "model/released": "import_released",
    "training/trainer": "base base_train train",
    "training/launch": "",
    "measures/probes": "probe",
    "measures/probed": "probe certificate tables open_domain viewer",
    "encoding/fit_decoder": "codec codec_quality latents_share base_clips rollout reference probe people open_rollout "
    "open_reference",
    "encoding/perceptual": "codec codec_quality latents_share base_clips rollout reference probe measure certificate "
    "people open_rollout open_reference open_domain",
    "measures/lpips": "measure certificate open_domain",
    "world/geometry": "reference seen measure certificate open_domain",
    "rollout/references/ridge": "reference open_reference",
    "judge/rubric": "judge certificate people open_judge open_domain",
    "judge/judges/embedded": "judge certificate open_judge",
    "judge/people/pairs": "people",
    "figures/videos": "video",
    "figures/viewer/sample": "viewer",
    "tables/statistics": "tables open_domain",
    "io/seeding": None,
    "io/errors": "",
    "study/provenance": "",
    "figures/drift": "",
    "cost/walk": "",
}


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The package's sources in a folder that a test may edit."""
    shutil.copytree(provenance.ROOT, tmp_path / "echo", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "ROOT", tmp_path / "echo")
    return tmp_path / "echo"


def fingerprints(study=None) -> dict:
    study = study or tiny_study()
    return {
        stage if row is None else (stage, row): stage_digest(study, stage, row)
        for stage in stages()
        for row in subjects(study, stage)
    }


def changed(before: dict, after: dict) -> set:
    return {key for key in before if before[key] != after[key]}


def reruns(before: dict, after: dict) -> set[str]:
    return {key if isinstance(key, str) else key[0] for key in changed(before, after)}


def test_every_module_is_in_some_fingerprint_or_left_out_on_purpose():
    study = tiny_study()
    known = {"echo", "echo.__main__"}
    for stage in stages():
        for row in subjects(study, stage):
            known |= set(stage_modules(study, stage, row))
    free = [
        *provenance.LEFT_OUT,
        "echo.figures",
        "echo.measures.cost",
        "echo.measures.regions",
        "echo.protocol",
        "echo.study.docs",
        "echo.study.options",
        "echo.study.schema",
        "echo.study.time_left",
        "echo.tables.files",
        "echo.tables.follows",
        "echo.tables.results",
        "echo.tables.findings_page",
        "echo.tables.changes",
        "echo.tables.policies",
        "echo.tables.policies_page",
        "echo.tables.side_by_side",
        "echo.tables.told",
        "echo.io.publish",
        "echo.io.contents",
        "echo.memory.parameters",
        "echo.judge.people.raters",
        "echo.judge.edits",
        "echo.judge.calibration",
        "echo.judge.fitting",
        "echo.judge.targets",
    ]  # fmt: skip  (these four are run by bench.judges and bench.fit_judges)
    chosen = [
        "echo.world.recordings",
        "echo.evidence.as_released",
        "echo.evidence.streaming",
        "echo.encoding.codecs",
        "echo.encoding.trained_codec",
        "echo.judge.embedded.vgg16",
        "echo.judge.judges",
        "echo.judge.oracle",
        "echo.judge.settings",
        "echo.judge.vision_language",
        "echo.judge.people.answers",
    ]  # by other studies
    modules = {".".join(("echo", *p.relative_to(provenance.ROOT).with_suffix("").parts))
               for p in provenance.ROOT.rglob("*.py") if p.name != "__init__.py"}  # fmt: skip
    modules -= {m for m in modules if m.endswith(".command")}  # the command line
    lost = [m for m in modules - known if not any(m == f or m.startswith(f"{f}.") for f in (*free, *chosen))]
    assert not lost


def test_an_edit_of_any_module_reruns_the_stages_that_import_it(copied, monkeypatch):
    """Each module in turn, in a study of one row a family; the reference is the set of modules that a stage reaches."""
    monkeypatch.setattr(source, "closure", cache(source.closure))  # what is edited below imports what it did
    study = tiny_study(rows=["i2v", "compress_weight", "spatial", "ssm_hybrid"])
    before = fingerprints(study)
    reached = {stage: {module for row in subjects(study, stage) for module in stage_modules(study, stage, row)}
               for stage in stages()}  # fmt: skip
    for path in sorted(copied.rglob("*.py")):
        module = ".".join(("echo", *path.relative_to(copied).with_suffix("").parts)).removesuffix(".__init__")
        kept = path.read_text()
        path.write_text(kept + "\nNEW = 1\n")
        found = reruns(before, fingerprints(study))
        path.write_text(kept)
        left_out = any(module == name or module.startswith(f"{name}.") for name in provenance.LEFT_OUT)
        assert found == {stage for stage in stages() if not left_out and module in reached[stage]}, module
        key = path.relative_to(copied).with_suffix("").as_posix()
        if RERUNS.get(key) is not None:
            assert found == set(RERUNS[key].split()), key
    assert fingerprints(study) == before


def test_a_memorys_code_reruns_its_own_rows_alone(copied):
    before = fingerprints()
    module = copied / "memory" / "spatial" / "memory.py"
    module.write_text(module.read_text() + "\nNEW = 1\n")
    rows = {row for row in tiny_study().rows if row.startswith("spatial")}
    assert changed(before, fingerprints()) == {(stage, row) for stage in ROWS for row in rows}


def test_a_reference_rows_code_redraws_it_alone(copied):
    before = fingerprints()
    module = copied / "rollout" / "references" / "ridge.py"
    module.write_text(module.read_text() + "\nNEW = 1\n")
    assert changed(before, fingerprints()) == {("reference", "ridge"), ("open_reference", "ridge")}


def test_comments_docstrings_and_layout_rerun_nothing(copied):
    before = fingerprints()
    for module in copied.rglob("*.py"):
        text = module.read_text()
        module.write_text(
            text.replace('"""\n\nfrom __future__', ' Another docstring."""\n\n# why\n\nfrom __future__', 1)
        )
    assert changed(before, fingerprints()) == set()


def test_a_setting_reruns_what_reads_it():
    before = fingerprints()
    assert reruns(before, fingerprints(tiny_study(evaluate={"probe_cases": 3}))) == {
        "probe",
        "certificate",
        "tables",
        "viewer",
    }
    assert "pool" in reruns(before, fingerprints(tiny_study(seed=1)))


def test_a_stage_is_handed_what_it_declares_and_nothing_else():
    study = tiny_study()
    part = part_of(study, "measure")
    assert part.evaluate.cases == study.evaluate.cases
    with pytest.raises(AttributeError, match=r"stage measure reads study\.train, which its READS does not list"):
        _ = part.train
    with pytest.raises(AttributeError, match=r"study\.evaluate\.probe_threshold"):
        _ = part.evaluate.probe_threshold


def test_a_judge_depends_on_its_own_module_and_settings_and_on_no_judge_beside_it():
    def digest(judge, evaluate=None, **entries):
        study = tiny_study(evaluate={"judges": [], **(evaluate or {})}, judges=entries)
        assert study.judged_by(judge).all_judges == (judge,)
        return stage_digest(study.judged_by(judge), "judge", "i2v")

    one, two = {"kind": "vision_language"}, {"kind": "vision_language", "side": 64}
    alone = digest("embedded")
    assert alone == digest("embedded", {"judges": ["one"]}, one=one) == digest("embedded", {"judges": ["one"]}, one=two)
    beside = digest("one", {"judges": ["one", "two"]}, one=one, two=two)
    assert beside == digest("one", {"judge": "one", "judges": ["embedded"]}, one=one)
    assert len({alone, beside, digest("two", {"judges": ["two"]}, one=one, two=two)}) == 3
    study = tiny_study(evaluate={"judges": ["one"]}, judges={"one": one})
    assert "echo.judge.judges.embedded" not in stage_modules(study.judged_by("one"), "judge", "i2v")
    trained = {stage: stage_digest(study, stage, "i2v") for stage in ("train", "rollout", "measure", "certificate")}
    assert trained == {stage: stage_digest(tiny_study(), stage, "i2v") for stage in trained}


def test_imports_for_types_alone_do_not_count(tmp_path):
    (tmp_path / "a.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import echo.b\nelse:\n    import echo.c\n"
        "def f():\n    from echo import d\n"
    )
    for name in "bcd":
        (tmp_path / f"{name}.py").write_text("")
    assert set(source.closure(tmp_path, "echo.a")) == {"echo.a", "echo.c", "echo.d"}


def test_a_record_says_what_ran(tmp_path):
    study = tiny_study()
    with recorded(tmp_path / "record.json", study, "train", "i2v") as record:
        record["loss"] = 0.5
    found = read_record(tmp_path / "record.json")
    assert found["stage"] == "train" and found["row"] == "i2v" and found["loss"] == 0.5 and found["seconds"] >= 0
    assert found["digest"] == stage_digest(study, "train", "i2v") and json.dumps(found["config"])


def test_a_stage_that_fails_leaves_no_record(tmp_path):
    with pytest.raises(RuntimeError), recorded(tmp_path / "record.json", tiny_study(), "tables"):
        raise RuntimeError("no")
    assert not (tmp_path / "record.json").exists()


def test_a_record_says_which_processor_and_vectors_its_sums_were_made_with(tmp_path):
    told = tmp_path / "cpuinfo"
    told.write_text(
        "processor\t: 0\nmodel name\t: A Processor: 3\nflags\t\t: fpu avx2 amx_bf16 avx512fp16\n\nprocessor\t: 1\n"
    )
    found = provenance.machine(told)
    assert (found["model"], found["vectors"]) == ("A Processor: 3", ["avx2", "amx_bf16"])
    assert "model" not in provenance.machine(tmp_path / "none") and provenance.machine(tmp_path / "none")["cores"]
