"""The shipped feature networks."""

import numpy as np
import pytest

from ganedu import data, features, runtime


@pytest.mark.parametrize("name", features.NAMES)
def test_weights_are_small_and_load(name):
    from importlib import resources

    file = resources.files("ganedu.features") / "weights" / f"{name}.npz"
    assert len(file.read_bytes()) < 300_000
    seen = features.load(name)
    assert 0.5 < seen.accuracy <= 1
    x = np.random.default_rng(0).uniform(-1, 1, (3, *seen.image_shape)).astype("float32")
    assert seen.features(x).shape == (3, 64)
    np.testing.assert_allclose(seen.probabilities(x).sum(axis=1), 1, rtol=1e-5)


def test_the_digits_are_told_apart_as_said():
    digits, seen = data.load("digits", "test"), features.load("digits")
    found = seen.probabilities(digits.array()).argmax(axis=1)
    np.testing.assert_allclose(np.mean(found == digits.labels), seen.accuracy, atol=0.005)
    assert seen.accuracy > 0.97


def test_a_data_set_gets_its_own_network_or_one_of_its_shape():
    assert features.for_dataset(data.load("digits")).name == "digits"
    assert features.for_dataset(data.load("photos")).name == "cifar10"
    with pytest.raises(runtime.UsageError, match="Received: 8x8x1"):
        features.for_dataset(data.load("digits", image_size=8))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8, 1)), r"Received: \(8, 8, 1\)"),
        (np.full((2, 28, 28, 1), np.nan), "must be finite"),
        (np.full((2, 28, 28, 1), 255.0), r"lie in \[-1, 1\]"),
    ],
)
def test_what_it_cannot_see_is_refused(images, message):
    with pytest.raises(runtime.UsageError, match=message):
        features.load("digits").features(images)


def test_an_unknown_name_is_refused():
    with pytest.raises(runtime.UsageError, match="Received: 'x'"):
        features.load("x")
