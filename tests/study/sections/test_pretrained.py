"""Section ``pretrained``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Pretrained


def test_a_download_names_its_commit():
    with pytest.raises(ValidationError, match="without pretrained.revision: give the commit"):
        Pretrained(repo="org/wan")
    assert Pretrained(repo="org/wan", revision="a" * 40).given
    assert Pretrained(repo="org/wan", path="there").given and not Pretrained().given


@pytest.mark.parametrize("repo", ["wan", "../x", "a/b/c", "a b/c", "-x/y", ""])
def test_a_repository_is_an_owner_and_a_name(repo):
    with pytest.raises(ValidationError):
        Pretrained(repo=repo, revision="main")
