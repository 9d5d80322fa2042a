"""How a network is told which class is wanted."""

import keras
from keras import layers, ops


def condition_on_labels(build, input_shape, num_classes):
    """A network of `[x, y]` that reads the label beside its input: concatenated to a vector, or as
    constant planes (0 or 1 everywhere) to an image.

    Args:
        build: function of an input shape to a network; called with room for the label,
            `(d + num_classes,)` or `(H, W, C + num_classes)`.
        input_shape: (d,) or (H, W, C).
        num_classes: int, K.

    Returns:
        Keras model: `[x, y]`, y one-hot (B, K), to the outputs of `build`'s network.

    Reference:
        Mirza and Osindero 2014, "Conditional generative adversarial nets", arXiv:1411.1784.
    """
    *places, channels = input_shape
    network = build((*places, channels + num_classes))
    x, y = keras.Input(input_shape, name="x"), keras.Input((num_classes,), name="y")
    planes = layers.Reshape((*[1] * len(places), num_classes))(y)
    planes = planes * ops.ones_like(x[..., :1])  # (B, H, W, K)
    return keras.Model([x, y], network(ops.concatenate([x, planes], axis=-1)), name=network.name)
