"""Lesson 19: classifier-free guidance, with a text and without it (Ho and Salimans 2022, equation 6)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_guided"
FORBIDDEN = ("ganedu.engine.denoising_model.classifier_free_guidance",)


def inputs(rng):
    """Two images on their way, the tokens of their texts (0 is no word), and a linear network."""
    return {
        "x": rng.normal(size=(2, 3, 4, 1)),
        "tokens": np.array([[5, 2, 7, 0], [3, 1, 0, 0]], "int32"),
        "w": rng.normal(size=8),
        "scale": rng.uniform(1.5, 3.0),
    }


def probe(solution, inputs):
    x, tokens, w, calls = inputs["x"], inputs["tokens"], inputs["w"], []

    def network(x, t, tokens):
        calls.append(np.array(tokens))
        said = np.sum(w[tokens] * (tokens > 0), axis=1)[:, None, None, None]
        return 0.5 * x + t + said

    found = {
        "without": solution(network, x, 0.3, tokens, 0.0),
        "with": solution(network, x, 0.3, tokens, 1.0),
    }
    calls.clear()
    found["guided"] = solution(network, x, 0.3, tokens, inputs["scale"])
    asked = np.concatenate(calls) if calls else np.ones((1, 4))
    found["dropped"] = np.array([np.any(np.all(asked == 0, axis=1)), np.any(np.any(asked != 0, axis=1))])
    found["at another time"] = solution(network, x, 0.8, tokens, inputs["scale"])
    return found


def reference(inputs):
    x, tokens, w, scale = (inputs[name] for name in ("x", "tokens", "w", "scale"))
    said = np.sum(w[tokens] * (tokens > 0), axis=1)[:, None, None, None]
    plain = 0.5 * x + 0.3
    return {
        "without": plain,
        "with": plain + said,
        "guided": plain + scale * said,
        "dropped": np.array([True, True]),
        "at another time": 0.5 * x + 0.8 + scale * said,
    }


CHECKS = (
    Check("dropped", "The network must be asked twice: with the text, and with a text of which every word is dropped (0)."),
    Check("without", "With a scale of 0 the text says nothing: what comes out is the answer without it."),
    Check("with", "With a scale of 1 it is the answer with the text, nothing more."),
    Check(
        "guided",
        "With a larger scale one goes on in the same direction: from the answer without the text to the one with it, "
        "and as far again for each further 1.",
    ),
    Check("at another time", "Right at one time, wrong at another: does the network hear t both times?"),
)

RIGHT = {
    "as written": """
def my_guided(network, x, t, tokens, scale):
    plain = network(x, t, np.zeros_like(tokens))
    return plain + scale * (network(x, t, tokens) - plain)
""",
    "one batch of both": """
def my_guided(network, x, t, tokens, scale):
    both = network(np.concatenate([x, x]), t, np.concatenate([tokens, 0 * tokens]))
    told, plain = np.split(both, 2)
    return scale * told + (1 - scale) * plain
""",
}
WRONG = {
    "louder, not further": """
def my_guided(network, x, t, tokens, scale):
    return scale * network(x, t, tokens)
""",
    "the other direction": """
def my_guided(network, x, t, tokens, scale):
    plain = network(x, t, 0 * tokens)
    return plain + scale * (plain - network(x, t, tokens))
""",
    "counted from the text": """
def my_guided(network, x, t, tokens, scale):
    told = network(x, t, tokens)
    return told + scale * (told - network(x, t, 0 * tokens))
""",
    "the first word dropped": """
def my_guided(network, x, t, tokens, scale):
    fewer = tokens.copy()
    fewer[:, 0] = 0
    plain = network(x, t, fewer)
    return plain + scale * (network(x, t, tokens) - plain)
""",
    "only the text": """
def my_guided(network, x, t, tokens, scale):
    return network(x, t, tokens)
""",
    "no image in the place of no text": """
def my_guided(network, x, t, tokens, scale):
    plain = network(0 * x, t, tokens)
    return plain + scale * (network(x, t, tokens) - plain)
""",
}
