"""Scores of reconstructions beside their images."""

import numpy as np

from ganedu.data.images import check_range
from ganedu.runtime import UsageError

RANGE = 2.0  # from -1 to 1
WINDOW = 11  # pixels, of SSIM


def checked_images(*sets, min_count=1):
    """Image arrays as float64 (N, H, W, C), all of one shape.

    Raises:
        UsageError: for other shapes, fewer than `min_count`, NaN, or a value outside [-1, 1].
    """
    sets = [np.asarray(s, "float64") for s in sets]
    for s in sets:
        if s.ndim != 4 or len(s) < min_count or s.shape != sets[0].shape:
            raise UsageError(
                f"Images must be (N, H, W, C), N of at least {min_count}, and as many reconstructions as images. "
                f"Received: {' and '.join(str(s.shape) for s in sets)}"
            )
        check_range(s)
    return sets


def psnr(images, reconstructions):
    """10 log10(2^2 / mean squared error) in decibels, for each image of the range [-1, 1]: (N,),
    infinite for an exact reconstruction.

    A number of each image alone, so their mean is unbiased. Blind to what the eye sees: a blurred reconstruction scores
    better than a sharp one that is shifted by a pixel.

    Raises:
        UsageError: as `checked_images`.

    Reference:
        Huynh-Thu and Ghanbari 2008, "Scope of validity of PSNR in image/video quality assessment".
    """
    a, b = checked_images(images, reconstructions)
    error = np.mean((a - b) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(RANGE**2 / error)


def ssim(images, reconstructions):
    """Structural similarity for each image, (N,), in [-1, 1], 1 for an exact reconstruction: scikit-image's,
    with the paper's Gaussian window of deviation 1.5.

    The mean over all windows of (2 m_x m_y + c1) (2 s_xy + c2) / ((m_x^2 + m_y^2 + c1) (s_x^2 + s_y^2 + c2)), with
    means, variances and covariance in a window of values brought to [0, 1], c1 = 0.01^2, c2 = 0.03^2.
    A number of each image alone.

    Raises:
        UsageError: as `checked_images`, and for images smaller than the window of 11x11.

    Reference:
        Wang, Bovik, Sheikh and Simoncelli 2004, "Image quality assessment", equation 13.
    """
    from skimage.metrics import structural_similarity

    a, b = ((x + 1) / 2 for x in checked_images(images, reconstructions))  # [0, 1]
    if min(a.shape[1:3]) < WINDOW:
        raise UsageError(
            f"SSIM needs sides of at least {WINDOW}. Received: {a.shape[1]}x{a.shape[2]}"
        )
    options = {
        "data_range": 1.0,
        "channel_axis": -1,
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
    }
    return np.array([structural_similarity(x, y, **options) for x, y in zip(a, b, strict=True)])
