"""Networks whose output at a pixel depends on the pixels before it in reading order alone.

Reference:
    van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves and Kavukcuoglu 2016, "Conditional image
    generation with PixelCNN decoders", section 2 and figure 2, arXiv:1606.05328; the masked stack from
    van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759; dilation as in van den Oord et al.
    2016, WaveNet, section 2.1, arXiv:1609.03499.
"""

import keras
from keras import layers, ops

from ganedu.layers import MaskedConv2D, PositionEmbedding

DILATIONS = (1, 2, 4, 8)  # of the layers after the first, in turn


def dilation(layer):
    """How far apart the points of a layer's kernel lie: 1 of the first, number 0."""
    return DILATIONS[(layer - 1) % len(DILATIONS)] if layer else 1


def receptive_field(depth, kernel):
    """How many rows up, and pixels to each side, the two stacks see: an int."""
    return kernel // 2 + sum(dilation(layer) for layer in range(1, depth + 1))


def gate(x):
    """tanh(a) * sigmoid(b) of the two halves of the channels (equation 2)."""
    a, b = ops.split(x, 2, axis=-1)
    return ops.tanh(a) * ops.sigmoid(b)


def vertical_stack(image_shape, width, depth, kernel):
    """Images (B, H, W, C) to what each layer tells the horizontal stack of the rows above each pixel's own,
    side by side: (B, H, W, (depth + 1) 2 width), float32.

    A kernel of the upper half of a square sees rows above and its own; the first layer sees the image one row
    further down, and so none of its own row. The others' kernels are dilated. The first layer is told where it
    is by a learnt vector for each pixel.

    Args:
        image_shape: (H, W, C).
        width: int, channels of a layer.
        depth: int, gated layers after the first.
        kernel: int, odd: the side of the first layer's kernel, before it is cut in half. The others' is 3.
    """
    h, w, _ = image_shape
    x = image = keras.Input(tuple(image_shape), name="x")
    told = []
    for layer in range(depth + 1):
        if layer:
            far, rows, side = dilation(layer), 2, 3
            x = layers.ZeroPadding2D(((far, 0), (far, far)))(x)
        else:
            far, rows, side = 1, kernel // 2, kernel
            x = layers.ZeroPadding2D(((rows, 0), (rows, rows)))(x)
            x = layers.Cropping2D(((0, 1), (0, 0)))(x)  # down by one row
        x = layers.Conv2D(2 * width, (rows, side), dilation_rate=far)(x)
        if not layer:
            x = PositionEmbedding()(layers.Reshape((h * w, 2 * width))(x))
            x = layers.Reshape((h, w, 2 * width))(x)
        told.append(layers.Conv2D(2 * width, 1)(x))
        x = gate(x)
    return keras.Model(image, layers.Concatenate(dtype="float32")(told), name="vertical")


def horizontal_stack(image_shape, outputs, width, depth, kernel):
    """A row (B, W, C) and what the vertical stack tells of it (B, W, (depth + 1) 2 width) to numbers of each
    pixel (B, W, outputs), which depend on those left of it and the rows above: causal convolutions."""
    row = keras.Input(tuple(image_shape[1:]), name="row")
    above = keras.Input((image_shape[1], (depth + 1) * 2 * width), name="above")
    h = layers.Cropping1D((0, 1))(layers.ZeroPadding1D((1, 0))(row))  # to the right by one
    for layer, told in enumerate(ops.split(above, depth + 1, axis=-1)):
        side, far = 2 if layer else kernel // 2, dilation(layer)
        x = layers.Conv1D(2 * width, side, padding="causal", dilation_rate=far)(h) + told
        x = layers.Conv1D(width, 1)(gate(x))
        h = h + x if layer else x  # the first is no residual: it must not see its own pixel
    h = layers.Conv1D(2 * width, 1, activation="relu")(layers.ReLU()(h))
    parameters = layers.Conv1D(outputs, 1, dtype="float32")(h)
    return keras.Model([row, above], parameters, name="horizontal")


def masked_stack(image_shape, outputs, width=16, depth=4, kernel=7, name="masked_stack"):
    """The PixelCNN before it was gated: one stack of masked convolutions, images (B, H, W, C) to (B, H, W,
    outputs). What it does not see, though it comes before, grows to the right of the pixel's column like
    a wedge upwards: the blind spot.

    Args:
        image_shape, outputs: (H, W, C), and how many numbers of each pixel.
        width: int. Defaults to `16`.
        depth: int, layers after the first. Defaults to `4`.
        kernel: int, odd, the side of the first one. Defaults to `7`.
        name: str.
    """
    image = keras.Input(tuple(image_shape), name="x")
    x = MaskedConv2D(width, kernel, mask="A", activation="relu")(image)
    for _ in range(depth):
        x = MaskedConv2D(width, 3, mask="B", activation="relu")(x)
    return keras.Model(image, layers.Conv2D(outputs, 1, dtype="float32")(x), name=name)
