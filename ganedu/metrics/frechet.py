"""The Fréchet distance between two sets of features."""

import numpy as np

from ganedu.metrics.checks import checked
from ganedu.runtime import UsageError


def gaussian(features):
    """The mean (d,) and covariance (d, d) of features (N, d), float64; the covariance is divided by
    N - 1.

    Raises:
        UsageError: for fewer than two rows, or a value that is not finite.
    """
    features = checked(features)
    return features.mean(axis=0), np.cov(features, rowvar=False).reshape([features.shape[1]] * 2)


def checked_gaussian(mean, covariance):
    """A mean (d,) and a covariance (d, d) as float64.

    Raises:
        UsageError: for other shapes, or a value that is not finite.
    """
    mean, covariance = np.asarray(mean, "float64"), np.asarray(covariance, "float64")
    finite = bool(np.isfinite(mean).all() and np.isfinite(covariance).all())
    if mean.ndim != 1 or covariance.shape != 2 * mean.shape or not finite:
        raise UsageError(
            "A Gaussian is a mean (d,) and a covariance (d, d), both finite. "
            f"Received: {mean.shape} and {covariance.shape}, all finite: {finite}"
        )
    return mean, covariance


def frechet_distance(first, second):
    """||m1 - m2||^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of the Gaussians with the sets' means and
    covariances.

    The trace of the root is the sum of the roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), which
    is symmetric: safe where a covariance is singular.

    Biased: with few images the distance is too large, by an amount that falls with 1 / N; compare
    only distances with the same N.

    Args:
        first, second: features (N, d) and (M, d); or pairs `(mean, covariance)`, as `gaussian`
            returns.

    Returns:
        float >= 0; in the features' squared unit.

    Raises:
        UsageError: as `gaussian`, and if the widths differ.

    Reference:
        Dowson and Landau 1982; for images Heusel et al. 2017, equation 6, arXiv:1706.08500.
    """
    (m1, s1), (m2, s2) = (
        checked_gaussian(*x) if isinstance(x, tuple) else gaussian(x) for x in (first, second)
    )
    if m1.shape != m2.shape:
        raise UsageError(f"Both must have one width. Received: {m1.shape[0]} and {m2.shape[0]}")
    values, vectors = np.linalg.eigh(s1)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    of_product = np.linalg.eigvalsh(root @ s2 @ root)
    trace = np.trace(s1) + np.trace(s2) - 2 * np.sum(np.sqrt(np.maximum(of_product, 0)))
    return float(max(np.sum((m1 - m2) ** 2) + trace, 0.0))
