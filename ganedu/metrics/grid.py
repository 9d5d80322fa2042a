"""How far apart two clouds of points in the plane are: their shares of the squares of a grid."""

import numpy as np
from scipy.special import rel_entr

from ganedu.runtime import UsageError

MIN_POINTS = 100  # points


def histogram(points, extent=3.0, bins=30):
    """The share of points in each square of a grid over [-extent, extent]^2; what lies outside counts to
    the nearest square.

    Args:
        points: (N, 2).
        extent: float > 0. Defaults to `3.0`.
        bins: int >= 2, squares on a side. Defaults to `30`.

    Returns:
        float64 (bins, bins), x along the first axis; the sum is 1.

    Raises:
        UsageError: for fewer than 100 points, other shapes, a value that is not finite, or no grid.
    """
    points = np.asarray(points, "float64")
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < MIN_POINTS:
        raise UsageError(
            f"Points must be (N, 2), N of at least {MIN_POINTS}. Received: {points.shape}"
        )
    if not np.isfinite(points).all():
        raise UsageError("Points must be finite. Received: NaN or infinity")
    if not extent > 0 or bins < 2:
        raise UsageError(f"A grid needs an extent and two squares. Received: {extent}, {bins}")
    inside = np.clip(points, -extent, extent)
    counts, *_ = np.histogram2d(*inside.T, bins=bins, range=[[-extent, extent]] * 2)
    return counts / len(points)


def kullback_leibler(p, q):
    """KL(p || q) = sum_i p_i log(p_i / q_i) in nats of shares: infinite where q lacks what p has.

    Raises:
        UsageError: if they are not shares of one grid.
    """
    p, q = _shares(p, q)
    return float(rel_entr(p, q).sum())


def jensen_shannon(p, q):
    """JS(p, q) = KL(p || m) / 2 + KL(q || m) / 2 in nats of shares, m = (p + q) / 2: 0 where they are equal, log 2
    where they share nothing.

    Raises:
        UsageError: if they are not shares of one grid.

    Reference:
        Lin 1991, "Divergence measures based on the Shannon entropy", equation 4.1; Goodfellow et al. 2014,
        Theorem 1, arXiv:1406.2661, for what it has to do with GANs.
    """
    p, q = _shares(p, q)
    m = (p + q) / 2
    return float(rel_entr(p, m).sum() + rel_entr(q, m).sum()) / 2


def grid_divergence(real, generated, extent=3.0, bins=30):
    """`jensen_shannon` of two clouds' `histogram`s, in nats: from 0 to log 2 = 0.69.

    Biased: clouds of one distribution have (B - 1) / 8 (1 / N + 1 / M) on average and not 0, with N and M points and B
    squares that are in use (each with some points); compare only divergences with the same N, M and grid. A coarse
    grid has less of this bias, and sees less: what goes on inside of a square is lost.

    Args:
        real, generated: (N, 2) and (M, 2).
        extent, bins: as for `histogram`.

    Raises:
        UsageError: as `histogram`.

    Reference:
        As `jensen_shannon`; the bias is that of the likelihood-ratio statistic, which is chi-squared with B - 1
        degrees of freedom (Wilks 1938).
    """
    return jensen_shannon(histogram(real, extent, bins), histogram(generated, extent, bins))


def _shares(p, q):
    p, q = np.asarray(p, "float64"), np.asarray(q, "float64")
    for shares in (p, q):
        whole = bool(np.isfinite(shares).all() and shares.size and shares.min() >= 0)
        if shares.shape != p.shape or not whole or abs(shares.sum() - 1) > 1e-6:
            raise UsageError(
                "Both must be shares of one grid, at least 0 and of sum 1. "
                f"Received: {p.shape} and {q.shape}, sums {p.sum():.6g} and {q.sum():.6g}"
            )
    return p, q
