"""How much arithmetic a network takes."""

import math

import keras


def multiply_adds(network):
    """Multiplications with an addition in one pass forward of one image, int: those of its dense, convolutional and
    transposed layers. What else there is, attention and normalization among it, is not counted.

    Args:
        network: Keras model.
    """
    layers = network._flatten_layers(include_self=False)
    return sum(math.prod(v.kernel.shape) * _places(v) for v in layers if _places(v))


def _places(layer):
    """At how many places of one image a layer applies its kernel; 0 for a layer without one."""
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return math.prod(layer.input.shape[1:3])
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.output.shape[1:3])
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.input.shape[1:-1])
    return 0
