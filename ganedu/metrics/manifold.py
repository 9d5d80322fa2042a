"""Whether samples lie among the real images, and whether they cover them."""

import dataclasses

import numpy as np

from ganedu.metrics.checks import checked_pair
from ganedu.runtime import UsageError

BLOCK = 1000


@dataclasses.dataclass(frozen=True)
class PRDC:
    """Four shares of neighbours. With B(x) the ball around x that reaches its k-th nearest of its own
    kind:

    Args:
        precision: float in [0, 1], the share of samples in the ball of some real image: good ones.
        recall: float in [0, 1], the share of real images in the ball of some sample: varied ones.
        density: float >= 0, in how many real balls a sample lies, over k: 1 for real images. As
            `precision`, but one far outlier among the real images does not make samples good.
        coverage: float in [0, 1], the share of real images whose ball holds a sample. As `recall`,
            but one far sample does not make samples varied.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold_scores(real, generated, k=5):
    """Precision, recall, density and coverage of features (N, d) and (M, d).

    All depend on N, M and k: real images against other real ones, with as many, are the measure.
    Coverage of real by real is 1 - (N - 1)...(N - k) / ((M + N - 1)...(M + N - k)) on average, about
    1 - 2^-k where N = M. (k is 3 in Kynkäänniemi, and 5 in Naeem.) Memory is bounded by blocks of 1,000.

    Returns:
        `PRDC`.

    Raises:
        UsageError: for no more than k rows, NaN, or widths that differ.

    Reference:
        Kynkäänniemi et al. 2019, equations 1 and 2, arXiv:1904.06991; Naeem et al. 2020, equations 5
        and 6 and proposition 2, arXiv:2002.09797.
    """
    if k < 1:
        raise UsageError(f"`k` must be at least 1. Received: k={k}")
    real, generated = checked_pair(real, generated, min_count=k + 1)
    real_radius, generated_radius = (
        knn_radius(real, k),
        knn_radius(generated, k),
    )  # squared, (N,) and (M,)
    holders, covered = (
        np.zeros(len(generated)),
        np.zeros(len(real), bool),
    )  # real balls around a sample
    recalled = np.zeros(len(real), bool)
    for rows in blocks(len(real)):
        for columns in blocks(len(generated)):
            distance = squared_distances(real[rows], generated[columns])
            inside = distance <= real_radius[rows, None]
            holders[columns] += inside.sum(axis=0)
            covered[rows] |= inside.any(axis=1)
            recalled[rows] |= (distance <= generated_radius[None, columns]).any(axis=1)
    return PRDC(
        precision=float((holders > 0).mean()),
        recall=float(recalled.mean()),
        density=float(holders.mean() / k),
        coverage=float(covered.mean()),
    )


def squared_distances(x, y):
    """||x_i - y_j||^2 of features (N, d) and (M, d): (N, M)."""
    d = (-2.0 * x) @ y.T  # and the rest in place: memory is what takes the time here
    d += np.sum(x**2, axis=1)[:, None]
    d += np.sum(y**2, axis=1)[None]
    return np.maximum(d, 0.0, out=d)


def knn_radius(x, k):
    """The squared distance from each of features (N, d) to its k-th nearest other: (N,)."""
    found = []
    for rows in blocks(len(x)):
        distance = squared_distances(x[rows], x)
        distance[np.arange(len(distance)), rows] = 0.0  # rounding may leave a little
        distance.partition(k, axis=1)
        found.append(distance[:, k].copy())
    return np.concatenate(found)


def blocks(count):
    """Index arrays that together are 0, ..., count - 1."""
    return [np.arange(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
