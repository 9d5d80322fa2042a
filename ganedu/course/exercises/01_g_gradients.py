"""Lesson 01: the gradients of G's loss by hand, where G(z) = m + s z and D(x) = w x + b."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_g_gradients"
FORBIDDEN = ()


def inputs(rng):
    return {
        "z": rng.normal(size=(40, 2)),
        "m": rng.normal(size=2),
        "s": rng.uniform(0.5, 1.5),
        "w": rng.normal(size=2) + 1.0,
        "b": rng.uniform(0.5, 1.5),
    }


def probe(solution, inputs):
    dm, ds = solution(**inputs)
    still = {**inputs, "m": np.zeros(2), "s": 0.0, "b": 0.0}
    dm_still, ds_still = solution(**still)
    return {"dm still": dm_still, "ds still": ds_still, "dm": dm, "ds": ds}


def reference(inputs):
    found = {}
    for end, values in (("", inputs), (" still", {**inputs, "m": np.zeros(2), "s": 0.0, "b": 0.0})):
        z, w = values["z"], values["w"]
        logits = (values["m"] + values["s"] * z) @ w + values["b"]
        doubt = 1 / (1 + np.exp(logits))  # (B,)
        found[f"dm{end}"] = -np.mean(doubt) * w
        found[f"ds{end}"] = -np.mean(doubt * (z @ w))
    return {**found, **dict.fromkeys(("order", *_slips(inputs)), False)}


def _slips(inputs):
    """What known slips would give in the place of the gradient in m."""
    z, m, w = inputs["z"], inputs["m"], inputs["w"]
    doubt = np.mean(1 / (1 + np.exp((m + inputs["s"] * z) @ w + inputs["b"])))
    summed = -len(z) * doubt * w
    return {
        "summed": summed,
        "saturating": -(1 - doubt) * w,
        "no w": -doubt * np.ones(2),
        "m for w": -doubt * m,
    }


def compared(probed, inputs):
    """What was found, and whether the gradient in m is what a known slip gives."""
    given = np.asarray(probed["dm"])
    numbers = given.shape in ((), (2,)) and given.dtype.kind in "biuf"
    slips = {
        name: bool(numbers and np.allclose(given, value)) for name, value in _slips(inputs).items()
    }
    order = given.shape == () and np.shape(probed["ds"]) == (2,)
    return {**probed, "order": order, **slips}


CHECKS = (
    Check(
        "order",
        "The two have changed places: first the gradient in m, two numbers, then the one in s.",
        points=0,
    ),
    Check(
        "summed",
        "This is a sum over the points, and so grows with their number. L_G is a mean.",
        points=0,
    ),
    Check(
        "saturating",
        "Each point weighs sigma here, and should weigh 1 - sigma: L_G is the mean of -log sigma, not of "
        "log(1 - sigma).",
        points=0,
    ),
    Check(
        "no w",
        "How much does a point's logit w x + b change when m moves? By the chain rule that is a factor of the gradient "
        "in m.",
        points=0,
    ),
    Check(
        "m for w",
        "How much does a point's logit w x + b change when m moves? It is not m.",
        points=0,
    ),
    Check(
        "dm still",
        "With m = 0, s = 0, b = 0 every point m + s z is 0 and D doubts each with 1/2. Which way must m go to be "
        "believed more, and is a loss lessened along its gradient or against it?",
    ),
    Check(
        "ds still",
        "With m = 0, s = 0, b = 0: s moves a point along its own z. How much does its logit change when s grows a "
        "little? It is one number for each point, then a mean.",
    ),
    Check(
        "dm",
        "It is right where all is 0. D judges the generated points: does your doubt see m, s and b?",
    ),
    Check(
        "ds",
        "The gradient in m is right. In s each point's doubt goes with its own z: the mean of the products is not the "
        "product of the means. Nudge s by a millionth and see how the loss changes.",
    ),
)

RIGHT = {
    "as written": """
def my_g_gradients(z, m, s, w, b):
    \"\"\"z: (N, 2); m, w: (2,); s, b: numbers. Returns the gradients in m, (2,), and in s, a number.\"\"\"
    doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w + b)))
    return -np.mean(doubt) * w, -np.mean(doubt * (z @ w))
""",
    "by nudging": """
def my_g_gradients(z, m, s, w, b):
    def loss(m, s):
        return np.mean(np.logaddexp(0, -((m + s * z) @ w + b)))

    h = 1e-6
    dm = np.array([(loss(m + e, s) - loss(m - e, s)) / (2 * h) for e in h * np.eye(2)])
    return dm, (loss(m, s + h) - loss(m, s - h)) / (2 * h)
""",
}
WRONG = {
    "ignores b": """
def my_g_gradients(z, m, s, w, b):
    doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w)))
    return -np.mean(doubt) * w, -np.mean(doubt * (z @ w))
""",
    "ignores m": """
def my_g_gradients(z, m, s, w, b):
    doubt = 1 - 1 / (1 + np.exp(-((s * z) @ w + b)))
    return -np.mean(doubt) * w, -np.mean(doubt * (z @ w))
""",
    "one axis of z in the place of its product with w": """
def my_g_gradients(z, m, s, w, b):
    doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w + b)))
    return -np.mean(doubt) * w, -np.mean(doubt * z[:, 1])
""",
    "no s in the points": """
def my_g_gradients(z, m, s, w, b):
    doubt = 1 - 1 / (1 + np.exp(-((m + z) @ w + b)))
    return -np.mean(doubt) * w, -np.mean(doubt * (z @ w))
""",
    "the product of the means": """
def my_g_gradients(z, m, s, w, b):
    doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w + b)))
    return -np.mean(doubt) * w, -np.mean(doubt) * np.mean(z @ w)
""",
    "uphill": """
def my_g_gradients(z, m, s, w, b):
    doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w + b)))
    return np.mean(doubt) * w, np.mean(doubt * (z @ w))
""",
    "the two changed places": variant(
        RIGHT["as written"],
        (
            "-np.mean(doubt) * w, -np.mean(doubt * (z @ w))",
            "-np.mean(doubt * (z @ w)), -np.mean(doubt) * w",
        ),
    ),
    "sums": variant(
        RIGHT["as written"],
        ("-np.mean(doubt) * w, -np.mean(doubt *", "-np.sum(doubt) * w, -np.sum(doubt *"),
    ),
    "sigma in the place of 1 - sigma": variant(
        RIGHT["as written"], ("doubt = 1 - 1 / (1", "doubt = 1 / (1")
    ),
    "no w in the gradient in m": variant(
        RIGHT["as written"], ("-np.mean(doubt) * w", "-np.mean(doubt) * np.ones(2)")
    ),
    "a number for the gradient in m": variant(
        RIGHT["as written"], ("-np.mean(doubt) * w", "-np.mean(doubt)")
    ),
    "m in the place of w": variant(
        RIGHT["as written"], ("-np.mean(doubt) * w", "-np.mean(doubt) * m")
    ),
}
VARIANTS = (
    Variant(
        "G's loss is the minimax one: it minimizes the mean of log(1 - sigma(D(G(z)))).",
        variant(
            RIGHT["as written"],
            (
                "doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w + b)))",
                "doubt = 1 / (1 + np.exp(-((m + s * z) @ w + b)))",
            ),
        ),
    ),
    Variant(
        "G's loss is WGAN's: the mean of -D(G(z)), with no logarithm and no sigmoid (Arjovsky 2017).",
        variant(
            RIGHT["as written"],
            ("doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w + b)))", "doubt = np.ones(len(z))"),
        ),
    ),
    Variant(
        "G's loss is LSGAN's: half the mean of (D(G(z)) - 1)^2, with no sigmoid (Mao 2017, equation "
        "9).",
        variant(
            RIGHT["as written"],
            (
                "doubt = 1 - 1 / (1 + np.exp(-((m + s * z) @ w + b)))",
                "doubt = 1 - ((m + s * z) @ w + b)",
            ),
        ),
    ),
)
