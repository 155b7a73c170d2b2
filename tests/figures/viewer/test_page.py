"""The page is one file that holds all it needs, made by a stage that counts what it is given."""

import json
import re

import pytest

from echo.figures import FigureError
from echo.figures.stages import viewer as stage
from echo.figures.viewer.page import render
from tests.figures.viewer.made import made_contents, made_study, write_rows
from tests.scenes import POOLS


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    return made_contents(tmp_path_factory.mktemp("viewer"))


def test_it_asks_nothing_of_a_network_and_equal_contents_give_equal_bytes(shown):
    text = render(shown)
    assert text == render(shown) and not re.search(r"(src|href)=\"http", text) and "/*{" not in text
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\(", text)
    held = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    assert {**shown, "colours": held["colours"], "plain": held["plain"]} == held


def test_no_name_can_end_the_data(shown):
    text = render({**shown, "study": "</script><b>"})
    assert "</script><b>" not in text and text.count("</script>") == 2


def test_the_stage_writes_the_page_and_counts_what_it_is_given(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "open_pool", lambda folder, splits: POOLS[splits[0]])
    study = made_study(branches=("recall", "replay"))
    rows = write_rows(tmp_path, study)
    folders = [row.folder for row in rows]
    probes = [tmp_path / "context_k20.safetensors"] * 2
    pools = {split: tmp_path for split in ("in_domain", "open_domain")}
    for given, message in (((folders[:2], probes), r"--rollout: expected 3 \(i2v, context_k20, copy_best\), got 2"),
                           ((folders, probes[:1]), r"--probes: expected 2 \(i2v, context_k20\), got 1")):  # fmt: skip
        with pytest.raises(FigureError, match=message):
            stage.run(study, *given, pools, tmp_path / "out.html")
    assert not list(tmp_path.glob("out*"))
    stage.run(study, folders, probes, pools, tmp_path / "out.html")
    assert set(json.loads((tmp_path / "out.record.json").read_text())["outputs"]) == {"out.html"}
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")
