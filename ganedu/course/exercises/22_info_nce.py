"""Lesson 22: the symmetric contrastive loss (Radford 2021, figure 3)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_info_nce"
FORBIDDEN = ("ganedu.losses.info_nce",)


def inputs(rng):
    """Vectors of five pairs, of any length; the first picture fits two texts."""
    u = rng.normal(size=(5, 3)) * rng.uniform(0.5, 3, (5, 1))
    v = u + rng.normal(size=(5, 3))
    v[1] = 2 * v[0] + 0.1 * v[1]
    return {"u": u, "v": v}


def _unit(a):
    return a / np.linalg.norm(a, axis=1, keepdims=True)


def _cases(inputs):
    u, v = inputs["u"], inputs["v"]
    axes = np.eye(2)
    bent = np.array([[3.0, 0.0], [1.0, 2.0]])  # scores are symmetric: rows and columns say the same
    return {
        "one pair": (u[:1], v[:1], 1.0),
        "alike": (np.ones((7, 3)), np.ones((7, 3)), 1.0),
        "right angles": (axes, axes, 1.0),
        "long": (bent, bent, 1.0),
        "both": (_unit(u), _unit(v), 1.0),
        "longer texts": (_unit(u), v, 1.0),
        "temperature": (u, v, 0.3),
        "sharp": (u, v, 0.05),
    }


def probe(solution, inputs):
    return {name: solution(*(np.array(a) for a in case)) for name, case in _cases(inputs).items()}


def reference(inputs):
    found = {}
    for name, (u, v, temperature) in _cases(inputs).items():
        s = _unit(u) @ _unit(v).T / temperature
        both = [np.log(np.exp(a).sum(axis=1)) - np.diag(a) for a in (s, s.T)]
        found[name] = np.mean(both)
    return found


CHECKS = (
    Check(
        "one pair",
        "With a single pair there is nothing to confuse, and the loss is 0: one number, log 1. The right answer is one "
        "of the answers that the softmax is over.",
        points=0,
    ),
    Check(
        "alike",
        "Where the vectors of all seven pairs are the same, every answer has probability 1/7, and the loss is log 7. "
        "Is it the mean of all fourteen cross-entropies (not their sum), and -log of the probability?",
    ),
    Check(
        "right angles",
        "Two pairs at right angles, T = 1: scores are [[1, 0], [0, 1]]. The right answer has the probability "
        "e / (e + 1), and its -log is 0.313. The right answers are on the diagonal.",
    ),
    Check(
        "long",
        "Right for vectors of length 1. Only directions count: s is a cosine, so each vector (each row) is divided by "
        "its own length.",
    ),
    Check(
        "both",
        "Right where picture i scores text j as picture j scores text i. Here they differ. Half of the loss are "
        "pictures that choose among texts (a softmax over each row), half are texts that choose among pictures "
        "(a softmax over each column).",
    ),
    Check(
        "longer texts",
        "Right where pictures and texts have length 1. Both u and v are to be divided by their lengths.",
    ),
    Check(
        "temperature",
        "Right for T = 1. The cosine is divided by the temperature before the softmax, and nothing else is.",
    ),
    Check("sharp", "Right for T = 1 and 0.3, wrong for 0.05.", points=0),
)

RIGHT = {
    "as written": """
def my_info_nce(u, v, temperature):
    u, v = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (u, v))
    s = u @ v.T / temperature  # (N, N)
    own = np.diag(s)
    return np.mean((np.log(np.exp(s).sum(axis=1)) + np.log(np.exp(s).sum(axis=0))) / 2 - own)
""",
    "probabilities": """
def my_info_nce(u, v, temperature):
    lengths = np.outer(np.sqrt((u**2).sum(axis=1)), np.sqrt((v**2).sum(axis=1)))
    e = np.exp(np.einsum("id,jd->ij", u, v) / lengths / temperature)
    losses = [-np.log(e[i, i] / line.sum()) for i in range(len(e)) for line in (e[i], e[:, i])]
    return sum(losses) / len(losses)
""",
}
_ROWS = "np.log(np.exp(s).sum(axis=1))"
_BOTH = f"np.mean(({_ROWS} + np.log(np.exp(s).sum(axis=0))) / 2 - own)"
_UNIT = "u, v = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (u, v))"
WRONG = {
    "rows alone": variant(RIGHT["as written"], (_BOTH, f"np.mean({_ROWS} - own)")),
    "columns alone": variant(
        RIGHT["as written"], (_BOTH, "np.mean(np.log(np.exp(s).sum(axis=0)) - own)")
    ),
    "both added, not halved": variant(RIGHT["as written"], (_BOTH, f"2 * {_BOTH}")),
    "the sum over the pairs": variant(
        RIGHT["as written"], (_BOTH, _BOTH.replace("np.mean", "np.sum"))
    ),
    "the sign": variant(RIGHT["as written"], (_BOTH, f"-{_BOTH}")),
    "dot products": variant(RIGHT["as written"], (_UNIT, "u, v = np.array(u), np.array(v)")),
    "pictures alone made unit": variant(
        RIGHT["as written"], (_UNIT, "u = u / np.linalg.norm(u, axis=1, keepdims=True)")
    ),
    "unit columns": variant(RIGHT["as written"], (_UNIT, _UNIT.replace("axis=1", "axis=0"))),
    "times the temperature": variant(RIGHT["as written"], ("/ temperature", "* temperature")),
    "no temperature": variant(RIGHT["as written"], (" / temperature", "")),
    "without the right answer below": variant(
        RIGHT["as written"],
        (_BOTH, _BOTH.replace("np.exp(s)", "(np.exp(s) * (1 - np.eye(len(s))))")),
    ),
    "all entries, not the diagonal": variant(RIGHT["as written"], ("np.diag(s)", "s")),
    "the loss of each pair": variant(
        RIGHT["as written"], (_BOTH, _BOTH.replace("np.mean", "np.array"))
    ),
}
VARIANTS = (
    Variant(
        "Return the loss in bits.",
        variant(RIGHT["as written"], (_BOTH, f"{_BOTH} / np.log(2)")),
    ),
    Variant(
        "Only the pictures choose among the texts, the texts do not choose: half of the loss, but the "
        "mean of N cross-entropies and not of 2N.",
        WRONG["rows alone"],
    ),
    Variant(
        "Only the texts choose among the pictures, the pictures do not choose: the mean of these N "
        "cross-entropies.",
        WRONG["columns alone"],
    ),
)
