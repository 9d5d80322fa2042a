"""Lesson 19: classifier-free guidance, with a text and without it (Ho and Salimans 2022, equation 6)."""

import numpy as np

from ganedu.course.checking import Check, WrongSolution

FUNCTION = "my_guided"
FORBIDDEN = ("ganedu.engine.denoising_model.classifier_free_guidance",)
TWICE = (
    "The network must be asked twice: with the text, and with the tokens of no text. What is mixed are its two "
    "predictions."
)


def inputs(rng):
    """Two images on their way, the tokens of their texts and of no text (0 is no word), and a linear network."""
    return {
        "x": rng.normal(size=(2, 3, 4, 1)),
        "tokens": np.array([[5, 2, 7, 0], [3, 1, 0, 0]], "int32"),
        "null_tokens": np.array([[6, 0, 0, 0], [6, 0, 0, 0]], "int32"),
        "w": rng.normal(size=8),
        "scale": rng.uniform(1.5, 3.0),
    }


def _said(tokens, w):
    return np.sum(w[tokens] * (tokens > 0), axis=1)[:, None, None, None]


def probe(solution, inputs):
    x, tokens, null, w = (inputs[name] for name in ("x", "tokens", "null_tokens", "w"))
    calls = []

    def network(x, t, tokens):
        x, tokens = np.asarray(x), np.asarray(tokens)
        if len(x) != len(tokens):
            raise WrongSolution(f"{len(x)} images and {len(tokens)} texts: one for each, please.")
        if tokens.dtype.kind not in "iu":
            raise WrongSolution(
                f"{TWICE} Tokens are numbers of words, not amounts: one cannot mix them."
            )
        calls.append(tokens)
        return 0.5 * x + t + _said(tokens, w)

    found = {
        "without": solution(network, x, 0.3, tokens, null, 0.0),
        "with": solution(network, x, 0.3, tokens, null, 1.0),
    }
    calls.clear()
    found["a larger scale"] = solution(network, x, 0.3, tokens, null, inputs["scale"])
    asked = np.concatenate(calls) if calls else np.ones((1, 4))
    found["asked"] = np.array(
        [any(np.array_equal(row, one) for row in asked) for one in (*tokens, null[0])]
    )
    found["at another time"] = solution(network, x, 0.8, tokens, null, inputs["scale"])
    return found


def _slips(inputs):
    """What comes out after a known slip, with a scale above 1."""
    x, w, scale = inputs["x"], inputs["w"], inputs["scale"]
    told, plain = (0.5 * x + 0.3 + _said(inputs[name], w) for name in ("tokens", "null_tokens"))
    right = plain + scale * (told - plain)
    return {
        "from the text": told + scale * (told - plain),
        "swapped": told + scale * (plain - told),
        "backwards": plain + scale * (plain - told),
        "louder": scale * told,
        "difference alone": scale * (told - plain),
        "cut": np.clip(right, -1, 1),
    }


def compared(probed, inputs):
    """What was found, and whether it is what a known slip gives."""
    given = np.asarray(probed["a larger scale"])
    plain = given.shape == inputs["x"].shape and given.dtype.kind in "biuf"
    slips = _slips(inputs).items()
    return {**probed, **{name: bool(plain and np.allclose(given, v)) for name, v in slips}}


def reference(inputs):
    x, w, scale = inputs["x"], inputs["w"], inputs["scale"]
    told, plain = (0.5 * x + _said(inputs[name], w) for name in ("tokens", "null_tokens"))
    further = plain + scale * (told - plain)
    return {
        **dict.fromkeys(_slips(inputs), False),
        "without": plain + 0.3,
        "with": told + 0.3,
        "a larger scale": further + 0.3,
        "asked": np.array([True, True, True]),
        "at another time": further + 0.8,
    }


CHECKS = (
    Check("asked", TWICE),
    Check(
        "from the text",
        "You count from the prediction with the text, so a scale of 1 has already gone past it (in the paper's formula "
        "w is s - 1). Count from the one without.",
        points=0,
    ),
    Check(
        "swapped",
        "The two predictions have changed places: with a scale of 1 the one with the text must come out.",
        points=0,
    ),
    Check(
        "backwards",
        "The direction is turned round: it leads away from the text.",
        points=0,
    ),
    Check(
        "louder",
        "That is the prediction with the text made larger. Where is the one without, from which one goes?",
        points=0,
    ),
    Check(
        "difference alone",
        "That is the way alone. From where does one go it?",
        points=0,
    ),
    Check(
        "cut",
        "Right, but cut to [-1, 1]. The lesson does that afterwards; here nothing is cut.",
        points=0,
    ),
    Check(
        "with",
        "With a scale of 1 the prediction with the text must come out, unchanged.",
    ),
    Check(
        "without",
        "Right for a scale of 1. With a scale of 0 the text says nothing: the prediction without it must come out.",
    ),
    Check(
        "a larger scale",
        "Right for the scales 0 and 1. With a larger one go on in the same direction: from the prediction without the "
        "text to the one with it, and as far again for each further 1.",
    ),
    Check(
        "at another time",
        "Right at one time, wrong at another: does the network hear t both times?",
    ),
)

RIGHT = {
    "as written": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    plain = network(x, t, null_tokens)
    return plain + scale * (network(x, t, tokens) - plain)
""",
    "one batch of both": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    both = network(np.concatenate([x, x]), t, np.concatenate([tokens, null_tokens]))
    told, plain = np.split(both, 2)
    return scale * told + (1 - scale) * plain
""",
}
WRONG = {
    "louder, not further": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    return scale * network(x, t, tokens)
""",
    "the other direction": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    plain = network(x, t, null_tokens)
    return plain + scale * (plain - network(x, t, tokens))
""",
    "swapped": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    told, plain = network(x, t, tokens), network(x, t, null_tokens)
    return told + scale * (plain - told)
""",
    "the paper's w in the place of s": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    told, plain = network(x, t, tokens), network(x, t, null_tokens)
    return (1 + scale) * told - scale * plain
""",
    "never past the text": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    plain = network(x, t, null_tokens)
    return plain + min(scale, 1.0) * (network(x, t, tokens) - plain)
""",
    "counted from the text": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    told = network(x, t, tokens)
    return told + scale * (told - network(x, t, null_tokens))
""",
    "the first word dropped": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    fewer = tokens.copy()
    fewer[:, 0] = 0
    plain = network(x, t, fewer)
    return plain + scale * (network(x, t, tokens) - plain)
""",
    "cut to [-1, 1]": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    plain = network(x, t, null_tokens)
    return np.clip(plain + scale * (network(x, t, tokens) - plain), -1, 1)
""",
    "the way alone": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    return scale * (network(x, t, tokens) - network(x, t, null_tokens))
""",
    "tokens mixed in the place of predictions": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    return network(x, t, null_tokens + scale * (tokens - null_tokens))
""",
    "only the text": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    return network(x, t, tokens)
""",
    "no image in the place of no text": """
def my_guided(network, x, t, tokens, null_tokens, scale):
    plain = network(0 * x, t, tokens)
    return plain + scale * (network(x, t, tokens) - plain)
""",
}
