"""How a network is told the time."""

import math

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("ganedu")
class SinusoidalEmbedding(layers.Layer):
    """Times (B,) in [0, 1] to (B, dim): sines and cosines of frequencies from 1 to `highest` turns.

    It computes in float32 whatever the dtype policy: of a thousand times bfloat16 keeps every second.

    Args:
        dim: int, even.
        highest: float, turns between time 0 and time 1 of the fastest wave. Defaults to `100.0`.

    Reference:
        Vaswani et al. 2017, section 3.5, arXiv:1706.03762; for times Ho, Jain and Abbeel 2020,
        appendix B, arXiv:2006.11239.
    """

    def __init__(self, dim, highest=100.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if dim % 2:
            raise ValueError(f"`dim` must be even. Received: dim={dim}")
        self.dim, self.highest = dim, highest

    def call(self, t):
        octaves = ops.linspace(0.0, math.log(self.highest), self.dim // 2)
        angles = 2.0 * math.pi * ops.cast(t, "float32")[:, None] * ops.exp(octaves)[None]
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.dim)

    def get_config(self):
        return {**super().get_config(), "dim": self.dim, "highest": self.highest}
