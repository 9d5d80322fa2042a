"""Signals measured on models whose failure is known, and the diagnoses made of them."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops
from scipy.ndimage import gaussian_filter

from ganedu import data, diagnostics, figures, models
from ganedu.callbacks import Diagnose
from ganedu.diagnostics import FAILURE_MODES, SIGNALS, diagnose, loss_oscillation, measure
from ganedu.models.gan import GAN
from ganedu.runtime import UsageError

FAIR = {
    name: (sign.low + 0.05 if sign.high is None else sign.high - 0.02)
    for name, sign in SIGNALS.items()
}


@pytest.fixture(scope="module")
def train():
    return data.load("digits")


@pytest.fixture(scope="module")
def test():
    return data.load("digits", "test")


class Generator:
    """Stands for a model: `sampler(count)` is what it generates."""

    tasks = frozenset({"generate"})

    def __init__(self, sampler):
        self.sampler = sampler

    def generate(self, count, seed=0):
        return self.sampler(count)


# Signals


def test_other_real_images_are_healthy(train, test):
    order = np.random.default_rng(0).permutation(len(test))
    signals = measure(Generator(lambda count: test.array()[order[:count]]), train, test)
    assert diagnose(signals).healthy, str(diagnose(signals))
    assert signals["precision"] > 0.9
    assert signals["recall"] > 0.9


def test_copies_are_memorisation(train, test):
    signals = measure(Generator(lambda count: train.array(count)), train, test)
    assert diagnose(signals).names == ("memorisation",)
    assert signals["copy_rate"] == 1.0


def test_a_few_real_images_again_and_again_are_mode_collapse(train, test):
    signals = measure(
        Generator(lambda count: np.resize(test.array(4), (count, 28, 28, 1))), train, test
    )
    assert diagnose(signals).names == ("mode collapse",)
    assert signals["precision"] > 0.9
    assert signals["recall"] < 0.05


def test_smoothed_images_are_blur(train, test):
    signals = measure(
        Generator(lambda count: gaussian_filter(test.array(count), (0, 0.8, 0.8, 0))), train, test
    )
    assert "blur" in diagnose(signals).names


def test_images_without_greys_are_saturation(train, test):
    signals = measure(
        Generator(lambda count: np.where(test.array(count) > 0, 1.0, -1.0)), train, test
    )
    assert "saturation" in diagnose(signals).names
    assert signals["midtone_ratio"] == 0


def test_a_grid_is_a_checkerboard(train, test):
    grid = np.where(np.arange(28) % 2, 0.6, 1.0)[:, None]
    signals = measure(Generator(lambda count: (test.array(count) + 1) * grid - 1), train, test)
    assert "checkerboard" in diagnose(signals).names


def test_grey_is_unlike_the_data(train, test):
    rng = np.random.default_rng(0)
    signals = measure(Generator(lambda count: rng.uniform(-1, 1, (count, 28, 28, 1))), train, test)
    assert diagnose(signals).names == ("underfitting",)


def test_images_of_a_shape_without_features_are_examined_too(test):
    photos = [
        dataclasses.replace(data.load("photos", split, image_size=16), name="mine")
        for split in ("train", "test")
    ]
    signals = measure(
        Generator(lambda count: np.resize(photos[1].array(4), (count, 16, 16, 3))), *photos
    )
    assert signals["recall"] < 0.35 < signals["precision"]


def test_of_large_images_fewer_are_looked_at(train, test, monkeypatch):
    monkeypatch.setattr(diagnostics.signals, "MAX_NUMBERS", 120 * 28 * 28)
    counts = []
    measure(Generator(lambda count: counts.append(count) or test.array(count)), train, test)
    monkeypatch.setattr(diagnostics.signals, "MAX_NUMBERS", 1)
    measure(Generator(lambda count: counts.append(count) or test.array(count)), train, test)
    assert counts == [120, 100]


def test_the_slope_is_that_of_the_loss(train, test):
    model = models.build("gan", train.image_shape)
    z = model.latents(len(test), seed=2)
    fake = model.discriminator.predict(model.generator.predict(z, verbose=0), verbose=0).ravel()
    signals = measure(model, train, test)
    # d/df mean softplus(-f) = -mean sigma(-f)
    assert signals["generator_gradient"] == pytest.approx(np.mean(1 / (1 + np.exp(fake))), abs=1e-3)
    real = model.discriminator.predict(test.array(), verbose=0).ravel()
    assert signals["discriminator_auc"] == pytest.approx(
        np.mean(real[:, None] > fake[None]), abs=1e-3
    )


def test_a_saturating_loss_vanishes_where_d_is_sure(train, test):
    class Saturating(GAN):
        generator_loss = staticmethod(lambda fake: -ops.mean(ops.softplus(fake)))

    generator = models.build("gan", train.image_shape).generator
    image = keras.Input(train.image_shape)
    # A judge that is sure, and right: a real image has black corners, an untrained generator's is grey.
    bright = ops.mean(ops.abs(image[:, :4, :4] + 1.0), axis=(1, 2))
    logit = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(-200.0))(bright)
    sure = keras.Model(image, logit + 10.0)
    signals = measure(Saturating(generator, sure), train, test)
    assert signals["discriminator_auc"] > 0.99
    assert signals["generator_gradient"] < 1e-3
    assert diagnose(signals).names == ("vanishing gradient",)
    assert measure(GAN(generator, sure), train, test)["generator_gradient"] > 0.9


@pytest.mark.parametrize("name", ["vae", "cvae"])
def test_latents_that_say_nothing_are_counted(train, test, name):
    model = models.build(name, train.image_shape)
    heads = [layer for layer in _leaves(model.encoder) if layer.kernel.shape[-1] == 8]
    assert len(heads) == 2
    for head in heads:
        kernel = np.array(head.kernel)
        kernel[:, :6] = 0.0
        head.kernel.assign(kernel * 10)
    assert measure(model, train, test)["active_units"] == pytest.approx(2 / 8)


def _leaves(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        elif hasattr(layer, "kernel"):
            yield layer


def test_one_word_for_everything_is_codebook_collapse(train, test):
    model = models.build("vqvae", train.image_shape)
    model.quantizer.codebook.assign(np.r_[np.zeros((1, 16)), np.full((63, 16), 99.0)])
    signals = measure(model, train, test)
    assert signals["codebook_usage"] == pytest.approx(1 / 64)
    assert diagnose(signals).names[0] == "codebook collapse"


# Swings


def test_a_loss_that_alternates_swings_by_its_jumps():
    # Of eleven rounds around a round six are the others: their value is the median, 0.4 away; the losses' size is 2.
    history = {"g_loss": [0.8, 1.2] * 100, "d_loss": [-1.0] * 200}
    assert loss_oscillation(history) == pytest.approx(0.2, abs=0.01)
    rows = [dict(zip(history, row, strict=True)) for row in zip(*history.values(), strict=True)]
    assert loss_oscillation(rows) == loss_oscillation(history)


def test_a_steady_rise_is_no_swing():
    assert loss_oscillation([{"g_loss": 1 + 0.1 * i, "d_loss": 1.0} for i in range(40)]) < 0.02


def test_a_loss_about_nothing_is_measured_by_its_rivals():
    assert loss_oscillation(
        {"g_loss": [-0.05, 0.05] * 50, "d_loss": [1.95] * 100}
    ) == pytest.approx(0.05, abs=0.005)


def test_few_rounds_and_other_models_have_no_swing():
    assert loss_oscillation({"g_loss": [1.0, 2.0] * 5, "d_loss": [1.0] * 10}) is None
    assert loss_oscillation([{"loss": 1.0}] * 40) is None
    assert loss_oscillation(()) is None
    assert loss_oscillation({"g_loss": [np.nan] * 40, "d_loss": [1.0] * 40}) is None


# What is made of the signals


@pytest.mark.parametrize("failure_mode", FAILURE_MODES, ids=lambda s: s.name)
def test_each_failure_mode_is_named_by_its_signals(failure_mode):
    assert diagnose(FAIR).healthy
    value = {
        "low": lambda s: s.low / 2,
        "high": lambda s: s.high * 2,
        "fair": lambda s: FAIR[s.name],
    }
    signals = FAIR | {
        name: value[state](SIGNALS[name]) for name, state in failure_mode.criteria.items()
    }
    assert diagnose(signals).names == (failure_mode.name,)
    text = str(diagnose(signals))
    assert failure_mode.description in text
    assert failure_mode.suggestion in text
    assert SIGNALS[next(iter(failure_mode.criteria))].healthy in text
    unseen = {k: v for k, v in signals.items() if k != next(iter(failure_mode.criteria))}
    assert failure_mode.name not in diagnose(unseen).names


def test_what_follows_from_another_is_told_as_such():
    found = diagnose(FAIR | {"active_units": 0.0, "high_frequency_power": 0.1, "recall": 0.0})
    assert found.names == ("posterior collapse",)
    assert [f.cause for f in found.findings] == [None, "posterior collapse", "posterior collapse"]
    assert "which follows from: posterior collapse" in str(found)


def test_what_drawings_that_are_nothing_show_is_the_judge_that_won():
    """A G that learnt nothing: its loss may swing, and its samples have any pattern."""
    nothing = FAIR | {
        "precision": 0.0,
        "recall": 0.0,
        "discriminator_auc": 1.0,
        "loss_oscillation": 0.3,
    }
    assert diagnose(nothing).names == ("discriminator too strong",)
    assert diagnose(nothing | {"checkerboard": 5.0}).names == ("discriminator too strong",)
    assert diagnose(FAIR | {"discriminator_auc": 1.0, "loss_oscillation": 0.3}).names == (
        "oscillation",
    )


def test_every_cause_is_a_sickness_and_comes_before():
    names = [s.name for s in FAILURE_MODES]
    for failure_mode in FAILURE_MODES:
        assert set(failure_mode.consequence_of) <= set(names)
        assert failure_mode.name not in failure_mode.consequence_of
        for cause in failure_mode.consequence_of:
            assert failure_mode.name not in FAILURE_MODES[names.index(cause)].consequence_of, (
                "two follow from each other"
            )


def test_health_is_told_with_what_was_looked_for():
    found = diagnose({"high_frequency_power": 1.0, "precision": 0.9})
    assert str(found) == "No failure mode was found, of 2 that were looked for."
    assert json.loads(json.dumps(found.to_dict())) == {
        "findings": [],
        "signals": {"high_frequency_power": 1.0, "precision": 0.9},
    }


# Refused


def test_few_images_translators_and_nan_are_refused(train, test):
    still = Generator(lambda count: test.array(count))
    with pytest.raises(UsageError, match=r"at least 100 test images\. Received: 99"):
        measure(still, train, test.first_n(99))
    with pytest.raises(UsageError, match="generates from nothing"):
        measure(models.build("pix2pix", (8, 8, 1), width=8), train, test)
    with pytest.raises(UsageError, match="diverged"):
        measure(Generator(lambda count: np.full((count, 28, 28, 1), np.nan)), train, test)


# Where it is met


def test_the_callback_tells_what_is_new_and_what_is_gone(train, test):
    told, drawn = [], [train.array(), test.array()]
    callback = Diagnose(train, test, every=2, report=told.append)
    callback.set_model(Generator(lambda count: drawn[len(callback.history) > 5][:count]))
    for epoch in range(8):
        callback.on_epoch_end(epoch, {"g_loss": 1.0})
    assert [r for r, _ in callback.diagnoses] == [2, 4, 6, 8]
    assert len(told) == 2
    assert told[0].startswith("round 2: memorisation")
    assert told[1] == "round 6: no more memorisation"
    with pytest.raises(ValueError, match="at least 1"):
        Diagnose(train, test, every=0)


def test_the_figure_has_a_row_for_each_sign():
    found = diagnose(FAIR | {"midtone_ratio": 0.0})
    axes = figures.signals(found).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        f"{SIGNALS[n].meaning}: {n}" for n in reversed(SIGNALS)
    ]
    limits = [x for s in SIGNALS.values() for x in (s.low, s.high) if x is not None]
    assert {f"{x:g}" for x in limits} <= {t.get_text() for t in axes.texts}
    colours = [line.get_color() for line in axes.lines]
    assert len(colours) == len(SIGNALS)
    assert colours.count(figures.COLOURS[1]) == 1
    assert colours[0] == figures.COLOURS[1], "the last sign, greys, is the sick one"


def test_the_figure_marks_where_a_number_is_one():
    found = diagnose(FAIR | {"precision": 1.2, "recall": 1.0, "checkerboard": 9.0})
    axes = figures.signals(found).axes[0]
    ones = {
        round(float(path.vertices[0, 1] + 0.28)): path.vertices[0, 0]
        for c in axes.collections
        for path in c.get_paths()
    }
    rows = {name: len(SIGNALS) - 1 - i for i, name in enumerate(SIGNALS)}
    assert ones[rows["recall"]] == ones[rows["copy_rate"]] == 1.0, "the scale of a share ends at 1"
    assert ones[rows["midtone_ratio"]] == pytest.approx(2 / 3)
    markers = {round(float(line.get_ydata()[0])): line.get_marker() for line in axes.lines}
    assert {name for name, row in rows.items() if markers[row] == ">"} == {
        "precision",
        "checkerboard",
    }


def test_the_room_names_what_it_has():
    assert set(diagnostics.__all__) <= set(dir(diagnostics))
