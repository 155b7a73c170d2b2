"""How a batch may be shared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.io.errors import UserError
from echo.study.batches import BatchError, micro_batch
from echo.study.config import Train


@given(st.integers(1, 64), st.integers(-1, 8), st.integers(1, 8))
def test_micro_batches_make_the_batch_or_the_share_is_refused(batch, processes, accumulate):
    train = Train.model_construct(batch=batch, accumulate=accumulate)
    possible = [size for size in range(1, batch + 1) if size * processes * accumulate == batch]
    if possible:
        assert micro_batch(train, processes) == possible[0]
    else:
        with pytest.raises(
            BatchError, match=f"train.batch = {batch} must be a multiple of .* = {processes} x {accumulate}"
        ):
            micro_batch(train, processes)


def test_it_is_an_error_for_users_and_for_the_configurations_checks():
    assert issubclass(BatchError, UserError) and issubclass(BatchError, ValueError)
