"""Lesson 04: a VAE whose code shall spend a given number of nats (Burgess 2018, equation 8)."""

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_capacity_loss"
FORBIDDEN = ()


def inputs(rng):
    return {"reconstruction": rng.uniform(50, 90, 7), "kl": rng.uniform(0.1, 1.0, (7, 4))}


def _nats(kl):
    return float(kl.sum(axis=1).mean())


def _cases(inputs):
    """By name: the reconstruction and KL terms of a batch, gamma and the capacity."""
    whole = inputs["reconstruction"], inputs["kl"]
    image = inputs["reconstruction"][:1], inputs["kl"][:1]
    number = inputs["reconstruction"], inputs["kl"][:, :1]
    nats = _nats(whole[1])
    return {
        "free": (*whole, 0.0, nats + 1.0),
        "one image": (*image, 2.0, _nats(image[1])),
        "one number": (*number, 2.0, _nats(number[1])),
        "at the ration": (*whole, 2.0, nats),
        "too many": (*whole, 3.0, nats - 0.7),
        "too few": (*whole, 3.0, nats + 0.7),
    }


def probe(solution, inputs):
    return {name: solution(*case) for name, case in _cases(inputs).items()}


def reference(inputs):
    return {
        name: reconstruction.mean() + gamma * abs(_nats(kl) - capacity)
        for name, (reconstruction, kl, gamma, capacity) in _cases(inputs).items()
    }


CHECKS = (
    Check(
        "free",
        "With gamma = 0 only the reconstruction counts, as the mean over the images.",
    ),
    Check(
        "one image",
        "A batch of one image that spends just its ration pays nothing for its code. Its code has several numbers: how "
        "much do they spend together?",
    ),
    Check(
        "one number",
        "Where a code is a single number, and the images spend the ration in the mean, the batch pays nothing, though "
        "some images spend more and some less. Have you compared before you took the mean, or taken no mean?",
    ),
    Check(
        "at the ration",
        "A batch that spends just its ration pays nothing for its code. Is it the sum over the numbers and the mean "
        "over the images?",
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
    "the sum of all numbers": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * np.abs(np.sum(kl) - capacity)
""",
    "a distance for each number": """
def my_capacity_loss(reconstruction, kl, gamma, capacity):
    return np.mean(reconstruction) + gamma * np.mean(np.abs(kl - capacity))
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
VARIANTS = (
    Variant(
        "The distance from the capacity is squared.",
        variant(
            RIGHT["as written"],
            (
                "gamma * np.abs(np.mean(np.sum(kl, axis=1)) - capacity)",
                "gamma * (np.mean(np.sum(kl, axis=1)) - capacity) ** 2",
            ),
        ),
    ),
    Variant(
        "Each image has a distance from the capacity; the loss has their mean.",
        variant(
            RIGHT["as written"],
            (
                "np.abs(np.mean(np.sum(kl, axis=1)) - capacity)",
                "np.mean(np.abs(np.sum(kl, axis=1) - capacity))",
            ),
        ),
    ),
    Variant(
        "Only what is spent beyond the capacity costs anything: too few nats cost nothing.",
        variant(
            RIGHT["as written"],
            (
                "np.abs(np.mean(np.sum(kl, axis=1)) - capacity)",
                "np.maximum(np.mean(np.sum(kl, axis=1)) - capacity, 0)",
            ),
        ),
    ),
)
