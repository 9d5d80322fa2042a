"""Convolutions that do not see what comes after a pixel."""

import keras
import numpy as np
from keras import layers


@keras.saving.register_keras_serializable("ganedu")
class MaskedConv2D(layers.Conv2D):
    """A 2D convolution whose kernel is zero below its middle row, and in that row right of the middle: the
    output at a pixel depends on none that comes after it in reading order.

    Args:
        filters, kernel_size: as for `keras.layers.Conv2D`; the kernel's sides are odd.
        mask: `"A"`, whose middle is zero too, for the first layer, or `"B"`. Defaults to `"B"`.
        **others: arguments of `keras.layers.Conv2D`.

    Raises:
        ValueError: for another mask, or an even kernel.

    Reference:
        van den Oord, Kalchbrenner and Kavukcuoglu 2016, "Pixel recurrent neural networks", section
        3.4 and figure 2, arXiv:1601.06759.
    """

    def __init__(self, filters, kernel_size, mask="B", **others):
        others.setdefault("padding", "same")
        super().__init__(filters, kernel_size, **others)
        if mask not in ("A", "B") or any(side % 2 == 0 for side in self.kernel_size):
            raise ValueError(
                '`mask` must be "A" or "B" and the kernel odd. '
                f"Received: {mask!r}, {self.kernel_size}"
            )
        self.mask = mask

    def convolution_op(self, inputs, kernel):
        height, width = self.kernel_size
        seen = np.zeros((height, width, 1, 1), "float32")
        seen[: height // 2] = 1
        seen[height // 2, : width // 2 + (self.mask == "B")] = 1
        return super().convolution_op(inputs, kernel * keras.ops.cast(seen, kernel.dtype))

    def get_config(self):
        return {**super().get_config(), "mask": self.mask}
