"""Lesson 11: a discriminator that reads labels by projection (Miyato and Koyama 2018, equation 3)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_projection"
FORBIDDEN = ("ganedu.models.cgan.projection_discriminator",)


def inputs(rng):
    return {
        "phi": rng.normal(size=(6, 5)),
        "labels": np.array([2, 0, 2, 1, 3, 0]),
        "v": rng.normal(size=(4, 5)),
        "w": rng.normal(size=5),
        "b": rng.uniform(0.5, 1.5),
    }


def _cases(inputs):
    none = {**inputs, "v": 0 * inputs["v"]}
    class_only = {**inputs, "w": 0 * inputs["w"], "b": 0.0}
    one = {**inputs, "phi": inputs["phi"][:1], "labels": inputs["labels"][:1]}
    other = {**inputs, "labels": (inputs["labels"] + 1) % 4}
    return {"no class": none, "class": class_only, "logits": inputs, "other": other, "one": one}


def probe(solution, inputs):
    return {name: solution(**case) for name, case in _cases(inputs).items()}


def reference(inputs):
    found = {}
    for name, case in _cases(inputs).items():
        rows = case["v"][case["labels"]]
        found[name] = case["phi"] @ case["w"] + case["b"] + np.sum(rows * case["phi"], axis=1)
    return found


CHECKS = (
    Check(
        "no class",
        "Where all directions are 0 the label says nothing: what is left is psi, how real the image is, whatever it "
        "shows. One number for each image.",
    ),
    Check(
        "class",
        "Where psi is 0: how far does each image lie along the direction of its own label? One number for each image, "
        "the sum over its features.",
    ),
    Check("logits", "Each of the two terms is right alone. They add up."),
    Check("other", "With other labels the same images must get other logits."),
    Check("one", "It is right for six images. For one image it should be one number, in an array."),
)

RIGHT = {
    "as written": """
def my_projection(phi, labels, v, w, b):
    return phi @ w + b + np.sum(v[labels] * phi, axis=1)
""",
    "one-hot": """
def my_projection(phi, labels, v, w, b):
    y = np.eye(len(v))[labels]
    return (phi * (w + y @ v)).sum(axis=-1) + b
""",
}
WRONG = {
    "ignores the label": """
def my_projection(phi, labels, v, w, b):
    return phi @ w + b
""",
    "forgets psi": """
def my_projection(phi, labels, v, w, b):
    return np.sum(v[labels] * phi, axis=1)
""",
    "every image with every label": """
def my_projection(phi, labels, v, w, b):
    return phi @ w + b + phi @ v[labels].T
""",
    "the mean over features": """
def my_projection(phi, labels, v, w, b):
    return phi @ w + b + np.mean(v[labels] * phi, axis=1)
""",
    "the best class in the place of its own": """
def my_projection(phi, labels, v, w, b):
    return phi @ w + b + np.max(phi @ v.T, axis=1)
""",
    "the direction without the image": """
def my_projection(phi, labels, v, w, b):
    return phi @ w + b + v[labels].sum(axis=1)
""",
    "one label for the batch": """
def my_projection(phi, labels, v, w, b):
    return phi @ w + b + phi @ v[labels[0]]
""",
}
