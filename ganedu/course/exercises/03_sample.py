"""Lesson 03: a sample of a code, into which the network's numbers enter by arithmetic alone (Kingma 2013)."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_sample"
FORBIDDEN = ("ganedu.models.vae.reparametrize",)
COUNT = 4000  # samples of the standard normal


def inputs(rng):
    return {
        "mean": rng.uniform(1.0, 3.0, (5, 3)),
        "log_variance": rng.uniform(-2.0, -0.5, (5, 3)),
        "seed": rng.integers(2**31),
    }


class _Dice:
    """An `rng` that notes when it is told a mean or a deviation."""

    def __init__(self, seed):
        self.rng, self.told = np.random.default_rng(int(seed)), False

    def __getattr__(self, name):
        return getattr(self.rng, name)

    def normal(self, loc=0.0, scale=1.0, size=None):
        self.told = self.told or np.ndim(loc) > 0 or np.ndim(scale) > 0
        return self.rng.normal(loc, scale, size)


def probe(solution, inputs):
    mean, log_variance, told = inputs["mean"], inputs["log_variance"], []

    def sample(mean, log_variance, shift=0):
        rng = _Dice(inputs["seed"] + shift)
        z = solution(mean.copy(), log_variance.copy(), rng)
        told.append(rng.told)
        return z

    return {
        "z": sample(mean, log_variance),
        "again": sample(mean, log_variance),
        "other": sample(mean, log_variance, shift=1),
        "moved": sample(mean + 1.0, log_variance),
        "wider": sample(mean, log_variance + np.log(4.0)),
        "point": sample(mean, log_variance - 80.0),
        "normal": sample(np.zeros((COUNT, 2)), np.zeros((COUNT, 2))),
        "told": any(told),
    }


def compared(outputs, inputs):
    """What is true of the samples: each check by its name, and known slips by theirs."""
    shapes = dict.fromkeys(("z", "again", "other", "moved", "wider", "point"), inputs["mean"].shape)
    shapes["normal"] = (COUNT, 2)
    found = {name: np.asarray(outputs[name], float) for name in shapes}
    if any(found[name].shape != shape for name, shape in shapes.items()):
        return {**reference(inputs), "shape": False}
    z, wider = found["z"] - inputs["mean"], found["wider"] - inputs["mean"]
    normal = found["normal"]
    return {
        "shape": True,
        "finite": all(np.isfinite(a).all() for a in found.values()),
        "told": bool(outputs["told"]),
        "again": np.allclose(found["again"], found["z"]),
        "still": np.allclose(found["other"], found["z"]),
        "logarithm": np.allclose(normal, 0),
        "point": np.allclose(found["point"], inputs["mean"]),
        "moved": np.allclose(found["moved"], found["z"] + 1.0),
        "own dice": np.unique(normal).size > 0.9 * normal.size,
        "normal": abs(normal.mean()) < 0.08 and abs(normal.std() - 1.0) < 0.08,
        "variance": np.allclose(wider, 4.0 * z),
        "wider": np.allclose(wider, 2.0 * z),
    }


def reference(inputs):
    right = ("shape", "finite", "again", "point", "moved", "own dice", "normal", "wider")
    wrong = ("told", "still", "logarithm", "variance")
    return {**dict.fromkeys(right, True), **dict.fromkeys(wrong, False)}


CHECKS = (
    Check(
        "shape",
        "One sample of each cloud: z has the shape of mean, (B, d).",
        points=0,
    ),
    Check(
        "finite",
        "Some of z is no number. log_variance is a logarithm, and so it may be negative.",
        points=0,
    ),
    Check(
        "told",
        "`rng.normal` was given the network's numbers, so they are inside of the dice. Roll dice that know nothing of "
        "the network, with `rng.standard_normal`, and let its numbers in by arithmetic.",
        points=0,
    ),
    Check(
        "again",
        "The same `rng` from the same start gave another sample. All chance must come from `rng`.",
        points=0,
    ),
    Check(
        "still",
        "With another `rng` z is the same: nothing is sampled.",
        points=0,
    ),
    Check(
        "logarithm",
        "Where mean and log_variance are 0, all of z is 0. A variance whose logarithm is 0 is not 0.",
        points=0,
    ),
    Check(
        "point",
        "A cloud whose variance is next to 0 (log_variance about -80) is a point, its mean. Your z lies elsewhere. "
        "Where does the cloud stand, and how wide does log_variance make it?",
        points=0,
    ),
    Check(
        "moved",
        "All means were moved by 1, with the same dice. Then z should move by 1, too.",
        points=0,
    ),
    Check(
        "own dice",
        "Samples of many equal clouds are alike. Each number of each image has dice of its own.",
    ),
    Check(
        "normal",
        "A cloud of mean 0 and log-variance 0 is the standard normal. Your samples have another mean or deviation.",
    ),
    Check(
        "variance",
        "A variance four times as large makes your cloud four times as wide. exp(log_variance) is the variance; how "
        "wide is a cloud of that variance?",
        points=0,
    ),
    Check(
        "wider",
        "A variance four times as large makes a cloud twice as wide. Yours is not.",
    ),
)

RIGHT = {
    "as written": """
def my_sample(mean, log_variance, rng):
    epsilon = rng.standard_normal(mean.shape)
    return mean + np.exp(0.5 * log_variance) * epsilon
""",
    "the root of the variance": """
def my_sample(mean, log_variance, rng):
    sigma = np.sqrt(np.exp(log_variance))
    return rng.normal(size=mean.shape) * sigma + mean
""",
    "row by row": """
def my_sample(mean, log_variance, rng):
    pairs = zip(mean, np.exp(log_variance / 2))
    return np.stack([m - s * rng.standard_normal(len(m)) for m, s in pairs])
""",
}
_RIGHT = RIGHT["as written"]
_SIGMA = "np.exp(0.5 * log_variance)"
WRONG = {
    "the variance for the deviation": variant(_RIGHT, (_SIGMA, "np.exp(log_variance)")),
    "the logarithm for the deviation": variant(_RIGHT, (_SIGMA, "log_variance")),
    "half of the logarithm": variant(_RIGHT, (_SIGMA, "0.5 * log_variance")),
    "the root of the logarithm": variant(_RIGHT, (_SIGMA, "np.sqrt(log_variance)")),
    "the square of the variance": variant(_RIGHT, (_SIGMA, "np.exp(2 * log_variance)")),
    "the sign of the logarithm turned": variant(_RIGHT, (_SIGMA, "np.exp(-0.5 * log_variance)")),
    "noise of one width": variant(_RIGHT, (f"{_SIGMA} * epsilon", "epsilon")),
    "without the mean": variant(_RIGHT, ("mean + np", "np")),
    "no noise": variant(_RIGHT, (" * epsilon", ""), ("mean + np.exp(0.5 * log_variance)", "mean")),
    "the deviation added": variant(_RIGHT, (" * epsilon", "")),
    "the same dice for each image": variant(_RIGHT, ("(mean.shape)", "(mean.shape[1])")),
    "the same dice for each number": variant(_RIGHT, ("(mean.shape)", "((len(mean), 1))")),
    "one die": variant(_RIGHT, ("(mean.shape)", "()")),
    "uniform noise": variant(_RIGHT, ("standard_normal(", "uniform(-1, 1, ")),
    "positive noise": variant(_RIGHT, ("rng.standard_normal(", "rng.random(")),
    "the dice are told": """
def my_sample(mean, log_variance, rng):
    return rng.normal(mean, np.exp(0.5 * log_variance))
""",
    "dice of its own": variant(_RIGHT, ("rng.standard", "np.random.standard")),
    "the average of the samples": variant(_RIGHT, ("* epsilon", "* epsilon.mean(axis=0)")),
    "one number for each image": variant(
        _RIGHT, ("mean + np.exp(0.5 * log_variance) * epsilon", "np.sum(mean + epsilon, axis=1)")
    ),
}
