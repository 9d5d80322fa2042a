"""Lesson 23: the log-probability of a mixture, of the log-probabilities of its parts (log-sum-exp)."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_mixture"
FORBIDDEN = ("ganedu.models.iwae.importance_weighted_bound",)


def inputs(rng):
    """What three models say of four pictures, and how often each is taken."""
    shares = rng.permutation([0.1, 0.25, 0.65]) + rng.uniform(-0.03, 0.03, 3)
    return {"log_p": rng.uniform(-4.0, -0.5, (3, 4)), "shares": shares / shares.sum()}


def _cases(inputs):
    """The arguments of each call: probabilities near 1, those of pictures, of a cheap and a dear picture, and a model
    that holds what it does not know for impossible."""
    log_p, shares = inputs["log_p"], inputs["shares"]
    impossible = log_p[:2] - 700.0
    impossible[0, ::2] = -np.inf
    return {
        "small": (log_p, shares),
        "far": (log_p - 2000.0, shares),
        "apart": (log_p - np.array([5.0, 900.0, 2000.0, 0.0]), shares),
        "models": (log_p - np.array([[0.0], [40.0], [900.0]]), shares),
        "impossible": (impossible, np.array([0.99, 0.01])),
    }


def probe(solution, inputs):
    return {
        name: solution(log_p.copy(), shares.copy())
        for name, (log_p, shares) in _cases(inputs).items()
    }


def _mixture(log_p, shares):
    return np.logaddexp.reduce(log_p + np.log(shares)[:, None], axis=0)


def _slips(inputs):
    """What a known slip would give in the place of the log-probability."""
    log_p, shares = _cases(inputs)["small"]
    return {
        "mean of logarithms": shares @ log_p,
        "no shares": np.logaddexp.reduce(log_p, axis=0),
        "equal shares": np.logaddexp.reduce(log_p, axis=0) - np.log(len(log_p)),
        "probability": np.exp(_mixture(log_p, shares)),
        "bits": _mixture(log_p, shares) / np.log(2),
        "surprise": -_mixture(log_p, shares),
        "shares of logarithms": np.logaddexp.reduce(log_p * shares[:, None], axis=0),
        "plain mean": log_p.mean(axis=0),
        "not put back": _mixture(log_p, shares) - np.max(log_p, axis=0),
        "largest": np.max(log_p + np.log(shares)[:, None], axis=0),
    }


def compared(outputs, inputs):
    """What was found, and whether it is what a known slip gives."""
    given = np.asarray(outputs["small"])
    numbers = given.shape == inputs["log_p"].shape[1:] and given.dtype.kind in "biuf"
    slips = {
        name: bool(numbers and np.allclose(given, value)) for name, value in _slips(inputs).items()
    }
    return {**outputs, **slips, "one each": numbers}


def reference(inputs):
    right = {name: _mixture(*arguments) for name, arguments in _cases(inputs).items()}
    return {**right, **dict.fromkeys(_slips(inputs), False), "one each": True}


CHECKS = (  # the first eleven come out by themselves for any numbers of the right shape
    Check(
        "one each",
        "It should be one number for each picture: from (K, N) and (K,) to (N,).",
        points=0,
    ),
    Check(
        "mean of logarithms",
        "You averaged logarithms. A mixture's probability is the average of probabilities, and its logarithm is taken "
        "afterwards.",
        points=0,
    ),
    Check(
        "plain mean",
        "That is the mean of the logarithms, with equal shares. Average probabilities, each as often as it is taken, "
        "and take the logarithm afterwards.",
        points=0,
    ),
    Check(
        "no shares",
        "The probabilities are added up as if each model were always taken. How often is each?",
        points=0,
    ),
    Check(
        "equal shares",
        "All models count alike. Each should count as often as it is taken.",
        points=0,
    ),
    Check(
        "probability",
        "That is the probability itself. Return its logarithm.",
        points=0,
    ),
    Check(
        "bits",
        "These are bits. Nats are asked for: all logarithms are natural ones.",
        points=0,
    ),
    Check(
        "surprise",
        "The sign is turned: return the logarithm of the probability, which is below 0.",
        points=0,
    ),
    Check(
        "shares of logarithms",
        "The shares stand before the logarithms. They belong before the probabilities: what does a factor become in a "
        "logarithm?",
        points=0,
    ),
    Check(
        "not put back",
        "The largest was taken out before `exp` and never put back.",
        points=0,
    ),
    Check(
        "largest",
        "That is the largest part alone. The others count, too.",
        points=0,
    ),
    Check(
        "small",
        "Three models and four pictures, all with probabilities of some percent: add up the share of each model times "
        "what it gives to the picture, and take the logarithm.",
    ),
    Check(
        "far",
        "Right for large probabilities. Of pictures they are like exp(-2000), which is 0 in a computer, so that its "
        "logarithm is lost. Take out the largest before `exp`, and put it back after `log`.",
    ),
    Check(
        "apart",
        "Right for pictures that are all about as probable. Here one has exp(-5) and another exp(-2000): each picture "
        "has a largest of its own.",
    ),
    Check(
        "models",
        "Right where models agree. Here one finds a picture e^900 times as probable as another does: take out the "
        "largest over the models.",
    ),
    Check(
        "impossible",
        "One of two models holds some pictures for impossible: log p is -inf. What the other gives is left.",
    ),
)

RIGHT = {
    "the largest taken out": """
def my_mixture(log_p, shares):
    parts = log_p + np.log(shares)[:, None]
    largest = parts.max(axis=0)
    return largest + np.log(np.exp(parts - largest).sum(axis=0))
""",
    "one after the other": """
def my_mixture(log_p, shares):
    total = np.full(log_p.shape[1], -np.inf)
    for row, share in zip(log_p, shares):
        total = np.logaddexp(total, np.log(share) + row)
    return total
""",
    "shares before exp": """
def my_mixture(log_p, shares):
    largest = np.max(log_p, axis=0)
    return np.log(shares @ np.exp(log_p - largest)) + largest
""",
}
_RIGHT = RIGHT["shares before exp"]
_NAIVE = """
def my_mixture(log_p, shares):
    return np.log(shares @ np.exp(log_p))
"""
WRONG = {
    "as it stands on paper": _NAIVE,
    "the mean of the logarithms": variant(
        _NAIVE, ("np.log(shares @ np.exp(log_p))", "shares @ log_p")
    ),
    "a plain mean": variant(_NAIVE, ("np.log(shares @ np.exp(log_p))", "log_p.mean(axis=0)")),
    "no shares": variant(_NAIVE, ("shares @ np.exp(log_p)", "np.exp(log_p).sum(axis=0)")),
    "equal shares": variant(_NAIVE, ("shares @ np.exp(log_p)", "np.exp(log_p).mean(axis=0)")),
    "the probability": variant(
        _NAIVE, ("np.log(shares @ np.exp(log_p))", "shares @ np.exp(log_p)")
    ),
    "in bits": variant(_NAIVE, ("np.log(", "np.log2(")),
    "the surprise": variant(_NAIVE, ("np.log(", "-np.log(")),
    "the shares before the logarithms": variant(
        _NAIVE, ("shares @ np.exp(log_p)", "np.exp(log_p * shares[:, None]).sum(axis=0)")
    ),
    "the largest alone": """
def my_mixture(log_p, shares):
    return np.max(log_p + np.log(shares)[:, None], axis=0)
""",
    "one largest for all pictures": variant(_RIGHT, ("np.max(log_p, axis=0)", "np.max(log_p)")),
    "the largest over the pictures": variant(
        _RIGHT,
        ("np.max(log_p, axis=0)", "np.max(log_p, axis=1, keepdims=True)"),
        ("+ largest", "+ largest.max()"),
    ),
    "the smallest taken out": variant(_RIGHT, ("np.max(log_p", "np.min(log_p")),
    "the first taken out": variant(_RIGHT, ("np.max(log_p, axis=0)", "log_p[0]")),
    "the largest not put back": variant(_RIGHT, (" + largest", "")),
    "a little added against 0": variant(_NAIVE, ("np.exp(log_p))", "np.exp(log_p) + 1e-300)")),
    "one number": variant(
        _RIGHT, ("np.log(shares", "np.mean(np.log(shares"), ("+ largest", "+ largest)")
    ),
}
