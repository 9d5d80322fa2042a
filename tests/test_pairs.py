"""Pairs of images made from a data set."""

import dataclasses

import numpy as np
import pytest

from ganedu import data, runtime
from ganedu.data import pairs


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", image_size=8)


def first_batch(stream):
    batch = next(iter(stream)) if hasattr(stream, "element_spec") else stream[0]
    return [np.array(a) for a in batch]


def test_edges_by_hand():
    x = np.zeros((1, 6, 6, 1), "uint8")
    x[0, :, 3:] = 90
    found = pairs.edges(x)[0, :, :, 0]
    # The step lies between columns 2 and 3; both see it, no other does.
    expected = np.zeros((6, 6))
    expected[:, 2:4] = 255
    np.testing.assert_array_equal(found, expected)
    # Sobel's length is 8 times the step at right angles to it: of steps of 90, 29 and 31 columns, the
    # second has under a third of the most, the third over it.
    x = np.repeat(np.cumsum([0, 0, 90, 0, 0, 29, 0, 0, 31, 0, 0]), 6).reshape(1, 11, 6, 1)
    rows = pairs.edges(x.astype("uint8"))[0, :, 0, 0] > 0
    np.testing.assert_array_equal(np.flatnonzero(rows), [1, 2, 7, 8])
    assert not pairs.edges(np.full((1, 6, 6, 1), 7, "uint8")).any()


def test_slanted_by_hand():
    x = np.full((1, 5, 5, 1), 10, "uint8")
    x[0, :, 2] = 200  # an upright stroke
    found = pairs.slanted(x)[0, :, :, 0]
    # Rows -2 .. 2 from the middle move by 1, 1/2, 0, -1/2 and -1 columns; halfway the stroke is shared.
    np.testing.assert_array_equal(found[0], [10, 10, 10, 200, 10])
    np.testing.assert_array_equal(found[1], [10, 10, 105, 105, 10])
    np.testing.assert_array_equal(found[2], [10, 10, 200, 10, 10])
    np.testing.assert_array_equal(found[3], [10, 105, 105, 10, 10])
    np.testing.assert_array_equal(found[4], [10, 200, 10, 10, 10])


def test_inverted_and_coloured():
    x = np.array([0, 100, 255], "uint8").reshape(1, 3, 1, 1)
    np.testing.assert_array_equal(pairs.inverted(x).ravel(), [255, 155, 0])
    found = pairs.coloured(np.full((1, 3, 1, 1), 200, "uint8"))[0, :, 0]
    # Hues 0, 0.4 and 0.8: red; green with 0.4 of blue; blue with 0.8 of red.
    np.testing.assert_array_equal(found, [[200, 0, 0], [0, 200, 80], [160, 0, 200]])


@pytest.mark.parametrize("task", pairs.TASKS)
def test_batches_are_pairs(digits, task):
    prepared = data.PairedImages(digits, task)
    source_shape, target_shape = pairs.shapes(task, digits.image_shape)
    source, target = first_batch(prepared.batches(6, seed=3))
    assert source.shape == (6, *source_shape)
    assert target.shape == (6, *target_shape)
    for a in (source, target):
        assert a.dtype == np.float32
        assert a.min() >= -1
        assert a.max() <= 1
    again = first_batch(prepared.batches(6, seed=3))
    np.testing.assert_array_equal(source, again[0])
    later = first_batch(prepared.batches(6, seed=3, start=1))
    assert (later[0] != source).any()


def test_aligned_targets_belong_to_their_sources_and_others_do_not(digits):
    source, target = first_batch(data.PairedImages(digits, "inverted").batches(16))
    np.testing.assert_allclose(target, -source, atol=1e-6)
    apart = data.PairedImages(digits, "inverted", aligned=False)
    assert len(apart) == len(digits) // 2
    source, target = first_batch(apart.batches(16))
    assert (np.abs(target + source).max(axis=(1, 2, 3)) > 0.1).all()
    # Sources come from the first half of the images, targets from the second.
    images = data.to_float(digits.images).reshape(len(digits), -1)

    def places(batch):
        return [int(np.abs(images - a.ravel()).sum(axis=1).argmin()) for a in batch]

    assert max(places(source)) < len(apart)
    assert min(places(-target)) >= len(apart)


def test_test_batches_hold_every_image_with_its_own_target(digits):
    prepared = data.PairedImages(digits, "inverted", aligned=False)
    stream = prepared.test_batches(500)
    count = 0
    for i, batch in enumerate(stream):
        source, target = (np.array(a) for a in batch)
        np.testing.assert_allclose(target, -source, atol=1e-6)
        count += len(source)
        if i + 1 == -(-len(digits) // 500):
            break
    assert count == len(digits)


def test_wrong_words_are_refused(digits):
    with pytest.raises(runtime.UsageError, match=r"slanted, coloured\. Received: 'x'"):
        data.PairedImages(digits, "x")
    with pytest.raises(runtime.UsageError, match="between 1 and"):
        data.PairedImages(digits, "edges").batches(0)


def test_labelled_batches_and_their_refusals(digits):
    images, labels = first_batch(digits.as_labelled(10).batches(5))
    assert images.shape == (5, 8, 8, 1)
    assert labels.shape == (5,)
    with pytest.raises(runtime.UsageError, match=r"in \[0, 9\). Received: 0 to 9"):
        digits.as_labelled(9)
    with pytest.raises(runtime.UsageError, match=r"in \[0, 3\). Received: 0 to 9"):
        digits.as_labelled(3)
    with pytest.raises(runtime.UsageError, match=r"needs labels\. digits has none"):
        dataclasses.replace(digits, labels=None).as_labelled(10)
