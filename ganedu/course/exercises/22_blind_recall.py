"""Lesson 22: the recall at k of a search that sees all of a picture but one attribute, as an expectation."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_blind_recall"
FORBIDDEN = ()


def inputs(rng):
    """Two attributes of nine pictures: four look alike, two look alike, and three share a single attribute at most with
    each of the others. And of thirty, at random."""
    nine = np.array([[0, 1]] * 4 + [[2, 2]] * 2 + [[0, 2], [1, 1], [1, 0]])
    return {"nine": nine[rng.permutation(9)], "thirty": rng.integers(0, 3, (30, 2))}


def _cases(inputs):
    nine, thirty = inputs["nine"], inputs["thirty"]
    return {
        "all differ": (np.arange(6).reshape(6, 1), 1),
        "all alike": (np.zeros((6, 2), int), 1),
        "one": (nine, 1),
        "two": (nine, 2),
        "three": (nine, 3),
        "many": (nine, 50),
        "thirty": (thirty, 2),
    }


def probe(solution, inputs):
    return {name: solution(looks.copy(), k) for name, (looks, k) in _cases(inputs).items()}


def reference(inputs):
    found = {}
    for name, (looks, k) in _cases(inputs).items():
        twins = (looks[:, None] == looks).all(axis=-1).sum(axis=1)
        found[name] = np.mean(np.minimum(k, twins) / twins)
    return found | {"any": 0.0, "kinds": 0.0}


def compared(outputs, inputs):
    """Beside the shares themselves, two mistakes by their names: pictures that agree in some attribute are taken for
    twins, and each look counts once, however many pictures have it."""
    nine, one = inputs["nine"], np.asarray(outputs["one"], float)
    some = np.mean(1 / (nine[:, None] == nine).any(axis=-1).sum(axis=1))
    _, counts = np.unique(nine, axis=0, return_counts=True)
    known = {"any": some, "kinds": np.mean(1 / counts)}
    found = {name: float(one.shape == () and np.isclose(one, x)) for name, x in known.items()}
    return outputs | found


CHECKS = (
    Check(
        "all differ",
        "Where no two pictures look alike the right one always comes first: 1. One number, the mean over all.",
        points=0,  # it comes out by itself
    ),
    Check(
        "any",
        "Two pictures look alike if they agree in all attributes, not in one.",
        points=0,
    ),
    Check(
        "kinds",
        "The mean is over pictures. You took it over looks: one that four pictures have counts four times.",
        points=0,
    ),
    Check(
        "all alike",
        "Six pictures look alike, and one of them is right. It comes first one time in six. (Each picture looks like "
        "itself.)",
    ),
    Check(
        "one",
        "Right where all look alike and where none do. Here four, two, and three single ones: each picture has its own "
        "probability, and the answer is the mean of these.",
    ),
    Check(
        "two",
        "Right for k = 1, wrong for 2. Two of four twins are among the first two: the right one is among them half of "
        "the time. And a single one is there for certain, not more than that.",
    ),
    Check(
        "three",
        "Right for k = 1 and 2, wrong for 3: two twins are both among the first three.",
        points=0,
    ),
    Check("many", "With k larger than all, the right one is always among the first: 1.", points=0),
    Check("thirty", "Right for nine pictures, wrong for thirty.", points=0),
)

RIGHT = {
    "as written": """
def my_blind_recall(looks, k):
    alike = (looks[:, None] == looks).all(axis=-1)  # (N, N)
    twins = alike.sum(axis=1)  # of each picture, itself among them
    return np.mean(np.minimum(k / twins, 1))
""",
    "by counting": """
def my_blind_recall(looks, k):
    rows = [tuple(row) for row in looks]
    shares = [min(k, rows.count(row)) / rows.count(row) for row in rows]
    return sum(shares) / len(shares)
""",
}
_WRITTEN = RIGHT["as written"]
WRONG = {
    "alike in some attribute": variant(_WRITTEN, (".all(axis=-1)", ".any(axis=-1)")),
    "a probability over 1": variant(_WRITTEN, ("np.minimum(k / twins, 1)", "k / twins")),
    "k is not looked at": variant(_WRITTEN, ("np.minimum(k / twins, 1)", "1 / twins")),
    "twins without oneself": variant(
        _WRITTEN, ("alike.sum(axis=1)", "np.maximum(alike.sum(axis=1) - 1, 1)")
    ),
    "lost as soon as there is a twin": variant(
        _WRITTEN, ("np.minimum(k / twins, 1)", "twins <= k")
    ),
    "one over the mean number of twins": variant(
        _WRITTEN, ("np.mean(np.minimum(k / twins, 1))", "min(k / np.mean(twins), 1)")
    ),
    "each look once": """
def my_blind_recall(looks, k):
    _, twins = np.unique(looks, axis=0, return_counts=True)
    return np.mean(np.minimum(k / twins, 1))
""",
    "looks among all pictures": """
def my_blind_recall(looks, k):
    return min(k, len(looks)) * len(np.unique(looks, axis=0)) / len(looks)
""",
    "a number for each": variant(
        _WRITTEN, ("np.mean(np.minimum(k / twins, 1))", "np.minimum(k / twins, 1)")
    ),
    "at random": """
def my_blind_recall(looks, k):
    return min(k, len(looks)) / len(looks)
""",
}
