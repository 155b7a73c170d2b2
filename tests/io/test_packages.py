import io
import os
import tarfile
import zipfile

import pytest

from echo.io.files import sha256
from echo.io.packages import Package, PackageError, extract_members, package_archive, read_member

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n"


def make_wheel(folder):
    path = folder / "one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("one/numbers.txt", "1 2 3")
        wheel.writestr("one-1.0.dist-info/METADATA", METADATA.format("one"))
        wheel.writestr("one-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("one-1.0.dist-info/RECORD", "")
    return Package("one==1.0", path.name, sha256(path))


def make_source(folder, setup):
    path = folder / "two-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as bundle:
        for name, text in (("numbers.txt", "4 5 6"), ("PKG-INFO", METADATA.format("two")), ("setup.py", setup)):
            entry = tarfile.TarInfo(f"two-1.0/{name}")
            entry.size = len(text)
            bundle.addfile(entry, io.BytesIO(text.encode()))
    return Package("two==1.0", path.name, sha256(path))


@pytest.fixture
def offline(monkeypatch):
    """A pip without any registry, but for the folders that PIP_FIND_LINKS names."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


@pytest.fixture
def links(tmp_path, offline, monkeypatch):
    """A folder of archives where pip looks instead of in the registry."""
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_wheel_is_downloaded_and_removed_afterwards(links):
    with package_archive(make_wheel(links)) as archive:
        assert archive.parent != links
        assert read_member(archive, "one/numbers.txt") == b"1 2 3"
    assert not archive.exists()


def test_a_source_archive_is_downloaded_and_its_setup_does_not_run(links, tmp_path):
    package = make_source(links, f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()")
    with package_archive(package) as archive:
        assert read_member(archive, "two-1.0/numbers.txt") == b"4 5 6"
    assert not (tmp_path / "ran").exists()


def test_without_a_registry_one_line_names_the_package_and_the_way_out(offline):
    with pytest.raises(PackageError, match=r"one==1\.0: could not be downloaded \(ERROR") as error, \
            package_archive(Package("one==1.0", "one-1.0-py3-none-any.whl", "0")):  # fmt: skip
        pass
    assert "PIP_FIND_LINKS=<folder>" in str(error.value) and "one-1.0-py3-none-any.whl" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_archive_of_a_given_folder_is_used_as_it_lies(tmp_path, offline):
    package = make_wheel(tmp_path)
    with package_archive(package, tmp_path) as archive:
        assert archive == tmp_path / package.archive
    assert archive.is_file()
    archive.unlink()
    with pytest.raises(PackageError, match="no such archive; expected that of one==1.0"), \
            package_archive(package, tmp_path):  # fmt: skip
        pass


def test_another_archive_than_expected_is_refused(links, tmp_path):
    package = make_wheel(links)
    with open(links / package.archive, "ab") as file:
        file.write(b"!")
    for archives in (None, links):
        with pytest.raises(PackageError, match=r"sha256 is \w{64}, expected \w{64} \(one==1\.0\)"), \
                package_archive(package, archives):  # fmt: skip
            pass


@pytest.mark.parametrize("make", [make_wheel, lambda folder: make_source(folder, "")])
def test_a_file_that_an_archive_lacks_is_named(make, tmp_path):
    package = make(tmp_path)
    with pytest.raises(PackageError, match=rf"{package.archive}: has no file elsewhere\.txt"):
        read_member(tmp_path / package.archive, "elsewhere.txt")


def test_members_go_where_they_are_placed(tmp_path):
    wheel = tmp_path / make_wheel(tmp_path).archive
    extract_members(wheel, tmp_path / "out", lambda path: "deep/n.txt" if path.endswith("numbers.txt") else None)
    assert [p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()] == [
        "deep/n.txt"
    ]
    assert (tmp_path / "out" / "deep" / "n.txt").read_bytes() == b"1 2 3"
