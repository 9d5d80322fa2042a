"""Lesson 05: the nearest code, and a gradient that passes straight through (van den Oord 2017, section 3.1)."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_quantize"
FORBIDDEN = ("ganedu.layers.VectorQuantizer",)
PRELUDE = "from keras import ops"


def inputs(rng):
    """Ten vectors near four codes, one of which is as another one, but longer; and weights of a loss. The last vector's
    nearest code is another one where absolute differences are added in the place of squares."""
    while True:
        codebook = rng.normal(size=(4, 3))
        codebook[1] /= np.linalg.norm(codebook[1])
        codebook[3] = 2.5 * codebook[1]
        codebook[0] = codebook[2] + 0.5 * rng.permutation([-1.4, 1.0, 1.0])
        chosen = rng.permutation([0, 0, 0, 1, 1, 2, 2, 2, 3])
        z_e = codebook[chosen] + 0.15 * rng.normal(size=(9, 3))
        z_e = np.concatenate([z_e, codebook[2:3] + 0.5])
        by_sum, by_squares = (np.sum(np.abs(z_e[-1] - codebook) ** k, axis=1) for k in (1, 2))
        if by_sum.argmin() == 0 and by_squares.argmin() == 2:
            break
    shuffled = rng.permutation(4)
    return {
        "z_e": z_e.astype("float32"),
        "codebook": codebook[shuffled].astype("float32"),
        "weights": rng.normal(size=(10, 3)).astype("float32"),
    }


def probe(solution, inputs):
    import keras
    from keras import ops

    from ganedu.engine.gradients import value_and_gradients

    z_e, codebook = (keras.Variable(inputs[name]) for name in ("z_e", "codebook"))
    slopes = keras.Variable(inputs["weights"], trainable=False)

    def loss():
        z, k = solution(z_e.value, codebook.value)
        if tuple(z.shape) != z_e.shape:
            raise ValueError(f"the vectors' shape is {tuple(z.shape)}, not {tuple(z_e.shape)}")
        return ops.sum(ops.cast(z, "float32") * slopes.value), (z, k)

    try:
        (z, k), gradients = value_and_gradients(loss, [z_e, codebook], [slopes])
    except RuntimeError as e:  # PyTorch, where the loss depends on nothing that has a slope
        if "does not require grad" not in str(e):
            raise
        (z, k), gradients = loss()[1], [None, None]
    found = {
        name: np.zeros(variable.shape) if g is None else np.asarray(ops.convert_to_numpy(g))
        for name, variable, g in zip(("z_e", "codebook"), (z_e, codebook), gradients, strict=True)
    }
    return {
        "indices": np.asarray(ops.convert_to_numpy(k)),
        "values": np.asarray(ops.convert_to_numpy(z)),
        "slope in z_e": found["z_e"],
        "slope in the codebook": found["codebook"],
    }


def _nearest(inputs):
    distances = np.sum((inputs["z_e"][:, None] - inputs["codebook"]) ** 2, axis=-1)
    return distances.argmin(axis=1)


def _slips(inputs):
    """What known slips would give in the place of the indices and of the slope in z_e."""
    z_e, codebook, weights = (inputs[name] for name in ("z_e", "codebook", "weights"))
    squares = np.sum((z_e[:, None] - codebook) ** 2, axis=-1)
    return {
        "farthest": ("indices", squares.argmax(axis=1)),
        "products": ("indices", (z_e @ codebook.T).argmax(axis=1)),
        "not squared": (
            "indices",
            np.sum(np.abs(z_e[:, None] - codebook), axis=-1).argmin(axis=1),
        ),
        "not moved": ("values", z_e),
        "no slope": ("slope in z_e", np.zeros_like(weights)),
        "backwards": ("slope in z_e", -weights),
        "twice": ("slope in z_e", 2 * weights),
    }


def compared(outputs, inputs):
    """What was found, and whether it is what a known slip gives."""
    found = dict(outputs)
    for name, (key, value) in _slips(inputs).items():
        given = np.asarray(outputs[key])
        same = given.shape == np.shape(value) and given.dtype.kind in "biuf"
        found[name] = np.array([bool(same and np.allclose(given, value, atol=1e-5))])
    return found


def reference(inputs):
    k = _nearest(inputs)
    return {
        **{name: np.array([False]) for name in _slips(inputs)},
        "indices": k,
        "values": inputs["codebook"][k],
        "slope in z_e": inputs["weights"],
        "slope in the codebook": np.zeros_like(inputs["codebook"]),
    }


CHECKS = (
    Check(
        "farthest",
        "These are the farthest codes, not the nearest.",
        points=0,
    ),
    Check(
        "products",
        "The largest product is not the smallest distance: long codes have large products. Which term of the squared "
        "distance differs from code to code?",
        points=0,
    ),
    Check(
        "not squared",
        "You added absolute differences. The distance of equation 1 adds their squares, and another code can then be "
        "the nearest.",
        points=0,
    ),
    Check(
        "indices",
        "k should be, for each of the N vectors, the index of the code at the smallest distance: the sum of squared "
        "differences over the d numbers.",
    ),
    Check(
        "not moved",
        "The vectors come back as they were. Going forward the decoder is to see their codes.",
        points=0,
    ),
    Check(
        "values",
        "Going forward, what comes back for each vector should be the code that it chose.",
    ),
    Check(
        "no slope",
        "The values are right. But no gradient arrives at z_e, so the encoder would not learn: where z_e stands, it "
        "has no slope, or its slopes cancel.",
        points=0,
    ),
    Check(
        "backwards",
        "The values are right. But the gradient arrives at z_e with the wrong sign: where does z_e stand outside of "
        "`stop_gradient`, and with which sign?",
        points=0,
    ),
    Check(
        "twice",
        "The values are right. But the gradient arrives at z_e twice.",
        points=0,
    ),
    Check(
        "slope in z_e",
        "The values are right. But the gradient at z_e should be exactly the one that came back from the decoder.",
    ),
    Check(
        "slope in the codebook",
        "Values and the gradient at z_e are right. But a gradient reaches the codebook, too. All of it shall go to "
        "z_e: what is left outside of `stop_gradient`?",
    ),
)

RIGHT = {
    "as written": """
def my_quantize(z_e, codebook):
    distances = ops.sum(ops.square(z_e[:, None] - codebook), axis=-1)  # (N, K)
    k = ops.argmin(distances, axis=1)
    z_q = ops.take(codebook, k, axis=0)
    return z_e + ops.stop_gradient(z_q - z_e), k
""",
    "without the length of z_e": """
def my_quantize(z_e, codebook):
    k = ops.argmin(ops.sum(codebook**2, axis=1) - 2 * z_e @ ops.transpose(codebook), axis=1)
    z_q = ops.stop_gradient(ops.take(codebook, k, axis=0))
    return z_q + z_e - ops.stop_gradient(z_e), k
""",
    "by a table": """
def my_quantize(z_e, codebook):
    distances = ops.norm(ops.expand_dims(z_e, 1) - ops.expand_dims(codebook, 0), axis=2)
    k = ops.argmin(distances, axis=1)
    z_q = ops.one_hot(k, codebook.shape[0]) @ codebook
    return ops.stop_gradient(z_q - z_e) + z_e, k
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


THROUGH = "z_e + ops.stop_gradient(z_q - z_e)"
WRONG = {
    "the code alone": _slip((THROUGH, "z_q")),
    "the sign turned": _slip((THROUGH, "ops.stop_gradient(z_q + z_e) - z_e")),
    "the code outside": _slip((THROUGH, "z_q + z_e - ops.stop_gradient(z_e)")),
    "the encoder's share stopped": _slip((THROUGH, "z_q + ops.stop_gradient(z_e - z_q)")),
    "added": _slip((THROUGH, "z_e + ops.stop_gradient(z_q)")),
    "all stopped": _slip((THROUGH, "ops.stop_gradient(z_e + z_q - z_e)")),
    "nothing stopped": _slip((THROUGH, "z_e + z_q - z_e")),
    "twice": _slip((THROUGH, "2 * z_e + ops.stop_gradient(z_q - 2 * z_e)")),
    "half": _slip((THROUGH, "0.5 * z_e + ops.stop_gradient(z_q - 0.5 * z_e)")),
    "the farthest code": _slip(("ops.argmin", "ops.argmax")),
    "the largest product": _slip(
        ("ops.sum(ops.square(z_e[:, None] - codebook), axis=-1)", "-z_e @ ops.transpose(codebook)")
    ),
    "absolute differences": _slip(("ops.square(", "ops.abs(")),
    "sums that are not squared": _slip(
        ("ops.square(z_e[:, None] - codebook)", "z_e[:, None] - codebook")
    ),
    "a mixture of codes": """
def my_quantize(z_e, codebook):
    distances = ops.sum(ops.square(z_e[:, None] - codebook), axis=-1)
    return ops.softmax(-distances) @ codebook, ops.argmin(distances, axis=1)
""",
}
