"""The small classifier whose last hidden layer is what scores see."""

import keras
from keras import layers

FEATURES = 64


def classifier(image_shape, num_classes):
    """Images (B, H, W, C) in [-1, 1] to `[features (B, 64), logits (B, num_classes)]`.

    Five 3x3 convolutions, each with batch normalization, three of stride 2; the features are
    rectified, as those of Inception that the Fréchet distance is usually taken of.

    Args:
        image_shape: (H, W, C).
        num_classes: int.
    """
    x = image = keras.Input(image_shape, name="x")
    for width, strides in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 2)):
        x = layers.Conv2D(width, 3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(x)
    features = layers.Dense(FEATURES, activation="relu", name="features")(x)
    return keras.Model(image, [features, layers.Dense(num_classes, name="logits")(features)])
