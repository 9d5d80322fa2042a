"""Lesson 25: a drifting field as attraction and repulsion (Deng 2026, section 3), of given kernel values."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_pulls"
FORBIDDEN = ("ganedu.models.drifting.drifting_field",)


def inputs(rng):
    """Four samples and six data in three dimensions; kernels that are not symmetric, without a sample's own."""
    k_samples = rng.uniform(0.1, 1.0, (4, 4))
    np.fill_diagonal(k_samples, 0.0)
    return {
        "x": rng.normal(size=(4, 3)) + 0.5,
        "data": rng.normal(size=(6, 3)) - 0.5,
        "k_data": rng.uniform(0.1, 1.0, (4, 6)),
        "k_samples": k_samples,
    }


def probe(solution, inputs):
    arrays = [inputs[name] for name in ("x", "data", "k_data", "k_samples")]
    pair = np.eye(2)[::-1]  # two samples, each of which sees the other and one datum
    small, large = solution(np.eye(2), 3 * np.eye(2), np.eye(2), pair), solution(*arrays)
    two = all(isinstance(found, tuple | list) or np.ndim(found) == 3 for found in (small, large))
    if not (two and len(small) == len(large) == 2):
        small, large, two = np.zeros((2, 2, 2)), np.zeros((2, *arrays[0].shape)), False
    found = dict(zip(("to", "away"), small, strict=True)) | {"two": float(two)}
    return found | dict(zip(("attraction", "repulsion"), large, strict=True))


def _pulls(x, data, k_data, k_samples):
    a, b = k_data.sum(axis=1, keepdims=True), k_samples.sum(axis=1, keepdims=True)
    return b * (k_data @ data - a * x), a * (b * x - k_samples @ x)


def reference(inputs):
    arrays = [inputs[name] for name in ("x", "data", "k_data", "k_samples")]
    one, pair = np.eye(2), np.eye(2)[::-1]
    found = dict(zip(("to", "away"), _pulls(one, 3 * one, one, pair), strict=True))
    found |= dict(zip(("attraction", "repulsion"), _pulls(*arrays), strict=True))
    slips = "swapped", "turned", "no x", "averaged", "own", "means"
    return found | dict.fromkeys(slips, 0.0) | {"two": 1.0}


def compared(outputs, inputs):
    """Beside the arrows themselves, mistakes by their names."""
    good, k_data, k_samples = reference(inputs), inputs["k_data"], inputs["k_samples"]
    a, b = k_data.sum(axis=1, keepdims=True), k_samples.sum(axis=1, keepdims=True)

    def same(to, away):
        pairs = ((outputs["attraction"], to), (outputs["repulsion"], away))
        return float(all(np.shape(g) == w.shape and np.allclose(g, w) for g, w in pairs))

    to, away = good["attraction"], good["repulsion"]
    x, data, pairs = inputs["x"], inputs["data"], k_data.shape[1] * len(k_samples)
    without = (b * (k_data @ data), -a * (k_samples @ x))
    found_to, found_away = (np.asarray(outputs[name]) for name in ("attraction", "repulsion"))

    def either(wrong_to, wrong_away):
        of = ((found_to, wrong_to), (found_away, wrong_away))
        return float(any(np.shape(g) == w.shape and np.allclose(g, w) for g, w in of))

    return outputs | {
        "swapped": same(away, to),
        "turned": max(same(to, -away), same(-to, away), same(-to, -away)),
        "no x": either(*without),
        "averaged": either(to / pairs, away / pairs),
        "own": same(to / b, away / a),
        "means": same(to / a / b, away / a / b),
    }


CHECKS = (
    Check(
        "two",
        "Two arrays are asked for: end with `return attraction, repulsion`.",
        points=0,
    ),
    Check("swapped", "The attraction comes first, then the repulsion.", points=0),
    Check(
        "turned",
        "An arrow points the wrong way. Attraction leads from x to data, repulsion from samples to x.",
        points=0,
    ),
    Check(
        "no x",
        "An arrow has two ends. The sum over pairs of k_data k_samples (datum - x) has a part with x: how often is x "
        "taken away, and with which weights?",
        points=0,
    ),
    Check(
        "averaged",
        "An arrow is divided by the number of pairs. V sums over them.",
        points=0,
    ),
    Check(
        "to",
        "Two samples, at (1, 0) and (0, 1), each with one datum near, three times as far out, and with the other "
        "sample. The datum of each is 2 further along its own axis: that is the attraction.",
        points=0,
    ),
    Check(
        "away",
        "Two samples, at (1, 0) and (0, 1), that see each other: each is driven straight away from the other, by their "
        "difference.",
        points=0,
    ),
    Check(
        "own",
        "The arrows are weighted with their own kernel alone. In V each pair of a datum and a sample has the product "
        "of both: sum it over the one that an arrow does not lead to, too.",
        points=0,
    ),
    Check(
        "means",
        "These are the arrows to the weighted means. V sums over pairs and divides by nothing: how much do all pairs "
        "weigh together?",
        points=0,
    ),
    Check(
        "attraction",
        "Look at the attraction: the sum over all pairs of a datum and a sample of k_data k_samples (datum - x). Row i "
        "of the kernels belongs to x[i].",
    ),
    Check(
        "repulsion",
        "The attraction is right. Repulsion is the sum over the same pairs, with the same products, of (x - sample).",
    ),
)

RIGHT = {
    "as written": """
def my_pulls(x, data, k_data, k_samples):
    a, b = k_data.sum(axis=1, keepdims=True), k_samples.sum(axis=1, keepdims=True)
    attraction = b * (k_data @ data - a * x)
    repulsion = a * (b * x - k_samples @ x)
    return attraction, repulsion
""",
    "pair by pair": """
def my_pulls(x, data, k_data, k_samples):
    both = k_data[:, :, None, None] * k_samples[:, None, :, None]  # (N, M, N, 1)
    to = data[None, :, None] - x[:, None, None]
    away = x[:, None, None] - x[None, None]
    return (both * to).sum(axis=(1, 2)), (both * away).sum(axis=(1, 2))
""",
}
_WRITTEN = RIGHT["as written"]
WRONG = {
    "the repulsion turned round": variant(
        _WRITTEN, ("a * (b * x - k_samples @ x)", "a * (k_samples @ x - b * x)")
    ),
    "attraction and repulsion swapped": variant(
        _WRITTEN, ("attraction, repulsion", "repulsion, attraction")
    ),
    "each with its own weight alone": variant(
        _WRITTEN,
        ("b * (k_data @ data - a * x)", "k_data @ data - a * x"),
        ("a * (b * x - k_samples @ x)", "b * x - k_samples @ x"),
    ),
    "arrows to the means": variant(
        _WRITTEN,
        ("b * (k_data @ data - a * x)", "k_data @ data / a - x"),
        ("a * (b * x - k_samples @ x)", "x - k_samples @ x / b"),
    ),
    "the weighted data, without x": variant(
        _WRITTEN,
        ("b * (k_data @ data - a * x)", "b * (k_data @ data)"),
        ("a * (b * x - k_samples @ x)", "-a * (k_samples @ x)"),
    ),
    "x taken away once": variant(_WRITTEN, ("k_data @ data - a * x", "k_data @ data - x")),
    "means over the pairs": variant(
        _WRITTEN,
        ("return attraction, repulsion", "return attraction / a.size / len(data), repulsion"),
    ),
    "both means over the pairs": variant(
        _WRITTEN,
        (
            "return attraction, repulsion",
            "return attraction / k_data.size, repulsion / k_data.size",
        ),
    ),
    "the sum of both": variant(_WRITTEN, ("attraction, repulsion", "attraction + repulsion")),
    "the samples' kernel the other way round": variant(
        _WRITTEN, ("k_samples @ x", "k_samples.T @ x")
    ),
    "sums over the other axis": variant(
        _WRITTEN, ("k_samples.sum(axis=1, keepdims=True)", "k_samples.sum(axis=0)[:, None]")
    ),
}
