"""Lesson 20: attention with its mask (Vaswani 2017, equation 1)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_attention"
FORBIDDEN = ("keras.ops.dot_product_attention",)


def inputs(rng):
    """Three queries, five keys of 4 numbers, values of 2; a mask of which no row is all False."""
    mask = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], bool)
    return {
        "query": 2 * rng.normal(size=(3, 4)),
        "key": rng.normal(size=(5, 4)),
        "value": rng.normal(size=(5, 2)) + 1.0,
        "mask": mask,
    }


def _cases(inputs):
    everything = {**inputs, "mask": np.ones((3, 5), bool)}
    return {
        "even": {**everything, "query": 0 * inputs["query"]},
        "one value": {**everything, "value": np.ones((5, 2))},
        "attention": everything,
        "masked": inputs,
        "large": {**inputs, "query": 400 * inputs["query"]},
    }


def probe(solution, inputs):
    return {name: solution(**case) for name, case in _cases(inputs).items()}


def reference(inputs):
    found = {}
    for name, case in _cases(inputs).items():
        scores = case["query"] @ case["key"].T / 2.0  # the root of 4
        scores = np.where(case["mask"], scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        found[name] = weights / weights.sum(axis=1, keepdims=True) @ case["value"]
    return found


CHECKS = (
    Check(
        "even",
        "A query of zeros fits every key alike: what comes out is the mean of all values, for each of the three queries.",
    ),
    Check("one value", "Where all values are the same, that is what comes out: the weights of a query add up to 1."),
    Check(
        "attention",
        "Without a mask: the weights of each query are the softmax over its keys, and scores are divided by a number "
        "that keeps their spread the same whatever the length of a key.",
    ),
    Check(
        "masked",
        "What is hidden (False) gets no weight, and the weights of what is left add up to 1. Does the mask come before "
        "or after the softmax?",
    ),
    Check("large", "Right for small scores. For scores of some hundreds e^x is too large: take the largest away first."),
)

SOFTMAX = """
def softmax(a, axis=-1):
    e = np.exp(a - a.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

"""
RIGHT = {
    "as written": """
def my_attention(query, key, value, mask):
    scores = np.where(mask, query @ key.T / np.sqrt(key.shape[1]), -np.inf)  # (T, S)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ value
""",
    "with a softmax": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    scores = query @ key.T / np.sqrt(key.shape[1])
    return softmax(np.where(mask, scores, -np.inf)) @ value
""",
    "query by query": """
def my_attention(query, key, value, mask):
    found = []
    for q, visible in zip(query, mask):
        scores = key[visible] @ q / len(q) ** 0.5
        weights = np.exp(scores - scores.max())
        found.append(weights / weights.sum() @ value[visible])
    return np.array(found)
""",
}
WRONG = {
    "no root": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    return softmax(np.where(mask, query @ key.T, -np.inf)) @ value
""",
    "divided by the length, not its root": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    return softmax(np.where(mask, query @ key.T / key.shape[1], -np.inf)) @ value
""",
    "the softmax over queries": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    return softmax(np.where(mask, query @ key.T / np.sqrt(key.shape[1]), -1e9), axis=0) @ value
""",
    "the mask after the softmax": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    return (softmax(query @ key.T / np.sqrt(key.shape[1])) * mask) @ value
""",
    "what is hidden scores 0": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    return softmax(np.where(mask, query @ key.T / np.sqrt(key.shape[1]), 0.0)) @ value
""",
    "the mask upside down": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    return softmax(np.where(mask, -1e9, query @ key.T / np.sqrt(key.shape[1]))) @ value
""",
    "no mask": f"""{SOFTMAX}
def my_attention(query, key, value, mask):
    return softmax(query @ key.T / np.sqrt(key.shape[1])) @ value
""",
    "the best value alone": """
def my_attention(query, key, value, mask):
    scores = np.where(mask, query @ key.T, -np.inf)
    return value[scores.argmax(axis=1)]
""",
}
