"""A hundred mutated inputs (`tests/fuzz` feeds more), and the feeder itself."""

import time

import pytest
from fuzz import runner
from fuzz.runner import NonsenseError

from ganedu.runtime import UsageError


def test_a_hundred_inputs_are_understood_or_refused():
    found = runner.run(100, seed=0)
    assert found.faults == []
    assert found.counts["understood"] > 20
    assert found.counts["refused"] > 40


def raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (lambda: None, "understood"),
        (raising(KeyError("a bug")), "traceback"),
        (raising(ValueError("of somebody's insides")), "traceback"),
        (raising(UsageError("It must be so. Received: two\nlines")), "traceback"),
        (raising(UsageError("It must be so. Received: x")), "refused"),
        (raising(NonsenseError("9 images became 8")), "nonsense"),
        (lambda: time.sleep(30), "hang"),
    ],
)
def test_what_must_not_be_is_counted(action, outcome, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 1)
    found = runner.run(1, kinds=[lambda rng, folder: ("an input", action)])
    assert dict(found.counts) == {outcome: 1}
    assert len(found.faults) == (outcome not in ("understood", "refused"))
