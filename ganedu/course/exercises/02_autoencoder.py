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
    found = {"codes": encode(x)}
    if found["codes"].shape != (len(x), LATENT_DIM):
        return found
    found["images"] = decode(z)
    if found["images"].shape[1:] != SHAPE:
        return found
    small = other_decoder(other_encoder(np.zeros((2, *OTHER_SHAPE), "float32")))
    near = z[:2] / 50
    return {
        **found,
        "small": ops.convert_to_numpy(small),
        "alone": encode(x[:1]),
        "changed": np.stack([encode(c) for c in _changed(x)]),
        "loud": encode(1000 * x),
        "middle code": encode((x[:1] + x[1:2]) / 2),
        "line": decode(np.concatenate([near, near.mean(axis=0, keepdims=True)])),
    }


def compared(found, inputs):
    codes = found["codes"]
    told = dict.fromkeys(reference(inputs), np.zeros(1)) | {"code": np.array(codes.shape)}
    if codes.shape != (len(inputs["x"]), LATENT_DIM):
        return told
    images = found["images"]
    told["image"] = np.array(images.shape)
    if images.shape[1:] != SHAPE:
        return told
    middle = (codes[:1] + codes[1:2]) / 2
    return {
        **told,
        "other shape": np.array(found["small"].shape),
        "alone": np.array([np.allclose(found["alone"], codes[:1], atol=1e-4)]),
        "whole image": np.array(
            [not np.allclose(changed, codes, atol=1e-4) for changed in found["changed"]]
        ),
        "not above": np.array([images.max() <= 1 + 1e-4, images.min() >= -1 - 1e-4]),
        "white": np.array([images.max() > 0.2]),
        "black": np.array([images.min() < -0.2]),
        "colours": np.array([not np.allclose(images[..., 0], images[..., c]) for c in (1, 2)]),
        "both signs": np.array([(codes < 0).any(), (codes > 0).any()]),
        "unbounded": np.array([np.abs(found["loud"]).max() > 1.5]),
        "bent encoder": np.array([not np.allclose(found["middle code"], middle, atol=1e-4)]),
        "bent decoder": np.array([_bent(*found["line"])]),
    }


def _changed(x):
    """The images with one corner, or one channel, upside down in brightness."""
    for part in (
        *((slice(None), slice(0, 4), side) for side in (slice(0, 6), slice(6, 12))),
        *((slice(None), slice(4, 8), side) for side in (slice(0, 6), slice(6, 12))),
        *((..., c) for c in range(3)),
    ):
        changed = x.copy()
        changed[part] *= -1
        yield changed


def _bent(*line):
    """Whether the decoder bends before its last activation, if that is tanh or softsign: of images at both ends of a
    line and in its middle."""
    a, b, middle = (np.clip(image, -0.9999, 0.9999) for image in line)
    inverses = (lambda y: y, np.arctanh, lambda y: y / (1 - np.abs(y)))
    return not any(np.allclose(f(middle), (f(a) + f(b)) / 2, atol=1e-3) for f in inverses)


def reference(inputs):
    true = np.array([True])
    return {
        "code": np.array([6, LATENT_DIM]),
        "image": np.array([64, *SHAPE]),
        "other shape": np.array([2, *OTHER_SHAPE]),
        "alone": true,
        "whole image": np.ones(7, bool),
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
