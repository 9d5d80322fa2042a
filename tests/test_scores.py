"""Scores where model and data meet: `evaluate`, the callback that keeps the best, what is kept between runs."""

import math

import numpy as np
import pytest

from ganedu import callbacks, data, models, runtime
from ganedu.metrics.frechet import gaussian
from ganedu.runs import evaluation
from ganedu.runtime import UsageError

RUN_INFO = {"model": "any", "data": "digits", "image_size": None}


class Photocopier:
    """Generates the test images themselves."""

    def __init__(self, classes=None):
        self.images = data.load("digits", "test")
        self.tasks = {"generate by class"} if classes else {"generate"}
        self.num_classes = classes

    def prepare_dataset(self, dataset):
        return dataset

    def evaluate(self, batches, **options):
        return {"loss": math.inf}

    def generate(self, count, labels=None, seed=0):
        if labels is None:
            return self.images.array(count)
        first = [np.flatnonzero(self.images.labels == k)[0] for k in range(10)]
        return self.images.array()[np.array(first)[labels]]


def test_a_photocopier_has_perfect_scores():
    found = evaluation.evaluate(Photocopier(), RUN_INFO)
    assert found["count"] == 304
    scores = found["scores"]
    assert scores.pop("loss") is None
    assert scores["frechet_distance"] < 1e-6
    assert scores["precision"] == scores["recall"] == scores["coverage"] == 1
    assert set(scores) == {
        *("frechet_distance", "kernel_distance", "kernel_distance_error"),
        *("precision", "recall", "density", "coverage"),
    }


def test_test_images_of_another_shape_are_refused(tmp_path):
    x = np.zeros((60, 12, 12, 3), "uint8")
    np.savez(tmp_path / "x.npz", x_train=x, x_test=x)  # changed since
    run_info = {**RUN_INFO, "data": str(tmp_path / "x.npz"), "images": [60, 16, 16, 3]}
    with pytest.raises(UsageError, match=r"trained on, \[16, 16, 3\]. Received: \[12, 12, 3\]"):
        evaluation.evaluate(Photocopier(), run_info)
    assert len(evaluation.test_images({**run_info, "image_size": 16})) == 60


def test_a_model_that_draws_what_is_asked_has_its_labels_right():
    *_, labels = evaluation.evaluation_samples(
        Photocopier(10), data.load("digits", "test").first_n(100)
    )
    np.testing.assert_array_equal(np.bincount(labels), np.full(10, 10))
    scores = evaluation.evaluate(Photocopier(10), RUN_INFO, count=100)["scores"]
    assert scores["label_accuracy"] > 0.9
    assert evaluation.evaluate(Photocopier(10), RUN_INFO, count=100)["left_out"] == {}
    assert scores["recall"] < 0.7  # ten digits, again and again


@pytest.mark.parametrize(("name", "extra"), [("autoencoder", {}), ("cvae", {"num_classes": 10})])
def test_a_model_that_reconstructs_is_scored_for_that(name, extra):
    runtime.setup(0)
    model = models.build(name, (28, 28, 1), latent_dim=2, width=4, **extra)
    scores = evaluation.evaluate(model, RUN_INFO, count=60)["scores"]
    assert 0 < scores["psnr"] < 20
    assert -1 < scores["ssim"] < 0.5
    assert scores["frechet_distance"] > 1


def test_images_too_small_for_ssim_have_their_psnr():
    runtime.setup(0)
    model = models.build("autoencoder", (8, 8, 1), latent_dim=2, width=4)
    found = evaluation.evaluate(model, {**RUN_INFO, "image_size": 8}, count=60)
    assert set(found["scores"]) == {"loss", "psnr"}
    assert "11 pixels" in found["left_out"]["ssim"]


def test_a_translator_is_scored_beside_its_targets():
    runtime.setup(0)
    model = models.build("pix2pix", (28, 28, 1), width=4)
    dataset = data.load("digits", "test").first_n(60)
    drawn, real, labels = evaluation.evaluation_samples(model, dataset)
    assert drawn.shape == real.shape == (60, 28, 28, 1)
    assert labels is None
    np.testing.assert_array_equal(real, dataset.array())  # of edges to digits
    assert evaluation.frechet_scorer(dataset, model)(model) > 1


def test_few_images_have_no_scores():
    found = evaluation.evaluate(Photocopier(), RUN_INFO, count=49)
    assert set(found["scores"]) == {"loss"}
    assert list(found["left_out"].values()) == ["Scores of features need 50 images. Received: 49"]
    with pytest.raises(UsageError, match=r"at least 50 test images. Received: 49"):
        evaluation.frechet_scorer(data.load("digits", "test").first_n(49), Photocopier())
    with pytest.raises(UsageError, match=r"There are 304 test images. Received: count=305"):
        evaluation.evaluate(Photocopier(), RUN_INFO, count=305)


def test_a_shape_without_features_has_no_distance():
    dataset = data.load("digits", "test", image_size=8)
    small = Photocopier()
    small.images = dataset
    found = evaluation.evaluate(small, {**RUN_INFO, "image_size": 8})
    assert set(found["scores"]) == {"loss"}
    assert "28x28x1 and 32x32x3. Received: 8x8x1" in found["left_out"]["scores of features"]
    with pytest.raises(UsageError, match=r"28x28x1 and 32x32x3. Received: 8x8x1"):
        evaluation.frechet_scorer(dataset, small)


# The callback


def scored(values, **options):
    """Runs the callback over rounds whose scores are `values`; returns it, the logs and the rounds kept."""
    left, kept, logs = list(values), [], []
    callback = callbacks.ScoreCheckpoint(
        lambda model: left.pop(0), save=lambda model: kept.append(len(callback.scores)), **options
    )
    callback.set_model(type("Model", (), {"stop_training": False})())
    while not callback.model.stop_training and (left or callback.rounds % callback.every):
        logs.append({})
        callback.on_epoch_end(len(logs), logs[-1])
    return callback, [log["frechet_distance"] for log in logs], kept


def test_each_new_best_is_kept():
    callback, logs, kept = scored([3.0, 2.0, 2.5, 1.0])
    assert logs == [3.0, 2.0, 2.5, 1.0]
    assert kept == [1, 2, 4]
    assert callback.best == 1.0
    assert scored([2.0, 2.0])[2] == [1]  # as good is no better


def test_rounds_between_have_the_score_before():
    _, logs, kept = scored([3.0, 2.0], every=2)
    assert math.isnan(logs[0])
    assert logs[1:] == [3.0, 3.0, 2.0]
    assert kept == [1, 2]


def test_it_stops_when_it_only_gets_worse():
    callback, logs, _ = scored([3.0, 1.0, 2.0, 1.0, 0.5], patience=2)
    assert logs == [3.0, 1.0, 2.0, 1.0]
    assert callback.exhausted
    assert not scored([3.0, 1.0, 2.0, 0.5], patience=2)[0].exhausted


def test_it_goes_on_from_the_rounds_before():
    _, logs, _ = scored([2.0, 3.0, 1.0], patience=2, previous_scores=[4.0, 1.0])
    assert logs == [2.0, 3.0]
    _, logs, kept = scored([2.0], every=2, previous_scores=[math.nan, 3.0, 3.0])
    assert logs == [2.0]
    assert kept == [2]


def test_a_score_never_taken_is_refused():
    with pytest.raises(ValueError, match="`every` must be at least 1"):
        callbacks.ScoreCheckpoint(float, every=0)


# What is kept between runs


@pytest.mark.parametrize("kept", ["features", "gaussian"])
def test_what_is_known_of_real_images_is_taken_once_for_each_network(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("GANEDU_CACHE", str(tmp_path))
    looks = []

    class Eye:
        def __init__(self, name):
            self.name = name
            self.network = type("Network", (), {"get_weights": lambda self: []})()

        def features(self, images):
            looks.append(self.name)
            return images.reshape(len(images), -1)[:, ::200].astype("float64")

    take = {"features": evaluation.real_features, "gaussian": evaluation.real_gaussian}[kept]
    images = data.load("digits", "test").array(60)
    first = take(Eye("one"), images)
    for found, expected in zip(take(Eye("one"), images), first, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert looks == ["one"]
    take(Eye("two"), images)
    take(Eye("one"), images[:59])
    assert looks == ["one", "two", "one"]
    if kept == "gaussian":
        for found, expected in zip(first, gaussian(Eye("x").features(images)), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_distance_in_training_is_that_of_evaluate():
    digits = data.load("digits", "test")
    copier = Photocopier()
    assert evaluation.frechet_scorer(digits, copier)(copier) < 1e-6
    copier.images = data.load("digits")
    whole = evaluation.evaluate(copier, RUN_INFO)["scores"]["frechet_distance"]
    assert evaluation.frechet_scorer(digits, copier)(copier) == pytest.approx(whole, rel=1e-9)


def test_other_features_can_be_named(monkeypatch):
    copier = Photocopier(10)
    own = evaluation.evaluate(copier, RUN_INFO, count=60)["scores"]
    other = evaluation.evaluate(copier, RUN_INFO, count=60, network="mnist")["scores"]
    assert own["frechet_distance"] != other["frechet_distance"]
    assert (
        own["label_accuracy"] == other["label_accuracy"]
    )  # that is the data's own classifier's word
    with pytest.raises(
        UsageError, match=r"There are features of digits, .*inception_v3.* Received: 'x'"
    ):
        evaluation.evaluate(copier, RUN_INFO, network="x")
    with pytest.raises(UsageError, match=r"need 50 images. Received: 49"):
        evaluation.evaluate(copier, RUN_INFO, count=49, network="mnist")
