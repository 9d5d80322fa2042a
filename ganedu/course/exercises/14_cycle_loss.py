"""Lesson 14: there and back again, the cycle-consistency loss (Zhu 2017, equation 2)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "cycle"
PRELUDE = "from keras import ops"
FORBIDDEN = ()


def inputs(rng):
    return {
        "x": rng.normal(size=(5, 3, 4, 1)),
        "y": rng.normal(size=(5, 3, 4, 3)) + 0.5,
        "a": rng.uniform(0.5, 1.5, 3),
        "b": rng.uniform(-1, 1, 3),
    }


def _players(inputs):
    """G paints one channel in three, F takes a weighted sum of three. Each takes the other's images, too."""
    a, b = inputs["a"], inputs["b"]
    return (lambda x: x[..., :1] * a + b), (lambda y: np.sum(y * b, axis=-1, keepdims=True) - 0.2)


def _inverses():
    return (lambda x: np.repeat(-2 * x[..., :1], 3, axis=-1)), (lambda y: -y[..., :1] / 2)


def probe(solution, inputs):
    x, y = inputs["x"], inputs["y"]
    grey = np.repeat(y[..., :1], 3, axis=-1)
    g, f = _inverses()
    return {
        "inverses": solution(g, f, x, grey),
        "from x": solution(g, lambda y: -y[..., :1] / 2 - 0.25, x, np.zeros_like(y)),
        "loss": solution(*_players(inputs), x, y),
    }


def reference(inputs):
    x, y = inputs["x"], inputs["y"]
    g, f = _players(inputs)
    return {
        "inverses": 0.0,
        "from x": 0.25 + 0.5,
        "loss": np.mean(np.abs(f(g(x)) - x)) + np.mean(np.abs(g(f(y)) - y)),
    }


CHECKS = (
    Check(
        "inverses",
        "Here F undoes what G does, and G what F does: both ways there and back cost nothing. What do you compare "
        "what comes back with? Is there a term in your loss that is no way there and back?",
        points=0,  # it comes out by itself
    ),
    Check(
        "from x",
        "Here G doubles and turns the sign, and F is off by -0.25. On the way from x and back all pixels are off by "
        "-0.25, on the way from y and back by 0.5. Each way has absolute values of its own, so that they cannot "
        "cancel, and their mean; the loss is the sum of the two: 0.75.",
    ),
    Check(
        "loss",
        "Here G and F do not undo each other, so their order counts. Which comes first on the way that begins at "
        "x, and which on the way that begins at y?",
    ),
)

RIGHT = {
    "as written": """
def cycle(G, F, x, y):
    there = ops.mean(ops.abs(F(G(x)) - x))
    return there + ops.mean(ops.abs(G(F(y)) - y))
""",
    "step by step": """
def cycle(g, f, x, y):
    there, back = g(x), f(y)
    loss = 0.0
    for given, returned in ((x, f(there)), (y, g(back))):
        loss += np.abs(returned - given).sum() / given.size
    return loss
""",
}
WRONG = {
    "the other network first": """
def cycle(g, f, x, y):
    return np.mean(np.abs(g(f(x)) - x)) + np.mean(np.abs(f(g(y)) - y))
""",
    "one way only": """
def cycle(g, f, x, y):
    return np.mean(np.abs(f(g(x)) - x))
""",
    "squares": """
def cycle(g, f, x, y):
    return np.mean((f(g(x)) - x) ** 2) + np.mean((g(f(y)) - y) ** 2)
""",
    "as if there were pairs": """
def cycle(g, f, x, y):
    return np.mean(np.abs(g(x) - y)) + np.mean(np.abs(f(y) - x))
""",
    "the mean of both ways": """
def cycle(g, f, x, y):
    return (np.mean(np.abs(f(g(x)) - x)) + np.mean(np.abs(g(f(y)) - y))) / 2
""",
    "sums over pixels": """
def cycle(g, f, x, y):
    return np.abs(f(g(x)) - x).sum(axis=(1, 2, 3)).mean() + np.abs(g(f(y)) - y).sum(axis=(1, 2, 3)).mean()
""",
    "no absolute values": """
def cycle(g, f, x, y):
    return np.mean(f(g(x)) - x) + np.mean(g(f(y)) - y)
""",
    "one absolute value for both ways": """
def cycle(g, f, x, y):
    return np.mean(np.abs(f(g(x)) - x + g(f(y)) - y))
""",
    "the identity terms, too": """
def cycle(g, f, x, y):
    there, back = np.mean(np.abs(f(g(x)) - x)), np.mean(np.abs(g(f(y)) - y))
    return there + back + np.mean(np.abs(g(y) - y)) + np.mean(np.abs(f(x) - x))
""",
    "the identity terms in their place": """
def cycle(g, f, x, y):
    return np.mean(np.abs(g(y) - y)) + np.mean(np.abs(f(x) - x))
""",
}
