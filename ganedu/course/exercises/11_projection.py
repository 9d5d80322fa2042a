"""Lesson 11: a discriminator that reads labels by projection (Miyato and Koyama 2018, equation 3)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "projection_logit"
FORBIDDEN = ("ganedu.models.cgan.projection_discriminator",)


def inputs(rng):
    return {
        "phi": rng.normal(size=(6, 5)),
        "y": np.eye(4)[[2, 0, 2, 1, 3, 0]],
        "psi": rng.normal(size=(5, 1)),
        "bias": rng.uniform(0.5, 1.5, 1),
        "V": rng.normal(size=(4, 5)),
    }


def _cases(inputs):
    one = {**inputs, "phi": inputs["phi"][:1], "y": inputs["y"][:1]}
    return {
        "bias": {**inputs, "phi": 0 * inputs["phi"]},
        "no class": {**inputs, "V": 0 * inputs["V"]},
        "class": {**inputs, "psi": 0 * inputs["psi"], "bias": 0 * inputs["bias"]},
        "logits": inputs,
        "other": {**inputs, "y": inputs["y"][:, ::-1]},
        "one": one,
    }


def probe(solution, inputs):
    return {name: solution(**case) for name, case in _cases(inputs).items()}


def reference(inputs):
    found = {}
    for name, case in _cases(inputs).items():
        own = case["V"][case["y"].argmax(axis=1)]  # (B, d)
        fits = np.sum(own * case["phi"], axis=1, keepdims=True)
        found[name] = case["phi"] @ case["psi"] + case["bias"] + fits
    return found


CHECKS = (
    Check(
        "bias",
        "One number for each image, (B, 1). Where all features of an image are 0, the logit is the bias itself, "
        "whatever the label. Is it added, and is the sum left as it is, with no sigmoid?",
        points=0,  # it comes out by itself
    ),
    Check(
        "no class",
        "Where all directions are 0 the label says nothing: what is left is psi, how real the image is, whatever it "
        "shows: the features times its weights, and the bias.",
    ),
    Check(
        "class",
        "Where psi is 0: how far does each image lie along the direction of its own label? One number for each image, "
        "the sum over its features.",
    ),
    Check(
        "logits",
        "Each of the two terms is right alone. They add up.",
    ),
    Check(
        "other",
        "With other labels the same images must get other logits.",
    ),
    Check(
        "one",
        "It is right for six images. For one image it should be one number, in an array (1, 1).",
    ),
)

RIGHT = {
    "as written": """
def projection_logit(phi, y, psi, bias, V):
    good = phi @ psi + bias  # (B, 1)
    fits = np.sum((y @ V) * phi, axis=-1, keepdims=True)  # (B, 1)
    return good + fits
""",
    "all classes, then its own": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + bias + ((phi @ V.T) * y).sum(axis=1)[:, None]
""",
}
WRONG = {
    "forgets the bias": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + np.sum((y @ V) * phi, axis=-1, keepdims=True)
""",
    "a probability": """
def projection_logit(phi, y, psi, bias, V):
    logits = phi @ psi + bias + np.sum((y @ V) * phi, axis=-1, keepdims=True)
    return 1 / (1 + np.exp(-logits))
""",
    "ignores the label": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + bias
""",
    "forgets psi": """
def projection_logit(phi, y, psi, bias, V):
    return np.sum((y @ V) * phi, axis=-1, keepdims=True)
""",
    "every image with every label": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + bias + phi @ (y @ V).T
""",
    "the mean over features": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + bias + np.mean((y @ V) * phi, axis=-1, keepdims=True)
""",
    "the best class in the place of its own": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + bias + np.max(phi @ V.T, axis=1, keepdims=True)
""",
    "the direction without the image": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + bias + (y @ V).sum(axis=1, keepdims=True)
""",
    "a row, not a column": """
def projection_logit(phi, y, psi, bias, V):
    return phi @ psi + bias + np.sum((y @ V) * phi, axis=-1)
""",
}
