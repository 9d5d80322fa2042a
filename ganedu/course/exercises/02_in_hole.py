"""Lesson 02: which made-up codes fall where no image's code fell."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "in_hole"
FORBIDDEN = ()
SHARE = 0.95


def _groups(rng, count, dim, spread=1.0):
    """Codes in two groups, four of five in the first; between the groups is nothing."""
    centres = np.where(np.arange(count) % 5 < 4, 0.0, 12.0)[:, None]
    return centres + spread * rng.normal(size=(count, dim)) * np.linspace(0.3, 1.5, dim)


def inputs(rng):
    found = {}
    for name, dim in (("", 3), (" of wide", 6)):
        found[f"known{name}"] = _groups(rng, 150, dim)
        found[f"unseen{name}"] = _groups(rng, 200, dim)
        found[f"codes{name}"] = _groups(rng, 500, dim, spread=1.5)
    return found


def probe(solution, inputs):
    codes, unseen, known = inputs["codes"], inputs["unseen"], inputs["known"]
    return {
        "shape": solution(codes, unseen, known),
        "known": solution(known, unseen, known),
        "unseen": solution(unseen, unseen, known),
        "wide": solution(*(inputs[f"{name} of wide"] for name in ("codes", "unseen", "known"))),
    }


def compared(outputs, inputs):
    told = {name: np.asarray(array) for name, array in outputs.items()}
    codes, unseen, known = inputs["codes"], inputs["unseen"], inputs["known"]
    slips = {
        "own limit": _closest(codes, known) > np.quantile(_closest(codes, known), SHARE),
        "city": _city(codes, known) > np.quantile(_city(unseen, known), SHARE),
    }
    found = {name: np.array_equal(told["shape"], slip) for name, slip in slips.items()}
    limit = np.quantile(_closest(known, unseen), SHARE)
    found["to unseen"] = np.array_equal(told["shape"], _closest(codes, unseen) > limit)
    return {
        "one for all": told["shape"].shape == (),
        **found,
        "shape": np.array(told["shape"].shape),
        "kind": np.array([told["shape"].dtype.kind == "b"]),
        "known": told["known"],
        "count": np.sum(told["unseen"]) / len(inputs["unseen"]),
        "codes": told["shape"],
        "wide": told["wide"],
    }


def _closest(codes, known):
    return np.sqrt(((codes[:, None] - known[None]) ** 2).sum(axis=-1)).min(axis=1)


def _city(codes, known):
    return np.abs(codes[:, None] - known[None]).sum(axis=-1).min(axis=1)


def _in_hole(codes, unseen, known):
    return _closest(codes, known) > np.quantile(_closest(unseen, known), SHARE)


def reference(inputs):
    codes, unseen, known = inputs["codes"], inputs["unseen"], inputs["known"]
    return {
        "one for all": False,
        "own limit": False,
        "city": False,
        "to unseen": False,
        "shape": np.array([len(codes)]),
        "kind": np.array([True]),
        "known": np.zeros(len(known), bool),
        "count": 1 - SHARE,
        "codes": _in_hole(codes, unseen, known),
        "wide": _in_hole(*(inputs[f"{name} of wide"] for name in ("codes", "unseen", "known"))),
    }


CHECKS = (
    Check(
        "one for all",
        "One answer came back for all codes together. Each of the N codes needs its own: leave out the mean.",
        points=0,
    ),
    Check(
        "own limit",
        "The limit is made of the made-up codes' own distances. It is the unseen images' codes that set it.",
        points=0,
    ),
    Check(
        "city",
        "The absolute differences are added. A distance here is Euclidean: the root of the sum of squares.",
        points=0,
    ),
    Check(
        "to unseen",
        "The distances are those to the codes of unseen images. All distances are taken to `known`, the codes of "
        "training images; `unseen` only sets the limit.",
        points=0,
    ),
    Check(
        "shape",
        "Of N codes there should come back N answers: one for each of `codes`. Along which axis is the nearest looked "
        "for?",
        points=0,
    ),
    Check(
        "kind",
        "Each answer is True or False: whether the distance is beyond the limit, not the distance.",
        points=0,
    ),
    Check(
        "known",
        "Codes of training images lie in no hole: each has itself beside it, at distance 0. Do you ask for the "
        "distance to the nearest known code alone, and is it the larger distances that are holes?",
    ),
    Check(
        "count",
        "Given codes of unseen images as `codes`, five in a hundred must come out as holes. The limit is that distance "
        "which 95 of 100 of them stay below.",
    ),
    Check(
        "codes",
        "Some codes come out wrong. For each code, which distance is taken, and with which limit is it compared?",
    ),
    Check(
        "wide",
        "Right for codes of three numbers, and not for codes of six: is there a number in it that the arrays should "
        "give?",
    ),
)

RIGHT = {
    "as written": """
def in_hole(codes, unseen, known):
    def closest(z):  # (N, d) -> (N,)
        return np.linalg.norm(z[:, None] - known[None], axis=-1).min(axis=1)

    return closest(codes) > np.quantile(closest(unseen), 0.95)
""",
    "scipy, and a sort": """
def in_hole(codes, unseen, known):
    from scipy.spatial.distance import cdist

    near, usual = (np.min(cdist(known, z), axis=0) for z in (codes, unseen))
    return near > np.quantile(usual, 0.95)
""",
    "code by code": """
def in_hole(codes, unseen, known):
    near = [min(np.sqrt(np.sum((z - k) ** 2)) for k in known) for z in codes]
    usual = [min(np.sqrt(np.sum((z - k) ** 2)) for k in known) for z in unseen]
    limit = np.percentile(usual, 95)
    return np.array(near) > limit
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


WRONG = {
    "the mean distance to all": _slip((".min(axis=1)", ".mean(axis=1)")),
    "the distance to the mean": _slip(
        (
            "np.linalg.norm(z[:, None] - known[None], axis=-1).min(axis=1)",
            "np.linalg.norm(z - known.mean(axis=0), axis=-1)",
        )
    ),
    "a limit from the made-up codes": _slip(("closest(unseen)", "closest(codes)")),
    "a limit from the training codes": _slip(("closest(unseen)", "closest(known)")),
    "nearest to the unseen": """
def in_hole(codes, unseen, known):
    def closest(z):
        return np.linalg.norm(z[:, None] - unseen[None], axis=-1).min(axis=1)

    return closest(codes) > np.quantile(closest(known), 0.95)
""",
    "the unseen in both places": _slip(("z[:, None] - known[None]", "z[:, None] - unseen[None]")),
    "the lower end": _slip(("0.95", "0.05")),
    "the mean for a limit": _slip((", 0.95)", ")"), ("np.quantile", "np.mean")),
    "the largest for a limit": _slip((", 0.95)", ")"), ("np.quantile", "np.max")),
    "what lies in no hole": _slip((") > np", ") < np")),
    "distances": _slip((" > np.quantile(closest(unseen), 0.95)", "")),
    "a share": _slip(("return closest(codes)", "return 0.05 + 0 * np.mean(closest(codes)")).replace(
        "0.95)", "0.95))"
    ),
    "the share of all": _slip(
        ("> np.quantile(closest(unseen), 0.95)", "> np.quantile(closest(unseen), 0.95)).mean(")
    )
    .replace("return closest", "return (closest")
    .replace(".mean(", ".mean()"),
    "the nearest of the wrong ones": _slip((".min(axis=1)", ".min(axis=0)")),
    "sums of absolute differences": _slip(
        (
            "np.linalg.norm(z[:, None] - known[None], axis=-1)",
            "np.abs(z[:, None] - known[None]).sum(axis=-1)",
        )
    ),
    "the squared distance of three numbers": _slip(
        (
            "np.linalg.norm(z[:, None] - known[None], axis=-1)",
            "sum((z[:, None, i] - known[None, :, i]) ** 2 for i in range(3))",
        )
    ),
}
