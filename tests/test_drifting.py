"""Drifting against Deng 2026, by hand and by loops."""

import keras
import numpy as np
import pytest
from keras import ops
from rows import IMAGE_SHAPE, batch

from ganedu import models, runtime
from ganedu.models.drifting import drifting_field, pairwise_distances

RNG = np.random.default_rng(0)
X, REAL, FAKE = (RNG.normal(size=(n, 3)).astype("float32") for n in (4, 6, 5))


def field(*arguments, **options):
    tensors = map(ops.convert_to_tensor, arguments)
    return ops.convert_to_numpy(drifting_field(*tensors, **options))


def softmax(a):
    return np.exp(a - a.max()) / np.exp(a - a.max()).sum()


def by_loops(x, positives, negatives, temperature, own):
    """Algorithm 2, one x after the other."""
    y = np.concatenate([positives, negatives]).astype("float64")
    distances = np.linalg.norm(x[:, None] - y[None], axis=-1)
    logits = -distances / (temperature * distances[:, : len(positives)].mean())
    if own:
        for i in range(len(x)):
            logits[i, len(positives) + i] = -np.inf
    rows = np.stack([softmax(row) for row in logits])
    columns = np.stack([softmax(column) for column in logits.T], axis=1)
    k, found = np.sqrt(rows * columns), np.zeros(x.shape)
    for i in range(len(x)):
        for p in range(len(positives)):
            for q in range(len(negatives)):
                weight = k[i, p] * k[i, len(positives) + q]
                found[i] += weight * (positives[p] - negatives[q])
    return found


def test_distances_by_hand():
    x, y = np.float32([[0, 0], [3, 4]]), np.float32([[0, 0], [0, 4], [3, 0]])
    found = ops.convert_to_numpy(pairwise_distances(*map(ops.convert_to_tensor, (x, y))))
    np.testing.assert_allclose(found, [[0.001, 4, 3], [5, 3, 4]], rtol=1e-5)


def test_between_one_real_and_one_other_sample_x_goes_to_the_real_one():
    """Both weights are sqrt(1/2 x 1), so V = 1/2 (1 - (-1))."""
    np.testing.assert_allclose(field([[0.0]], [[1.0]], [[-1.0]], temperature=0.3), [[1.0]])


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_it_is_the_algorithm_s(temperature):
    found = field(X, REAL, FAKE, temperature=temperature)
    np.testing.assert_allclose(found, by_loops(X, REAL, FAKE, temperature, False), atol=1e-5)
    found = field(X, REAL, X, temperature=temperature, own=True)
    np.testing.assert_allclose(found, by_loops(X, REAL, X, temperature, True), atol=1e-5)


def test_swapping_real_and_generated_turns_it_round():
    """Where distances count alike: x is as far from the ones as from the others in the mean."""
    x, side = X[:1], np.float32([2.0, 0.0, 0.0])
    a, b = x + side + 0 * REAL[:1], x - side
    there, back = field(x, a, b, temperature=0.5), field(x, b, a, temperature=0.5)
    np.testing.assert_allclose(there, -back, atol=1e-6)
    assert np.abs(there).max() > 0.5


def test_where_both_are_one_distribution_little_drifts():
    rng = np.random.default_rng(1)
    x, same = (rng.normal(size=(400, 2)).astype("float32") for _ in range(2))
    drifts = [
        np.linalg.norm(field(x, real, x, temperature=0.5, own=True), axis=1).mean()
        for real in (same, same + 2)
    ]
    assert drifts[0] < 0.2 * drifts[1]


def test_the_loss_is_the_mean_squared_length_of_the_drift():
    model = models.build("drifting", IMAGE_SHAPE, latent_dim=3, width=4, num_generated=5)
    real = batch(6)
    z = keras.random.normal((5, 3), seed=keras.random.SeedGenerator(model.seed))
    fake = ops.convert_to_numpy(model.generator(z, training=False)).reshape(5, -1)
    v = by_loops(fake, real.reshape(6, -1), fake, model.temperature, own=True)
    model.seed_generator.state.assign(keras.random.SeedGenerator(model.seed).state.value)
    losses = model.compute_losses(ops.convert_to_tensor(real), training=False)
    assert float(ops.convert_to_numpy(losses["loss"])) == pytest.approx(
        (v**2).sum(axis=1).mean(), rel=1e-3
    )


def test_samples_come_to_the_data():
    """Images of two kinds, dark on the left or on the right: both are generated."""
    x = np.full((32, *IMAGE_SHAPE), -0.9, "float32")
    x[::2, :, :4], x[1::2, :, 4:] = 0.9, 0.9
    runtime.setup(0)
    model = models.build(
        "drifting", IMAGE_SHAPE, latent_dim=4, width=8, num_generated=32, learning_rate=1e-2
    )
    for _ in range(120):
        model.train_on_batch(x)
    images = model.generate(40, seed=1)
    nearest = np.abs(images[:, None] - x[None, :2]).mean(axis=(2, 3, 4))
    assert (
        nearest.min(axis=1).mean() < 0.45
    )  # 0.2 to 0.3 under six seeds; a grey image is 0.9 from both
    assert 8 <= nearest.argmin(axis=1).sum() <= 32


@pytest.mark.parametrize(("name", "value"), [("num_generated", 1), ("temperature", 0.0)])
def test_wrong_numbers_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {value}"):
        models.build("drifting", IMAGE_SHAPE, width=4, **{name: value})
