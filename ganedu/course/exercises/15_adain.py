"""Lesson 15: adaptive instance normalization (Huang and Belongie 2017; Karras 2019, equation 1)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_adain"
FORBIDDEN = ()


def inputs(rng):
    """Three images that differ in brightness and contrast, with two maps each."""
    x = rng.normal(size=(3, 4, 5, 2))
    contrast = np.array([1.0, 3.0, 0.5]).reshape(3, 1, 1, 1)
    return {
        "x": x * contrast + np.array([0.0, 5.0, -2.0]).reshape(3, 1, 1, 1),
        "scale": rng.uniform(0.5, 2.0, (3, 2)),
        "bias": rng.normal(size=(3, 2)),
    }


def probe(solution, inputs):
    x, scale, bias = (inputs[name] for name in ("x", "scale", "bias"))
    plain = np.asarray(solution(x, np.ones_like(scale), np.zeros_like(bias)))
    steered = np.asarray(solution(x, scale, bias))
    given = np.asarray(solution(7 * x + 5, scale, bias))
    alone = np.asarray(solution(x[:1], scale[:1], bias[:1]))
    return {
        "shape": np.array(plain.shape),
        "means": plain.mean(axis=(1, 2)),
        "deviations": plain.std(axis=(1, 2)),
        "scaled": np.asarray(solution(x, scale, np.zeros_like(bias))),
        "moved": np.asarray(solution(x, np.ones_like(scale), bias)),
        "steered": steered,
        "unmoved": given,
        "alone": alone,
    }


def _adain(x, scale, bias):
    mean, deviation = (f(x, axis=(1, 2), keepdims=True) for f in (np.mean, np.std))
    return scale[:, None, None] * (x - mean) / deviation + bias[:, None, None]


def reference(inputs):
    x, scale, bias = (inputs[name] for name in ("x", "scale", "bias"))
    steered = _adain(x, scale, bias)
    return {
        "shape": np.array(x.shape),
        "means": np.zeros((3, 2)),
        "deviations": np.ones((3, 2)),
        "scaled": _adain(x, scale, np.zeros_like(bias)),
        "moved": _adain(x, np.ones_like(scale), bias),
        "steered": steered,
        "unmoved": steered,
        "alone": _adain(x[:1], scale[:1], bias[:1]),
    }


CHECKS = (
    Check(
        "shape",
        "What comes out has the shape of what went in.",
        points=0,  # it comes out by itself
    ),
    Check(
        "means",
        "With a scale of 1 and a bias of 0 each map of each image has the mean 0 over its pixels. Of which numbers "
        "did you take the mean: of one map, of one image, of the batch?",
    ),
    Check(
        "deviations",
        "The means are right. With a scale of 1 and a bias of 0 the deviation of each map of each image over its "
        "pixels should be 1. What divides is the deviation itself, not the variance, of all pixels of the map and "
        "with nothing added that one would notice; and `scale` is the new deviation itself.",
    ),
    Check(
        "scaled",
        "With a scale of 1 it is right. With another, and a bias of 0: which image does each row of `scale` belong "
        "to, which map each column?",
    ),
    Check(
        "moved",
        "`scale` is right. With a bias, and a scale of 1: which image does each row of `bias` belong to, which map "
        "each column?",
    ),
    Check(
        "steered",
        "`scale` alone is right, and `bias` alone is right. Both together are not: `bias` should be the new mean "
        "itself, whatever the scale.",
    ),
    Check(
        "unmoved",
        "An image that is made brighter or has more contrast must come out the same.",
    ),
    Check(
        "alone",
        "An image must come out the same when it is alone in its batch.",
    ),
)

RIGHT = {
    "as written": """
def my_adain(x, scale, bias):
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = x.std(axis=(1, 2), keepdims=True)
    return scale[:, None, None] * (x - mean) / deviation + bias[:, None, None]
""",
    "flat maps": """
def my_adain(x, scale, bias):
    flat = x.reshape(len(x), -1, x.shape[-1])
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat / np.sqrt((flat**2).mean(axis=1, keepdims=True))
    return (flat * scale[:, None] + bias[:, None]).reshape(x.shape)
""",
}
WRONG = {
    "the batch's statistics": """
def my_adain(x, scale, bias):
    mean = x.mean(axis=(0, 1, 2), keepdims=True)
    deviation = x.std(axis=(0, 1, 2), keepdims=True)
    return scale[:, None, None] * (x - mean) / deviation + bias[:, None, None]
""",
    "the image's statistics, all maps together": """
def my_adain(x, scale, bias):
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    deviation = x.std(axis=(1, 2, 3), keepdims=True)
    return scale[:, None, None] * (x - mean) / deviation + bias[:, None, None]
""",
    "the variance": """
def my_adain(x, scale, bias):
    mean = x.mean(axis=(1, 2), keepdims=True)
    return scale[:, None, None] * (x - mean) / x.var(axis=(1, 2), keepdims=True) + bias[:, None, None]
""",
    "does not normalize": """
def my_adain(x, scale, bias):
    return scale[:, None, None] * x + bias[:, None, None]
""",
    "the bias is scaled": """
def my_adain(x, scale, bias):
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = x.std(axis=(1, 2), keepdims=True)
    return scale[:, None, None] * ((x - mean) / deviation + bias[:, None, None])
""",
    "the scale beside 1": """
def my_adain(x, scale, bias):
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = x.std(axis=(1, 2), keepdims=True)
    return (1 + scale[:, None, None]) * (x - mean) / deviation + bias[:, None, None]
""",
    "the first image's style for all": """
def my_adain(x, scale, bias):
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = x.std(axis=(1, 2), keepdims=True)
    return scale[0] * (x - mean) / deviation + bias[0]
""",
}
VARIANTS = (
    Variant(
        "Mean and deviation are those of a whole image: over its pixels and its maps together.",
        variant(
            RIGHT["as written"],
            (
                "mean = x.mean(axis=(1, 2), keepdims=True)",
                "mean = x.mean(axis=(1, 2, 3), keepdims=True)",
            ),
            (
                "deviation = x.std(axis=(1, 2), keepdims=True)",
                "deviation = x.std(axis=(1, 2, 3), keepdims=True)",
            ),
        ),
    ),
    Variant(
        "The scale is what is added to 1: a map's new deviation is 1 + scale.",
        variant(
            RIGHT["as written"],
            ("return scale[:, None, None] *", "return (1 + scale[:, None, None]) *"),
        ),
    ),
    Variant(
        "The bias is added first and scaled with the rest: a map's new mean is scale times bias.",
        variant(
            RIGHT["as written"],
            (
                "* (x - mean) / deviation + bias[:, None, None]",
                "* ((x - mean) / deviation + bias[:, None, None])",
            ),
        ),
    ),
)
