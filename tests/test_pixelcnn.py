"""Gated PixelCNN: what a pixel sees, and that its probabilities are some."""

import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops

from ganedu import losses, models, networks, runtime
from ganedu.engine.gradients import input_gradient
from ganedu.models import pixelcnn

KERNEL, DEPTH = 5, 2
RADIUS = 5  # 2 of the kernel, 1 and 2 of the layers after it


def build(image_shape=(2, 2, 1), stddev=0.7, **options):
    """A small model whose weights are random, the biases too."""
    runtime.setup(0)
    options = {"width": 4, "depth": DEPTH, "kernel": KERNEL, "mixtures": 3, **options}
    model = models.build("pixelcnn", image_shape, **options)
    rng = np.random.default_rng(1)
    for w in model.weights:
        w.assign(rng.normal(0, stddev, w.shape))
    return model


def seen_from(network, shape, i, j):
    """Whether the output at (i, j) depends on each pixel: bool (H, W), by the gradient at random images."""
    x = np.random.default_rng(0).uniform(-1, 1, (16, *shape)).astype("float32")

    def at(x):
        return ops.sum(network(x)[:, i, j], axis=-1)

    found = input_gradient(at, ops.convert_to_tensor(x), [])
    return (ops.convert_to_numpy(ops.stop_gradient(found)) != 0).any(axis=(0, 3))


@pytest.mark.parametrize(("shape", "levels"), [((5, 6, 1), 2), ((5, 6, 3), 256)])
def test_a_pixel_depends_on_all_before_it_and_on_none_from_it_on(shape, levels):
    """Every pixel of an image that lies within reach."""
    model = build(shape, levels=levels, depth=4)
    order = np.arange(30).reshape(5, 6)
    for i, j in itertools.product(range(5), range(6)):
        np.testing.assert_array_equal(seen_from(model, shape, i, j), order < order[i, j])


def expected_field(shape, i, j, radius):
    rows, columns = np.indices(shape[:2])
    near = (rows >= i - radius) & (np.abs(columns - j) <= radius)
    return near & ((rows < i) | ((rows == i) & (columns < j)))


def test_the_receptive_field_has_no_blind_spot():
    shape = (13, 13, 1)
    assert networks.pixelcnn.receptive_field(DEPTH, KERNEL) == RADIUS
    found = seen_from(build(shape, levels=2), shape, 7, 6)
    np.testing.assert_array_equal(found, expected_field(shape, 7, 6, RADIUS))


def test_a_masked_stack_has_one():
    """A path of masked steps to the right must go up as often, but for the first layer's two."""
    shape = (13, 13, 1)
    runtime.setup(0)
    network = networks.masked_stack(shape, 1, width=8, depth=DEPTH, kernel=KERNEL)
    rng = np.random.default_rng(0)
    for w in network.weights:
        w.assign(rng.normal(0, 0.5, w.shape))
    # Its layers are not dilated: a reach of 2 + 1 + 1.
    found, field = seen_from(network, shape, 7, 6), expected_field(shape, 7, 6, 4)
    assert not (found & ~field).any()
    blind = {(int(a) - 7, int(b) - 6) for a, b in zip(*np.nonzero(field & ~found), strict=True)}
    assert blind == {(-1, 3), (-1, 4), (-2, 4)}


def test_a_masked_stack_is_saved(tmp_path):
    network = networks.masked_stack((6, 6, 1), 2, width=3, depth=1, kernel=3)
    network.save(tmp_path / "stack.keras")
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 1)).astype("float32")
    again = keras.models.load_model(tmp_path / "stack.keras")
    np.testing.assert_allclose(*(ops.convert_to_numpy(n(x)) for n in (network, again)), atol=1e-6)
    with pytest.raises(ValueError, match=r"kernel odd. Received: 'C'"):
        networks.pixelcnn.MaskedConv2D(3, 3, mask="C")


def binary_images():
    """All 16 of 2x2."""
    return np.array(list(itertools.product([-1.0, 1.0], repeat=4)), "float32").reshape(16, 2, 2, 1)


def test_all_binary_images_have_probability_one_together():
    p = np.exp(build(levels=2).log_likelihood(binary_images()))
    assert p.sum() == pytest.approx(1.0, abs=1e-5)
    assert p.max() > 2 * p.min()


def test_samples_have_the_probabilities_that_the_model_tells():
    model, count = build(levels=2), 4000
    expected = count * np.exp(model.log_likelihood(binary_images()))
    bits = (model.generate(count, seed=3).reshape(count, 4) > 0) @ [8, 4, 2, 1]
    counts = np.bincount(bits, minlength=16)
    # 15 degrees of freedom: over 37.7 in one of a thousand.
    assert np.sum((counts - expected) ** 2 / expected) < 37.7
    assert np.sum((count / 16 - expected) ** 2 / expected) > 200


def test_samples_of_a_mixture_have_its_probabilities():
    """Of one pixel of two channels, each of three values, from one set of parameters."""
    rng = np.random.default_rng(0)
    parameters = rng.normal(0, 1, (1, 2 * losses.mixture_size(2))).astype("float32")
    values = np.array(list(itertools.product([-1.0, 0.0, 1.0], repeat=2)), "float32")
    log_p = pixelcnn.pixel_log_probs(
        *map(ops.convert_to_tensor, (values, parameters.repeat(9, axis=0))), levels=3
    )
    p = np.exp(ops.convert_to_numpy(log_p))
    assert p.sum() == pytest.approx(1.0, abs=1e-5)
    x = pixelcnn.sample_pixels(parameters.repeat(20_000, axis=0), 2, 3, rng)
    counts = np.bincount(((x + 1) @ [3, 1]).round().astype(int), minlength=9)
    # 8 degrees of freedom: over 26.1 in one of a thousand.
    assert np.sum((counts - 20_000 * p) ** 2 / (20_000 * p)) < 26.1


@pytest.mark.parametrize(("shape", "levels"), [((6, 5, 1), 2), ((6, 5, 3), 256)])
def test_samples_are_those_of_the_whole_network_pixel_by_pixel(shape, levels):
    model, rng = build(shape, levels=levels, stddev=0.3), np.random.default_rng(2)
    x = np.zeros((3, *shape), "float32")
    for i, j in itertools.product(range(shape[0]), range(shape[1])):
        parameters = ops.convert_to_numpy(model(ops.convert_to_tensor(x)))[:, i, j]
        x[:, i, j] = pixelcnn.sample_pixels(parameters, shape[-1], levels, rng)
    np.testing.assert_allclose(model.generate(3, seed=2), x, atol=1e-6)
    assert len(np.unique(x)) > (1 if levels == 2 else 20)


def test_whole_grey_values_are_sampled():
    n = (build((4, 4, 1), stddev=0.3).generate(8, seed=0) + 1) * 127.5
    np.testing.assert_allclose(n, np.rint(n), atol=1e-4)


def test_a_network_of_zeros_by_hand():
    model, x = build(levels=2, stddev=0.0), binary_images()
    np.testing.assert_allclose(model.log_likelihood(x), -4 * math.log(2), rtol=1e-6)
    # All means 0, all scales 1. White: 1 - sigma(1 - 1/255); value 128: sigma(2/255) - sigma(0).
    model, x = build(stddev=0.0), np.ones((2, 2, 2, 1), "float32")
    x[1] = 128 / 127.5 - 1
    p = [1 / (1 + math.exp(254 / 255)), 1 / (1 + math.exp(-2 / 255)) - 0.5]
    np.testing.assert_allclose(model.log_likelihood(x), 4 * np.log(p), rtol=1e-5)


def test_binary_images_are_drawn_anew_in_training():
    model = build((8, 8, 1), levels=2, stddev=0.0)
    grey = ops.zeros((4, 8, 8, 1))
    seen = []
    call = type(model).call
    vars(model)["call"] = lambda x, training: seen.append(x) or call(model, x, training=training)
    logs = [model.compute_losses(grey, training=True) for _ in range(2)]
    a, b = map(ops.convert_to_numpy, seen)
    assert set(np.unique(a)) == {-1, 1}
    assert 0.3 < np.mean(a != b) < 0.7
    np.testing.assert_allclose(ops.convert_to_numpy(logs[0]["bits_per_dimension"]), 1.0, rtol=1e-5)


def test_what_does_not_fit_is_refused():
    with pytest.raises(runtime.UsageError, match="must be binary"):
        build(levels=2).log_likelihood(np.zeros((2, 2, 2, 1)))
    vertical = networks.vertical_stack((4, 4, 1), 4, 1, 3)
    for outputs, levels in ((2, 2), (4, 256)):
        horizontal = networks.horizontal_stack((4, 4, 1), outputs, 4, 1, 3)
        with pytest.raises(ValueError, match="Networks must fit together"):
            pixelcnn.PixelCNN(vertical, horizontal, levels=levels)
    with pytest.raises(ValueError, match=r"must be 2 or 256. Received: levels=3"):
        build(levels=3)
