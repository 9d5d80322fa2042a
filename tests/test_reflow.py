"""Reflow against Liu 2023, by hand."""

import keras
import numpy as np
import pytest
from keras import ops
from rows import IMAGE_SHAPE, arrays, batch

from ganedu import models, runtime
from ganedu.models.reflow import Reflow
from ganedu.samplers import euler

SMALL = {"width": 8, "units": 8, "num_pairs": 6, "new_pairs": 2, "pair_steps": 3}


def build(**overrides):
    runtime.setup(0)
    return models.build("reflow", IMAGE_SHAPE, **{**SMALL, **overrides})


def of_one_layer():
    """Networks of which a step without a graph takes little."""
    runtime.setup(0)

    def network():
        x, t = keras.Input(IMAGE_SHAPE), keras.Input(())
        at_t = keras.layers.Dense(1)(keras.layers.Reshape((1, 1, 1))(t))
        return keras.Model([x, t], keras.layers.Conv2D(1, 3, padding="same")(x) + at_t)

    model = Reflow(network(), network(), num_pairs=6, new_pairs=2, pair_steps=1)
    model.compile_with(keras.optimizers.Adam, 0.03, 0.03)
    model.run_eagerly = keras.backend.backend() != "jax"  # on JAX to compile takes less
    return model


def constant(image):
    """A network that tells one image, whatever x and t are."""
    x, t = keras.Input(IMAGE_SHAPE), keras.Input(())
    told = keras.layers.Lambda(lambda inputs: ops.full_like(inputs[0], image))([x, t])
    return keras.Model([x, t], told)


def shaken(network, seed=0):
    rng = np.random.default_rng(seed)
    network.set_weights([w + rng.normal(0, 0.1, w.shape) for w in network.get_weights()])


def loss_of(model, z_0, z_1):
    return float(ops.convert_to_numpy(model.pair_loss(z_0, z_1, training=False)["loss"]))


def test_a_pair_is_noise_and_where_the_teacher_takes_it():
    """As `euler` in NumPy does, with the teacher's average."""
    model = build()
    shaken(model.ema_teacher)
    z_0, z_1 = map(ops.convert_to_numpy, model.make_pairs(4))
    assert abs(z_0.mean()) < 0.3
    assert 0.8 < z_0.std() < 1.2

    def velocity(x, t):
        return (model.predict_by_teacher(x, t) - x) / (1.0 - t)

    expected = euler(velocity, z_0.astype("float64"), 3, shift=3.0)
    np.testing.assert_allclose(z_1, expected, atol=1e-4)
    assert np.abs(z_1).max() <= 1 + 1e-5  # the last step arrives at what is seen


def test_a_student_that_tells_each_pair_s_image_has_no_loss():
    model = build()
    z_0 = ops.convert_to_tensor(batch(4))
    told = ops.full_like(z_0, 0.25)
    vars(model)["network"] = constant(0.25)
    assert loss_of(model, z_0, told) == pytest.approx(0, abs=1e-12)
    vars(model)["network"] = constant(0.75)
    assert loss_of(model, z_0, told) == pytest.approx(0.25)


def test_half_of_the_times_are_at_the_noise_and_all_lie_on_the_line():
    model, seen = build(), []
    z_0 = ops.convert_to_tensor(np.full((400, *IMAGE_SHAPE), 2.0, "float32"))

    def network(inputs, training):
        seen.append([ops.convert_to_numpy(i) for i in inputs])
        return inputs[0]

    vars(model)["network"] = network
    model.pair_loss(z_0, ops.zeros_like(z_0), training=False)
    (x, t) = seen[0]
    np.testing.assert_allclose(x[:, 0, 0, 0], 2.0 * (1.0 - t), rtol=1e-5)
    assert 0.4 < (t == 0).mean() < 0.6
    assert 0 < np.median(t[t > 0]) < 0.4  # shifted: 0.25 of u = 1/2 with k = 3


def test_each_step_takes_new_pairs_for_the_oldest():
    model, x = of_one_layer(), batch(4)
    for _ in range(3):
        model.train_on_batch(x)
    before = arrays([model.z_0, model.z_1])
    assert all(
        np.abs(b).min(axis=(1, 2, 3)).max() > 0 for b in before
    )  # none is left from the start
    model.train_on_batch(x)
    for b, a in zip(before, arrays([model.z_0, model.z_1]), strict=True):
        np.testing.assert_array_equal(a[2:], b[:-2])
        assert np.abs(a[:2] - b[:2]).max() > 1e-3


def test_one_step_is_what_the_student_sees_in_the_noise():
    model = build()
    shaken(model.ema_network)
    z = model.latents(3, seed=5)
    expected = model.predict_image(z.reshape(3, *IMAGE_SHAPE), 0.0)
    np.testing.assert_allclose(model.generate(3, seed=5), expected, atol=1e-6)
    assert np.abs(model.generate(3, steps=4, seed=5) - expected).max() > 1e-3


def test_the_teacher_generates_by_itself():
    model = build()
    shaken(model.ema_teacher)
    vars(model)["ema_network"] = None
    images = model.generate_by_teacher(3, steps=2, seed=5)
    assert images.shape == (3, *IMAGE_SHAPE)
    np.testing.assert_array_equal(images, model.generate_by_teacher(3, steps=2, seed=5))
    assert np.abs(images - model.generate_by_teacher(3, steps=5, seed=5)).max() > 1e-3


def test_the_student_comes_to_the_teacher():
    """A teacher that takes all noise to one image: soon the student does so in one step."""
    model = of_one_layer()
    vars(model)["ema_teacher"] = constant(0.5)
    vars(model)["update_ema"] = lambda network, copy, momentum: (
        copy is model.ema_network and (copy.set_weights(network.get_weights()))
    )
    assert np.abs(model.generate(8, seed=1) - 0.5).mean() > 0.4
    for i in range(18):
        model.train_step((ops.convert_to_tensor(batch(4, i)),))
    assert np.abs(model.generate(8, seed=1) - 0.5).mean() < 0.2


@pytest.mark.parametrize(
    "overrides", [{"new_pairs": 0}, {"new_pairs": 7}, {"pair_steps": 0}, {"num_pairs": 1}]
)
def test_wrong_numbers_are_refused(overrides):
    with pytest.raises(ValueError, match="`new_pairs` must lie in"):
        build(**overrides)
