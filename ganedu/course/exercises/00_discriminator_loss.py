"""Lesson 00: what D pays, of its logits for real and generated images (Goodfellow 2014, equation 1, sign turned)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_discriminator_loss"
FORBIDDEN = ("ganedu.models.gan.discriminator_loss",)


def inputs(rng):
    return {"real": rng.normal(0.5, 2.0, (5, 1)), "fake": rng.normal(-0.5, 2.0, (5, 1))}


def probe(solution, inputs):
    real, fake = inputs["real"], inputs["fake"]
    zeros = np.zeros((4, 1))
    return {
        "zeros": solution(zeros, zeros),
        "of real": solution(real, zeros[:1] + np.zeros_like(fake)),
        "of fake": solution(np.zeros_like(real), fake),
        "loss": solution(real, fake),
    }


def _slips(real, fake):
    """What comes out of slips that are often made."""
    pay_real, pay_fake = np.mean(np.logaddexp(0, -real)), np.mean(np.logaddexp(0, fake))
    believed, doubted = (np.mean(1 / (1 + np.exp(-a))) for a in (real, -fake))
    return {
        "swapped": np.mean(np.logaddexp(0, real)) + np.mean(np.logaddexp(0, -fake)),
        "sign": -(pay_real + pay_fake),
        "difference": (pay_real - pay_fake, pay_fake - pay_real),
        "real alone": (pay_real, 2 * pay_real),
        "halved": (pay_real + pay_fake) / 2,
        "summed": np.sum(np.logaddexp(0, -real)) + np.sum(np.logaddexp(0, fake)),
        "log of the mean": -np.log(believed) - np.log(doubted),
    }


def compared(outputs, inputs):
    """The probe's outputs, and whether the loss is that of a known slip."""
    loss, slips = outputs["loss"], _slips(inputs["real"], inputs["fake"])
    known = {n: np.shape(loss) == () and bool(np.isclose(loss, v).any()) for n, v in slips.items()}
    finite = bool(np.all([np.all(np.isfinite(output)) for output in outputs.values()]))
    return {**outputs, "finite": finite, **known}


def reference(inputs):
    real = np.mean(np.logaddexp(0, -inputs["real"]))
    fake = np.mean(np.logaddexp(0, inputs["fake"]))
    half = np.log(2)
    return {
        "zeros": 2 * half,
        "of real": real + half,
        "of fake": half + fake,
        "loss": real + fake,
        "finite": True,
        **dict.fromkeys(_slips(inputs["real"], inputs["fake"]), False),
    }


CHECKS = (
    Check(
        "finite",
        "Some of it is not finite. `real` and `fake` are logits, any numbers: what makes a probability of a logit, "
        "before its logarithm is taken?",
        points=0,
    ),
    Check(
        "swapped",
        "Real and generated images have changed places: this D pays for each image that it judges rightly.",
        points=0,
    ),
    Check(
        "sign",
        "The sign is turned: this is equation 1, which D makes large. A loss is what D pays, so it is positive.",
        points=0,
    ),
    Check(
        "difference",
        "D pays for real images and for generated ones: add the two, do not subtract.",
        points=0,
    ),
    Check(
        "real alone",
        "The generated images cost nothing in your loss. What should D pay for one that it believes?",
        points=0,
    ),
    Check(
        "halved",
        "This is half of the loss: the two means are added, not averaged.",
        points=0,
    ),
    Check(
        "summed",
        "These are sums over the batch. Take the mean over the real images and the mean over the generated ones.",
        points=0,
    ),
    Check(
        "log of the mean",
        "You take the logarithm of a mean. It should be the mean of the logarithms: each image pays for itself.",
        points=0,
    ),
    Check(
        "zeros",
        "A D that answers 0 to everything gives each image the probability 1/2. What does each of the two "
        "expectations then cost, and are both in your sum?",
    ),
    Check(
        "of real",
        "Look at the real images: which logit should be cheap for D, +3 or -3?",
    ),
    Check(
        "of fake",
        "Look at the generated images: which logit should be cheap for D, +3 or -3?",
    ),
    Check(
        "loss",
        "Each half alone is right. Do they add up?",
    ),
)

RIGHT = {
    "as written": """
def my_discriminator_loss(real, fake):
    def sigma(a):
        return 1 / (1 + np.exp(-a))

    return np.mean(-np.log(sigma(real))) + np.mean(-np.log(1 - sigma(fake)))
""",
    "softplus": """
def my_discriminator_loss(real, fake):
    return np.mean(np.logaddexp(0, -real)) + np.mean(np.logaddexp(0, fake))
""",
}
WRONG = {
    "ignores what is generated": """
def my_discriminator_loss(real, fake):
    return 2 * np.mean(np.logaddexp(0, -real))
""",
    "the mean of both, not the sum": """
def my_discriminator_loss(real, fake):
    return (np.mean(np.logaddexp(0, -real)) + np.mean(np.logaddexp(0, fake))) / 2
""",
    "sums over the batch": """
def my_discriminator_loss(real, fake):
    return np.sum(np.logaddexp(0, -real)) + np.sum(np.logaddexp(0, fake))
""",
    "wants generated images to be believed": """
def my_discriminator_loss(real, fake):
    return np.mean(np.logaddexp(0, -real)) + np.mean(np.logaddexp(0, -fake))
""",
    "the two changed places": """
def my_discriminator_loss(real, fake):
    return np.mean(np.logaddexp(0, real)) + np.mean(np.logaddexp(0, -fake))
""",
    "equation 1 as it stands": """
def my_discriminator_loss(real, fake):
    return -np.mean(np.logaddexp(0, -real)) - np.mean(np.logaddexp(0, fake))
""",
    "the logarithm of the mean": """
def my_discriminator_loss(real, fake):
    real, fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    return -np.log(np.mean(real)) - np.log(1 - np.mean(fake))
""",
    "logits taken for probabilities": """
def my_discriminator_loss(real, fake):
    return -np.mean(np.log(real)) - np.mean(np.log(1 - fake))
""",
    "a difference": """
def my_discriminator_loss(real, fake):
    return np.mean(np.logaddexp(0, -real)) - np.mean(np.logaddexp(0, fake))
""",
    "one number an image": """
def my_discriminator_loss(real, fake):
    return np.logaddexp(0, -real) + np.logaddexp(0, fake)
""",
}
VARIANTS = (
    Variant(
        "The loss is told in bits: take logarithms to base 2.",
        variant(
            RIGHT["as written"],
            ("-np.log(sigma(real))", "-np.log2(sigma(real))"),
            ("-np.log(1 - sigma(fake))", "-np.log2(1 - sigma(fake))"),
        ),
    ),
    Variant(
        "What D pays for generated images counts twice.",
        variant(RIGHT["as written"], ("+ np.mean(-np.log(1", "+ 2 * np.mean(-np.log(1")),
    ),
    Variant(
        "Real images are to be called real with the probability 0.9, not 1 (one-sided label "
        "smoothing, Salimans 2016): of what D pays for a real image 0.9 is the price of calling it "
        "real, and 0.1 that of calling it generated.",
        variant(
            RIGHT["as written"],
            (
                "np.mean(-np.log(sigma(real)))",
                "np.mean(-0.9 * np.log(sigma(real)) - 0.1 * np.log(1 - sigma(real)))",
            ),
        ),
    ),
)
