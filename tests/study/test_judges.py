"""Judges are found by their modules, without importing them."""

from echo.study import judges


def test_judges_are_the_modules_of_their_folder(tmp_path, monkeypatch):
    assert "embedded" in judges.judge_names() and judges.judge_weights("embedded") == ("efficientnet_lite0",)
    for name in ("embedded", "panel", "_shared", "__init__"):
        (tmp_path / f"{name}.py").write_text("raise AssertionError\nWEIGHTS = ('one', 'two')\n")
    (tmp_path / "plain.py").touch()
    monkeypatch.setattr(judges, "FOLDER", tmp_path)
    assert judges.judge_names() == ("embedded", "panel", "plain")
    assert judges.judge_weights("panel") == ("one", "two") and judges.judge_weights("plain") == ()
