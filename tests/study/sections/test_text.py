"""Section ``text``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Text


@pytest.mark.parametrize("values", [{"dim": 3}, {"dim": 10**9}, {"tokens": 0}, {"tokens": "12"}, {"kind": "clip"}])
def test_embeddings_of_no_size_or_kind_are_refused(values):
    with pytest.raises(ValidationError):
        Text.model_validate(values)


def test_defaults():
    assert Text().model_dump() == {"kind": "hashed", "dim": 64, "tokens": 12}
