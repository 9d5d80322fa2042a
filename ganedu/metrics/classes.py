"""Scores of what a classifier sees in samples."""

import numpy as np

from ganedu.metrics.estimate import Estimate
from ganedu.runtime import UsageError


def checked_probabilities(probabilities, min_count=2):
    """Probabilities as float64 (N, K).

    Raises:
        UsageError: if rows are not distributions, or there are fewer than `min_count`.
    """
    p = np.asarray(probabilities, "float64")
    sums = p.sum(axis=-1) if p.ndim == 2 else np.nan
    if p.ndim != 2 or len(p) < min_count or not np.allclose(sums, 1.0, atol=1e-3) or p.min() < 0:
        raise UsageError(
            f"Each of at least {min_count} rows must be a distribution over classes. Received: {p.shape}"
        )
    return p


def inception_score(probabilities, splits=10):
    """exp E_x[KL(p(y|x) || p(y))]: from 1, where all samples look alike to the classifier, to K, where
    each is certain and all classes are equally frequent.

    It knows nothing of the real images: one perfect sample for each class has the best score. With
    few samples it is too low, by an amount that falls with 1 / N: p(y) is that of the samples
    themselves.

    Args:
        probabilities: (N, K), a classifier's of N samples.
        splits: int, parts of which the mean and its standard error are taken. Defaults to `10`.

    Returns:
        `Estimate`.

    Raises:
        UsageError: if rows are not distributions, or there are fewer than two for each part.

    Reference:
        Salimans et al. 2016, section 4, arXiv:1606.03498.
    """
    p = checked_probabilities(probabilities, min_count=2 * splits)
    found = []
    for part in np.array_split(p, splits):
        marginal = np.broadcast_to(part.mean(axis=0), part.shape)
        seen = part > 0
        found.append(np.exp(np.sum(part[seen] * np.log(part[seen] / marginal[seen])) / len(part)))
    return Estimate.of(found)


def class_histogram(probabilities):
    """The share of N samples that look most like each class: (K,), float64. Unbiased; each share is wrong by about
    sqrt(h (1 - h) / N), and by what the classifier mistakes.

    Raises:
        UsageError: if rows are not distributions.
    """
    p = checked_probabilities(probabilities, min_count=1)
    return np.bincount(p.argmax(axis=1), minlength=p.shape[1]) / len(p)


def class_entropy(histogram):
    """-sum_k h_k log h_k in nats of shares (K,): log(K) where all classes are equally frequent.

    Of N samples too low by about (K - 1) / 2N.

    Raises:
        UsageError: if they are not shares.

    Reference:
        Shannon 1948; for the bias Miller 1955, "Note on the bias of information estimates".
    """
    h = checked_probabilities(np.asarray(histogram)[None], min_count=1)[0]
    h = h[h > 0]
    return float(-np.sum(h * np.log(h)))
