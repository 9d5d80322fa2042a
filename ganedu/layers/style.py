"""Layers by which a style steers a sample.

Reference:
    Karras, Laine, Aittala, Hellsten, Lehtinen and Aila 2020, "Analyzing and improving the image
    quality of StyleGAN", section 2.2, arXiv:1912.04958.
"""

import math

import keras
from keras import layers, ops

from ganedu.devices import replicas


@keras.saving.register_keras_serializable("ganedu")
class EqualizedDense(layers.Layer):
    """A dense layer that learns slower than its optimizer's rate, whatever the optimizer.

    y = (lambda sqrt(2 / fan_in)) x W + lambda b,   W ~ N(0, 1 / lambda^2)

    At the start it is He's initialization; but a step that moves W by r moves the weights in use by r
    times lambda sqrt(2 / fan_in).

    Args:
        units: int.
        multiplier: float, lambda. Defaults to `0.01`.

    Returns:
        Of (B, fan_in), (B, units).

    Reference:
        Karras, Aila, Laine and Lehtinen 2018, section 4.1, arXiv:1710.10196; the multiplier from
        Karras, Laine and Aila 2019, appendix C, arXiv:1812.04948.
    """

    def __init__(self, units, multiplier=0.01, **kwargs):
        super().__init__(**kwargs)
        self.units, self.multiplier = units, multiplier

    def build(self, input_shape):
        start = keras.initializers.RandomNormal(stddev=1.0 / self.multiplier)
        self.kernel = self.add_weight((input_shape[-1], self.units), start, name="kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")
        self.gain = self.multiplier * math.sqrt(2.0 / input_shape[-1])
        self.built = True

    def call(self, x):
        return ops.matmul(x, self.gain * self.kernel) + self.multiplier * self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "multiplier": self.multiplier}


@keras.saving.register_keras_serializable("ganedu")
class ModulatedConv2D(layers.Layer):
    """A convolution whose kernel is scaled for each image by its style, and brought back to unit
    variance.

    w'_ijk = s_i w_ijk,   w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + 1e-8)             (equations 1, 3)

    s scales the inputs and the root the outputs, so the kernel itself can stay one for the whole
    batch.

    Args:
        filters: int.
        kernel_size: int.
        demodulate: bool, whether to divide by the root. Defaults to `True`.

    Call arguments:
        inputs: `[x, w]`, maps (B, H, W, C) and styles (B, d); s = A(w), a dense layer that begins
            at 1.

    Returns:
        Maps (B, H, W, filters).
    """

    def __init__(self, filters, kernel_size, demodulate=True, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.demodulate = filters, kernel_size, demodulate

    def build(self, input_shape):
        (*_, channels), (_, style) = input_shape
        k = self.kernel_size
        gain = 1 / math.sqrt(k * k * channels)
        self.affine = layers.Dense(channels, bias_initializer="ones", name="affine")
        self.affine.build((None, style))
        self.kernel = self.add_weight(
            (k, k, channels, self.filters),
            keras.initializers.RandomNormal(stddev=gain),
            name="kernel",
        )
        self.bias = self.add_weight((self.filters,), "zeros", name="bias")
        self.built = True

    def call(self, inputs):
        x, w = inputs
        s = self.affine(w)  # (B, C)
        kernel = ops.convert_to_tensor(self.kernel)
        x = ops.conv(x * s[:, None, None, :], kernel, padding="same")
        if self.demodulate:
            squares = ops.sum(ops.square(kernel), axis=(0, 1))  # (C, filters)
            x = x * ops.rsqrt(ops.matmul(ops.square(s), squares) + 1e-8)[:, None, None, :]
        return x + self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.filters)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "demodulate")}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("ganedu")
class ConstantInput(layers.Layer):
    """One learnt map for all images; of its input it takes only the number.

    Args:
        shape: (H, W, C).

    Call arguments:
        x: (B, ...).

    Returns:
        Maps (B, H, W, C).
    """

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        start = keras.initializers.RandomNormal(stddev=1.0)
        self.constant = self.add_weight((1, *self.shape), start, name="constant")
        self.built = True

    def call(self, x):
        return ops.tile(ops.convert_to_tensor(self.constant), (ops.shape(x)[0], 1, 1, 1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.shape)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


@keras.saving.register_keras_serializable("ganedu")
class NoiseInjection(layers.Layer):
    """Adds one map of noise, N(0, 1) times a learnt strength, to all channels: the chance in a
    stroke, which no style decides. Without `training` there is none, so a latent has one image.

    Args:
        seed: int. Defaults to `0`.
    """

    def __init__(self, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.strength = self.add_weight((), "zeros", name="strength")
        self.built = True

    def call(self, x, training=False):
        if not training:
            return x
        noise = replicas.normal(ops.shape(x[..., :1]), seed=self.seed_generator)
        return x + self.strength * ops.cast(noise, x.dtype)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
