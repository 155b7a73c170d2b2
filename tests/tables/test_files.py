"""The list of files is what the stage writes, and asking for it costs nothing."""

import subprocess
import sys
from pathlib import Path

from echo.tables.files import COMPUTED, GATHERED, PAPER_TABLES, sample_file, table_files
from echo.tables.stages import tables


def test_the_list_is_what_the_stage_writes(made_runs, monkeypatch):
    pools = {split: made_runs.folder / split for split in made_runs.pools}
    monkeypatch.setattr(tables, "open_pool", lambda folder, splits: made_runs.pools[Path(folder).name])
    out = made_runs.folder / "tables"
    tables.run(made_runs.study, **made_runs.inputs, pools=pools, out=out)
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    listed = table_files(made_runs.study.evaluate.branches)
    assert written == set(listed) and len(listed) == len(written)


def test_branches_have_their_own_samples():
    assert sample_file("recall") == "samples/recall.npz"
    few, many = table_files(("replay",)), table_files(("replay", "recall"))
    assert set(many) - set(few) == {"samples/recall.npz"}
    assert not set(GATHERED) & set(COMPUTED) and all(f"table{number}.csv" in COMPUTED for number in PAPER_TABLES)


def test_asking_needs_neither_pandas_nor_torch():
    program = (
        "import sys; from echo.tables.files import table_files; table_files(('replay',)); "
        "print(sorted({'pandas', 'numpy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
