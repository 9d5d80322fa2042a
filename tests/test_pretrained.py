"""The shipped trained models."""

import functools
from importlib import resources

import numpy as np
import pytest
from rows import steps_are_eager

from ganedu import data, runtime
from ganedu.metrics.attributes import detect
from ganedu.networks import weights as stored
from ganedu.runs import evaluation, pretrained
from ganedu.runs.pretrained.train import train


@functools.cache
def load(name):
    """Only to be looked at."""
    return pretrained.load(name, learning_rate=1e-3)


@pytest.mark.parametrize("name", pretrained.NAMES)
def test_weights_are_small_and_load_into_both_networks(name):
    file = resources.files("ganedu.runs.pretrained") / "weights" / f"{name}.npz"
    assert len(file.read_bytes()) < 2_000_000
    model = load(name)
    for a, b in zip(model.network.weights, model.ema_network.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isclose(float(model.optimizer.learning_rate), 1e-3)


def test_samples_show_what_was_said():
    asked = data.captioned_digits(data.load("digits"), 60, seed=1, objects=(1,), combos="seen")
    right = evaluation.text_accuracy(load("text_flow"), asked, most=None)
    assert right["colour"] > 0.9
    assert right["place"] > 0.9
    assert right["kind"] > 0.6  # one in ten by chance


def test_what_is_asked_is_changed():
    asked = data.captioned_digits(data.load("digits"), 40, seed=1, objects=(1,), combos="seen")
    colours = [
        "make it red" if p.entities[0].colour != "red" else "make it blue" for p in asked.pictures
    ]
    shown = detect(load("editor").edit(asked.array(), colours), "digits")
    wanted = [text.split()[-1] for text in colours]
    found = [p.entities[0].colour if p else None for p in shown]  # None: no object is seen
    assert np.mean([a == b for a, b in zip(found, wanted, strict=True)]) > 0.9


def test_the_command_trains_and_stores_what_load_reads(tmp_path, monkeypatch):
    steps_are_eager(monkeypatch)
    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    file = train("text_flow", 64, tmp_path)
    model = load("text_flow")
    weights, _ = stored.load(file)
    assert [w.shape for w in weights] == [tuple(w.shape) for w in model.network.weights]
    assert file.parent == tmp_path


def test_smoke_takes_a_small_network(monkeypatch):
    whole = load("editor").network.count_params()
    monkeypatch.setenv("GANEDU_PROFILE", "smoke")
    small = pretrained.load("editor", learning_rate=1e-3)
    assert small.network.count_params() < whole / 5
    assert np.isclose(float(small.optimizer.learning_rate), 1e-3)


def test_what_has_none_is_refused():
    with pytest.raises(runtime.UsageError, match="Received: 'vae'"):
        pretrained.load("vae")
    with pytest.raises(runtime.UsageError, match="has another network"):
        pretrained.load("text_flow", width=16)
