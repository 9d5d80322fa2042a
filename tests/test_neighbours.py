"""Drawn images told by the real ones nearest to them."""

import dataclasses

import numpy as np
import pytest

from ganedu import data
from ganedu.metrics.neighbours import nearest


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", image_size=8)


def test_unseen_digits_are_named_and_about_as_far_as_real_ones_are(digits):
    test = data.load("digits", "test", image_size=8)
    told = nearest(test.array(), digits)
    assert np.mean(told.labels == test.labels) > 0.95
    assert 0.7 < np.median(told.distances) < 1.4
    assert told.num_classes_found() == 10


def test_copies_have_no_distance_and_noise_a_large_one(digits):
    assert nearest(digits.array(20), digits).distances.max() < 1e-2
    noise = np.random.default_rng(0).uniform(-1, 1, (50, 8, 8, 1))
    assert np.median(nearest(noise, digits).distances) > 1.5


def test_classes_are_counted_from_a_share_on(digits):
    threes = digits.array()[digits.labels == 3][:99]
    one = digits.array()[digits.labels == 0][:1]
    told = nearest(np.concatenate([threes, one]), digits)
    assert told.num_classes_found(min_share=0.05) == 1
    assert told.num_classes_found(min_share=0.01) >= 2


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 9, 9, 1)), "shape of the real ones"),
        (np.full((2, 8, 8, 1), np.nan), "finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(images, message, digits):
    with pytest.raises(ValueError, match=message):
        nearest(images, digits)


def test_labels_are_needed(digits):
    with pytest.raises(ValueError, match="must have labels"):
        nearest(digits.array(2), dataclasses.replace(digits, labels=None))
