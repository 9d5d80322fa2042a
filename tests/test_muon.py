"""Muon's step against the singular value decomposition, and which weights it moves."""

import keras
import numpy as np
import pytest
from keras import ops

from ganedu.engine import Muon

RATE = 0.1


def stepped(shape, gradient, name="kernel", **options):
    """The change of a variable of zeros after one step."""
    with keras.name_scope("layer"):
        variable = keras.Variable(np.zeros(shape, "float32"), name=name)
    optimizer = Muon(RATE, **options)
    optimizer.build([variable])
    optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
    return ops.convert_to_numpy(variable)


def by_singular_values(g):
    """-lr 0.2 sqrt(max(n, m)) U f(S) V^T, f five times the quintic of Jordan 2024, of S over its norm."""
    u, s, v = np.linalg.svd(g, full_matrices=False)
    s = s / np.sqrt((s**2).sum())
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    assert np.all((s > 0.6) & (s < 1.3))
    return -RATE * 0.2 * np.sqrt(max(g.shape)) * (u * s) @ v


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (3, 3, 2, 5), (1, 1, 7, 3)])
def test_a_step_turns_the_gradient_to_a_matrix_of_like_singular_values(shape):
    g = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = by_singular_values(g.reshape(-1, shape[-1]).astype("float64")).reshape(shape)
    np.testing.assert_allclose(stepped(shape, g), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "name"), [((5,), "kernel"), ((4, 3), "last_gain"), ((9, 4), "embedding")]
)
def test_vectors_embeddings_and_last_layers_are_adams(shape, name):
    g = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = -0.5 * RATE * np.sign(g)  # Adam's first step
    np.testing.assert_allclose(
        stepped(shape, g, name, adam_lr_ratio=0.5), expected, rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize("shape", [(300, 20), (20, 300), (3, 3, 40, 20)])
def test_small_singular_values_are_turned_as_kerass_own_does(shape):
    """Of singular values from 1 to 1e-5, in float32, where what is squared is soon rounded away."""
    rng = np.random.default_rng(0)
    u, _, v = np.linalg.svd(rng.normal(size=(int(np.prod(shape[:-1])), shape[-1])), False)
    g = (u * np.geomspace(1, 1e-5, 20) @ v).astype("float32")
    theirs = keras.optimizers.Muon(0.1).zeropower_via_newtonschulz5(ops.convert_to_tensor(g), 5)
    found = Muon(0.1).zeropower_via_newtonschulz5(ops.convert_to_tensor(g.reshape(shape)), 5)
    found = ops.convert_to_numpy(found)
    assert found.shape == shape
    np.testing.assert_allclose(found.reshape(g.shape), ops.convert_to_numpy(theirs), atol=5e-4)


def test_it_comes_back_from_its_config():
    first = Muon(RATE, adam_lr_ratio=0.7, momentum=0.8)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(first))
    assert isinstance(again, Muon)
    assert again.get_config() == first.get_config()
