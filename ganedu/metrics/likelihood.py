"""How many bits a model needs for one value of an image: likelihoods in a unit that sizes share."""

import math

import numpy as np

from ganedu.data.images import check_range
from ganedu.metrics.estimate import Estimate
from ganedu.runtime import UsageError

LEVELS = 256  # grey values of an image


def bits_per_dimension(log_likelihood, image_shape, bin_width=None):
    """-log2 P(x) / D of images with D = H W C values: the mean, and its standard error.

    P is the probability of an image. A model of binary or of whole values has one, log P = `log_likelihood`. A
    model of real numbers has a density p(x) instead, which may be infinite; it must be taken at dequantized
    images, `dequantized`, and then

        log2 P(x) >= E_u[log2 p(x + u)] + D log2(bin_width),   u ~ U[0, bin_width)^D

    where `bin_width` is the width of a grey value. So a density's bits are an upper bound, which no
    model can bring below those of the whole values themselves.

    A model that knows nothing needs 1 bit for a binary value and 8 for one of 256. The unit compares sizes of image,
    not kinds: bits of binary images say nothing beside those of grey ones.

    The mean over N images is unbiased. Of a VAE the likelihood is itself a lower bound
    (`ganedu.engine.importance_sampled`) and its bits are too many, the fewer draws of the code the more.

    Args:
        log_likelihood: (N,), log P(x) or log p(x) in nats.
        image_shape: (H, W, C).
        bin_width: float > 0, the width of a grey value where likelihoods are densities, as `dequantized` tells it.
            Defaults to `None`: they are probabilities.

    Returns:
        `Estimate`.

    Raises:
        UsageError: for fewer than two images, a value that is not finite, a probability over 1, or a shape or
            bin width that cannot be.

    Reference:
        Theis, van den Oord and Bethge 2016, "A note on the evaluation of generative models", section 3.1,
        arXiv:1511.01844.
    """
    log_p = np.asarray(log_likelihood, "float64")
    shape = tuple(image_shape)
    if log_p.ndim != 1 or len(log_p) < 2 or not np.isfinite(log_p).all():
        raise UsageError(
            "Log-likelihoods must be finite, (N,) with N of at least 2. "
            f"Received: {log_p.shape}, all finite: {bool(np.isfinite(log_p).all())}"
        )
    if len(shape) != 3 or min(shape) < 1 or (bin_width is not None and not bin_width > 0):
        raise UsageError(
            f"The shape must be (H, W, C) and the bin width positive. Received: {shape}, {bin_width}"
        )
    if bin_width is None and log_p.max() > 1e-6:
        raise UsageError(
            "A probability is at most 1; the likelihoods of a density need `bin_width`. "
            f"Received: a log-likelihood of {log_p.max():.4g}"
        )
    dimensions = math.prod(shape)
    shift = 0.0 if bin_width is None else math.log2(bin_width)
    return Estimate.of(-log_p / (dimensions * math.log(2)) - shift)


def dequantized(images, seed=0):
    """Whole grey values n to real numbers x = 2 (n + u) / 256 - 1, u ~ U[0, 1): a density can then not put infinite
    weight on the whole ones.

    Args:
        images: uint8 array.
        seed: int. Defaults to `0`.

    Returns:
        `(x, bin_width)`: float64 in [-1, 1), and the width of a grey value, 2/256.

    Reference:
        Uria, Murray and Larochelle 2013, "RNADE", arXiv:1306.0186; Theis et al. 2016, section 3.1.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise UsageError(f"Grey values must be whole, uint8. Received: {images.dtype}")
    u = np.random.default_rng(seed).uniform(size=images.shape)
    return 2.0 * (images + u) / LEVELS - 1.0, 2.0 / LEVELS


def binarized(images, seed=0):
    """Grey images in [-1, 1] to binary ones, -1 or 1, float32: a grey value is the probability of a 1.

    Raises:
        UsageError: if a value is not finite, or not in [-1, 1].

    Reference:
        Salakhutdinov and Murray 2008, "On the quantitative analysis of deep belief networks".
    """
    images = np.asarray(images, "float32")
    check_range(images)
    u = np.random.default_rng(seed).uniform(size=images.shape)
    return np.where(u < (images + 1.0) / 2.0, 1.0, -1.0).astype("float32")
