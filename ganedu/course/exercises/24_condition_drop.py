"""Lesson 24: the loss of a flow that learns with classes and without (Ho and Salimans 2022, algorithm 1)."""

import warnings

import numpy as np

from ganedu.course.checking import Check, WrongSolution, variant

FUNCTION = "my_loss"
FORBIDDEN = ()


def inputs(rng):
    """Four images of three classes, the first and the third of class 0, noise, times and uniform numbers; of two images
    the label is to go, one of them of class 0. By the times, and above p or 1 - p, others would go."""
    return {
        "images": rng.normal(size=(4, 3, 2, 1)),
        "noise": rng.normal(size=(4, 3, 2, 1)),
        "labels": np.eye(3)[[0, 2, 0, 1]],
        "t": np.array([0.2, 0.6, 0.1, 0.7]) + rng.uniform(0.0, 0.15, 4),
        "u": np.array([0.5, 0.2, 0.1, 0.9]) + rng.uniform(0.0, 0.05, 4),
        "w": rng.normal(size=3),
    }


def _velocity(x, t, y, w):
    return 0.5 * x + (t + y @ w)[:, None, None, None]


def _check_argument(place, what, shape, possible):
    if shape not in possible:
        raise WrongSolution(
            f"Look at the network's {place} argument: {what}. Its shape is {shape}; it should be "
            f"{possible[0]}."
        )


def probe(solution, inputs):
    arrays = [inputs[name] for name in ("images", "labels", "noise", "t", "u")]
    asked = []

    def network(x, t, y):
        x, t, y = np.asarray(x, float), np.asarray(t, float), np.asarray(y, float)
        _check_argument("first", "the images x_t", x.shape, ((*x.shape[:1], 3, 2, 1),))
        count = len(x)
        _check_argument(
            "second", "the times, one for each image as they came", t.shape, ((count,), ())
        )
        _check_argument("third", "the labels, a row for each image", y.shape, ((count, 3),))
        t = np.broadcast_to(t, len(x))
        asked.append((x, t, y))
        return _velocity(x, t, y, inputs["w"])

    found = {"loss": solution(network, *arrays, 0.4)}
    found |= {
        name: np.concatenate([one[i] for one in asked]) if asked else np.zeros(1)
        for i, name in enumerate(("x_t", "t", "labels"))
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mean of nothing, where images are taken out
        found["no label kept"] = solution(network, *arrays, 1.0)
    asked.clear()
    found["loss of all labels"] = solution(network, *arrays, 0.0)
    found["all kept"] = np.concatenate([one[2] for one in asked]) if asked else np.zeros(1)
    return found


def compared(arrays, inputs):
    """How many images the network is asked about, and which labels reach it as they were."""
    labels = np.asarray(arrays["labels"])
    same = np.zeros(len(inputs["labels"]))
    if labels.shape == inputs["labels"].shape:
        same = np.isclose(labels, inputs["labels"]).all(axis=1)
        goes = (
            inputs["u"] < 0.4
        )  # where class 0 stands in the place of no class, one of these stays what it was
        same[goes] = same[goes].all()
    found = {**arrays, "asked": np.array(np.shape(arrays["x_t"])[:1]), "kept": same}
    untouched = np.zeros(4, bool)
    if labels.shape == inputs["labels"].shape:
        untouched = np.isclose(labels, inputs["labels"]).all(axis=1)
    other_end = np.array_equal(untouched, inputs["u"] <= 0.6)
    found |= {
        "by time": np.array_equal(untouched, inputs["t"] >= 0.4),
        "other end": other_end,
        "inverted": np.array_equal(same, inputs["u"] < 0.4) and not other_end,
    }
    found |= {"none dropped": bool(same.all())}
    found["taken out"] = np.array_equal(found["asked"], [np.sum(inputs["u"] >= 0.4)])
    loss = np.asarray(arrays["loss"])
    for name, value in _slips(inputs).items():
        found[name] = bool(
            loss.shape == () and loss.dtype.kind in "biuf" and np.isclose(loss, value)
        )
    return found


def _error(inputs):
    """Of each number of the four images, what the network tells less what it should, with the right labels kept."""
    x, noise, t = (inputs[name] for name in ("images", "noise", "t"))
    share = t[:, None, None, None]
    kept = inputs["labels"] * (inputs["u"] >= 0.4)[:, None]
    return _velocity((1 - share) * noise + share * x, t, kept, inputs["w"]) - (x - noise)


def _slips(inputs):
    """What the loss is after a known slip, where the network is given what it should be."""
    error, x, noise = _error(inputs), inputs["images"], inputs["noise"]
    kept = inputs["u"] >= 0.4
    return {
        "towards the noise": np.mean((error + 2 * (x - noise)) ** 2),
        "the image": np.mean((error - noise) ** 2),
        "no mean": np.sum(error**2),
        "no squares": np.mean(np.abs(error)),
        "with a label alone": np.sum(error[kept] ** 2) / error.size,
        "mean with a label alone": np.mean(error[kept] ** 2),
    }


def reference(inputs):
    x, noise, y, t = (inputs[name] for name in ("images", "noise", "labels", "t"))
    share = t[:, None, None, None]
    x_t = (1 - share) * noise + share * x
    kept = y * (inputs["u"] >= 0.4)[:, None]

    def loss(labels):
        return np.mean((_velocity(x_t, t, labels, inputs["w"]) - (x - noise)) ** 2)

    return {
        **dict.fromkeys(
            ("taken out", "by time", "other end", "inverted", "none dropped", *_slips(inputs)),
            False,
        ),
        "loss": loss(kept),
        "x_t": x_t,
        "t": t,
        "asked": np.array([len(x)]),
        "kept": inputs["u"] >= 0.4,
        "labels": kept,
        "no label kept": loss(0 * y),
        "all kept": y,
        "loss of all labels": loss(y),
    }


CHECKS = (
    Check(
        "taken out",
        "The network is asked about the images that keep their label alone. The others stay in the batch: from them, "
        "with zeros for a label, it learns the other answer.",
        points=0,
    ),
    Check(
        "asked",
        "How often is the network asked? Training asks it once about each image, with the label or without. (Two "
        "answers are blended in sampling.)",
    ),
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
        "by time",
        "The labels go by t, which says how far along its path an image is. Each image has a u for this.",
        points=0,
    ),
    Check(
        "other end",
        "You leave out the labels above 1 - p. There are as many, but the question says those where u is below p.",
        points=0,
    ),
    Check(
        "inverted",
        "The labels that should go stay, and the others go: u < p means that a label is left out.",
        points=0,
    ),
    Check(
        "none dropped",
        "Every label reaches the network as it was. Here p is 0.4, and two of the four u, one for each image, "
        "are below.",
        points=0,
    ),
    Check(
        "kept",
        "Which labels reach the network as they were? An image keeps its label where its own u is not below p, "
        "whatever happens to the others. Here p is 0.4.",
    ),
    Check(
        "labels",
        "Which labels stay is right. What stands in the place of one that goes? It is neither a class, as (1, 0, 0), "
        "nor a share of each.",
    ),
    Check(
        "all kept",
        "With p = 0 all labels stay as they are.",
    ),
    Check(
        "towards the noise",
        "The network is given what it should be. The velocity leads from the noise to the image; yours leads back.",
        points=0,
    ),
    Check(
        "the image",
        "The network is given what it should be. It tells a velocity, and you compare that with the image itself.",
        points=0,
    ),
    Check(
        "no mean",
        "All but the last step is right: the mean of the squares, over images and pixels, not their sum.",
        points=0,
    ),
    Check(
        "no squares",
        "All but the last step is right: the errors are squared.",
        points=0,
    ),
    Check(
        "with a label alone",
        "The images whose label is left out count in the loss too: from them the network learns the other answer.",
        points=0,
    ),
    Check(
        "mean with a label alone",
        "The mean is of all images, also of those whose label is left out: from them the network learns the other "
        "answer.",
        points=0,
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
    "kept below p": variant(_WRITTEN, ("u[:, None] < p", "u[:, None] > p")),
    "left out above 1 - p": variant(_WRITTEN, ("u[:, None] < p", "u[:, None] > 1 - p")),
    "by the times": variant(_WRITTEN, ("u[:, None] < p", "t[:, None] < p")),
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
    "images without a label taken out of the batch": variant(
        _WRITTEN,
        (
            "    share = t",
            "    keep = u >= p\n    images, noise, labels, t, u = (a[keep] for a in (images, noise, labels, t, u))\n"
            "    share = t",
        ),
    ),
    "the mean of those with a label": variant(
        _WRITTEN,
        (
            "np.mean((velocity - (images - noise)) ** 2)",
            "np.average(np.mean((velocity - (images - noise)) ** 2, axis=(1, 2, 3)), "
            "weights=(u >= p) + 1e-9)",
        ),
    ),
    "a sum": variant(_WRITTEN, ("np.mean", "np.sum")),
    "absolute values": variant(
        _WRITTEN, ("(velocity - (images - noise)) ** 2", "abs(velocity - (images - noise))")
    ),
    "one number for all": variant(_WRITTEN, ("u[:, None] < p", "np.mean(u) < p")),
    "never left out": variant(_WRITTEN, ("np.where(u[:, None] < p, 0.0, labels)", "labels")),
    "time runs the other way": variant(
        _WRITTEN, ("(1 - share) * noise + share * images", "share * noise + (1 - share) * images")
    ),
    "towards the noise": variant(_WRITTEN, ("(images - noise)", "(noise - images)")),
    "the image in the place of the velocity": variant(_WRITTEN, ("(images - noise)", "images")),
    "two answers blended": variant(
        _WRITTEN,
        ("network(x_t, t, kept)", "0.5 * (network(x_t, t, labels) + network(x_t, t, kept))"),
    ),
    "the mean of all classes in the place of none": variant(
        _WRITTEN, ("0.0, labels)", "1 / labels.shape[1], labels)")
    ),
}
