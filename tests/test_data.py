"""Images from every kind of source: what is served, in which order, what a bad source is told."""

import os
import tracemalloc
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest

from ganedu.data import ImageDataset, load, to_float, to_uint8
from ganedu.runtime import UsageError

MNIST = Path(os.environ.get("GANEDU_DATA", "nowhere"), "mnist.npz")
has_mnist = pytest.mark.skipif(not MNIST.is_file(), reason="GANEDU_DATA has no mnist.npz")
X = np.random.default_rng(0).integers(0, 256, (30, 8, 9, 3), "uint8")
Y = np.arange(30) % 3


def numbered(count, **changes):
    """A set whose image i has the value i everywhere, and the label i."""
    images = np.tile(np.arange(count, dtype="uint8")[:, None, None, None], (1, 8, 8, 1))
    return ImageDataset("numbered", "train", images, np.arange(count), **changes)


def first_batches(stream, count):
    """The first batches, as NumPy arrays or tuples of them."""
    batches = islice(stream, count)
    return [tuple(map(np.asarray, b)) if isinstance(b, tuple) else np.asarray(b) for b in batches]


def values(batches):
    """The numbers of the images in batches of `numbered`."""
    return [to_uint8(batch)[:, 0, 0, 0].tolist() for batch in batches]


def peak_of(act):
    """Bytes of Python and NumPy that came to life during `act`, at their highest."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "split", "size", "shape", "count"),
    [
        ("digits", "train", None, (28, 28, 1), 1493),
        ("digits", "test", None, (28, 28, 1), 304),
        ("digits", "test", 8, (8, 8, 1), 304),
        ("photos", "train", None, (32, 32, 3), 4000),
        ("photos", "test", 20, (20, 20, 3), 800),
    ],
)
def test_embedded_sets(name, split, size, shape, count):
    dataset = load(name, split, image_size=size, labels=True)
    assert (dataset.name, dataset.split, dataset.image_shape) == (name, split, shape)
    assert len(dataset) == len(dataset.labels) == count
    assert dataset.images.dtype == np.uint8
    np.testing.assert_array_equal(np.unique(dataset.labels), np.arange(len(dataset.class_names)))
    again = load(name, split, image_size=size)
    np.testing.assert_array_equal(dataset.images, again.images)
    np.testing.assert_array_equal(dataset.labels, again.labels)
    [(images, labels)] = first_batches(dataset.batches(64), 1)
    assert (images.shape, labels.shape) == ((64, *shape), (64,))
    assert images.dtype == np.float32
    assert -1 <= images.min() < -0.9
    assert 0.9 < images.max() <= 1


@pytest.mark.parametrize("name", ["digits", "photos"])
def test_embedded_splits_are_disjoint(name):
    train, test = ({i.tobytes() for i in load(name, split).images} for split in ("train", "test"))
    assert len(train) > 1400
    assert len(test) > 290
    assert not train & test


def test_digits_are_framed_as_mnist_and_readable():
    train, test = load("digits"), load("digits", "test")
    assert train.images[:, :4].max() == train.images[:, -4:].max() == 0
    x, y = train.array().reshape(len(train), -1), test.array().reshape(len(test), -1)
    nearest = (np.square(x).sum(1) - 2 * y @ x.T).argmin(1)
    assert 0.95 < (train.labels[nearest] == test.labels).mean() < 1


def test_float_and_back_is_exact_for_every_value():
    values = np.arange(256, dtype="uint8")
    floats = to_float(values)
    assert floats.dtype == np.float32
    assert (floats[0], floats[-1]) == (-1, 1)
    np.testing.assert_allclose(floats, values / 127.5 - 1, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(to_uint8(floats), values)
    np.testing.assert_array_equal(to_uint8(np.array([-9.0, -0.999, 0.999, 9.0])), [0, 0, 255, 255])
    with pytest.raises(UsageError, match=r"uint8.*float32"):
        to_float(floats)


def test_the_order_is_a_function_of_seed_and_step():
    stream = numbered(50).batches(8, seed=3)
    prepared = values(first_batches(stream, 20))
    assert values(first_batches(stream, 20)) == prepared  # a second look begins anew
    assert values(first_batches(numbered(50).batches(8, seed=3, start=9), 11)) == prepared[9:]
    assert len({tuple(batch) for batch in prepared}) == 20  # no pass repeats another
    other = values(first_batches(numbered(50).batches(8, seed=4), 20))
    assert all(a != b for a, b in zip(prepared, other, strict=True))


@pytest.mark.parametrize(("count", "seen"), [(48, 48), (50, 48), (8, 8)])
def test_a_pass_serves_every_image_once(count, seen):
    per_pass = count // 8
    batches = values(first_batches(numbered(count).batches(8), 3 * per_pass))
    for k in range(3):
        images = list(chain(*batches[k * per_pass : (k + 1) * per_pass]))
        assert len(images) == len(set(images)) == seen
        assert set(images) <= set(range(count))
        assert images != sorted(images)


def test_test_batches_serve_every_image_once_in_order_and_are_alike():
    batches = first_batches(numbered(50, return_labels=True).test_batches(16), 99)
    assert values(images for images, _ in batches) == [
        [*range(12)], [*range(12, 25)], [*range(25, 37)], [*range(37, 50)],
    ]  # fmt: skip
    assert np.concatenate([labels for _, labels in batches]).tolist() == [*range(50)]
    assert values(first_batches(numbered(50).test_batches(99), 99)) == [[*range(50)]]


def test_labels_stay_with_their_images():
    batches = first_batches(numbered(50, return_labels=True).batches(8, seed=2), 14)
    assert [labels.tolist() for _, labels in batches] == values(images for images, _ in batches)


def test_some_images_stand_for_all_classes():
    mixed = numbered(50)
    assert mixed.spread_n(7).labels.tolist() == [
        0,
        8,
        16,
        24,
        33,
        41,
        49,
    ]  # these stand one after another
    mixed.labels[:] = mixed.labels[::-1]
    assert mixed.spread_n(7).labels.tolist() == [49, 48, 47, 46, 45, 44, 43]
    assert mixed.spread_n(50) is mixed.spread_n(None) is mixed


def test_images_stay_uint8_until_they_are_batched():
    dataset = ImageDataset("grey", "train", np.zeros((20_000, 28, 28, 1), "uint8"))  # 16 MB
    first_batches(dataset.batches(64), 3)
    assert 0.3e6 < peak_of(lambda: first_batches(dataset.batches(64), 3)) < 6e6
    assert 62e6 < peak_of(dataset.array) < 70e6  # one copy in float32, and no second


@pytest.mark.full_mnist
@has_mnist
def test_all_of_mnist_passes_in_little_memory():
    def one_pass():
        for batch in islice(dataset.batches(64), 937):
            seen.append(batch.shape[0])

    seen, loaded = [], []
    assert peak_of(lambda: loaded.append(load("mnist"))) < 130e6
    [dataset] = loaded
    assert (len(dataset), dataset.image_shape) == (60_000, (28, 28, 1))
    assert peak_of(one_pass) < 20e6
    assert sum(seen) == 59_968
    test = load("mnist", "test")
    assert np.bincount(test.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
