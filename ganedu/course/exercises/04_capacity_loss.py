"""Lesson 04: a VAE whose code shall spend a given number of nats (Burgess 2018, equation 8)."""

from ganedu.course.checking import Check

FUNCTION = "my_capacity_loss"
FORBIDDEN = ()


def inputs(rng):
    return {"reconstruction": rng.uniform(50, 90, 7), "kl": rng.uniform(0.1, 1.0, (7, 4))}


def _nats(inputs):
    return float(inputs["kl"].sum(axis=1).mean())


def _cases(inputs):
    nats = _nats(inputs)
    return {
        "at the ration": (2.0, nats),
        "free": (0.0, nats + 1.0),
        "too many": (3.0, nats - 0.7),
        "too few": (3.0, nats + 0.7),
    }


def probe(solution, inputs):
    arrays = inputs["reconstruction"], inputs["kl"]
    return {name: solution(*arrays, *case) for name, case in _cases(inputs).items()}


def reference(inputs):
    paid, nats = inputs["reconstruction"].mean(), _nats(inputs)
    return {
        name: paid + gamma * abs(nats - capacity)
        for name, (gamma, capacity) in _cases(inputs).items()
    }


CHECKS = (
    Check(
        "free",
        "With gamma = 0 only the reconstruction counts, as the mean over the images.",
    ),
    Check(
        "at the ration",
        "A batch that spends just its ration pays nothing for its code. What an image spends is the sum over its "
        "numbers; what the batch spends is the mean over its images, and it is the batch that has the ration.",
    ),
    Check(
        "too many",
        "0.7 nats too many cost 0.7 gamma.",
    ),
    Check(
        "too few",
        "0.7 nats too few cost as much as 0.7 too many: it is a distance.",
    ),
)

RIGHT = {
    "as written": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * np.abs(np.mean(np.sum(kl, axis=1)) - capacity)
""",
    "means of the numbers, then a sum": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    nats = kl.mean(axis=0).sum()
    return reconstruction.mean() + gamma * max(nats - capacity, capacity - nats)
""",
}
WRONG = {
    "only what is too much": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * max(0.0, np.mean(np.sum(kl, axis=1)) - capacity)
""",
    "a distance for each image": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * np.mean(np.abs(np.sum(kl, axis=1) - capacity))
""",
    "the mean of all numbers": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * np.abs(np.mean(kl) - capacity)
""",
    "no absolute value": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * (np.mean(np.sum(kl, axis=1)) - capacity)
""",
    "the square": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * (np.mean(np.sum(kl, axis=1)) - capacity) ** 2
""",
    "one loss an image": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return reconstruction + gamma * np.abs(np.mean(np.sum(kl, axis=1)) - capacity)
""",
}
