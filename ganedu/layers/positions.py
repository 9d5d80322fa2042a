"""How attention is told the order."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("ganedu")
class PositionEmbedding(layers.Layer):
    """Adds a learnt vector to each place of a sequence (B, L, d); L is fixed.

    Reference:
        Vaswani et al. 2017, section 3.5 (the learnt variant), arXiv:1706.03762.
    """

    def build(self, input_shape):
        start = keras.initializers.RandomNormal(stddev=0.02)
        self.embedding = self.add_weight(input_shape[1:], start, name="embedding")
        self.built = True

    def call(self, x):
        return x + ops.cast(self.embedding, x.dtype)
