"""The limits on rejected steps, against a count by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.training.health import MAX_RECENT_SHARE, MAX_SHARE, RECENT, Outcome, StepLog, TrainingError

outcomes = st.lists(st.sampled_from([Outcome.ACCEPTED] * 2 + list(Outcome)), max_size=150)


@given(outcomes)
def test_limits_are_those_of_the_recent_and_of_all_steps(run):
    log, seen = StepLog("i2v", 150), []
    for outcome in run:
        seen.append(outcome)
        recent = seen[-RECENT:]
        if len(recent) == RECENT and sum(one != Outcome.ACCEPTED for one in recent) > MAX_RECENT_SHARE * RECENT:
            with pytest.raises(TrainingError, match="of the last 50 steps were rejected"):
                log.add(outcome)
            return
        log.add(outcome)
    rejected = sum(one != Outcome.ACCEPTED for one in run)
    assert (log.accepted, log.rejected) == (len(run) - rejected, rejected)
    if rejected > MAX_SHARE * len(run):
        with pytest.raises(TrainingError, match=f"i2v: {rejected} of all {len(run)} steps were rejected"):
            log.check_all()
    else:
        log.check_all()


@given(outcomes, st.integers(0, 150))
def test_a_log_that_was_stored_goes_on(run, cut):
    def told(parts):
        log = StepLog("i2v", 150)
        try:
            for part in parts:
                stored = json.loads(json.dumps(log.state()))
                log = StepLog("i2v", 150)
                log.restore(stored)
                for outcome in part:
                    log.add(outcome)
            log.check_all()
        except TrainingError as error:
            return str(error)
        return log.state()

    assert told([run[:cut], run[cut:]]) == told([run])


@pytest.mark.parametrize(
    ("cause", "setting"),
    [(Outcome.LOSS, "train.timestep_shift"), (Outcome.GRADIENT, "train.precision"), (Outcome.SPIKE, "train.spike")],
)
def test_the_message_says_what_happened_and_what_to_look_at(cause, setting):
    log = StepLog("context_k5", 440)
    for outcome in [Outcome.ACCEPTED] * 20 + [Outcome.SPIKE] * 2 + [cause] * 23 + [Outcome.ACCEPTED] * 4:
        log.add(outcome)
    with pytest.raises(TrainingError) as error:
        log.add(cause)
    told = str(error.value)
    assert told.startswith("context_k5: 26 of the last 50 steps were rejected (") and f"x {cause}" in told
    assert f"at step 50 of 440, more than the limit of 50%; check {setting}" in told and "\n" not in told
