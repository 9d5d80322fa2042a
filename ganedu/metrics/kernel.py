"""The kernel distance between two sets of features."""

import numpy as np

from ganedu.metrics.checks import checked_pair
from ganedu.metrics.estimate import Estimate
from ganedu.runtime import UsageError


def polynomial(x, y):
    """k(x, y) = (x.y / d + 1)^3 of features (N, d) and (M, d): (N, M)."""
    return (x @ y.T / x.shape[1] + 1.0) ** 3


def mmd(x, y):
    """The unbiased estimate of the squared maximum mean discrepancy of equal numbers of features
    (m, d): 1 / (m (m - 1)) sum_(i != j) [k(x_i, x_j) + k(y_i, y_j)] - 2 / m^2 sum_ij k(x_i, y_j)."""
    m = len(x)
    xx, yy, xy = polynomial(x, x), polynomial(y, y), polynomial(x, y)
    within = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return float(within / (m * (m - 1)) - 2.0 * xy.mean())


def kernel_distance(first, second, subsets=50, size=None, seed=0):
    """The squared maximum mean discrepancy (`mmd`) with the kernel k(x, y) = (x.y / d + 1)^3: the mean over random
    subsets, and its standard error.

    Unbiased, whatever the number of images: equal distributions have 0 on average, and single
    estimates may be below it.

    Args:
        first, second: features (N, d) and (M, d).
        subsets: int >= 1, how many pairs of subsets are compared. Defaults to `50`.
        size: int >= 2, of a subset, at most N and M: of all there is only one subset, and the error is 0.
            Defaults to `500`, or to half of N or M where that is less.
        seed: int, of the choice of subsets. Defaults to `0`.

    Returns:
        `Estimate`. Its error, the subsets' deviation over the root of their number, is that of the
        choice of subsets, not that of sampling other images.

    Raises:
        UsageError: for fewer than two rows, NaN, widths that differ, or subsets of fewer than two.

    Reference:
        Bińkowski, Sutherland, Arbel and Gretton 2018, "Demystifying MMD GANs", equation 4 and section
        4.1, arXiv:1801.01401.
    """
    first, second = checked_pair(first, second)
    if subsets < 1 or (size is not None and size < 2):
        raise UsageError(
            "There must be at least one subset, of at least two rows. "
            f"Received: subsets={subsets}, size={size}"
        )
    fewest = min(len(first), len(second))
    size = min(500, max(2, fewest // 2)) if size is None else min(size, fewest)
    rng = np.random.default_rng(seed)
    found = [
        mmd(*(x[rng.choice(len(x), size, replace=False)] for x in (first, second)))
        for _ in range(subsets)
    ]
    return Estimate.of(found)
