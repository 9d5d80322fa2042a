"""The parts of `benchmarks/time_to_quality.py` that its table rests on."""

import json
import math
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

BENCHMARKS = Path(__file__).parent / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def test_multiply_adds_are_counted_by_hand():
    from ganedu.networks.arithmetic import multiply_adds

    x = keras.Input((8, 8, 3))
    h = layers.Conv2D(5, 3, strides=2, padding="same")(x)  # 4 x 4 points, 3 x 3 x 3 x 5 each
    h = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(h)  # from each of 4 x 4
    y = layers.Dense(7)(layers.Flatten()(h))
    assert multiply_adds(keras.Model(x, y)) == 16 * 135 + 16 * (4 * 4 * 5 * 2) + 128 * 7


def test_the_elbo_of_a_coin_is_known():
    from contestants import elbo

    x = (np.random.default_rng(0).random((6, 4, 4, 1)) > 0.5).astype("float32")
    mean = np.full((6, 2), 3.0)
    found = elbo(x, mean, np.zeros((6, 2)), lambda z: np.full((len(z), 4, 4, 1), 0.5))
    assert found == pytest.approx(-16 * math.log(2) - 2 * 9 / 2)
    sure = elbo(x, 0 * mean, np.zeros((6, 2)), lambda z: 0.9 * x + 0.1 * (1 - x))
    assert sure == pytest.approx(16 * math.log(0.9))


def test_a_turn_ends_at_its_second_and_the_time_between_turns_is_not_counted(monkeypatch, capsys):
    from contestants import Turns

    now = [100.0]

    class Standing:
        """An input on whose lines one waits for 50 seconds."""

        lines = iter(["2 here\n", "5 there\n", ""])

        def readline(self):
            now[0] += 50
            return next(self.lines)

    def train(turns):
        turns.step(8)  # the compiling step is not counted
        while True:
            now[0] += 0.5
            turns.step(8)

    monkeypatch.setattr("contestants.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("sys.stdin", Standing())
    turns, files = Turns(), []
    turns.details = {"parameters": 3}
    turns.results = lambda file: files.append(file) or {"score": 1}
    with pytest.raises(SystemExit):
        train(turns)
    ready, first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready == {"ready": True, "parameters": 3}
    assert (first["seconds"], first["images"], first["score"]) == (2, 32, 1)
    assert (second["seconds"], second["images"]) == (5, 80)
    assert files == ["here", "there"]


def contestant(name, *scores):
    from time_to_quality import Contestant

    made = Contestant.__new__(Contestant)
    made.name = name
    made.turns = [{"seconds": 10 * i, "score": s} for i, s in enumerate(scores, 1)]
    return made


def test_a_level_is_reached_at_the_first_turn_that_is_as_good():
    raced = [contestant("dcgan", 40, 9, 3), contestant("PyTorch", 90, 60, 9)]
    assert [c.reached(9) for c in raced] == [20, 30]
    assert raced[0].reached(2) is None
    assert raced[0].score_at(20) == 9
    assert raced[0].score_at(31) is None


def test_the_goals_compare_with_the_best_rival():
    from time_to_quality import goals, table_of_times

    raced = [contestant("dcgan", 40, 9, 3), contestant("PyTorch", 90, 60, 9)]
    raced.append(contestant("keras.io", 900, 500, 300))
    assert "PyTorch to its level at 30 s, 9.0: 1.5 times" in goals(raced, 30)
    last = table_of_times(raced, 30).splitlines()[-1]
    assert last == "| PyTorch at 30 s | 9.0 | 20 s (1.5 x) | 30 s (1.0 x) | never |"
