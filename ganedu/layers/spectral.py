"""Spectral normalization, as the paper's reparametrization: the kernel is divided, not changed.

    W_SN = W / sigma(W),   sigma(W) = v^T W u: the largest singular value            (equation 8, appendix A)

u and v come from one step of power iteration in each training pass (Algorithm 1) and count as constants
in the gradient, which flows through W in both places. `keras.layers.SpectralNormalization` assigns the
divided kernel to the layer instead: then a pass of D in G's step moves D.

Reference:
    Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral normalization for generative adversarial
    networks", arXiv:1802.05957.
"""

import keras
from keras import layers, ops


class _Spectral:
    """What both layers share; to be put before a Keras layer that has a `kernel`."""

    def build(self, input_shape):
        super().build(input_shape)
        self.u = self.add_weight(
            (self.kernel.shape[-1],),
            keras.initializers.RandomNormal(seed=0),
            trainable=False,
            name="u",
        )

    def normalized(self, training):
        """The kernel over its largest singular value; in training, after a step of power
        iteration."""
        kernel = ops.convert_to_tensor(self.kernel)
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))  # (inputs, outputs)
        fixed, u = ops.stop_gradient(matrix), ops.convert_to_tensor(self.u)
        v = _unit(ops.matmul(fixed, u))
        if training:
            u = _unit(ops.matmul(v, fixed))
            self.u.assign(u)
        return kernel / ops.dot(v, ops.matmul(matrix, u))

    # Dense and Conv2D save their kernel and bias only; `Layer` saves all.

    def save_own_variables(self, store):
        layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        layers.Layer.load_own_variables(self, store)


@keras.saving.register_keras_serializable("ganedu")
class SpectralDense(_Spectral, layers.Dense):
    """`keras.layers.Dense` with a kernel of spectral norm 1; arguments are Keras's."""

    def call(self, x, training=False):
        x = ops.matmul(x, ops.cast(self.normalized(training), x.dtype))
        if self.use_bias:
            x = x + ops.cast(self.bias, x.dtype)
        return self.activation(x)


@keras.saving.register_keras_serializable("ganedu")
class SpectralConv2D(_Spectral, layers.Conv2D):
    """`keras.layers.Conv2D` with a kernel whose matrix (height x width x inputs, outputs) has
    spectral norm 1; arguments are Keras's. The convolution's own operator norm may be larger: patches
    overlap."""

    def call(self, x, training=False):
        kernel = ops.cast(self.normalized(training), x.dtype)
        x = self.convolution_op(x, kernel)
        if self.use_bias:
            x = x + ops.cast(self.bias, x.dtype)
        return self.activation(x)


def _unit(x):
    return x / ops.maximum(ops.norm(x), 1e-12)
