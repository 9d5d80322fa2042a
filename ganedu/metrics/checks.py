"""What every score of features asks of them."""

import numpy as np

from ganedu.runtime import UsageError


def checked(features, min_count=2):
    """Features as float64 (N, d).

    Raises:
        UsageError: for another number of axes, fewer than `min_count` rows, or a value that is not finite.
    """
    features = np.asarray(features, "float64")
    finite = bool(np.isfinite(features).all())
    if features.ndim != 2 or len(features) < min_count or not finite:
        raise UsageError(
            f"Features must be finite, (N, d) with N of at least {min_count}. "
            f"Received: {features.shape}, all finite: {finite}"
        )
    return features


def checked_pair(first, second, min_count=2):
    """Two sets as `checked` gives them, of one width."""
    first, second = checked(first, min_count), checked(second, min_count)
    if first.shape[1] != second.shape[1]:
        raise UsageError(
            f"Both must have one width. Received: {first.shape[1]} and {second.shape[1]}"
        )
    return first, second
