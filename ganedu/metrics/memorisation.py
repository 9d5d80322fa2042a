"""Whether a model generates, or repeats what it has seen."""

import dataclasses

import numpy as np

from ganedu.metrics.checks import checked
from ganedu.metrics.manifold import blocks, squared_distances
from ganedu.runtime import UsageError


@dataclasses.dataclass(frozen=True)
class Memorisation:
    """
    Args:
        distances: (N,), from each sample to the nearest training image, in units of the usual
            distance from an unseen real image to its nearest training image: about 1 for new images.
        nearest: int (N,), which training image that is.
        copy_rate: float in [0, 1], the share of samples that are nearer than all but a hundredth of the
            unseen images are. For a model as good as nature (1 + (L - 1) / 100) / (L + 1) on average with
            L unseen images, 0.02 of 100 and 0.011 of 1,000; 1 for one that repeats what it has seen.
    """

    distances: np.ndarray
    nearest: np.ndarray
    copy_rate: float


def memorisation(generated, train, test):
    """Compares how near samples and unseen real images are to their nearest training image.

    In pixels, a copy is near; in features, so is a copy that was shifted. With fewer training images all
    are further: the same training images serve both sides. Poor samples are far from everything,
    and hide copies among them in the mean, not in `copy_rate`.

    Args:
        generated, train, test: features or flattened pixels, (N, d), (M, d) and (L, d); L of at least
            100.

    Returns:
        `Memorisation`.

    Raises:
        UsageError: for too few rows, NaN, or widths that differ.

    Reference:
        The three-sample idea of Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675, with a share
        in the place of its rank statistic.
    """
    generated, train, test = checked(generated, 1), checked(train, 1), checked(test, 100)
    if not generated.shape[1] == train.shape[1] == test.shape[1]:
        raise UsageError(
            "All must have one width. "
            f"Received: {generated.shape[1]}, {train.shape[1]} and {test.shape[1]}"
        )
    unseen, _ = nearest_neighbour_distance(test, train)
    distances, nearest = nearest_neighbour_distance(generated, train)
    copy_rate = float(np.mean(distances < np.quantile(unseen, 0.01)))
    return Memorisation(distances / max(np.median(unseen), 1e-12), nearest, copy_rate)


def nearest_neighbour_distance(x, others):
    """The distance (N,) from each of (N, d) to the nearest of (M, d), and which it is, (N,)."""
    distances, found = np.full(len(x), np.inf), np.zeros(len(x), int)
    for rows in blocks(len(x)):
        for columns in blocks(len(others)):
            d = squared_distances(x[rows], others[columns])
            place = d.argmin(axis=1)
            value = d[np.arange(len(rows)), place]
            nearer = value < distances[rows]
            distances[rows] = np.where(nearer, value, distances[rows])
            found[rows] = np.where(nearer, columns[place], found[rows])
    return np.sqrt(distances), found
