"""The shipped feature networks, and those of keras.applications."""

import urllib.error

import keras
import numpy as np
import pytest

from ganedu import data, runtime
from ganedu.metrics import features


@pytest.mark.parametrize("name", features.NAMES)
def test_weights_are_small_and_load(name):
    from importlib import resources

    file = resources.files("ganedu.metrics.features") / "weights" / f"{name}.npz"
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
        (np.full((2, 28, 28, 1), 255.0), r"floats in \[-1, 1\]"),
    ],
)
def test_what_it_cannot_see_is_refused(images, message):
    with pytest.raises(runtime.UsageError, match=message):
        features.load("digits").features(images)


def test_an_unknown_name_is_refused():
    with pytest.raises(runtime.UsageError, match="Received: 'x'"):
        features.load("x")


# Networks of keras.applications

# What a grey image of value 0.5 in [-1, 1], 191.25 in [0, 255], becomes: from -1 to 1; or blue, green and red less
# their means over ImageNet (103.939, 116.779, 123.68).
SCALED, CENTRED = [0.5, 0.5, 0.5], [87.311, 74.471, 67.57]
SEEN = {
    **dict.fromkeys(("inception_v3", "resnet50_v2", "mobilenet", "mobilenet_v2"), SCALED),
    **dict.fromkeys(("vgg16", "vgg19", "resnet50"), CENTRED),
}


@pytest.fixture
def afresh():
    for kept in (features.load, features.applications.load):
        kept.cache_clear()
    yield
    for kept in (features.load, features.applications.load):
        kept.cache_clear()


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("name", features.applications.NAMES)
def test_an_application_sees_images_in_its_own_size_and_range(name, monkeypatch):
    """The network itself is made one that tells what it is shown: the mean of each channel."""
    module, constructor, size, _ = features.applications.NAMES[name]
    asked = {}

    def mean_of_channels(input_shape, **options):
        asked.update(options, input_shape=input_shape)
        return keras.Sequential([keras.Input(input_shape), keras.layers.GlobalAveragePooling2D()])

    monkeypatch.setattr(getattr(keras.applications, module), constructor, mean_of_channels)
    seen = features.load(name)
    assert asked["input_shape"] == (size, size, 3)
    assert asked["weights"] == "imagenet"
    assert not asked["include_top"]
    found = seen.features(np.full((2, 28, 28, 1), 0.5))
    np.testing.assert_allclose(found, [SEEN[name]] * 2, rtol=1e-3)  # a mean of 50,000 float32
    red = np.full((1, 32, 32, 3), -1.0)
    red[..., 0] = 1.0
    expected = [1, -1, -1] if SEEN[name] is SCALED else [-103.939, -116.779, 255 - 123.68]
    np.testing.assert_allclose(seen.features(red), [expected], rtol=1e-3)


@pytest.mark.usefixtures("afresh")
def test_an_application_is_the_real_network(monkeypatch):
    """MobileNet as Keras builds it, with random weights for want of its own: its features depend on each image
    alone, however many there are."""
    real = keras.applications.mobilenet.MobileNet
    monkeypatch.setattr(
        keras.applications.mobilenet, "MobileNet", lambda **o: real(**{**o, "weights": None})
    )
    monkeypatch.setattr(features.applications, "BATCH", 2)
    seen = features.load("mobilenet")
    x = np.random.default_rng(0).uniform(-1, 1, (3, 28, 28, 1))
    found = seen.features(x)
    assert found.shape == (3, 1024)
    np.testing.assert_allclose(seen.features(x[2:]), found[2:], rtol=1e-2)
    assert not np.allclose(found[0], found[1], rtol=0.1, atol=0)
    for bad in (x[:0], x[0], x[..., [0, 0]], 300 * x, np.nan * x):
        with pytest.raises(runtime.UsageError, match="Images must be"):
            seen.features(bad)


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("name", features.applications.NAMES)
def test_weights_that_cannot_be_had_are_named(name, monkeypatch):
    """Keras itself tries to fetch them; only the network is missing."""

    path = features.applications.folder() / features.applications.NAMES[name][3]
    if path.exists():
        pytest.skip("its weights are here")
    asked = []

    def offline(address, target, progress):
        asked.append((address, target))
        raise urllib.error.URLError("no network here")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", offline)
    with pytest.raises(runtime.UsageError) as caught:
        features.load(name)
    message = str(caught.value)
    assert message.startswith(f"The features of {name} need its ImageNet weights")
    assert "no network here" in message
    assert f"where Keras looks, {path}, or" in message
    [(address, target)] = asked
    assert address.endswith(f"/{path.name}")
    assert target == str(path)


@pytest.mark.usefixtures("afresh")
def test_damaged_weights_are_no_traceback(tmp_path, monkeypatch):
    file = tmp_path / "damaged.h5"
    file.write_bytes(b"nothing")
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *a, **o: str(file))
    with pytest.raises(runtime.UsageError, match="features of mobilenet need its ImageNet weights"):
        features.load("mobilenet")
