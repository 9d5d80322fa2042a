"""Lesson 02: an encoder and a decoder, as Keras models."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_autoencoder"
FORBIDDEN = (
    "ganedu.models.build",
    "ganedu.networks.encoder",
    "ganedu.networks.decoder",
    "ganedu.networks.generator",
)
PRELUDE = "import keras\nfrom keras import layers"
SHAPE, LATENT_DIM = (8, 12, 3), 5
OTHER_SHAPE = (4, 8, 1)


def inputs(rng):
    return {
        "x": rng.uniform(-1, 1, (6, *SHAPE)).astype("float32"),
        "z": (50 * rng.normal(size=(64, LATENT_DIM))).astype("float32"),
    }


def probe(solution, inputs):
    from keras import ops

    encoder, decoder = solution(SHAPE, LATENT_DIM)
    other_encoder, other_decoder = solution(OTHER_SHAPE, 2)

    def encode(x):
        return ops.convert_to_numpy(encoder(x, training=False))

    def decode(z):
        return ops.convert_to_numpy(decoder(z, training=False))

    x, z = inputs["x"], inputs["z"]
    reads = np.array([_rank(encoder), _rank(decoder)])
    if list(reads) == [2, 4]:
        return {"reads": reads}
    outputs = {"reads": reads, "codes": encode(x)}
    if outputs["codes"].shape != (len(x), LATENT_DIM):
        return outputs
    outputs["images"] = decode(z)
    if outputs["images"].shape[1:] != SHAPE:
        return outputs
    small = other_decoder(other_encoder(np.zeros((2, *OTHER_SHAPE), "float32")))
    near = z[:2] / 50
    return {
        **outputs,
        "small": ops.convert_to_numpy(small),
        "alone": encode(x[:1]),
        "variant": np.stack([encode(c) for c in _changed(x)]),
        "loud": encode(1000 * x),
        "turned": encode(x[:, ::-1, ::-1]),
        "middle code": encode((x[:1] + x[1:2]) / 2),
        "line": decode(np.concatenate([near, near.mean(axis=0, keepdims=True)])),
    }


def _rank(network):
    """How many axes a network's input has: 4 of images, 2 of codes, 0 if it does not say."""
    try:
        return len(network.input_shape)
    except (AttributeError, TypeError, ValueError):
        return 0


def compared(outputs, inputs):
    told = dict.fromkeys(reference(inputs), np.zeros(1))
    told["order"] = np.array([list(outputs["reads"]) != [2, 4]])
    if not told["order"][0]:
        return told
    codes = outputs["codes"]
    told["code"] = np.array(codes.shape)
    if codes.shape != (len(inputs["x"]), LATENT_DIM):
        return told
    images = outputs["images"]
    told["image"] = np.array(images.shape)
    if images.shape[1:] != SHAPE:
        return told
    middle = (codes[:1] + codes[1:2]) / 2
    return {
        **told,
        "other shape": np.array(outputs["small"].shape),
        "alone": np.array([np.allclose(outputs["alone"], codes[:1], atol=1e-4)]),
        "whole image": np.array(
            [not np.allclose(variant, codes, atol=1e-4) for variant in outputs["variant"]]
        ),
        "places": np.array([not np.allclose(outputs["turned"], codes, atol=1e-4)]),
        "not above": np.array([images.max() <= 1 + 1e-4, images.min() >= -1 - 1e-4]),
        "white": np.array([images.max() > 0.2]),
        "black": np.array([images.min() < -0.2]),
        "colours": np.array([not np.allclose(images[..., 0], images[..., c]) for c in (1, 2)]),
        "both signs": np.array([(codes < 0).any(), (codes > 0).any()]),
        "unbounded": np.array([np.abs(outputs["loud"]).max() > 1.5]),
        "bent encoder": np.array([not np.allclose(outputs["middle code"], middle, atol=1e-4)]),
        "bent decoder": np.array([_bent(*outputs["line"])]),
    }


def _changed(x):
    """The images with one corner, or one channel, upside down in brightness."""
    for part in (
        *((slice(None), slice(0, 4), side) for side in (slice(0, 6), slice(6, 12))),
        *((slice(None), slice(4, 8), side) for side in (slice(0, 6), slice(6, 12))),
        *((..., c) for c in range(3)),
    ):
        variant = x.copy()
        variant[part] *= -1
        yield variant


def _bent(*line):
    """Whether the decoder bends before its last activation, if that is tanh or softsign: of images at both ends of a
    line and in its middle."""
    a, b, middle = (np.clip(image, -0.9999, 0.9999) for image in line)
    inverses = (lambda y: y, np.arctanh, lambda y: y / (1 - np.abs(y)))
    return not any(np.allclose(f(middle), (f(a) + f(b)) / 2, atol=1e-3) for f in inverses)


def reference(inputs):
    true = np.array([True])
    return {
        "order": true,
        "code": np.array([6, LATENT_DIM]),
        "image": np.array([64, *SHAPE]),
        "other shape": np.array([2, *OTHER_SHAPE]),
        "alone": true,
        "whole image": np.ones(7, bool),
        "places": true,
        "not above": np.array([True, True]),
        "white": true,
        "black": true,
        "colours": np.array([True, True]),
        "both signs": np.array([True, True]),
        "unbounded": true,
        "bent encoder": true,
        "bent decoder": true,
    }


CHECKS = (
    Check(
        "order",
        "The first of the pair reads codes, the second images: return `encoder, decoder`.",
    ),
    Check(
        "code",
        "The encoder makes of 6 images 6 codes of `latent_dim` numbers each: a vector, not a map, and no longer than "
        "asked.",
    ),
    Check(
        "image",
        "The decoder makes of each code an image of the shape that was asked for, colours included.",
    ),
    Check(
        "other shape",
        "It should work for any shape, as for one channel: is there a number in it that `image_shape` should give?",
    ),
    Check(
        "alone",
        "An image's code must not depend on the others in its batch.",
    ),
    Check(
        "whole image",
        "An image that differs in one corner, or in one colour, must get another code. Does the encoder see all of "
        "it?",
    ),
    Check(
        "places",
        "An image that stands on its head gets the same code: how much of each colour it has is kept, where it lies is "
        "not. Nothing can draw it again from that.",
    ),
    Check(
        "not above",
        "What the decoder draws must lie in [-1, 1], whatever the code: which activation ends there?",
    ),
    Check(
        "white",
        "It can draw nothing bright.",
    ),
    Check(
        "black",
        "Black is -1. Which activation cannot go below 0?",
    ),
    Check(
        "colours",
        "All channels of its images are the same: it can draw only grey.",
    ),
    Check(
        "both signs",
        "A code's numbers should be free to be negative and positive: is there an activation at its end?",
    ),
    Check(
        "unbounded",
        "A code's numbers should be free to be large: is there an activation at its end?",
    ),
    Check(
        "bent encoder",
        "The encoder only adds up pixels with fixed weights: PCA can do that. What lets it bend?",
    ),
    Check(
        "bent decoder",
        "But for its last activation the decoder only adds up patterns: PCA can do that. What lets it bend?",
    ),
)

RIGHT = {
    "convolutions": """
def my_autoencoder(image_shape, latent_dim):
    h, w, c = image_shape
    encoder = keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(latent_dim),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(h // 4 * (w // 4) * 16, activation="relu"),
            layers.Reshape((h // 4, w // 4, 16)),
            layers.Conv2DTranspose(8, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(c, 4, strides=2, padding="same", activation="tanh"),
        ]
    )
    return encoder, decoder
""",
    "dense": """
def my_autoencoder(image_shape, latent_dim):
    x, z = keras.Input(image_shape), keras.Input((latent_dim,))
    h = layers.Dense(32, activation="leaky_relu")(layers.Flatten()(x))
    encoder = keras.Model(x, layers.Dense(latent_dim)(h))
    h = layers.Dense(32, activation="leaky_relu")(z)
    h = layers.Dense(int(np.prod(image_shape)), activation="tanh")(h)
    return encoder, keras.Model(z, layers.Reshape(image_shape)(h))
""",
}


def _dense(inner="relu", end="tanh", code="None", out="image_shape", size="latent_dim"):
    return f"""
def my_autoencoder(image_shape, latent_dim):
    encoder = keras.Sequential([
        keras.Input(image_shape),
        layers.Flatten(),
        layers.Dense(32, activation={inner!r}),
        layers.Dense({size}, activation={code}),
    ])
    decoder = keras.Sequential([
        keras.Input(({size},)),
        layers.Dense(32, activation={inner!r}),
        layers.Dense(int(np.prod(image_shape)), activation={end!r}),
        layers.Reshape({out}),
    ])
    return encoder, decoder
"""


WRONG = {
    "the pair in the wrong order": _dense().replace(
        "return encoder, decoder", "return decoder, encoder"
    ),
    "only the mean colour": _dense().replace("layers.Flatten()", "layers.GlobalAveragePooling2D()"),
    "nothing bends": _dense(inner="linear", end="linear"),
    "only the end bends": _dense(inner="linear"),
    "an unbounded end": _dense(end="linear"),
    "never black": _dense(end="sigmoid"),
    "a rectified code": _dense(code="'relu'"),
    "a code within [-1, 1]": _dense(code="'tanh'"),
    "only the end bends, softly": _dense(inner="linear", end="softsign"),
    "three channels, whatever is asked": """
def my_autoencoder(image_shape, latent_dim):
    h, w, c = image_shape
    encoder = keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(latent_dim),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(h // 2 * (w // 2) * 8, activation="relu"),
            layers.Reshape((h // 2, w // 2, 8)),
            layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh"),
        ]
    )
    return encoder, decoder
""",
    "no bottleneck": _dense(size="int(np.prod(image_shape))"),
    "a flat image": _dense(out="(int(np.prod(image_shape)),)"),
}
