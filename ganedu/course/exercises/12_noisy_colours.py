"""Lesson 12: what a network that is to choose a colour reads, and what it should answer (Lipman 2023, equation 22)."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_example"
FORBIDDEN = ()


def inputs(rng):
    # As many images as colours, so that a time along the wrong axis fits too.
    return {
        "light": rng.normal(size=(3, 2, 4, 5)),
        "colour": rng.normal(size=(3, 2, 4, 3)) + 0.7,
        "noise": rng.normal(size=(3, 2, 4, 3)),
        "t": rng.permutation([0.1, 0.4, 0.8]) + 0.1 * rng.uniform(size=3),
    }


def probe(solution, inputs):
    light, colour, noise, t = (inputs[key] for key in ("light", "colour", "noise", "t"))
    at_noise, _ = solution(light, colour, noise, np.zeros(3))
    at_colour, _ = solution(light, colour, noise, np.ones(3))
    between, target = solution(light, colour, noise, t)
    channels = colour.shape[-1]
    return {
        "shape": np.shape(between),
        "light": np.asarray(between)[..., channels:],
        "t = 0": np.asarray(at_noise)[..., :channels],
        "t = 1": np.asarray(at_colour)[..., :channels],
        "between": np.asarray(between)[..., :channels],
        "target": target,
    }


def reference(inputs):
    light, colour, noise = (inputs[key] for key in ("light", "colour", "noise"))
    share = inputs["t"].reshape(3, 1, 1, 1)
    return {
        "shape": (*light.shape[:3], 8),
        "light": light,
        "t = 0": noise,
        "t = 1": colour,
        "between": noise + share * (colour - noise),
        "target": colour,
    }


CHECKS = (
    Check(
        "shape",
        "What the network reads is one array: the channels of the colours, then those of the light.",
    ),
    Check(
        "light",
        "The light stands behind the colours, and is seen as it is at every t: it is the question, not the answer.",
    ),
    Check(
        "t = 0",
        "With t = 0 for all images nothing of the answer may be seen yet. What should be in its place?",
    ),
    Check(
        "t = 1",
        "At t = 0 it is right. With t = 1 for all images the colours should be seen without noise.",
    ),
    Check(
        "between",
        "At t = 0 and at t = 1 it is right. Between them: do the two shares add up to 1 at every t, and has each "
        "image its own t?",
    ),
    Check(
        "target",
        "What the network reads is right. What it should answer is not the way to go, nor the noise, nor a mixture: "
        "it is asked here, at every t, for what the plain network was asked for.",
    ),
)

_RIGHT = """
def my_example(light, colour, noise, t):
    share = t[:, None, None, None]  # (B, 1, 1, 1)
    seen = (1 - share) * noise + share * colour
    return np.concatenate([seen, light], axis=-1), colour
"""
RIGHT = {
    "as written": _RIGHT,
    "image by image": """
def my_example(light, colour, noise, t):
    seen = np.stack([n + s * (c - n) for c, n, s in zip(colour, noise, t)])
    return np.concatenate([seen, light], -1), colour.copy()
""",
}
WRONG = {
    "t the wrong way round": variant(
        _RIGHT, ("(1 - share) * noise + share * colour", "share * noise + (1 - share) * colour")
    ),
    "t along the channels": variant(_RIGHT, ("t[:, None, None, None]", "t")),
    "one t for all": variant(_RIGHT, ("t[:, None, None, None]", "t.mean()")),
    "noise on top": variant(_RIGHT, ("share * colour", "colour")),
    "a way that bends": variant(_RIGHT, ("(1 - share)", "np.sqrt(1 - share**2)")),
    "the light fades too": variant(_RIGHT, ("[seen, light]", "[seen, share * light]")),
    "the light first": variant(_RIGHT, ("[seen, light]", "[light, seen]")),
    "no light": variant(_RIGHT, ("np.concatenate([seen, light], axis=-1)", "seen")),
    "the noise as the answer": variant(_RIGHT, ("axis=-1), colour", "axis=-1), noise")),
    "the way as the answer": variant(_RIGHT, ("axis=-1), colour", "axis=-1), colour - noise")),
    "what it has seen as the answer": variant(_RIGHT, ("axis=-1), colour", "axis=-1), seen")),
}
