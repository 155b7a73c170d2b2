"""A folder's listing notices what is gone or cut, and nothing else."""

from echo.io.contents import LISTING, damage, list_contents


def test_a_whole_folder_has_no_damage_and_a_changed_one_is_named(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.bin").write_bytes(b"12345")
    (tmp_path / "b.csv").write_text("x")
    list_contents(tmp_path)
    (tmp_path / "record.json").write_text("{}")  # written later, with the times of the run
    assert damage(tmp_path / LISTING) == ""
    (tmp_path / "deep" / "a.bin").write_bytes(b"1234")
    assert damage(tmp_path / LISTING) == f"{tmp_path}/deep/a.bin has 4 bytes, expected 5"
    (tmp_path / "deep" / "a.bin").unlink()
    assert damage(tmp_path / LISTING) == f"{tmp_path}/deep/a.bin is missing"


def test_equal_folders_have_equal_listings(tmp_path):
    listings = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        for file in sorted(("b", "a", "c"), reverse=name == "other"):
            (folder / file).write_text(file)
        list_contents(folder)
        listings.append((folder / LISTING).read_bytes())
    assert listings[0] == listings[1]


def test_a_damaged_listing_is_named(tmp_path):
    (tmp_path / LISTING).write_text('{"a": 1')
    assert "not a list of files" in damage(tmp_path / LISTING)
