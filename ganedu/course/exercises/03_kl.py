"""Lesson 03: the KL divergence of one normal distribution from another, of each number of each image's code."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_kl"
FORBIDDEN = ("ganedu.models.vae.kl_divergence",)
NAMES = "mean", "log_variance", "prior_mean", "prior_log_variance"


def inputs(rng):
    return {name: rng.normal(0.3, 0.8, (5, 3)) for name in NAMES}


def _cases(inputs):
    """The arguments of each call: against the standard normal, a shifted, a wider one, and any."""
    mean, log_variance, prior_mean, prior_log_variance = (inputs[name] for name in NAMES)
    none = np.zeros_like(mean)
    return {
        "same": (mean, log_variance, mean, log_variance),
        "standard": (mean, log_variance, none, none),
        "shifted": (mean, none, prior_mean, none),
        "wider": (none, log_variance, none, prior_log_variance),
        "any": (mean, log_variance, prior_mean, prior_log_variance),
    }


def probe(solution, inputs):
    found = {name: solution(*arguments) for name, arguments in _cases(inputs).items()}
    return {"returned": all(value is not None for value in found.values()), **found}


def _kl(mean, log_variance, prior_mean, prior_log_variance, divisor=None):
    variance = np.exp(log_variance) + (mean - prior_mean) ** 2
    ratio = variance / (np.exp(prior_log_variance) if divisor is None else divisor)
    return 0.5 * (prior_log_variance - log_variance + ratio - 1)


def _slips(arguments):
    """What a known slip would give in the place of the KL divergence."""
    right, (m, lv, prior_m, prior_lv) = _kl(*arguments), arguments
    none = np.zeros_like(m)
    return {
        "negative": -right,
        "whole": 2 * right,
        "direction": _kl(prior_m, prior_lv, m, lv),
        "bits": right / np.log(2),
        "no logarithm": right - 0.5 * prior_lv,
        "deviation": _kl(m, lv, prior_m, prior_lv, np.exp(0.5 * prior_lv)),
        "units twice": _kl(m, lv, prior_m, prior_lv)
        + 0.5 * (m - prior_m) ** 2 * (np.exp(-2 * prior_lv) - np.exp(-prior_lv)),
        "centre alone": _kl(m - prior_m, lv, none, none),
        "width": _kl((m - prior_m) / np.exp(0.5 * prior_lv), lv, none, none),
        "sigma": right + 0.5 * np.exp(lv) * (1 - np.exp(-prior_lv)),
    }


def compared(probed, inputs):
    """What was found, whether that is one number for each number of a code, and whether a known slip gives it."""
    given, arguments = np.asarray(probed["any"]), _cases(inputs)["any"]
    numbers = given.shape == arguments[0].shape and given.dtype.kind in "biuf"
    slips = {
        name: bool(numbers and np.allclose(given, value, rtol=1e-4, atol=1e-4))
        for name, value in _slips(arguments).items()
    }
    return {**probed, **slips, "one each": numbers}


def reference(inputs):
    right = {name: _kl(*arguments) for name, arguments in _cases(inputs).items()}
    return {
        **right,
        **dict.fromkeys(_slips(_cases(inputs)["any"]), False),
        "returned": True,
        "one each": True,
    }


CHECKS = (  # the first twelve come out by themselves for any numbers of the right shape
    Check(
        "returned",
        "Nothing came back. Does your function end with `return`?",
        points=0,
    ),
    Check(
        "one each",
        "Each number of each code has postage of its own: sum over nothing and take no mean, so that (B, d) stays "
        "(B, d).",
        points=0,
    ),
    Check(
        "negative",
        "The sign is turned: a KL divergence is never negative.",
        points=0,
    ),
    Check(
        "whole",
        "Twice as much as it should be. Where is the half?",
        points=0,
    ),
    Check(
        "direction",
        "That is the divergence of the prior from q. We draw from q and expect the prior: the prior's variance is the "
        "unit.",
        points=0,
    ),
    Check(
        "bits",
        "These are bits. In nats all logarithms are natural ones.",
        points=0,
    ),
    Check(
        "no logarithm",
        "One term is missing: log p(z) holds the prior's own log-variance.",
        points=0,
    ),
    Check(
        "deviation",
        "You divide by the prior's s. Squares are counted in units of its variance, s^2.",
        points=0,
    ),
    Check(
        "units twice",
        "The distance of the centres is divided by the prior's variance before it is squared: then s^4 stands below.",
        points=0,
    ),
    Check(
        "centre alone",
        "You count the centre from the prior's, as one should, but nothing in units of the prior's width.",
        points=0,
    ),
    Check(
        "width",
        "The distance of the centres is counted in units of the prior's width. And sigma?",
        points=0,
    ),
    Check(
        "sigma",
        "Of (z - m)^2 / s^2 the average has two parts, and s^2 divides both: the distance of the centres, squared, "
        "and q's own variance.",
        points=0,
    ),
    Check(
        "same",
        "A cloud that is the prior itself says nothing: 0 nats. Do both of the prior's numbers enter, and does all "
        "else cancel there, constants too?",
    ),
    Check(
        "standard",
        "The prior is the standard normal here, m = 0 and s = 1. Which terms are then left of the average of "
        "log q(z) - log p(z)? And did you take sigma, or its logarithm, for the variance?",
    ),
    Check(
        "shifted",
        "Two clouds of variance 1: only the distance between their centres counts. What is the average of (z - m)^2?",
    ),
    Check(
        "wider",
        "Two clouds with one centre. Does a narrow cloud in a wide prior cost what a wide one in a narrow prior does? "
        "Which of the two variances divides?",
    ),
    Check(
        "any",
        "Right where the prior is moved, and right where it is wider, but not where it is both. How far apart the "
        "centres are is counted in units of the prior's width, too.",
    ),
)

RIGHT = {
    "closed form": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)
    return 0.5 * (prior_log_variance - log_variance + ratio - 1)
""",
    "in units of the prior": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    scale = np.exp(0.5 * prior_log_variance)
    m, lv = (mean - prior_mean) / scale, log_variance - prior_log_variance
    return -0.5 * (1 + lv - m**2 - np.exp(lv))
""",
}
WRONG = {
    "one number for the batch": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)
    return 0.5 * np.mean(prior_log_variance - log_variance + ratio - 1)
""",
    "sums for each image": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)
    return 0.5 * np.sum(prior_log_variance - log_variance + ratio - 1, axis=1)
""",
    "ignores the prior": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    return -0.5 * (1 + log_variance - mean**2 - np.exp(log_variance))
""",
    "the two changed places": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(prior_log_variance) + (mean - prior_mean) ** 2) / np.exp(log_variance)
    return 0.5 * (log_variance - prior_log_variance + ratio - 1)
""",
    "the log-variance for the variance": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(0.5 * log_variance) + (mean - prior_mean) ** 2) / np.exp(0.5 * prior_log_variance)
    return 0.5 * (prior_log_variance - log_variance + ratio - 1)
""",
    "the distance of the centres in no unit": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = np.exp(log_variance - prior_log_variance) + (mean - prior_mean) ** 2
    return 0.5 * (prior_log_variance - log_variance + ratio - 1)
""",
    "returns nothing": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)
    0.5 * (prior_log_variance - log_variance + ratio - 1)
""",
    "the sign turned": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)
    return -0.5 * (prior_log_variance - log_variance + ratio - 1)
""",
    "a mean over the numbers of a code": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)
    return 0.5 * np.mean(prior_log_variance - log_variance + ratio - 1, axis=1)
""",
    "forgets the half": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)
    return prior_log_variance - log_variance + ratio - 1
""",
    "in bits": variant(RIGHT["closed form"], ("return 0.5 *", "return 0.5 / np.log(2) *")),
    "without the prior's logarithm": variant(
        RIGHT["closed form"], ("(prior_log_variance - log_variance", "(-log_variance")
    ),
    "divides by the deviation": variant(
        RIGHT["closed form"],
        ("/ np.exp(prior_log_variance)", "/ np.exp(0.5 * prior_log_variance)"),
    ),
    "shifts, and scales nothing": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    m = mean - prior_mean
    return -0.5 * (1 + log_variance - m**2 - np.exp(log_variance))
""",
    "s^2 below the distance alone": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    ratio = np.exp(log_variance) + (mean - prior_mean) ** 2 / np.exp(prior_log_variance)
    return 0.5 * (prior_log_variance - log_variance + ratio - 1)
""",
    "the distance by the variance": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    distance = (mean - prior_mean) / np.exp(prior_log_variance)
    ratio = np.exp(log_variance - prior_log_variance) + distance**2
    return 0.5 * (prior_log_variance - log_variance + ratio - 1)
""",
    "scales the distance alone": """
def my_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    m = (mean - prior_mean) / np.exp(0.5 * prior_log_variance)
    return -0.5 * (1 + log_variance - m**2 - np.exp(log_variance))
""",
}
VARIANTS = (
    Variant(
        "Tell it in bits, not in nats.",
        variant(RIGHT["closed form"], ("return 0.5 *", "return 0.5 / np.log(2) *")),
    ),
    Variant(
        "Write the divergence the other way round: of the prior from q.",
        variant(
            RIGHT["closed form"],
            (
                "ratio = (np.exp(log_variance) + (mean - prior_mean) ** 2) / np.exp(prior_log_variance)",
                "ratio = (np.exp(prior_log_variance) + (mean - prior_mean) ** 2) / np.exp(log_variance)",
            ),
            (
                "(prior_log_variance - log_variance + ratio",
                "(log_variance - prior_log_variance + ratio",
            ),
        ),
    ),
    Variant(
        "Write the sum of both divergences: of q from the prior, and of the prior from q.",
        variant(
            RIGHT["closed form"],
            (
                "    return 0.5 * (prior_log_variance - log_variance + ratio - 1)",
                "    other = (np.exp(prior_log_variance) + (mean - prior_mean) ** 2) / np.exp(log_variance)\n"
                "    return 0.5 * (ratio + other - 2)",
            ),
        ),
    ),
)
