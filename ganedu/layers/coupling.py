"""The affine coupling layer of RealNVP, and the squeezing of a map, both ways."""

import keras
import numpy as np
from keras import layers, ops


def squeeze(x):
    """A map (B, H, W, C) to (B, H/2, W/2, 4 C): each square of 2x2 points becomes one."""
    _, h, w, c = x.shape
    x = ops.reshape(x, (-1, h // 2, 2, w // 2, 2, c))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, h // 2, w // 2, 4 * c))


def unsqueeze(x):
    """The inverse of `squeeze`."""
    _, h, w, c = x.shape
    x = ops.reshape(x, (-1, h, w, 2, 2, c // 4))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, 2 * h, 2 * w, c // 4))


@keras.saving.register_keras_serializable("ganedu")
class AffineCoupling(layers.Layer):
    """y = b x + (1 - b) (x exp(s(b x)) + t(b x)): what the mask b keeps decides how the rest is scaled and
    shifted, so that the inverse needs no inverse of s and t:

        x = b y + (1 - b) (y - t(b y)) exp(-s(b y)),   log |det dy/dx| = sum (1 - b) s(b x)

    s and t come of one network of three convolutions, whose last starts at zero: y = x. s is a learnt
    scale times a tanh. A checkerboard's network works on the squeezed map where the sides are even:
    a quarter of the arithmetic.

    Args:
        mask: `"checkerboard"`, every second point, or `"channel"`, half the channels.
        parity: int, 0 or 1: which half is kept.
        width: int, channels between the convolutions.

    Call arguments:
        x: (B, H, W, C); C even for a channel mask.
        inverse: bool, whether x is to be found from y. Defaults to `False`.

    Returns:
        `(y, log_det)`, (B, H, W, C) and (B,), float32; of the inverse x, and its own log-determinant.

    Reference:
        Dinh, Sohl-Dickstein and Bengio 2017, equations 4 to 9, arXiv:1605.08803.
    """

    def __init__(self, mask, parity, width, **others):
        super().__init__(autocast=False, **others)
        if mask not in ("checkerboard", "channel") or parity not in (0, 1):
            raise ValueError(
                '`mask` must be "checkerboard" or "channel" and `parity` 0 or 1. '
                f"Received: {mask!r}, {parity}"
            )
        self.mask, self.parity, self.width = mask, parity, width

    def build(self, input_shape):
        _, h, w, c = input_shape
        self.squeezes = self.mask == "checkerboard" and h % 2 == 0 and w % 2 == 0
        seen = (h // 2, w // 2, 4 * c) if self.squeezes else (h, w, c)
        half = np.indices((h, w)).sum(axis=0)[:, :, None] % 2
        if self.mask == "channel":
            half = (np.arange(c) < c // 2)[None, None].astype(int)
        self.kept = np.broadcast_to(half == self.parity, (h, w, c)).astype("float32")[None]
        self.hidden = [
            layers.Conv2D(self.width, 3, padding="same", activation="relu", name="conv_1"),
            layers.Conv2D(self.width, 1, activation="relu", name="conv_2"),
            layers.Conv2D(
                2 * seen[2], 3, padding="same", kernel_initializer="zeros", dtype="float32"
            ),
        ]
        shape = (None, *seen)
        for conv in self.hidden:
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
        self.scale = self.add_weight((c,), "ones", name="scale", dtype="float32")
        self.built = True

    def call(self, x, inverse=False):
        x, kept = ops.cast(x, "float32"), ops.convert_to_tensor(self.kept)
        h = kept * x
        h = squeeze(h) if self.squeezes else h
        for conv in self.hidden:
            h = conv(h)
        s, t = (unsqueeze(a) if self.squeezes else a for a in ops.split(h, 2, axis=-1))
        s, t = ((1.0 - kept) * a for a in (self.scale * ops.tanh(s), t))
        log_det = ops.sum(s, axis=(1, 2, 3))
        if inverse:  # where b is 1, s and t are 0
            return (x - t) * ops.exp(-s), -log_det
        return x * ops.exp(s) + t, log_det

    def compute_output_spec(self, x, inverse=False):
        return keras.KerasTensor(x.shape, "float32"), keras.KerasTensor(x.shape[:1], "float32")

    def get_config(self):
        own = {"mask": self.mask, "parity": self.parity, "width": self.width}
        return {**super().get_config(), **own}
