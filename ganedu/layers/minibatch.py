"""A discriminator that sees the whole batch."""

import keras
from keras import layers, ops

from ganedu.devices import replicas


@keras.saving.register_keras_serializable("ganedu")
class MinibatchStdDev(layers.Layer):
    """Tells D how much the images of a batch differ: one more map, constant, with the mean of all
    features' standard deviations over the batch.

    A generator that has collapsed generates one image again and again, and is found out here.

    Call arguments:
        x: maps (B, H, W, C).

    Returns:
        Maps (B, H, W, C + 1).

    Reference:
        Karras, Aila, Laine and Lehtinen 2018, "Progressive growing of GANs", section 3,
        arXiv:1710.10196; the whole batch is one group.
    """

    def call(self, x):
        deviation = ops.sqrt(replicas.moments(x, 0)[1] + 1e-8)  # (H, W, C)
        plane = ops.mean(deviation) * ops.ones_like(x[..., :1])
        return ops.concatenate([x, plane], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)
