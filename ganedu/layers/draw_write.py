"""How small patches get to their places in a map."""

import math

import keras
from keras import layers, ops

SHARE = 0.6  # of the map that a patch covers when nothing is told
WIDTH = 0.6  # sigma, in strides: between neighbouring patch pixels no gap shows


@keras.saving.register_keras_serializable("ganedu")
class DRAWWrite(layers.Layer):
    """`[patches, where]`, (B, S, P, P, C) and (B, S, 3), to a map (B, height, width, C): S patches, each put
    where it is told to be, as large as it is told, and added up.

    A patch's `where` (v, h, s) is its centre, its rows and columns apart by a stride delta:

        g = (H - 1) / 2 (1 + tanh v),   delta = 0.6 H / P exp(tanh s),   mu_p = g + (p - (P - 1) / 2) delta
        F[y, p] = delta / (sigma sqrt(2 pi)) exp(-(y - mu_p)^2 / (2 sigma^2)),   sigma = 0.6 delta
        map = sum over patches of  F_v patch F_h^T

    so that (0, 0, 0) covers the middle 0.6 of the map, and a patch of ones makes about 1 wherever it lies.
    What a patch shows is learnt once, and not again for each place and size.

    Args:
        height, width: int, H, and W in H's place for columns.

    Reference:
        Gregor et al. 2015, "DRAW", section 3.2, equations 19 to 26 (there sigma is learnt, and a filter's sum
        over the map is 1), arXiv:1502.04623.
    """

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, inputs):
        patches, where = inputs
        v, h, s = (where[..., i] for i in range(3))
        count = patches.shape[2]
        rows, columns = (
            _filters(size, count, at, s) for size, at in ((self.height, v), (self.width, h))
        )
        wide = ops.einsum("bsxq,bspqc->bspxc", columns, patches)
        return ops.einsum("bsyp,bspxc->byxc", rows, wide)

    def compute_output_shape(self, input_shape):
        patches, _ = input_shape
        return (patches[0], self.height, self.width, patches[-1])

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


def _filters(size, count, at, s):
    """F (B, S, size, count) of centres and strides as they are told, (B, S)."""
    places = ops.arange(count, dtype="float32") - (count - 1) / 2
    stride = SHARE * size / count * ops.exp(ops.tanh(s))[..., None, None]
    centre = (size - 1) / 2 * (1.0 + ops.tanh(at))[..., None, None]
    away = ops.arange(size, dtype="float32")[:, None] - (centre + stride * places)
    return ops.exp(-ops.square(away / (WIDTH * stride)) / 2) / (WIDTH * math.sqrt(2 * math.pi))
