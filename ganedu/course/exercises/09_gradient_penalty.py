"""Lesson 09: WGAN-GP's penalty on the critic's slope between real and generated images (Gulrajani 2017, equation 3)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_gradient_penalty"
FORBIDDEN = ()


def inputs(rng):
    shape = (5, 3, 4, 2)
    return {
        "real": rng.normal(size=shape),
        "fake": rng.normal(size=shape) + 0.5,
        "epsilon": rng.uniform(0.1, 0.9, (5, 1, 1, 1)),
        "w": 0.4 * rng.normal(size=shape[1:]),
    }


def _off_the_line(x, real, fake):
    """How far each point (B, H, W, C) is from the line through its two ends."""
    if x.shape != real.shape:
        return np.zeros(len(real))
    axes, way = (1, 2, 3), real - fake
    share = np.sum((x - fake) * way, axis=axes, keepdims=True) / np.sum(
        way**2, axis=axes, keepdims=True
    )
    return np.sqrt(np.sum((x - fake - share * way) ** 2, axis=axes))


def _steep(norm):
    """The gradient of a critic with the same slope everywhere."""
    return lambda x: np.full(x.shape, norm / np.sqrt(x[0].size))


def probe(solution, inputs):
    real, fake, epsilon, w = (inputs[name] for name in ("real", "fake", "epsilon", "w"))
    asked, ends = [], []

    def spy(x):
        asked.append(np.array(x))
        return w * x

    def spy_at_end(x):
        ends.append(np.array(x))
        return w * x

    found = {
        "slope of 1": solution(_steep(1.0), real, fake, epsilon),
        "slope of 3": solution(_steep(3.0), real, fake, epsilon),
        "flat": solution(_steep(0.2), real, fake, epsilon),
        "penalty between": solution(spy, real, fake, epsilon),
        "at real": solution(spy_at_end, real, fake, np.ones_like(epsilon)),
    }
    points, end = (x[0] if x else np.zeros(1) for x in (asked, ends))
    return {**found, "line": _off_the_line(points, real, fake), "end": end, "between": points}


def reference(inputs):
    real, fake, epsilon, w = (inputs[name] for name in ("real", "fake", "epsilon", "w"))

    def penalty_at(x):
        norms = np.sqrt(np.sum((w * x) ** 2, axis=(1, 2, 3)))
        return np.mean((norms - 1) ** 2)

    between = epsilon * real + (1 - epsilon) * fake
    return {
        "slope of 1": 0.0,
        "slope of 3": 4.0,
        "flat": 0.64,
        "penalty between": penalty_at(between),
        "at real": penalty_at(real),
        "line": np.zeros(len(real)),
        "end": real,
        "between": between,
    }


CHECKS = (
    Check(
        "slope of 1",
        "A critic whose slope is 1 everywhere pays nothing. The slope of an image is one number: the length of the "
        "gradient over all its pixels and channels.",
        points=0,  # it comes out by itself
    ),
    Check(
        "slope of 3",
        "A critic whose slope is 3 everywhere should pay (3 - 1)^2 = 4. Is the length the root of the sum of squares, "
        "is it the distance to 1 that is squared, and have you left out the factor lambda?",
    ),
    Check(
        "flat",
        "WGAN-GP pulls slopes from below, too: a slope of 0.2 is 0.8 away from 1.",
    ),
    Check(
        "line",
        "A point at which you ask lies on no line between a real image and the generated one beside it. Has each "
        "image one epsilon, the same for all its pixels?",
        points=0,  # `between` sees it too
    ),
    Check(
        "end",
        "With epsilon = 1 for all images you should ask at the real images themselves, as they come. Is it "
        "each image's own epsilon, and which of the two is multiplied by it?",
        points=0,  # `between` sees it too
    ),
    Check(
        "between",
        "Where did you ask for the gradient, and how often? It should be asked once, for points between each real "
        "image and the generated one beside it, as far along as its epsilon says (1 is the real image).",
    ),
    Check(
        "penalty between",
        "The points are right. The penalty there is not. Take each image's length by itself, then its distance to 1, "
        "then the square; the mean over the images comes last.",
    ),
    Check(
        "at real",
        "With epsilon = 1 the points are the real images.",
    ),
)

RIGHT = {
    "as written": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    x = epsilon * real + (1 - epsilon) * fake
    lengths = np.sqrt(np.sum(gradient(x) ** 2, axis=(1, 2, 3)))
    return np.mean((lengths - 1) ** 2)
""",
    "flat images": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    g = gradient(fake + epsilon * (real - fake)).reshape(len(real), -1)
    return np.square(np.linalg.norm(g, axis=1) - 1).mean()
""",
}
WRONG = {
    "at the real images": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    lengths = np.sqrt(np.sum(gradient(real) ** 2, axis=(1, 2, 3)))
    return np.mean((lengths - 1) ** 2)
""",
    "epsilon on the other side": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    x = (1 - epsilon) * real + epsilon * fake
    lengths = np.sqrt(np.sum(gradient(x) ** 2, axis=(1, 2, 3)))
    return np.mean((lengths - 1) ** 2)
""",
    "one length for the batch": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    x = epsilon * real + (1 - epsilon) * fake
    return (np.sqrt(np.sum(gradient(x) ** 2)) - 1) ** 2
""",
    "a length for each pixel": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    x = epsilon * real + (1 - epsilon) * fake
    lengths = np.sqrt(np.sum(gradient(x) ** 2, axis=-1))
    return np.mean((lengths - 1) ** 2)
""",
    "only slopes above 1": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    x = epsilon * real + (1 - epsilon) * fake
    lengths = np.sqrt(np.sum(gradient(x) ** 2, axis=(1, 2, 3)))
    return np.mean(np.maximum(lengths - 1, 0) ** 2)
""",
    "the squared length less 1": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    x = epsilon * real + (1 - epsilon) * fake
    return np.mean(np.sum(gradient(x) ** 2, axis=(1, 2, 3)) - 1)
""",
    "an epsilon for each pixel": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    epsilon = np.random.default_rng(0).random(real.shape)
    lengths = np.sqrt(np.sum(gradient(epsilon * real + (1 - epsilon) * fake) ** 2, axis=(1, 2, 3)))
    return np.mean((lengths - 1) ** 2)
""",
    "halfway for all": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    lengths = np.sqrt(np.sum(gradient((real + fake) / 2) ** 2, axis=(1, 2, 3)))
    return np.mean((lengths - 1) ** 2)
""",
    "the mean before the square": """
def my_gradient_penalty(gradient, real, fake, epsilon):
    x = epsilon * real + (1 - epsilon) * fake
    lengths = np.sqrt(np.sum(gradient(x) ** 2, axis=(1, 2, 3)))
    return (np.mean(lengths) - 1) ** 2
""",
}
