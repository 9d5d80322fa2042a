"""Lesson 13: what each of VAE/GAN's three players minimizes (Larsen 2016, algorithm 1)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_losses"
FORBIDDEN = ()
GAMMA = 0.3


def inputs(rng):
    """Of five images: D's features of each and of its copy (B, 4), the KL divergence of its code (B,), and D's logits
    of it, of its copy, and of an image decoded from the prior (B,)."""
    return {
        "features": rng.normal(size=(5, 4)),
        "copy_features": rng.normal(size=(5, 4)) + 1.0,
        "kl": rng.uniform(1.0, 4.0, 5),
        "real": rng.normal(size=5) + 1.0,
        "copy": rng.normal(size=5) - 0.5,
        "prior": rng.normal(size=5) - 1.0,
    }


def probe(solution, inputs):
    names = ("features", "copy_features", "kl", "real", "copy", "prior")
    arrays = [inputs[name] for name in names]  # by their places: a student may call them otherwise
    losses = solution(*arrays, GAMMA)
    others = solution(*arrays[:3], inputs["real"] + 1.0, *arrays[4:], GAMMA)
    encoder, decoder, discriminator = losses
    _, free, _ = solution(*arrays, 0.0)
    return {
        "order": [
            np.mean(loss) != np.mean(other) for loss, other in zip(losses, others, strict=True)
        ],
        "discriminator": discriminator,
        "encoder": encoder,
        "decoder, gamma 0": free,
        "decoder": decoder,
    }


def _parts(inputs):
    """How unlike the copies are, what Dec pays where Dis is not fooled, and what Dis pays for images of Dec's and for
    real ones."""
    squares = np.sum((inputs["features"] - inputs["copy_features"]) ** 2, axis=1)
    fooled = np.mean(np.logaddexp(0, -inputs["copy"])) + np.mean(np.logaddexp(0, -inputs["prior"]))
    told = np.mean(np.logaddexp(0, inputs["copy"])) + np.mean(np.logaddexp(0, inputs["prior"]))
    return 0.5 * np.mean(squares), fooled, told, np.mean(np.logaddexp(0, -inputs["real"]))


def _slips(inputs):
    """By name which of the probe's losses is what after a known slip."""
    unlike, fooled, told, real = _parts(inputs)
    kl, features = np.mean(inputs["kl"]), inputs["features"].shape[1]
    copy = np.mean(np.logaddexp(0, inputs["copy"]))
    return {
        "saturating": ("decoder", [GAMMA * unlike - told, GAMMA * unlike - told - real]),
        "with the discriminator": (
            "decoder",
            [GAMMA * unlike + told, GAMMA * unlike + told + real],
        ),
        "gamma on the game": ("decoder", [unlike + GAMMA * fooled]),
        "gamma for the encoder": ("encoder", [kl + GAMMA * unlike]),
        "encoder plays": ("encoder", [kl + unlike + fooled]),
        "mean over features": ("encoder", [kl + 2 * unlike / features, kl + unlike / features]),
        "no half": ("encoder", [kl + 2 * unlike]),
        "averaged": ("discriminator", [real + 0.5 * told, 0.5 * (real + told), (real + told) / 3]),
        "no copies": ("discriminator", [real + told - copy]),
        "no prior": ("discriminator", [real + copy]),
    }


def compared(probed, inputs):
    """What was found, and whether it is what a known slip gives."""

    def near(name, values):
        given = np.asarray(probed[name])
        return given.shape == () and given.dtype.kind in "biuf" and np.isclose(given, values).any()

    return {**probed, **{name: bool(near(*of)) for name, of in _slips(inputs).items()}}


def reference(inputs):
    unlike, fooled, told, _ = _parts(inputs)
    return {
        **dict.fromkeys(_slips(inputs), False),
        "order": np.array([False, False, True]),
        "discriminator": np.mean(np.logaddexp(0, -inputs["real"])) + told,
        "encoder": np.mean(inputs["kl"]) + unlike,
        "decoder, gamma 0": fooled,
        "decoder": GAMMA * unlike + fooled,
    }


CHECKS = (
    Check(
        "saturating",
        "Dec's part of the game is minus what Dis minimizes, and that is the form that saturates. Take the other one: "
        "Dec wants that Dis calls its copies, and its samples of the prior, real.",
        points=0,
    ),
    Check(
        "with the discriminator",
        "Dec minimizes here what Dis minimizes: it helps where it should fool.",
        points=0,
    ),
    Check(
        "gamma on the game",
        "Gamma stands on the game. In Dec's loss it weighs the likeness.",
        points=0,
    ),
    Check(
        "gamma for the encoder",
        "Gamma weighs the likeness for Dec alone; Enc's loss has none.",
        points=0,
    ),
    Check(
        "encoder plays",
        "Enc takes no part in the game: it never hears what Dis makes of a copy, only its features.",
        points=0,
    ),
    Check(
        "mean over features",
        "The squared distance is a sum over the features; the mean is over the batch alone.",
        points=0,
    ),
    Check(
        "no half",
        "The log of a Gaussian of variance 1 has half a squared distance.",
        points=0,
    ),
    Check(
        "averaged",
        "The three means of Dis add up. None is halved, and the sum is not divided.",
        points=0,
    ),
    Check(
        "no copies",
        "Dis is shown copies too: they are one of the three kinds.",
        points=0,
    ),
    Check(
        "no prior",
        "Dis is shown samples of the prior too: they are one of the three kinds.",
        points=0,
    ),
    Check(
        "order",
        "The logits of the real images, `real`, concern Dis alone. Here they change, and of your three losses it is "
        "not just the third that changes with them. Do you return what Enc, Dec and Dis minimize, in this order?",
        points=0,  # the others come out wrong, too
    ),
    Check(
        "discriminator",
        "Dis sees three kinds of images: real ones, copies, and what is decoded from the prior. It wants to tell the "
        "first from both others, in three means that add up, and what is returned is to be minimized.",
    ),
    Check(
        "encoder",
        "Enc is the first of the three, and never plays against Dis. It pays for its code and for copies that are "
        "unlike: half the squared distance in features, summed over them, the mean over the batch.",
    ),
    Check(
        "decoder, gamma 0",
        "With gamma = 0 Dec only wants to fool Dis, with both kinds of images that it makes, in the form that does "
        "not saturate.",
    ),
    Check(
        "decoder",
        "With gamma Dec pays for unlike copies, too. Whose loss has the factor gamma, and which term?",
    ),
)

BODY = """
    def softplus(a):
        return np.mean(np.logaddexp(0, a))

    unlike = 0.5 * np.mean(np.sum((features - copy_features) ** 2, axis=1))
"""
HEAD = "def my_losses(features, copy_features, kl, real, copy, prior, gamma):" + BODY
RIGHT = {
    "as written": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior), d
""",
    "other names": """
def my_losses(f, g, kl, a, b, c, weight):
    plus = lambda a: np.mean(np.log1p(np.exp(a)))
    llike = np.square(f - g).sum(axis=-1).mean() / 2
    return llike + kl.mean(), weight * llike + plus(-b) + plus(-c), plus(-a) + plus(b) + plus(c)
""",
    "probabilities": """
def my_losses(features, copy_features, kl, real, copy, prior, gamma):
    p, q, r = (1 / (1 + np.exp(-a)) for a in (real, copy, prior))
    unlike = np.mean([0.5 * np.dot(d, d) for d in features - copy_features])
    d = -np.mean(np.log(p) + np.log(1 - q) + np.log(1 - r))
    return kl.mean() + unlike, gamma * unlike - np.mean(np.log(q) + np.log(r)), d
""",
}
WRONG = {
    "the two kinds of generated images averaged": f"""{HEAD}
    d = softplus(-real) + 0.5 * (softplus(copy) + softplus(prior))
    return np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior), d
""",
    "Dis sees no samples of the prior": f"""{HEAD}
    d = softplus(-real) + softplus(copy)
    return np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior), d
""",
    "gamma in Enc's loss": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + gamma * unlike, gamma * unlike + softplus(-copy) + softplus(-prior), d
""",
    "Enc plays too": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    fooled = softplus(-copy) + softplus(-prior)
    return np.mean(kl) + unlike + fooled, gamma * unlike + fooled, d
""",
    "gamma on the game": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + unlike, unlike + gamma * (softplus(-copy) + softplus(-prior)), d
""",
    "Dec in its saturating form": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + unlike, gamma * unlike - softplus(copy) - softplus(prior), d
""",
    "Dec minimizes minus the whole of Dis's": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + unlike, gamma * unlike - d, d
""",
    "Dec on Dis's side": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + unlike, gamma * unlike + softplus(copy) + softplus(prior), d
""",
    "no half": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    unlike = 2 * unlike
    return np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior), d
""",
    "Dis sees no copies": f"""{HEAD}
    d = softplus(-real) + softplus(prior)
    return np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior), d
""",
    "the mean over features": """
def my_losses(features, copy_features, kl, real, copy, prior, gamma):
    def softplus(a):
        return np.mean(np.logaddexp(0, a))

    unlike = np.mean((features - copy_features) ** 2)
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior), d
""",
    "Dis first": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return d, np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior)
""",
    "Dec first": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return gamma * unlike + softplus(-copy) + softplus(-prior), np.mean(kl) + unlike, d
""",
    "Dis maximizes": f"""{HEAD}
    d = softplus(-real) + softplus(copy) + softplus(prior)
    return np.mean(kl) + unlike, gamma * unlike + softplus(-copy) + softplus(-prior), -d
""",
}
