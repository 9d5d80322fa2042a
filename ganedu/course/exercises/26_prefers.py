"""Lesson 26: how often a discriminator believes a training image more than an unseen one: an AUC, by pairs."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_prefers"
FORBIDDEN = ()


def inputs(rng):
    """Two times logits of eleven training images and of thirteen unseen ones; some of both are the same."""
    found = {}
    for which in ("", " again"):
        training, unseen = rng.normal(0.5, 1.2, 11), rng.normal(0.0, 1.2, 13)
        unseen[[1, 2, 5, 9]] = training[[3, 0, 7, 5]]
        found |= {"training" + which: training, "unseen" + which: unseen}
    return found


def probe(solution, inputs):
    training, unseen = inputs["training"], inputs["unseen"]
    return {
        "above": solution(training + 50.0, unseen.copy()),
        "below": solution(training - 50.0, unseen.copy()),
        "alike": solution(np.full(11, 1.5), np.full(13, 1.5)),
        "any": solution(training.copy(), unseen.copy()),
        "again": solution(inputs["training again"].copy(), inputs["unseen again"].copy()),
        "shifted": solution(training - 3.0, unseen - 3.0),
        "other": solution(unseen.copy(), training.copy()),
        "one": solution(training[:1].copy(), unseen.copy()),
    }


def _share(training, unseen):
    a, b = training[:, None], unseen[None]
    return np.mean((a > b) + 0.5 * (a == b))


def _slips(training, unseen):
    """What a known slip would give in the place of the share."""
    pairs = np.sign(training[:, None] - unseen)
    n = min(len(training), len(unseen))
    zipped = np.sign(training[:n] - unseen[:n])
    believed = [1 / (1 + np.exp(-x)) for x in (training, unseen)]
    soft = [1 / (1 + np.exp(unseen - training[:, None]))]
    limits = (0.0, unseen.mean(), np.median(unseen), unseen.max())
    return {
        "count": [_share(training, unseen) * pairs.size, np.sum(pairs > 0)],
        "turned": [1 - _share(training, unseen), np.mean(pairs < 0), np.mean(pairs <= 0)],
        "ties lost": [np.mean(pairs > 0)],
        "ties won": [np.mean(pairs >= 0)],
        "zipped": [np.mean(zipped > 0), np.mean(zipped >= 0), (1 + np.mean(zipped)) / 2],
        "weighed": [np.mean(soft)],
        "means": [training.mean() - unseen.mean(), believed[0].mean() - believed[1].mean()],
        "one threshold": [np.mean(training > limit) for limit in limits],
    }


def compared(outputs, inputs):
    """What was found, and whether it is twice what a known slip gives."""
    slips = {}
    for given, which in ((outputs["any"], ""), (outputs["again"], " again")):
        training, unseen = inputs["training" + which], inputs["unseen" + which]
        given = np.asarray(given)
        number = given.shape == () and given.dtype.kind in "biuf"
        wrong = number and not np.isclose(given, _share(training, unseen))
        for name, values in _slips(training, unseen).items():
            slips.setdefault(name, []).append(wrong and any(np.isclose(given, v) for v in values))
    return {**outputs, **{name: all(twice) for name, twice in slips.items()}, "one number": number}


def reference(inputs):
    training, unseen = inputs["training"], inputs["unseen"]
    return {
        "above": 1.0,
        "below": 0.0,
        "alike": 0.5,
        "any": _share(training, unseen),
        "shifted": _share(training, unseen),
        "other": _share(unseen, training),
        "one": _share(training[:1], unseen),
        **dict.fromkeys(_slips(training, unseen), False),
        "one number": True,
    }


CHECKS = (  # those without points come out by themselves for some number that nobody worked for
    Check(
        "one number",
        "It should be one number: the share of all pairs.",
        points=0,
    ),
    Check(
        "count",
        "You counted the pairs. A share is what was counted by the number of all pairs, N times M.",
        points=0,
    ),
    Check(
        "turned",
        "That is how often the unseen image is believed more.",
        points=0,
    ),
    Check(
        "ties lost",
        "Some pairs have the same logit. You count none of them; half of them should count.",
        points=0,
    ),
    Check(
        "ties won",
        "Some pairs have the same logit. You count all of them; half of them should count.",
        points=0,
    ),
    Check(
        "zipped",
        "You compared the first with the first, the second with the second. A pair is any training image with any "
        "unseen one.",
        points=0,
    ),
    Check(
        "weighed",
        "You weighed each pair by how much more the one is believed. Count it: 1, a half, or 0.",
        points=0,
    ),
    Check(
        "means",
        "That is how much more D believes training images, in the mean. A few large logits can decide it, and it has "
        "no scale. Count pairs.",
        points=0,
    ),
    Check(
        "one threshold",
        "You compared each training image with one number. Compare it with each unseen image.",
        points=0,
    ),
    Check(
        "above",
        "Each training image is believed more than any unseen one: the share is 1.",
        points=0,
    ),
    Check(
        "below",
        "Each training image is believed less than any unseen one: the share is 0.",
        points=0,
    ),
    Check(
        "alike",
        "All logits are the same, so D prefers nothing: the share is a half.",
    ),
    Check(
        "any",
        "Look at all pairs of a training image and an unseen one: N times M of them, and not as many of the one as of "
        "the other.",
    ),
    Check(
        "shifted",
        "All logits are 3 less. That changes no comparison of two of them, and so not the share.",
    ),
    Check(
        "other",
        "With more training images than unseen ones it is wrong.",
    ),
    Check(
        "one",
        "With one training image it is wrong.",
    ),
)

RIGHT = {
    "all pairs at once": """
def my_prefers(training, unseen):
    a, b = training[:, None], unseen[None, :]
    return np.mean((a > b) + 0.5 * (a == b))
""",
    "pair by pair": """
def my_prefers(training, unseen):
    won = 0
    for a in training:
        for b in unseen:
            won += 1 if a > b else 0.5 if a == b else 0
    return won / (len(training) * len(unseen))
""",
    "the mean of two shares": """
def my_prefers(training, unseen):
    ordered = np.sort(unseen)
    below = np.searchsorted(ordered, training, "left") + np.searchsorted(ordered, training, "right")
    return below.mean() / 2 / len(unseen)
""",
}
_RIGHT = RIGHT["all pairs at once"]
_PAIRS = "np.mean((a > b) + 0.5 * (a == b))"
WRONG = {
    "ties lost": variant(_RIGHT, (_PAIRS, "np.mean(a > b)")),
    "ties won": variant(_RIGHT, (_PAIRS, "np.mean(a >= b)")),
    "the other way round": variant(_RIGHT, ("a > b", "a < b")),
    "the other way round, ties lost": variant(_RIGHT, (_PAIRS, "np.mean(a < b)")),
    "a count": variant(_RIGHT, ("np.mean(", "np.sum(")),
    "a share for each training image": variant(_RIGHT, ("(a == b))", "(a == b), axis=1)")),
    "the difference of the means": variant(_RIGHT, (_PAIRS, "np.mean(a) - np.mean(b)")),
    "the difference of the beliefs": """
def my_prefers(training, unseen):
    return np.mean(1 / (1 + np.exp(-training))) - np.mean(1 / (1 + np.exp(-unseen)))
""",
    "each pair weighed": variant(_RIGHT, (_PAIRS, "np.mean(1 / (1 + np.exp(b - a)))")),
    "the first with the first": """
def my_prefers(training, unseen):
    return np.mean([a > b for a, b in zip(training, unseen)])
""",
    "against the mean": variant(_RIGHT, (_PAIRS, "np.mean(training > unseen.mean())")),
    "believed at all": variant(_RIGHT, (_PAIRS, "np.mean(training > 0)")),
    "the largest of each": variant(_RIGHT, (_PAIRS, "training.max() > unseen.max()")),
    "how many right answers": """
def my_prefers(training, unseen):
    return np.mean(np.append(training > 0, unseen < 0))
""",
    "by the training images alone": variant(
        _RIGHT, (_PAIRS, "((a > b) + 0.5 * (a == b)).sum() / len(training) ** 2")
    ),
}
