"""Reference rows are found by their folder, and say of themselves what they need."""

import subprocess
import sys

from echo.study import references
from echo.study.references import label, needs_depth, reads_truth, reference_names


def test_a_module_of_the_folder_is_a_reference_row_and_nothing_else_names_it(tmp_path, monkeypatch):
    (tmp_path / "blur.py").write_text('LABEL = "a blur"\nNEEDS_DEPTH = True\nREADS_TRUTH = False\n')
    for name in ("__init__", "_shared"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    assert reference_names() == ("blur",) and label("blur") == "a blur"
    assert needs_depth("blur") and not reads_truth("blur")


def test_every_reference_row_says_what_it_is():
    labels = [label(name) for name in reference_names()]
    assert len(set(labels)) == len(labels) > 0 and all(text and text != "None" for text in labels)
    assert [name for name in reference_names() if reads_truth(name)] == ["codec_ceiling"]


def test_asking_needs_neither_numpy_nor_torch():
    program = (
        "import sys; from echo.study.references import *; [(label(n), needs_depth(n)) for n in reference_names()]; "
        "print(sorted({'numpy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
