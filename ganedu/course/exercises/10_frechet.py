"""Lesson 10: the Fréchet distance of two sets of features (Heusel 2017, equation 6)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_frechet"
FORBIDDEN = ("ganedu.metrics.frechet.frechet_distance",)


def inputs(rng):
    mixing = rng.normal(size=(3, 3))
    return {
        "x": rng.normal(size=(40, 3)) * [0.5, 1.0, 2.0] + 3,
        "y": rng.normal(size=(30, 3)) @ mixing + [1, 3, 2],
        "many": rng.normal(size=(40, 24)),
        "three": rng.normal(size=(3, 24)),
    }


def _cases(inputs):
    x, mean = inputs["x"], inputs["x"].mean(axis=0)
    angle = np.deg2rad(40)
    turn = np.eye(3)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return {
        "same": (x, x),
        "moved": (x, x + np.array([1.0, 2.0, -2.0])),
        "stretched": (x, mean + 3 * (x - mean)),
        "turned": (x, mean + (x - mean) @ turn),
        "random": (x, inputs["y"]),
        "swapped": (inputs["y"], x),
        "three": (inputs["many"], inputs["three"][np.arange(30) % 3]),
    }


def probe(solution, inputs):
    return {name: solution(*pair) for name, pair in _cases(inputs).items()}


def _distance(x, y):
    (m, c), (m_w, c_w) = ((f.mean(axis=0), np.cov(f, rowvar=False)) for f in (x, y))
    values, vectors = np.linalg.eigh(c)
    root = vectors * np.sqrt(values) @ vectors.T
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ c_w @ root), 0))
    return np.sum((m - m_w) ** 2) + np.trace(c) + np.trace(c_w) - 2 * roots.sum()


def reference(inputs):
    return {name: _distance(*pair) for name, pair in _cases(inputs).items()}


CHECKS = (
    Check(
        "same",
        "A set is at distance 0 from itself: one number. There C and C_w are one matrix, and the root of C C_w is C, "
        "so the bracket is C + C - 2 C. Is the root that of the matrix (the sum of the roots of its eigenvalues), not "
        "that of each entry?",
        points=0,  # it comes out by itself
    ),
    Check(
        "moved",
        "The same set, moved by (1, 2, -2): the widths agree, so only the means differ, and the squared length of "
        "that way is 9. Squares are added, not averaged, and no root is taken of the whole.",
    ),
    Check(
        "stretched",
        "The same mean, and each image three times as far from it, so C_w = 9 C: the bracket is C + 9 C - 2 * 3 C, "
        "four times C, and its trace four times that of C. Are the covariances those of columns, divided by N - 1, "
        "and is the trace that of C and of C_w?",
    ),
    Check(
        "turned",
        "The same set, turned in two features. Means and widths by themselves are not enough here: the root is that "
        "of the whole product C C_w, not of its diagonal, nor C's root times C_w's.",
    ),
    Check(
        "random",
        "Right where both sets have the same shape, wrong for two that differ in all. Do they have different numbers "
        "of images, and does each have its own mean and covariance?",
    ),
    Check(
        "three",
        "Right for sets of many different images. Of three images, again and again, most eigenvalues are 0, and "
        "rounding makes some of them -1e-17 or complex: take the real part, and no root of what is below 0.",
    ),
    Check(
        "swapped",
        "The distance is the same both ways.",
        points=0,  # it comes out by itself
    ),
)

RIGHT = {
    "as written": """
def my_frechet(x, y):
    (m, c), (m_w, c_w) = [(f.mean(axis=0), np.cov(f, rowvar=False)) for f in (x, y)]
    roots = np.sqrt(np.maximum(np.linalg.eigvals(c @ c_w).real, 0))
    return np.sum((m - m_w) ** 2) + np.trace(c + c_w) - 2 * roots.sum()
""",
    "through one root": """
def my_frechet(x, y):
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    c, c_w = a.T @ a / (len(x) - 1), b.T @ b / (len(y) - 1)
    values, vectors = np.linalg.eigh(c)
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    inner = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ c_w @ root), 0)).sum()
    apart = x.mean(axis=0) - y.mean(axis=0)
    return apart @ apart + np.trace(c) + np.trace(c_w) - 2 * inner
""",
    "singular values": """
def my_frechet(x, y):
    a, b = [(f - f.mean(axis=0)) / np.sqrt(len(f) - 1) for f in (x, y)]
    nuclear = np.linalg.norm(a @ b.T, "nuc")
    return np.sum((x.mean(0) - y.mean(0)) ** 2) + np.sum(a**2) + np.sum(b**2) - 2 * nuclear
""",
}
WRONG = {
    "roots of eigenvalues below 0": variant(
        RIGHT["as written"],
        (
            "np.sqrt(np.maximum(np.linalg.eigvals(c @ c_w).real, 0))",
            "np.sqrt(np.linalg.eigvals(c @ c_w).real)",
        ),
    ),
    "complex roots": variant(
        RIGHT["as written"],
        (
            "np.sqrt(np.maximum(np.linalg.eigvals(c @ c_w).real, 0))",
            "np.sqrt(np.linalg.eigvals(c @ c_w))",
        ),
    ),
    "covariance of rows": variant(
        RIGHT["as written"], ("np.cov(f, rowvar=False)", "np.cov(f[:30])")
    ),
    "the root of each entry": variant(
        RIGHT["as written"],
        (
            "np.sqrt(np.maximum(np.linalg.eigvals(c @ c_w).real, 0))",
            "np.diag(np.sqrt(np.maximum(c @ c_w, 0)))",
        ),
    ),
    "no root": variant(
        RIGHT["as written"],
        ("np.sqrt(np.maximum(np.linalg.eigvals(c @ c_w).real, 0))", "np.diag(c @ c_w)"),
    ),
    "once, not twice": variant(RIGHT["as written"], ("- 2 * roots.sum()", "- roots.sum()")),
    "the length of the way, not squared": variant(
        RIGHT["as written"], ("np.sum((m - m_w) ** 2)", "np.linalg.norm(m - m_w)")
    ),
    "the mean over features": variant(
        RIGHT["as written"], ("np.sum((m - m_w) ** 2)", "np.mean((m - m_w) ** 2)")
    ),
    "the root of the whole": variant(
        RIGHT["as written"],
        ("return np.sum((m - m_w) ** 2)", "return np.sqrt(np.sum((m - m_w) ** 2)"),
        ("2 * roots.sum()", "2 * roots.sum() + 1e-12)"),
    ),
    "means alone": """
def my_frechet(x, y):
    return np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2)
""",
    "each feature by itself": """
def my_frechet(x, y):
    means = (x.mean(axis=0) - y.mean(axis=0)) ** 2
    return np.sum(means + (x.std(axis=0, ddof=1) - y.std(axis=0, ddof=1)) ** 2)
""",
    "a root of each, then the product": """
def my_frechet(x, y):
    (m, c), (m_w, c_w) = [(f.mean(axis=0), np.cov(f, rowvar=False)) for f in (x, y)]
    roots = []
    for s in (c, c_w):
        values, vectors = np.linalg.eigh(s)
        roots.append(vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T)
    return np.sum((m - m_w) ** 2) + np.trace(c + c_w) - 2 * np.trace(roots[0] @ roots[1])
""",
    "divided by N": variant(
        RIGHT["as written"], ("np.cov(f, rowvar=False)", "np.cov(f, rowvar=False, bias=True)")
    ),
}
VARIANTS = (
    Variant(
        "Pretend that the features are independent: take the variance of each (`ddof=1`), and nothing of how two "
        "features vary together.",
        """
def my_frechet(x, y):
    means = (x.mean(axis=0) - y.mean(axis=0)) ** 2
    return np.sum(means + (x.std(axis=0, ddof=1) - y.std(axis=0, ddof=1)) ** 2)
""",
    ),
    Variant(
        "Return the distance itself, not its square.",
        variant(
            RIGHT["as written"],
            ("return np.sum((m - m_w) ** 2)", "return np.sqrt(max(0, np.sum((m - m_w) ** 2)"),
            ("2 * roots.sum()", "2 * roots.sum()))"),
        ),
    ),
    Variant(
        "Return the squared distance divided by the number of features.",
        variant(
            RIGHT["as written"],
            ("return np.sum((m - m_w) ** 2)", "return (np.sum((m - m_w) ** 2)"),
            ("2 * roots.sum()", "2 * roots.sum()) / len(m)"),
        ),
    ),
)
