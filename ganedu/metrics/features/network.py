"""The small classifier whose last hidden layer is what scores see."""

import itertools

import keras
from keras import layers

FEATURES = 64


def classifier(image_shape, num_classes, seed=None):
    """Images (B, H, W, C) in [-1, 1] to `[features (B, 64), logits (B, num_classes)]`.

    Five 3x3 convolutions, each with batch normalization, three of stride 2; the features are
    rectified, as those of Inception that the Fréchet distance is usually taken of.

    Args:
        image_shape: (H, W, C).
        num_classes: int.
        seed: int, of the first weights. Defaults to `None`: those of the process.
    """
    seeds = itertools.repeat(None) if seed is None else itertools.count(100 * seed)

    def start():
        return {"kernel_initializer": keras.initializers.GlorotUniform(next(seeds))}

    x = image = keras.Input(image_shape, name="x")
    for width, strides in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 2)):
        x = layers.Conv2D(width, 3, strides, padding="same", use_bias=False, **start())(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(x)
    features = layers.Dense(FEATURES, activation="relu", name="features", **start())(x)
    logits = layers.Dense(num_classes, name="logits", **start())(features)
    return keras.Model(image, [features, logits])
