"""Optimizers that move variables in groups: Adam beside Keras's own, Muon against the singular value decomposition."""

import keras
import numpy as np
import pytest
from keras import ops

from ganedu.engine import BACKEND, FusedAdam, Muon

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
    ("shape", "name"), [((5,), "kernel"), ((4, 3), "head_gain"), ((9, 4), "embedding")]
)
def test_vectors_embeddings_and_heads_are_adams(shape, name):
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
    found = stepped(shape, g.reshape(shape)) / (-RATE * 0.2 * np.sqrt(max(g.shape)))
    np.testing.assert_allclose(found.reshape(g.shape), ops.convert_to_numpy(theirs), atol=5e-4)


# Many variables at once

SHAPES = [
    (5,),
    (3, 3, 2, 8),
    (),
    (200, 200),
    (7, 4),
    (8,),
    (4, 7),
    (3, 3, 2, 8),
    (1,),
    (6, 16),
    (2**16,),
]


def moved(optimizer, steps=10, dtype="float32", shapes=SHAPES):
    """Variables after some steps along given gradients, as NumPy arrays; the second half in another order."""
    rng = np.random.default_rng(0)
    variables = [
        keras.Variable(rng.normal(size=s).astype("float32"), name=f"v{i}")
        for i, s in enumerate(shapes)
    ]
    optimizer.build(variables)
    for step in range(steps):
        gradients = [ops.cast(rng.normal(size=s).astype("float32"), dtype) for s in shapes]
        pairs = list(zip(gradients, variables, strict=True))[:: 1 if step < steps / 2 else -1]
        optimizer.apply(*map(list, zip(*pairs, strict=True)))
    return [ops.convert_to_numpy(v.value) for v in variables]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"beta_1": 0.0},
        {"clipnorm": 0.5},
        {"global_clipnorm": 3.0},
        {"clipvalue": 0.1},
        {"weight_decay": 0.1},
        {"gradient_accumulation_steps": 2},
        {"learning_rate": 0.0},
    ],
    ids=str,
)
def test_ten_steps_are_those_of_kerass_adam(options):
    options = {"learning_rate": 1e-3, **options}
    found, theirs = moved(FusedAdam(**options)), moved(keras.optimizers.Adam(**options))
    for a, b in zip(found, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)
    start = moved(keras.optimizers.SGD(0.0))
    still = [np.array_equal(a, b) for a, b in zip(found, start, strict=True)]
    assert all(still) if options["learning_rate"] == 0.0 else not any(still)


def test_a_schedule_is_followed_and_low_precision_gradients_are_taken():
    def falls():
        return keras.optimizers.schedules.CosineDecay(1e-2, 10)

    for dtype in ["float32"] + ["bfloat16"] * (
        BACKEND != "torch"
    ):  # there Keras squares in bfloat16
        found = moved(FusedAdam(falls()), dtype=dtype)
        theirs = moved(keras.optimizers.Adam(falls()), dtype=dtype)
        for a, b in zip(found, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=2e-8)


@pytest.mark.parametrize("nesterov", [True, False])
def test_each_matrix_is_turned_by_itself(nesterov):
    """Ten steps of many variables at once, beside one optimizer for each, and beside Keras's own where that takes
    the shape."""
    found = moved(Muon(RATE, nesterov=nesterov))
    rng = np.random.default_rng(0)
    start = [rng.normal(size=s).astype("float32") for s in SHAPES]
    given = [[rng.normal(size=s).astype("float32") for s in SHAPES] for _ in range(10)]
    plain = {
        "weight_decay": None,
        "adam_weight_decay": None,
        "adam_lr_ratio": 0.3,
        "adam_beta_2": 0.99,
    }
    for i, shape in enumerate(SHAPES):
        for kind in [Muon] + [keras.optimizers.Muon] * (len(shape) < 4):
            optimizer = kind(RATE, nesterov=nesterov, **plain)
            variable = keras.Variable(start[i], name="kernel")
            optimizer.build([variable])
            for gradients in given:
                optimizer.apply([ops.convert_to_tensor(gradients[i])], [variable])
            np.testing.assert_allclose(
                found[i], ops.convert_to_numpy(variable.value), atol=2e-3, err_msg=str(shape)
            )


@pytest.mark.parametrize("kind", [FusedAdam, Muon])
def test_a_step_without_one_of_the_variables_is_refused(kind):
    variables = [keras.Variable(np.zeros((2, 2), "float32"), name=n) for n in ("a", "b")]
    optimizer = kind(0.1)
    optimizer.build(variables)
    with pytest.raises(
        ValueError, match=rf"{kind.__name__} moves all variables.* given for: \S*b$"
    ):
        optimizer.apply([ops.ones((2, 2))], variables[:1])
    with pytest.raises(ValueError, match=r"amsgrad.*keras\.optimizers\.Adam"):
        FusedAdam(0.1, amsgrad=True)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="counts TensorFlow's operations")
@pytest.mark.parametrize(("kind", "most"), [(FusedAdam, 6), (Muon, 9)])
def test_a_variable_more_is_few_operations_more(kind, most):
    """Keras's Adam has 30 for each, Muon over 100."""
    import tensorflow as tf

    def operations(count):
        shapes = [(6, 4), (4,)] * count
        variables = [keras.Variable(np.zeros(s, "float32"), name="kernel") for s in shapes]
        optimizer = kind(0.1)
        optimizer.build(variables)
        step = tf.function(lambda *gradients: optimizer.apply(gradients, variables))
        traced = step.get_concrete_function(*[tf.TensorSpec(s) for s in shapes])
        return len(traced.graph.get_operations())

    assert (operations(12) - operations(2)) / 20 <= most


@pytest.mark.parametrize(
    "first", [Muon(RATE, adam_lr_ratio=0.7, momentum=0.8), FusedAdam(RATE, 0.5)]
)
def test_it_comes_back_from_its_config(first):
    again = keras.optimizers.deserialize(keras.optimizers.serialize(first))
    assert type(again) is type(first)
    assert again.get_config() == first.get_config()
