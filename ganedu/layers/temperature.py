"""A learnt scale of similarities."""

import math

import keras
from keras import layers, ops


def clip_logit_scale(tau):
    """tau with exp(tau) <= 100: what a step takes beyond is taken back, and the next one may lower it again."""
    return ops.minimum(tau, math.log(100.0))


@keras.saving.register_keras_serializable("ganedu")
class Temperature(layers.Layer):
    """A learnt scalar exp(-tau), 0.07 at the start and at least 0.01: `value()`.

    Reference:
        Radford et al. 2021, section 2.5, arXiv:2103.00020.
    """

    def build(self, input_shape=None):
        start = keras.initializers.Constant(math.log(1 / 0.07))
        self.tau = self.add_weight((), start, constraint=clip_logit_scale, name="tau")
        self.built = True

    def value(self):
        return ops.exp(-self.tau)
