"""The shipped trained models."""

import functools
from dataclasses import replace
from importlib import resources
from random import Random

import numpy as np
import pytest
from rows import steps_are_eager

from ganedu import data, runtime
from ganedu.data.captions.grammar import DIGITS, Picture, write
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
    assert len(file.read_bytes()) < (1_000_000 if name in pretrained.SIZES else 2_000_000)
    model = load(name)
    for trained, average in pretrained.NETWORKS[name](model):
        for a, b in zip(trained.weights, average.weights, strict=True):
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


def test_a_text_finds_its_picture_and_not_by_the_digit():
    asked = data.captioned_digits(data.load("digits"), 100, seed=1, objects=(1,), combos="seen")
    model = load("clip")
    scores = model.similarity(asked.array(), asked.captions).T  # texts are rows
    assert np.mean(scores.argmax(axis=1) == np.arange(100)) > 0.8
    alike = [p.entities[0] for p in asked.pictures[:20]]
    texts = [write(Picture((replace(e, kind=k),)), Random(0)) for e in alike for k in DIGITS]
    fit = np.einsum(
        "nd,nkd->nk",
        model.embed_images(asked.array(20)),
        model.embed_texts(texts).reshape(20, 10, -1),
    )
    told = [DIGITS[k] == e.kind for k, e in zip(fit.argmax(axis=1), alike, strict=True)]
    assert np.mean(told) < 0.6  # that is for lesson 22 to teach


@pytest.mark.parametrize(("name", "images"), [("text_flow", 64), ("clip", 128), ("captioner", 64)])
def test_the_command_trains_and_stores_what_load_reads(name, images, tmp_path, monkeypatch):
    steps_are_eager(monkeypatch)
    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    file = train(name, images, tmp_path)
    weights, _ = stored.load(file)
    wanted = pretrained.averaged_weights(load(name), name)
    assert [w.shape for w in weights] == [w.shape for w in wanted]
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
