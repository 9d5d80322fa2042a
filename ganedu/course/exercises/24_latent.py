"""Lesson 24: codes of an autoencoder, drawn by a flow that learned them at the noise's size (Rombach and others 2022,
appendix G)."""

import numpy as np

from ganedu.course.checking import Check, WrongSolution, variant

FUNCTION = "my_codes"
FORBIDDEN = ()


def inputs(rng):
    """Six images, three sheets of noise, and an encoder whose two channels differ in mean and size."""
    return {
        "images": rng.normal(size=(6, 4, 4, 1)),
        "noise": rng.normal(size=(3, 2, 2, 2)),
        "mean": np.array([2.0, -0.5]) + rng.uniform(0.0, 0.5, 2),
        "size": np.array([3.0, 6.0]) + rng.uniform(0.0, 0.5, 2),
        "turn": rng.normal(size=(2, 2)),
    }


def _encode(images, inputs):
    return inputs["mean"] + inputs["size"] * images.reshape(-1, 2, 2, 2)


def _sample(noise, inputs):
    return np.tanh(noise @ inputs["turn"]) + 0.3


def _of_form(values, form, expected):
    values = np.asarray(values, float)
    if values.shape[1:] != form:
        raise WrongSolution(f"{expected}. Received: the shape {values.shape}")
    return values


def probe(solution, inputs):
    given = []

    def encode(images):
        images = _of_form(images, (4, 4, 1), "`encode` takes images (N, H, W, C)")
        return _encode(images, inputs)

    def train(codes):
        given.append(np.array(codes, float))

        def sample(noise):
            noise = _of_form(noise, (2, 2, 2), "`sample` takes noise of the codes' form")
            return _sample(noise, inputs)

        return sample

    codes = solution(encode, train, inputs["images"], inputs["noise"])
    return {"trainings": np.array([len(given)]), "learned": np.array(given), "codes": codes}


def compared(arrays, inputs):
    """What is learned and what comes out, and whether that is what a known slip gives."""
    learned = np.asarray(arrays["learned"])
    learned = learned[0] if len(learned) == 1 else learned
    found = np.asarray(arrays["codes"])

    def near(value, given):
        plain = given.shape == value.shape and given.dtype.kind in "biuf"
        return bool(plain and np.allclose(given, value))

    slips = {name: near(value, learned) for name, value in _learned_wrong(inputs).items()}
    slips |= {name: near(value, found) for name, value in _sampled_wrong(inputs).items()}
    return {**arrays, **slips, "learned": learned}


def _learned_wrong(inputs):
    codes = _encode(inputs["images"], inputs)
    return {
        "as they are": codes,
        "moved": (codes - codes.mean()) / codes.std(),
        "each channel": codes / codes.std(axis=(0, 1, 2)),
        "variance": codes / codes.var(),
        "multiplied before": codes * codes.std(),
    }


def _sampled_wrong(inputs):
    size, sampled = _encode(inputs["images"], inputs).std(), _sample(inputs["noise"], inputs)
    return {
        "forgotten": sampled,
        "divided again": sampled / size,
        "noise": _sample(size * inputs["noise"], inputs),
        "both": size * _sample(size * inputs["noise"], inputs),
    }


def reference(inputs):
    codes = _encode(inputs["images"], inputs)
    slips = {**_learned_wrong(inputs), **_sampled_wrong(inputs)}
    return {
        **dict.fromkeys(slips, False),
        "trainings": np.array([1]),
        "learned": codes / codes.std(),
        "codes": codes.std() * _sample(inputs["noise"], inputs),
    }


CHECKS = (
    Check(
        "trainings",
        "How often is a flow trained? Once, on the codes of all images.",
    ),
    Check(
        "as they are",
        "The flow learns the codes at the size that the autoencoder gave them. Bring them to the noise's first.",
        points=0,
    ),
    Check(
        "moved",
        "The codes are moved too. Only their size is to change: nothing is subtracted.",
        points=0,
    ),
    Check(
        "each channel",
        "Each channel has a standard deviation of its own here. Take one number for all codes.",
        points=0,
    ),
    Check(
        "variance",
        "That is the variance. What has the unit of a code is its root.",
        points=0,
    ),
    Check(
        "multiplied before",
        "Before the flow learns them the codes are divided; multiplied are those that it draws.",
        points=0,
    ),
    Check(
        "learned",
        "What does the flow learn? The codes of the images, all divided by one number, so that their standard "
        "deviation is 1.",
    ),
    Check(
        "forgotten",
        "The flow learns the right codes. Those that it draws are of that size, too, and the decoder knows others.",
        points=0,
    ),
    Check(
        "divided again",
        "The codes are divided for the flow. What undoes that for the decoder?",
        points=0,
    ),
    Check(
        "noise",
        "The size is given to the noise. The flow begins at noise of the size 1; what it draws has to be brought to "
        "the decoder's size.",
        points=0,
    ),
    Check(
        "both",
        "What the flow draws is brought to the decoder's size, and the noise, too: that one stays as it is.",
        points=0,
    ),
    Check(
        "codes",
        "The flow learns the right codes. What comes out are the codes that `sample` draws from the noise, at the size "
        "that the decoder knows.",
        points=2,
    ),
)

RIGHT = {
    "as written": """
def my_codes(encode, train, images, noise):
    codes = encode(images)
    size = codes.std()
    sample = train(codes / size)
    return size * sample(noise)
""",
    "by the mean of the squares": """
def my_codes(encode, train, images, noise):
    codes = encode(images)
    factor = 1 / np.sqrt(np.mean((codes - np.mean(codes)) ** 2))
    return train(factor * codes)(noise) / factor
""",
}
_WRITTEN = RIGHT["as written"]
WRONG = {
    "not divided": variant(_WRITTEN, ("codes / size", "codes")),
    "neither": variant(_WRITTEN, ("codes / size", "codes"), ("size * sample", "sample")),
    "not multiplied": variant(_WRITTEN, ("size * sample", "sample")),
    "divided twice": variant(_WRITTEN, ("size * sample(noise)", "sample(noise) / size")),
    "moved to the middle": variant(_WRITTEN, ("codes / size", "(codes - codes.mean()) / size")),
    "a size for each channel": variant(_WRITTEN, ("codes.std()", "codes.std(axis=(0, 1, 2))")),
    "a size for each image": variant(
        _WRITTEN,
        ("codes.std()", "codes.std(axis=(1, 2, 3), keepdims=True)"),
        ("size * sample", "size.mean() * sample"),
    ),
    "the variance": variant(_WRITTEN, ("codes.std()", "codes.var()")),
    "the largest number": variant(_WRITTEN, ("codes.std()", "abs(codes).max()")),
    "the images' size": variant(_WRITTEN, ("codes.std()", "images.std()")),
    "multiplied for the flow": variant(_WRITTEN, ("codes / size", "codes * size")),
    "larger noise": variant(_WRITTEN, ("size * sample(noise)", "sample(size * noise)")),
    "larger noise and codes": variant(
        _WRITTEN, ("size * sample(noise)", "size * sample(size * noise)")
    ),
    "the noise's own size": variant(_WRITTEN, ("size * sample", "noise.std() * sample")),
    "the middle put back": variant(
        _WRITTEN, ("size * sample(noise)", "size * sample(noise) + codes.mean()")
    ),
    "trained twice": variant(_WRITTEN, ("sample(noise)", "train(codes / size)(noise)")),
}
