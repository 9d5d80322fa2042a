"""Lesson 10: precision, the share of samples that lie among real images (Kynkäänniemi 2019, equation 1)."""

import numpy as np
from scipy.spatial.distance import cdist

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_precision"
FORBIDDEN = ("ganedu.metrics.manifold.manifold_scores",)
PRELUDE = "from scipy.spatial.distance import cdist"
LINE = np.array([[0.0], [1.0], [3.0], [7.0]])
GAP = np.array([[0.0], [1.0], [2.0], [10.0]])


def inputs(rng):
    return {"real": rng.normal(size=(40, 3)), "generated": 1.5 * rng.normal(size=(30, 3)) + 0.5}


def probe(solution, inputs):
    real, generated = inputs["real"], inputs["generated"]
    near, edge, far = (np.full((4, 1), at) for at in (0.5, -1.0, -1.01))
    found = {
        "share": solution(LINE, np.array([[0.0], [1.0], [3.0], [100.0], [101.0]]), 1),
        "copies": solution(real, real[:7], 1),
        "near": solution(LINE, near, 1),
        "edge": solution(LINE, edge, 1),
        "far": solution(LINE, far, 1),
        "second": solution(LINE, np.array([[-2.5], [-2.5], [-3.5], [-3.5]]), 2),
        "one ball": solution(LINE, np.array([[10.0], [10.0], [11.5], [11.5]]), 1),
        "any ball": solution(GAP, np.full((4, 1), 3.5), 1),
    }
    found |= {f"k = {k}": solution(real, generated, k) for k in (1, 3, 5)}
    return found


def _precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, k]
    return np.mean((cdist(generated, real) <= radii).any(axis=1))


def reference(inputs):
    real, generated = inputs["real"], inputs["generated"]
    found = {"share": 0.6, "copies": 1.0, "near": 1.0, "edge": 1.0, "far": 0.0}
    found |= {"second": 0.5, "one ball": 0.5, "any ball": 1.0}
    return found | {f"k = {k}": _precision(real, generated, k) for k in (1, 3, 5)}


CHECKS = (
    Check(
        "share",
        "Real points at 0, 1, 3, 7, samples at 0, 1, 3, 100, 101, k = 1: three of the five samples lie in a "
        "ball around a real point, so precision is 0.6. A share of samples; not of balls, nor of real points (with "
        "the roles swapped it is recall), nor of pairs, nor a count.",
        points=0,  # it comes out by itself
    ),
    Check(
        "copies",
        "A copy of a real image lies in that image's own ball, so copies have precision 1.",
        points=0,  # it comes out by itself
    ),
    Check(
        "near",
        "Real points at 0, 1, 3, 7: the ball around 0 reaches to 1. A sample at 0.5 is in it.",
        points=0,  # it comes out by itself
    ),
    Check(
        "edge",
        "Real points at 0, 1, 3, 7, k = 1: a sample at -1 lies on the edge of 0's ball. The edge belongs to it.",
        points=0,  # it comes out by itself
    ),
    Check(
        "far",
        "Real points at 0, 1, 3, 7, k = 1: a sample at -1.01 lies in no ball. How far does 0's ball reach? Its "
        "nearest neighbour is another real image, not itself and not a sample.",
    ),
    Check(
        "second",
        "Real points at 0, 1, 3, 7, k = 2: the ball around 0 reaches to 3. Of samples at -2.5 and -3.5 one is in it.",
    ),
    Check(
        "one ball",
        "Real points at 0, 1, 3, 7, k = 1: 7's ball reaches to 3 and to 11. Each real image has its own.",
    ),
    Check(
        "any ball",
        "Real points at 0, 1, 2, 10, k = 1: a sample at 3.5 is nearest to 2, and out of its ball, but 10's ball "
        "reaches to 2. One ball is enough, whichever it is.",
        points=0,  # it comes out by itself
    ),
    *(
        Check(
            f"k = {k}",
            f"Right on a line, wrong in space, with k = {k}. Are the distances those between whole rows?",
        )
        for k in (1, 3, 5)
    ),
)

RIGHT = {
    "as written": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, k]  # itself is at place 0
    return np.mean((cdist(generated, real) <= radii).any(axis=1))
""",
    "one by one": """
def my_precision(real, generated, k):
    inside = 0
    radii = [sorted(np.linalg.norm(real - r, axis=1))[k] for r in real]
    for g in generated:
        inside += any(np.linalg.norm(g - r) <= radius for r, radius in zip(real, radii))
    return inside / len(generated)
""",
}
WRONG = {
    "ignores k": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, 3]
    return np.mean((cdist(generated, real) <= radii).any(axis=1))
""",
    "counts itself as the first neighbour": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, k - 1]
    return np.mean((cdist(generated, real) <= radii).any(axis=1))
""",
    "without the edge": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, k]
    return np.mean((cdist(generated, real) < radii).any(axis=1))
""",
    "recall": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(generated, generated), axis=1)[:, min(k, len(generated) - 1)]
    return np.mean((cdist(real, generated) <= radii).any(axis=1))
""",
    "the share of real images": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, k]
    return np.mean((cdist(generated, real) <= radii).any(axis=0))
""",
    "only the nearest image's ball": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, k]
    distances = cdist(generated, real)
    nearest = distances.argmin(axis=1)
    return np.mean(distances.min(axis=1) <= radii[nearest])
""",
    "the share of pairs": """
def my_precision(real, generated, k):
    radii = np.sort(cdist(real, real), axis=1)[:, k]
    return np.mean(cdist(generated, real) <= radii)
""",
    "one radius for all": """
def my_precision(real, generated, k):
    radius = np.sort(cdist(real, real), axis=1)[:, k].mean()
    return np.mean((cdist(generated, real) <= radius).any(axis=1))
""",
}
VARIANTS = (
    Variant(
        "Write recall: the share of real images that lie in a ball of a sample, whose radius is the "
        "distance to its k-th nearest other sample.",
        variant(
            RIGHT["as written"],
            ("np.sort(cdist(real, real), axis=1)", "np.sort(cdist(generated, generated), axis=1)"),
            ("cdist(generated, real) <= radii", "cdist(real, generated) <= radii"),
        ),
    ),
    Variant(
        "Write density (Naeem 2020, equation 5): how many balls of real images a sample lies in, in "
        "the mean over samples, and divided by k.",
        variant(
            RIGHT["as written"],
            (
                "np.mean((cdist(generated, real) <= radii).any(axis=1))",
                "np.mean((cdist(generated, real) <= radii).sum(axis=1)) / k",
            ),
        ),
    ),
    Variant(
        "Write coverage (Naeem 2020, equation 6): the share of real images whose ball has a sample "
        "in it.",
        variant(RIGHT["as written"], (".any(axis=1)", ".any(axis=0)")),
    ),
)
