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


def kernel_distance(first, second, subsets=None, seed=0):
    """The squared maximum mean discrepancy (`mmd`) with the kernel k(x, y) = (x.y / d + 1)^3: the mean over
    disjoint random subsets, and its standard error.

    Unbiased, whatever the number of images: equal distributions have 0 on average, and single
    estimates may be below it. The subsets share no image, so that their estimates are independent, and
    their deviation over the root of their number is the error of drawing other images.

    Args:
        first, second: features (N, d) and (M, d). Where one has more rows, the others of it are left out.
        subsets: int >= 1, in how many parts the rows are cut. More of them make the error surer and the
            estimate itself wider, by their square root. Of one part alone the error is 0. Defaults to
            20, or where that would leave less than ten rows a part, to as many as have ten.
        seed: int, of the cut. Defaults to `0`.

    Returns:
        `Estimate`.

    Raises:
        UsageError: for fewer than two rows a subset, NaN, or widths that differ.

    Reference:
        Bińkowski, Sutherland, Arbel and Gretton 2018, "Demystifying MMD GANs", equation 4 and section
        4, arXiv:1801.01401, where the subsets overlap; the mean over disjoint ones is the block
        estimate of Zaremba, Gretton and Blaschko 2013, "B-tests", arXiv:1307.1954.
    """
    first, second = checked_pair(first, second)
    rows = min(len(first), len(second))
    subsets = max(1, min(20, rows // 10)) if subsets is None else subsets
    if subsets < 1 or rows // subsets < 2:
        raise UsageError(
            "There must be at least one subset, of at least two rows. "
            f"Received: subsets={subsets} of {rows} rows"
        )
    size, rng = rows // subsets, np.random.default_rng(seed)
    first, second = (x[rng.permutation(len(x))] for x in (first, second))
    cuts = [slice(i * size, (i + 1) * size) for i in range(subsets)]
    return Estimate.of([mmd(first[cut], second[cut]) for cut in cuts])
