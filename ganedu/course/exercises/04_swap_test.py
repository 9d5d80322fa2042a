"""Lesson 04: does a class-conditional autoencoder listen? Its label is swapped, and what it draws is counted."""

import numpy as np

from ganedu.course.checking import Check, Variant, WrongSolution, variant

FUNCTION = "my_swap_test"
FORBIDDEN = ()
COUNT = 40


def inputs(rng):
    """Digits that a model draws of an image, by the label that the encoder and the decoder got."""
    return {
        "x": rng.permutation(COUNT).astype(float)[:, None],
        "y": rng.integers(0, 10, COUNT),
        "digits": rng.integers(0, 10, (COUNT, 10, 10)),
    }


def _tables(inputs):
    """By name, the digit for each image, label at the encoder and label at the decoder."""
    digits = inputs["digits"]
    code, label = (np.broadcast_to(k, digits.shape) for k in np.ogrid[:1, :10, :10][1:])
    third = np.where((code + 1) % 10 == label, (code + 2) % 10, (code + 1) % 10)
    often = np.where(digits < 4, label, np.where(digits < 7, code, third))
    return {"obedient": label, "deaf": code, "neither": third, "mixed": often}


def _networks(table):
    """An encoder, a decoder and a classifier of rows: an image's number, then the labels that it got."""

    def with_label(rows, labels):
        rows, labels = np.asarray(rows, float), np.asarray(labels)
        if labels.shape != (len(rows),):
            raise ValueError(f"There are {len(rows)} rows, and labels of shape {labels.shape}.")
        if not np.isin(labels, np.arange(10)).all():
            raise WrongSolution("A label must be a digit from 0 to 9. What comes after 9?")
        return np.concatenate([rows, labels[:, None]], axis=1)

    def classify(images):
        number, code, label = np.asarray(images).astype(int).T
        return table[number, code, label]

    return with_label, with_label, classify


def probe(solution, inputs):
    x, y = inputs["x"], inputs["y"]
    found = {}
    for name, table in _tables(inputs).items():
        found[name] = np.stack(solution(*_networks(table), x.copy(), y.copy()))
    return found


def _shares(inputs, table, own_label=False, new_code=False):
    """The shares of new and of old digits, or what a known slip would give in their place."""
    image, y = inputs["x"][:, 0].astype(int)[:, None], inputs["y"][:, None]
    label = np.arange(10)[None]
    digit = table[image, label if new_code else y, label]
    counted = (y != label) | own_label
    return np.array([np.mean((digit == wanted)[counted]) for wanted in (label, y)])


def _uncrossed(inputs, table):
    """The shares where each code meets one of the ten labels alone, the first codes 0 and so on."""
    image, y = (np.repeat(a, 10) for a in (inputs["x"][:, 0].astype(int), inputs["y"]))
    label = np.repeat(np.arange(10), COUNT)
    digit = table[image, y, label]
    return np.array([np.mean((digit == wanted)[y != label]) for wanted in (label, y)])


def _slips(inputs):
    table = _tables(inputs)["mixed"]
    return {
        "order": _shares(inputs, table)[::-1],
        "own label": _shares(inputs, table, own_label=True),
        "new code": _shares(inputs, table, new_code=True),
        "uncrossed": _uncrossed(inputs, table),
    }


def compared(probed, inputs):
    """What was found, and whether it is what a known slip gives."""
    given, right = np.asarray(probed["mixed"]), _shares(inputs, _tables(inputs)["mixed"])

    def near(value):
        return given.shape == (2,) and given.dtype.kind in "biuf" and np.allclose(given, value)

    slips = {name: near(value) and not near(right) for name, value in _slips(inputs).items()}
    numbers = given.shape == (2,) and given.dtype.kind in "biuf"
    return {**probed, "no share": bool(numbers and np.any(given > 1 + 1e-6)), **slips}


def reference(inputs):
    right = {name: _shares(inputs, table) for name, table in _tables(inputs).items()}
    return {**right, **dict.fromkeys(("no share", *_slips(inputs)), False)}


CHECKS = (
    Check(
        "no share",
        "A share lies between 0 and 1: what is counted, by the number of all swaps.",
        points=0,
    ),
    Check(
        "order",
        "The two shares have changed places: first the new digit's, then the old one's.",
        points=0,
    ),
    Check(
        "own label",
        "The image's own label is counted too. That is no swap: nine labels are left.",
        points=0,
    ),
    Check(
        "new code",
        "The code was made with the new label. Only the decoder is told the new one: the encoder gets the image's own.",
        points=0,
    ),
    Check(
        "uncrossed",
        "Both the codes and the ten labels are repeated one by one, so that a code meets one label alone, ten times. "
        "For each code all ten labels must come in turn.",
        points=0,
    ),
    Check(
        "obedient",
        "This decoder always draws the digit of its label: the share of new digits is 1, that of old ones 0. Does the "
        "decoder get the new label, and is each share one of the swaps alone?",
    ),
    Check(
        "deaf",
        "This decoder draws what the code says, whatever its label: the share of new digits is 0, that of old ones 1. "
        "Does each code stand beside its own old label?",
    ),
    Check(
        "neither",
        "This decoder always draws a third digit: neither the new one nor the old one comes. Is each counted for "
        "itself?",
    ),
    Check(
        "mixed",
        "Each of an image's nine other labels counts alike. Are all of them tried, and all of them counted?",
        points=2,
    ),
)

RIGHT = {
    "all labels at once": """
def my_swap_test(encode, decode, classify, x, y):
    z, old = np.repeat(encode(x, y), 10, axis=0), np.repeat(y, 10)
    new = np.tile(np.arange(10), len(x))
    digit, swapped = classify(decode(z, new)), new != old
    return np.mean((digit == new)[swapped]), np.mean((digit == old)[swapped])
""",
    "in nine steps": """
def my_swap_test(encode, decode, classify, x, y):
    z, shares = encode(x, y), []
    for step in range(1, 10):
        new = (y + step) % 10
        digit = classify(decode(z, new))
        shares.append([np.mean(digit == new), np.mean(digit == y)])
    return np.mean(shares, axis=0)
""",
}
_STEPS = RIGHT["in nine steps"]
_ALL = RIGHT["all labels at once"]
WRONG = {
    "the code made with the new label": """
def my_swap_test(encode, decode, classify, x, y):
    shares = []
    for step in range(1, 10):
        new = (y + step) % 10
        digit = classify(decode(encode(x, new), new))
        shares.append([np.mean(digit == new), np.mean(digit == y)])
    return np.mean(shares, axis=0)
""",
    "only the encoder gets the new label": """
def my_swap_test(encode, decode, classify, x, y):
    shares = []
    for step in range(1, 10):
        new = (y + step) % 10
        digit = classify(decode(encode(x, new), y))
        shares.append([np.mean(digit == new), np.mean(digit == y)])
    return np.mean(shares, axis=0)
""",
    "the image's own label too": variant(
        _ALL,
        (
            "digit, swapped = classify(decode(z, new)), new != old",
            "digit = classify(decode(z, new))",
        ),
        (
            "np.mean((digit == new)[swapped]), np.mean((digit == old)[swapped])",
            "np.mean(digit == new), np.mean(digit == old)",
        ),
    ),
    "the two changed places": variant(
        _ALL,
        (
            "np.mean((digit == new)[swapped]), np.mean((digit == old)[swapped])",
            "np.mean((digit == old)[swapped]), np.mean((digit == new)[swapped])",
        ),
    ),
    "the rest is called old": variant(
        _ALL, ("np.mean((digit == old)[swapped])", "1 - np.mean((digit == new)[swapped])")
    ),
    "one swap for each image": variant(_STEPS, ("range(1, 10)", "range(1, 2)")),
    "the last swap alone": """
def my_swap_test(encode, decode, classify, x, y):
    z = encode(x, y)
    for step in range(1, 10):
        new = (y + step) % 10
        digit = classify(decode(z, new))
    return np.mean(digit == new), np.mean(digit == y)
""",
    "codes tiled as the labels are": variant(
        _ALL, ("np.repeat(encode(x, y), 10, axis=0)", "np.tile(encode(x, y), (10, 1))")
    ),
    "labels repeated as the codes are": variant(
        _ALL, ("np.tile(np.arange(10), len(x))", "np.repeat(np.arange(10), len(x))")
    ),
    "sums, not shares": variant(_STEPS, ("np.mean(shares, axis=0)", "np.sum(shares, axis=0)")),
    "counts": """
def my_swap_test(encode, decode, classify, x, y):
    z, old = np.repeat(encode(x, y), 10, axis=0), np.repeat(y, 10)
    new = np.tile(np.arange(10), len(x))
    digit, swapped = classify(decode(z, new)), new != old
    return np.sum((digit == new)[swapped]), np.sum((digit == old)[swapped])
""",
    "percents": variant(_STEPS, ("np.mean(shares, axis=0)", "100 * np.mean(shares, axis=0)")),
    "the labels shuffled": """
def my_swap_test(encode, decode, classify, x, y):
    new = np.random.default_rng(0).permutation(y)
    digit = classify(decode(encode(x, y), new))
    return np.mean(digit == new), np.mean(digit == y)
""",
    "shares of all pairs, with the own label left out of the count alone": """
def my_swap_test(encode, decode, classify, x, y):
    z, old = np.repeat(encode(x, y), 10, axis=0), np.repeat(y, 10)
    new = np.tile(np.arange(10), len(x))
    digit, swapped = classify(decode(z, new)), new != old
    return np.mean((digit == new) & swapped), np.mean((digit == old) & swapped)
""",
}
VARIANTS = (
    Variant(
        "Swap each label for the next class alone: 0 for 1, 1 for 2, and 9 for 0.",
        variant(_STEPS, ("range(1, 10)", "range(1, 2)")),
    ),
    Variant(
        "Count the image's own label too, so that each image is decoded with all ten.",
        variant(_STEPS, ("range(1, 10)", "range(10)")),
    ),
    Variant(
        "In the place of the old digit's share return the share of digits that are neither new nor old.",
        variant(
            _STEPS,
            ("np.mean(digit == y)]", "np.mean((digit != new) & (digit != y))]"),
        ),
    ),
)
