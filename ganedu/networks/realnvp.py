"""The multi-scale flow of RealNVP, and the same flow backwards.

    x -> checkerboard couplings -> squeeze -> channel couplings -> half of the channels to z, the rest on

twice, then checkerboard couplings on the smallest map, all of which goes to z.

Reference:
    Dinh, Sohl-Dickstein and Bengio 2017, sections 3.4 to 3.6, arXiv:1605.08803.
"""

import math

import keras
from keras import ops

from ganedu.layers import AffineCoupling, squeeze, unsqueeze
from ganedu.networks.convolutional import check_sides

SCALES = 2  # times that a map is halved


def realnvp_flow(image_shape, width=64, couplings=3):
    """Real images (B, H, W, C) to z (B, H W C) and log |det dz/dx| (B,).

    Args:
        image_shape: (H, W, C).
        width: int, channels in the couplings' networks; twice as many on the smaller maps. Defaults to
            `64`.
        couplings: int, of each kind on each map. Defaults to `3`.

    Raises:
        UsageError: for sides that 4 does not divide.
    """
    check_sides(image_shape, 2**SCALES)
    x = image = keras.Input(tuple(image_shape), name="x")
    parts, log_dets = [], []

    def couple(x, mask, scale):
        for i in range(couplings):
            name = f"{mask}_{scale}_{i}"
            wide = width if mask == "checkerboard" and scale == 0 else 2 * width
            x, log_det = AffineCoupling(mask, i % 2, wide, name=name)(x)
            log_dets.append(log_det)
        return x

    for scale in range(SCALES):
        x = couple(squeeze(couple(x, "checkerboard", scale)), "channel", scale)
        z, x = ops.split(x, 2, axis=-1)
        parts.append(z)
    parts.append(couple(x, "checkerboard", SCALES))
    flat = [ops.reshape(z, (-1, math.prod(z.shape[1:]))) for z in parts]
    return keras.Model(image, [ops.concatenate(flat, axis=-1), sum(log_dets)], name="flow")


def inverse_flow(flow):
    """The inverse of a `realnvp_flow`, of the same layers: z (B, H W C) to x (B, H, W, C).

    Raises:
        ValueError: for another network.
    """
    layers = {layer.name: layer for layer in flow.layers if isinstance(layer, AffineCoupling)}
    couplings = sum(name.startswith("channel_0") for name in layers)
    names = [f"{mask}_{s}" for s in range(SCALES) for mask in ("checkerboard", "channel")]
    wanted = {f"{n}_{i}" for n in (*names, f"checkerboard_{SCALES}") for i in range(couplings)}
    if not wanted or set(layers) != wanted:
        raise ValueError(
            "`flow` must be made by `networks.realnvp_flow`, so that its inverse is known. "
            f"Received: {flow.name}, of {len(layers)} affine couplings"
        )

    def uncouple(x, mask, scale):
        for i in reversed(range(couplings)):
            x, _ = layers[f"{mask}_{scale}_{i}"](x, inverse=True)
        return x

    h, w, c = flow.input_shape[1:]
    shapes = [(h >> s, w >> s, c << s) for s in range(1, SCALES + 1)]
    shapes.append(shapes[-1])  # the two halves of the last map
    z = keras.Input((h * w * c,), name="z")
    ends, total = [], 0
    for shape in shapes[:-1]:
        total += math.prod(shape)
        ends.append(total)
    parts = [
        ops.reshape(part, (-1, *shape))
        for part, shape in zip(ops.split(z, ends, axis=-1), shapes, strict=True)
    ]
    x = uncouple(parts.pop(), "checkerboard", SCALES)
    for scale in reversed(range(SCALES)):
        x = ops.concatenate([parts.pop(), x], axis=-1)
        x = uncouple(unsqueeze(uncouple(x, "channel", scale)), "checkerboard", scale)
    return keras.Model(z, x, name="inverse_flow")
