"""Lesson 24: the loss of a flow that learns with classes and without (Ho and Salimans 2022, algorithm 1)."""

import numpy as np

from ganedu.course.checking import Check, WrongSolution, variant

FUNCTION = "my_loss"
FORBIDDEN = ()


def inputs(rng):
    """Four images of three classes, the first and the third of class 0, noise, times and uniform numbers; of two images
    the label is to go, one of them of class 0."""
    return {
        "images": rng.normal(size=(4, 3, 2, 1)),
        "noise": rng.normal(size=(4, 3, 2, 1)),
        "labels": np.eye(3)[[0, 2, 0, 1]],
        "t": rng.uniform(0.1, 0.9, 4),
        "u": np.array([0.7, 0.2, 0.1, 0.9]) + rng.uniform(0.0, 0.05, 4),
        "w": rng.normal(size=3),
    }


def _velocity(x, t, y, w):
    return 0.5 * x + (t + y @ w)[:, None, None, None]


def probe(solution, inputs):
    arrays = [inputs[name] for name in ("images", "labels", "noise", "t", "u")]
    asked = []

    def network(x, t, y):
        x, t, y = np.asarray(x, float), np.asarray(t, float), np.asarray(y, float)
        if x.shape != (len(x), 3, 2, 1) or y.shape != (len(x), 3) or t.shape not in ((len(x),), ()):
            raise WrongSolution(
                "The network takes a batch of images, a time for each, and a one-hot label for each. "
                f"Received: {x.shape}, {t.shape} and {y.shape}"
            )
        t = np.broadcast_to(t, len(x))
        asked.append((x, t, y))
        return _velocity(x, t, y, inputs["w"])

    found = {"loss": solution(network, *arrays, 0.4)}
    found |= {
        name: np.concatenate([one[i] for one in asked]) if asked else np.zeros(1)
        for i, name in enumerate(("x_t", "t", "labels"))
    }
    found["no label kept"] = solution(network, *arrays, 1.0)
    asked.clear()
    found["loss of all labels"] = solution(network, *arrays, 0.0)
    found["all kept"] = np.concatenate([one[2] for one in asked]) if asked else np.zeros(1)
    return found


def reference(inputs):
    x, noise, y, t = (inputs[name] for name in ("images", "noise", "labels", "t"))
    share = t[:, None, None, None]
    x_t = (1 - share) * noise + share * x
    kept = y * (inputs["u"] >= 0.4)[:, None]

    def loss(labels):
        return np.mean((_velocity(x_t, t, labels, inputs["w"]) - (x - noise)) ** 2)

    return {
        "loss": loss(kept),
        "x_t": x_t,
        "t": t,
        "labels": kept,
        "no label kept": loss(0 * y),
        "all kept": y,
        "loss of all labels": loss(y),
    }


CHECKS = (
    Check(
        "x_t",
        "Look at the images that the network is given: on the straight path, at t = 0 there is noise and at t = 1 the "
        "image, and each image has its own t.",
    ),
    Check(
        "t",
        "The x_t are right. Which times is the network told?",
    ),
    Check(
        "labels",
        "Look at the labels that the network is given with p = 0.4. Each image is asked for by itself; where its u is "
        "below p its label becomes the null label, nothing but zeros, and the others stay as they are. (One-hot "
        "(1, 0, 0) is class 0, a class like the others.)",
    ),
    Check(
        "all kept",
        "With p = 0 all labels stay as they are.",
    ),
    Check(
        "loss",
        "The network is given what it should be. What it tells is compared with the velocity of the straight path, "
        "from the noise to the image; the loss is the mean of all squares, of images with a label and without.",
    ),
    Check(
        "no label kept",
        "Right with p = 0.4, wrong with p = 1, where all labels go.",
    ),
    Check(
        "loss of all labels",
        "Right with p = 0.4, wrong with p = 0, where all labels stay.",
    ),
)

RIGHT = {
    "as written": """
def my_loss(network, images, labels, noise, t, u, p):
    share = t[:, None, None, None]
    x_t = (1 - share) * noise + share * images
    kept = np.where(u[:, None] < p, 0.0, labels)
    velocity = network(x_t, t, kept)
    return np.mean((velocity - (images - noise)) ** 2)
""",
    "image by image": """
def my_loss(network, images, labels, noise, t, u, p):
    losses = []
    for i in range(len(images)):
        x_t = noise[i] + t[i] * (images[i] - noise[i])
        label = labels[i] if u[i] >= p else np.zeros_like(labels[i])
        velocity = network(x_t[None], t[i : i + 1], label[None])[0]
        losses.append(np.mean((images[i] - noise[i] - velocity) ** 2))
    return np.mean(losses)
""",
}
_WRITTEN = RIGHT["as written"]
WRONG = {
    "the label kept with probability p": variant(_WRITTEN, ("u[:, None] < p", "u[:, None] >= p")),
    "the whole batch at once": variant(_WRITTEN, ("u[:, None] < p", "u[0] < p")),
    "class 0 in the place of no class": variant(
        _WRITTEN, ("0.0, labels)", "np.eye(labels.shape[1])[0], labels)")
    ),
    "all labels weaker": variant(
        _WRITTEN, ("np.where(u[:, None] < p, 0.0, labels)", "(1 - p) * labels")
    ),
    "the rest made stronger, as dropout does": variant(
        _WRITTEN, ("0.0, labels)", "0.0, labels / max(1 - p, 1e-9))")
    ),
    "images without a label left out": variant(
        _WRITTEN, ("noise)) ** 2)", "noise)) ** 2 * (u >= p)[:, None, None, None])")
    ),
    "never left out": variant(_WRITTEN, ("np.where(u[:, None] < p, 0.0, labels)", "labels")),
    "time runs the other way": variant(
        _WRITTEN, ("(1 - share) * noise + share * images", "share * noise + (1 - share) * images")
    ),
    "towards the noise": variant(_WRITTEN, ("(images - noise)", "(noise - images)")),
    "the image in the place of the velocity": variant(_WRITTEN, ("(images - noise)", "images")),
}
