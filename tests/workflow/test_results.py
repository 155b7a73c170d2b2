"""What a run publishes, and the report of it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from echo import figures
from echo.io.files import write_text
from echo.study.config import load_study
from echo.tables.files import table_files
from tests.workflow.running import snakemake


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
    assert shown["Audit"] == {"audit.csv", "audit.png"} and "findings.md" in shown["Findings"]
    assert shown["Certificates"] == {"certificates.png", "probes.png", "probes_table.csv"}
    assert {"rollouts_memory.jpg", "rollouts_reference.jpg", "return_cases.jpg"} <= shown["Rollouts"]
    assert set(pictures) <= set.union(*shown.values())
    assert shown["Videos"] == set(pages)
    captions = re.findall(r'"caption": "(.*?[^\\])"', page)
    assert len(captions) == sum(map(len, shown.values())) + 1 and all(
        len(text) > 100 for text in captions
    )  # two findings.md
