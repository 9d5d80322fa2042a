"""Sharpness and grids, told from the power spectrum of images."""

import numpy as np

from ganedu.runtime import UsageError

NUMBERS = 2**22  # of images that are transformed at a time


def power_spectrum(images):
    """The mean power of images at each frequency, E |F(u, v)|^2 / (H W), F the discrete Fourier transform.

    Args:
        images: float array (N, H, W, C) in [-1, 1].

    Returns:
        float64 (H, W), frequency (0, 0) in the corner (its power is left out: 0); channels are averaged.

    Raises:
        UsageError: for another number of axes, no image, or a value that is not finite.
    """
    images = np.asarray(images)
    if images.ndim != 4 or not len(images) or not np.isfinite(images).all():
        raise UsageError(f"Images must be finite, (N, H, W, C). Received: {images.shape}")
    count, height, width, channels = images.shape
    chunk = max(1, NUMBERS // (height * width * channels))
    power = np.zeros((height, width))
    for i in range(0, count, chunk):
        transformed = np.fft.fft2(images[i : i + chunk].astype("float64"), axes=(1, 2))
        power += (np.abs(transformed) ** 2).sum(axis=(0, 3))
    power /= count * channels * height * width
    power[0, 0] = 0.0
    return power


def radii(shape):
    """The length of each frequency of a spectrum (H, W), in cycles a pixel: 0.5 where an image alternates from one
    column to the next."""
    return np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None])


def radial_spectrum(images, bins=14):
    """The power by the length of the frequency: `(frequencies, power)`, each (bins,), in cycles a pixel up to 0.5."""
    power = power_spectrum(images)
    radius = radii(power.shape)
    place = np.ceil(2 * bins * radius - 1e-9) - 1  # -1 for the mean, which is left out
    inside = [power[place == i] for i in range(bins)]
    frequencies = (np.arange(bins) + 0.5) / (2 * bins)
    return frequencies, np.array([p.mean() if p.size else 0.0 for p in inside])


def high_frequency_power(generated, real, min_frequency=0.25):
    """The power of samples at high frequencies over that of real images: under 1 where they are blurred, over 1
    where they are noisy.

    sum_{|f| > least} P_drawn(f)  /  sum_{|f| > least} P_real(f)

    Hardly biased by the number of images: means over fifty are within some hundredths.

    Args:
        generated, real: float arrays (N, H, W, C) and (M, H, W, C) in [-1, 1].
        min_frequency: float, in cycles a pixel. Defaults to `0.25`, half of the highest that a row can hold.

    Returns:
        float >= 0; infinite where the real images hold nothing there.

    Raises:
        UsageError: as `power_spectrum`, or for shapes that differ.

    Reference:
        Durall, Keuper and Keuper 2020, "Watch your up-convolution", section 2, arXiv:2003.01826.
    """
    generated, real = _both(generated, real)
    high = radii(real.shape) > min_frequency
    return float(generated[high].sum() / real[high].sum()) if real[high].any() else float("inf")


def checkerboard(generated, real):
    """How much stronger samples hold a pattern of every second pixel than real images do.

    A picture times such a pattern has its own low frequencies again around the highest one: there, within an
    eighth of it, the power is compared with the power at three quarters of the highest frequency, and the
    quotient with that of real images.

    Returns:
        float >= 0; about 1 for real images.

    Raises:
        UsageError: as `power_spectrum`, or for shapes that differ.

    Reference:
        Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts", doi:10.23915/distill.00003.
    """
    generated, real = _both(generated, real)
    tiny = 1e-9 * real.mean()
    vertical, horizontal = (np.abs(np.fft.fftfreq(side)) for side in real.shape)
    u, v = np.broadcast_arrays(vertical[:, None], horizontal[None])
    low, top = 0.07, (0.43, 0.5)
    beside = (0.32, 0.41)

    def band(f, edges):
        return (f >= edges[0]) & (f <= edges[1])

    peak = (band(u, top) & (v <= low)) | (band(v, top) & (u <= low)) | (band(u, top) & band(v, top))
    around = (
        (band(u, beside) & (v <= low))
        | (band(v, beside) & (u <= low))
        | (band(u, beside) & band(v, beside))
    )
    risen = [
        (generated[place].mean() + tiny) / (real[place].mean() + tiny) for place in (peak, around)
    ]
    return float(risen[0] / max(risen[1], 1.0))


def _both(generated, real):
    generated, real = power_spectrum(generated), power_spectrum(real)
    if generated.shape != real.shape:
        raise UsageError(f"Both must have one shape. Received: {generated.shape} and {real.shape}")
    return generated, real
