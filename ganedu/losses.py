"""Losses that Keras lacks: of embeddings that should lie near each other or apart, of distributions on a line, and the
log-probabilities of an image's values.

Pure functions of tensors; a batch's loss is the mean over its examples. What Keras has (mean absolute and squared
errors, cross-entropies, cosine similarity, focal, Dice) is Keras's.
"""

import math

from keras import ops

from ganedu.runtime import UsageError

MIN_LOG_SCALE = (
    -7.0
)  # of a logistic's, as in PixelCNN++: a narrower one is a point among 256 values


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


def bernoulli_log_prob(x, logits):
    """p log sigma(a) + (1 - p) log(1 - sigma(a)) = p a - log(1 + e^a), p = (x + 1) / 2: the log-probability of
    binary values.

    Args:
        x: -1 or 1; a value between counts as the probability p of a 1, and what comes out is then the
            mean of the two log-probabilities.
        logits: a, of the shape of x.

    Returns:
        Of the shape of x, in nats.
    """
    p = (x + 1.0) / 2.0
    return p * logits - ops.softplus(logits)


def discretized_logistic_log_prob(x, mean, log_scale, levels=256):
    """log P(x) = log [sigma((x + h - m) / s) - sigma((x - h - m) / s)], h = 1 / (levels - 1): a logistic
    distribution of mean m and scale s, whose mass in the bin around each of `levels` equally spaced values
    of [-1, 1] is that value's probability. The first bin reaches down to -infinity, the last up to infinity.

    With a and b the two arguments, the difference is exactly sigma(a) sigma(-b) (1 - e^(b - a)), whose
    logarithm is finite however small it is:

        log P = -log(1 + e^-a) - log(1 + e^b) + log(1 - e^(b - a))

    Args:
        x: one of the values -1 + 2 n / (levels - 1), n = 0 ... levels - 1.
        mean, log_scale: m and log s; all three broadcast.
        levels: int, at least 2. Defaults to `256`.

    Returns:
        Of the broadcast shape, in nats, at most 0.

    Reference:
        Salimans, Karpathy, Chen and Kingma 2017, PixelCNN++, equation 2 (of one component),
        arXiv:1701.05517; Kingma et al. 2016, arXiv:1606.04934.
    """
    half, inverse = 1.0 / (levels - 1), ops.exp(-log_scale)
    a, b = (x - mean + half) * inverse, (x - mean - half) * inverse
    bottom, top = x < half - 1.0, x > 1.0 - half
    below_a = ops.where(top, 0.0, -ops.softplus(-a))  # log sigma(a), 0 where a is infinite
    above_b = ops.where(bottom, 0.0, -ops.softplus(b))  # log(1 - sigma(b))
    inner = ops.where(ops.logical_or(bottom, top), 0.0, ops.log(-ops.expm1(-2.0 * half * inverse)))
    return below_a + above_b + inner


def split_mixture(parameters, channels):
    """What a network gives for a pixel as the parameters of `logistic_mixture_log_prob`.

    Args:
        parameters: (..., K mixture_size(channels)).
        channels: int, C.

    Returns:
        `(logits, means, log_scales, coefficients)`: (..., K), (..., K, C) twice, the logarithms at least
        -7, and (..., K, C (C - 1) / 2) in (-1, 1).
    """
    size = mixture_size(channels)
    shape = (-1, *parameters.shape[1:-1], parameters.shape[-1] // size, size)
    parameters = ops.reshape(parameters, shape)
    logits, means = parameters[..., 0], parameters[..., 1 : 1 + channels]
    log_scales = ops.maximum(parameters[..., 1 + channels : 1 + 2 * channels], MIN_LOG_SCALE)
    return logits, means, log_scales, ops.tanh(parameters[..., 1 + 2 * channels :])


def mixture_size(channels):
    """How many numbers describe one component for a pixel of so many channels: 3 of grey, 10 of colour."""
    return 1 + 2 * channels + channels * (channels - 1) // 2


def logistic_mixture_log_prob(x, logits, means, log_scales, coefficients, levels=256):
    """log P(x) = log sum_i pi_i prod_c P(x_c | m_ic + sum_(d < c) k_icd x_d, s_ic): a mixture of discretized
    logistics for a pixel, in which the mean of a channel depends linearly on the channels before it
    (red; green given red; blue given both).

    Args:
        x: (..., C), values as for `discretized_logistic_log_prob`.
        logits, means, log_scales, coefficients: as `split_mixture` gives them; pi = softmax(logits).
        levels: int. Defaults to `256`.

    Returns:
        (...), in nats.

    Reference:
        Salimans, Karpathy, Chen and Kingma 2017, PixelCNN++, equations 1 to 3, arXiv:1701.05517.
    """
    total, used = logits - ops.logsumexp(logits, axis=-1, keepdims=True), 0  # log pi, (..., K)
    for c in range(x.shape[-1]):
        mean = means[..., c]
        for d in range(c):
            mean = mean + coefficients[..., used + d] * x[..., d : d + 1]
        used += c
        total = total + discretized_logistic_log_prob(
            x[..., c : c + 1], mean, log_scales[..., c], levels
        )
    return ops.logsumexp(total, axis=-1)


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
