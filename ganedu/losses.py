"""Losses that Keras lacks: of embeddings that should lie near each other or apart, and of distributions on a line.

Pure functions of tensors; a batch's loss is the mean over its examples. What Keras has (mean absolute and squared
errors, cross-entropies, cosine similarity, focal, Dice) is Keras's.
"""

import math

from keras import ops

from ganedu.runtime import UsageError


def l2_normalize(x):
    """x / |x| along the last axis; a zero vector stays one, with a finite gradient."""
    return x / _safe_sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True), floor=1e-12)


def info_nce(a, b, temperature=0.07):
    """-1/2 mean_i [log softmax_j(s_ij)_i + log softmax_j(s_ji)_i], s_ij = cos(a_i, b_j) / temperature: each a
    should find its own b among the batch's, and each b its a.

    Args:
        a, b: (B, d), of any length; row i of one belongs to row i of the other.
        temperature: float or scalar tensor > 0. Defaults to `0.07`, where the paper's learnt one starts.

    Returns:
        Scalar; log B where nothing is told apart.

    Raises:
        UsageError: for shapes that differ.

    Reference:
        van den Oord, Li and Vinyals 2018, equation 4, arXiv:1807.03748; symmetric in Radford et al. 2021,
        figure 3, arXiv:2103.00020.
    """
    _same_shape(a, b)
    s = ops.matmul(l2_normalize(a), ops.transpose(l2_normalize(b))) / temperature  # (B, B)
    own = ops.diagonal(s)
    return ops.mean((ops.logsumexp(s, axis=1) + ops.logsumexp(s, axis=0)) / 2 - own)


def contrastive(a, b, same, margin=1.0):
    """mean 1/2 [same D^2 + (1 - same) max(0, m - D)^2], D = |a - b|: pairs of one kind are drawn together, others
    pushed apart to the margin. Two of different kinds at one point have no direction apart: gradient 0.

    Args:
        a, b: (B, d).
        same: (B,), 1 for a pair of one kind and 0 for another (the paper's Y is 1 - same).
        margin: float m. Defaults to `1.0`.

    Returns:
        Scalar.

    Raises:
        UsageError: for shapes that differ.

    Reference:
        Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping",
        equation 4.
    """
    _same_shape(a, b)
    squared = ops.sum(ops.square(a - b), axis=-1)
    same = ops.cast(same, squared.dtype)
    apart = ops.square(ops.maximum(margin - _safe_sqrt(squared), 0.0))
    return ops.mean(same * squared + (1 - same) * apart) / 2


def triplet(anchor, positive, negative, margin=0.2):
    """mean max(0, |a - p|^2 - |a - n|^2 + margin).

    Args:
        anchor, positive, negative: (B, d), of length 1 in the paper (`l2_normalize`); the positive is of the
            anchor's kind, the negative of another.
        margin: float. Defaults to `0.2`.

    Returns:
        Scalar.

    Raises:
        UsageError: for shapes that differ.

    Reference:
        Schroff, Kalenichenko and Philbin 2015, section 3.1, arXiv:1503.03832.
    """
    _same_shape(anchor, positive)
    _same_shape(anchor, negative)
    near = ops.sum(ops.square(anchor - positive), axis=-1)
    far = ops.sum(ops.square(anchor - negative), axis=-1)
    return ops.mean(ops.maximum(near - far + margin, 0.0))


def center_loss(features, labels, centers):
    """mean 1/2 |x_i - c_{y_i}|^2 (the paper's sum, over B): each feature is drawn to its class's centre.

    Args:
        features: x, (B, d).
        labels: y, int (B,) in [0, K).
        centers: c, (K, d).

    Returns:
        Scalar.

    Raises:
        UsageError: for centres of another dimension.

    Reference:
        Wen, Zhang, Li and Qiao 2016, "A discriminative feature learning approach for deep face
        recognition", equation 2.
    """
    _same_dimension(features, centers)
    own = ops.take(centers, labels, axis=0)
    return ops.mean(ops.sum(ops.square(features - own), axis=-1)) / 2


def update_centers(centers, features, labels, rate=0.5):
    """c_j - rate sum_{y_i = j} (c_j - x_i) / (1 + n_j), n_j of the batch's labels being j: how the centres follow.

    Args:
        centers, features, labels: as for `center_loss`.
        rate: float in [0, 1]. Defaults to `0.5`.

    Returns:
        The new centres (K, d).

    Raises:
        UsageError: for centres of another dimension.

    Reference:
        Wen et al. 2016, equation 4 and algorithm 1.
    """
    _same_dimension(features, centers)
    own = ops.one_hot(labels, centers.shape[0], dtype=features.dtype)  # (B, K)
    count = ops.sum(own, axis=0)[:, None]
    apart = count * centers - ops.matmul(ops.transpose(own), features)
    return centers - rate * apart / (1 + count)


def additive_angular_margin(features, weights, labels, margin=0.5, scale=64.0):
    """-mean log softmax_j(s cos(t_j + m [j = y])), t_j the angle between x and w_j: the cross-entropy of cosines,
    in which the own class must win by the angle m.

    Where t + m would pass 180 degrees and the cosine rise again, cos t - m sin m goes on falling.

    Args:
        features: x, (B, d), of any length.
        weights: w, (K, d), one row for each class, of any length.
        labels: y, int (B,) in [0, K).
        margin: float m, radians. Defaults to `0.5`.
        scale: float s. Defaults to `64.0`.

    Returns:
        Scalar.

    Raises:
        UsageError: for weights of another dimension.

    Reference:
        Deng, Guo, Xue and Zafeiriou 2019, ArcFace, equation 3, arXiv:1801.07698.
    """
    _same_dimension(features, weights)
    cosine = ops.matmul(l2_normalize(features), ops.transpose(l2_normalize(weights)))  # (B, K)
    own = ops.one_hot(labels, weights.shape[0], dtype=cosine.dtype)
    sine = _safe_sqrt(ops.maximum(1 - ops.square(cosine), 0.0))
    moved = ops.where(
        cosine > -math.cos(margin),
        cosine * math.cos(margin) - sine * math.sin(margin),
        cosine - margin * math.sin(margin),
    )
    logits = scale * (own * moved + (1 - own) * cosine)
    return ops.mean(ops.logsumexp(logits, axis=1) - ops.sum(own * logits, axis=1))


def wasserstein_1d(a, b):
    """1/n sum_i |a_(i) - b_(i)|, both in order: the least mean way that the samples of one go to become the
    other's.

    Args:
        a, b: (..., n), n samples each along the last axis.

    Returns:
        (...).

    Raises:
        UsageError: for shapes that differ.

    Reference:
        Ramdas, Garcia and Cuturi 2017, p = 1, arXiv:1509.02237.
    """
    _same_shape(a, b)
    return ops.mean(ops.abs(ops.sort(a, axis=-1) - ops.sort(b, axis=-1)), axis=-1)


def wasserstein_1d_histogram(p, q, width=1.0):
    """width sum_k |P_k - Q_k|, P and Q the cumulative sums: the same distance, of shares in bins on a line.

    Args:
        p, q: (..., K), each of sum 1 along the last axis.
        width: float, from one bin to the next. Defaults to `1.0`.

    Returns:
        (...).

    Raises:
        UsageError: for shapes that differ.

    Reference:
        Vallender 1974, "Calculation of the Wasserstein distance between probability distributions on the
        line"; as a loss Hou, Yu and Samaras 2016, arXiv:1611.05916.
    """
    _same_shape(p, q)
    return width * ops.sum(ops.abs(ops.cumsum(p - q, axis=-1)), axis=-1)


def _safe_sqrt(x, floor=0.0):
    """The root of x >= 0, whose gradient is 0 and not infinite where x is not above `floor`; there it is
    0, or for a divisor 1."""
    above = x > floor
    return ops.where(above, ops.sqrt(ops.where(above, x, 1.0)), 1.0 if floor else 0.0)


def _same_shape(a, b):
    if tuple(a.shape) != tuple(b.shape):
        raise UsageError(
            f"Both must have one shape. Received: {tuple(a.shape)} and {tuple(b.shape)}"
        )


def _same_dimension(features, rows):
    if features.shape[-1] != rows.shape[-1]:
        raise UsageError(
            "Features and classes must have one dimension d. "
            f"Received: {tuple(features.shape)} and {tuple(rows.shape)}"
        )
