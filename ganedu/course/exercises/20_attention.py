"""Lesson 20: attention with its mask (Vaswani 2017, equation 1)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_attention"
FORBIDDEN = ("keras.ops.dot_product_attention",)


def inputs(rng):
    """Two sentences: three queries and five keys of 6 numbers, values of 2; a mask of which no row is all False."""
    mask = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], bool)
    return {
        "q": 2 * rng.normal(size=(2, 3, 6)),
        "k": rng.normal(size=(2, 5, 6)),
        "v": rng.normal(size=(2, 5, 2)) + 1.0,
        "mask": mask,
    }


def _cases(inputs):
    everything = {**inputs, "mask": True}
    one = {name: a[0] for name, a in inputs.items() if name != "mask"}
    # Keys that the first query sees badly, and does not see although they would fit best.
    k = inputs["k"].copy()
    k[:, 0], k[:, 4] = -inputs["q"][:, 0], 3 * inputs["q"][:, 0]
    return {
        "even": {**everything, "q": 0 * inputs["q"]},
        "one value": {**everything, "v": np.ones((2, 5, 2))},
        "attention": everything,
        "masked": inputs,
        "large": {**inputs, "q": 400 * inputs["q"], "k": k},
        "one sentence": {**one, "mask": inputs["mask"]},
    }


def probe(solution, inputs):
    found = {name: solution(**case) for name, case in _cases(inputs).items()}
    return {name: c for name, (c, _) in found.items()} | {"weights": found["masked"][1]}


def _weights(q, k, mask, **_):
    scores = np.where(mask, q @ np.swapaxes(k, -1, -2) / np.sqrt(6), -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def reference(inputs):
    found = {name: _weights(**case) @ case["v"] for name, case in _cases(inputs).items()}
    return {**found, "weights": _weights(**inputs)}


CHECKS = (
    Check(
        "even",
        "A query of zeros fits every key alike: what comes out is the mean of all values, for each of the three "
        "queries. Along which axis do the weights add up to 1? And True is what may be looked at.",
    ),
    Check(
        "one value",
        "Where all values are the same, that is what comes out: the weights of a query add up to 1.",
    ),
    Check(
        "attention",
        "Without a mask: the weights of each query are the softmax over its keys, and scores are divided by a number "
        "that keeps their spread the same whatever the length of a key.",
    ),
    Check(
        "masked",
        "What is hidden (False) gets no weight, and the weights of what is left add up to 1. Does the mask come "
        "before or after the softmax, and is True what may be looked at?",
    ),
    Check(
        "weights",
        "What comes out is right. Return the weights (B, T, S) beside it, as they were used.",
    ),
    Check(
        "large",
        "Right for small scores. For scores of thousands e^x is too large: take away the largest of those that may be "
        "seen, and hide what may not be seen by a score that is smaller than any.",
    ),
    Check(
        "one sentence",
        "Right for a batch. It should work for one sentence, (T, d), without a batch as well.",
    ),
)

SOFTMAX = """
def softmax(a, axis=-1):
    e = np.exp(a - a.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

"""
RIGHT = {
    "as written": """
def my_attention(q, k, v, mask=True):
    s = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])  # (..., T, S)
    s = np.where(mask, s, -np.inf)
    alpha = np.exp(s - s.max(axis=-1, keepdims=True))
    alpha = alpha / alpha.sum(axis=-1, keepdims=True)
    return alpha @ v, alpha
""",
    "with a softmax": f"""{SOFTMAX}
def my_attention(q, k, v, mask=True):
    scores = np.einsum("...td,...sd->...ts", q, k) / k.shape[-1] ** 0.5
    alpha = softmax(np.where(mask, scores, -1e30))
    return np.einsum("...ts,...sv->...tv", alpha, v), alpha
""",
}


def _attention(
    scores="q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])",
    alpha="softmax(np.where(mask, s, -np.inf))",
):
    return f"""{SOFTMAX}
def my_attention(q, k, v, mask=True):
    s = {scores}
    alpha = {alpha}
    return alpha @ v, alpha
"""


WRONG = {
    "no root": _attention("q @ np.swapaxes(k, -1, -2)"),
    "divided by the length, not its root": _attention("q @ np.swapaxes(k, -1, -2) / q.shape[-1]"),
    "the softmax over queries": _attention(alpha="softmax(np.where(mask, s, -1e9), axis=-2)"),
    "the mask after the softmax": _attention(alpha="softmax(s) * mask"),
    "what is hidden scores 0": _attention(alpha="softmax(np.where(mask, s, 0.0))"),
    "the mask upside down": _attention(alpha="softmax(np.where(mask, -1e9, s))"),
    "no mask": _attention(alpha="softmax(s)"),
    "the best value alone": _attention(
        alpha="np.eye(s.shape[-1])[np.where(mask, s, -np.inf).argmax(axis=-1)]"
    ),
    "too large for e": _attention(
        alpha="np.exp(s) * mask / np.sum(np.exp(s) * mask, axis=-1, keepdims=True)"
    ),
    "the largest of all, seen or not": _attention(
        alpha="(e := np.exp(s - s.max(axis=-1, keepdims=True)) * mask) / e.sum(axis=-1, keepdims=True)"
    ),
    "hidden by a score of -1000": _attention(alpha="softmax(np.where(mask, s, -1e3))"),
    "no weights": """
def my_attention(q, k, v, mask=True):
    s = np.where(mask, q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]), -np.inf)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v, e
""",
}
