"""Moving about in a latent space: arrays in, arrays out.

Latents are arrays (..., d). A prior of independent standard normals puts almost all of its mass in
a shell of radius about sqrt(d), so a straight line between two draws passes through lengths that
the generator has hardly seen: `slerp` keeps to the shell.
"""

import numpy as np
from scipy.stats import norm

from ganedu.runtime import UsageError


def check_draw(count, seed):
    """Refuses what is no number of draws, or no seed.

    Raises:
        UsageError: for a `count` that is no integer from 1, or a `seed` that is none from 0.
    """
    for name, value, least in (("count", count, 1), ("seed", seed, 0)):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise UsageError(f"`{name}` must be an integer from {least}. Received: {value!r}")


def sample_prior(count, latent_dim, seed=0):
    """Standard normal latents (count, latent_dim), float32, the same on every backend.

    Raises:
        UsageError: as `check_draw`.
    """
    check_draw(count, seed)
    return np.random.default_rng(seed).standard_normal((count, latent_dim)).astype("float32")


def lerp(a, b, t):
    """Linear interpolation (1 - t) a + t b.

    Args:
        a, b: arrays (..., d).
        t: float or array (T,), 0 at `a` and 1 at `b`.

    Returns:
        Array (..., d) for a float, (T, ..., d) for an array; equal to `a` and `b` at the ends.
        Its dtype is that of the ends, float32 at least.

    Raises:
        UsageError: if the shapes of `a` and `b` differ, or `t` is neither a number nor a vector.
    """
    a, b, t = _ends(a, b, t)
    return _exact((1 - t) * a + t * b, a, b, t)


def slerp(a, b, t):
    """Spherical interpolation: the angle between the ends is divided evenly, the length linearly.

    With unit vectors u, v at the angle w, the direction is (sin((1-t)w) u + sin(tw) v) / sin(w).
    Vectors that are parallel (w = 0) or zero are interpolated linearly; opposite ones (w = pi) have
    no one great circle, and take one through a fixed perpendicular direction.

    Args:
        a, b, t: as for `lerp`.

    Returns:
        As `lerp`.

    Raises:
        UsageError: as `lerp`.

    Reference:
        Shoemake 1985, "Animating rotation with quaternion curves"; for latent spaces White 2016,
        arXiv:1609.04468.
    """
    a, b, t = _ends(a, b, t)
    length_a, length_b = _length(a), _length(b)
    u = a / np.maximum(length_a, 1e-12)
    v = b / np.maximum(length_b, 1e-12)
    # 2 atan2(|u - v|, |u + v|) is exact for small and for large angles, where arccos is not.
    w = 2 * np.arctan2(_length(u - v), _length(u + v))
    # cos(tw) u + sin(tw) side is the direction above, with no sin(w) to divide by.
    side = v - np.cos(w) * u
    side = np.where(_length(side) < 1e-6, _perpendicular(u), side)
    side = side / np.maximum(_length(side), 1e-12)
    direction = np.cos(t * w) * u + np.sin(t * w) * side
    curve = direction * ((1 - t) * length_a + t * length_b)
    straight = (w < 1e-6) | (length_a < 1e-12) | (length_b < 1e-12)
    return _exact(np.where(straight, (1 - t) * a + t * b, curve), a, b, t)


def interpolation_path(points, steps, method=slerp, closed=False):
    """A path through several points.

    Args:
        points: array (P, d), P >= 2.
        steps: int >= 1, the number of moves from each point to the next.
        method: `lerp` or `slerp`.
        closed: whether the path returns to its first point, which is then not repeated. Defaults
            to `False`.

    Returns:
        Array ((P - 1) * steps + 1, d), or (P * steps, d) if closed. Each point itself is on the
        path.

    Raises:
        UsageError: for points of another shape, and `steps` below 1.
    """
    points = np.asarray(points)
    if points.ndim != 2 or len(points) < 2:
        raise UsageError(
            f"`points` must have the shape (P, d) with P >= 2. Received: {points.shape}"
        )
    if steps < 1:
        raise UsageError(f"`steps` must be at least 1. Received: {steps}")
    t = np.arange(steps) / steps
    following = np.roll(points, -1, axis=0)
    legs = [method(a, b, t) for a, b in zip(points, following, strict=True)]
    if not closed:
        legs[-1] = points[-1:]
    return np.concatenate(legs)


def normal_grid(side, latent_dim=2):
    """A square grid over the first two latents that covers the standard normal prior evenly.

    Along each axis lie the quantiles (i + 1/2) / side of the normal distribution, i = 0, 1, ...

    Args:
        side: int >= 1, points along each side.
        latent_dim: int >= 2; further latents are zero. Defaults to `2`.

    Returns:
        Array (side, side, latent_dim), float32. Row by row the second latent falls, and along a row
        the first one rises.

    Raises:
        UsageError: for numbers out of range.

    Reference:
        Kingma and Welling 2013, appendix A, figure 4, arXiv:1312.6114.
    """
    if side < 1 or latent_dim < 2:
        raise UsageError(
            "A grid needs a side of at least 1 and at least 2 latents. "
            f"Received: {side} and {latent_dim}"
        )
    quantiles = norm.ppf((np.arange(side) + 0.5) / side)
    grid = np.zeros((side, side, latent_dim), "float32")
    grid[..., 0] = quantiles[None, :]
    grid[..., 1] = quantiles[::-1, None]
    return grid


def attribute_vector(codes, has):
    """The direction of an attribute: the mean code of those that have it, minus the mean code of
    those that have not.

    Adding a multiple of it to a code and decoding gives the image more of the attribute. Whatever
    else the two groups differ in goes into the vector too: choose them alike in all but the
    attribute.

    Args:
        codes: array (N, d).
        has: bool array (N,), which of them have the attribute: some, not all.

    Returns:
        Array (d,). Its dtype is that of the codes, float32 at least.

    Raises:
        UsageError: for other shapes, a `has` that is not bool, and an empty group.

    Reference:
        Radford, Metz and Chintala 2015, section 6.3.2, arXiv:1511.06434; Larsen et al. 2016,
        "Autoencoding beyond pixels using a learned similarity metric", arXiv:1512.09300; for groups
        that are alike, White 2016, arXiv:1609.04468.
    """
    codes, has = _points(codes), np.asarray(has)
    if has.dtype != bool or has.shape != codes.shape[:1]:
        raise UsageError(
            f"`has` must be one bool for each of the {len(codes)} codes. "
            f"Received: {has.dtype} {has.shape}"
        )
    if has.all() or not has.any():
        raise UsageError(
            "Some codes must have the attribute and some not. "
            f"Received: {np.sum(has)} of {len(has)} have it"
        )
    return codes[has].mean(axis=0) - codes[~has].mean(axis=0)


def principal_directions(codes, count):
    """The directions in which codes differ most, found without a label: u_1, u_2, ... such that

        C u_k = s_k^2 u_k,   C = 1/N sum_n (z_n - mean) (z_n - mean)^T,   s_1 >= s_2 >= ...

    Args:
        codes: array (N, d), N >= 2.
        count: int, from 1 to the smaller of N and d.

    Returns:
        The directions, array (count, d) of unit rows that are perpendicular to each other, the
        largest number of each positive; and s, the standard deviations of the codes along them,
        (count,). The dtype of both is that of the codes, float32 at least.

    Raises:
        UsageError: for another shape or count.

    Reference:
        Härkönen et al. 2020, "GANSpace: discovering interpretable GAN controls", arXiv:2004.02546.
    """
    codes = _points(codes)
    if len(codes) < 2 or not 1 <= count <= min(codes.shape):
        raise UsageError(
            "There are 1 to min(N, d) directions of N >= 2 codes (N, d). "
            f"Received: count={count} and {codes.shape}"
        )
    around = codes.astype("float64") - codes.mean(axis=0, dtype="float64")
    _, lengths, directions = np.linalg.svd(around, full_matrices=False)
    directions, spreads = directions[:count], lengths[:count] / np.sqrt(len(codes))
    largest = np.abs(directions).argmax(axis=1)[:, None]
    directions = directions * np.sign(np.take_along_axis(directions, largest, axis=1))
    return directions.astype(codes.dtype), spreads.astype(codes.dtype)


def _points(codes):
    """Codes (N, d), float32 at least."""
    codes = np.asarray(codes)
    if codes.ndim != 2:
        raise UsageError(f"`codes` must have the shape (N, d). Received: {codes.shape}")
    return codes.astype(np.result_type(codes, "float32"))


def _ends(a, b, t):
    """Both ends, and t in float64 with axes for theirs."""
    a, b, t = np.asarray(a), np.asarray(b), np.asarray(t, "float64")
    if a.shape != b.shape or a.ndim < 1:
        raise UsageError(
            f"Both ends must have one shape (..., d). Received: {a.shape} and {b.shape}"
        )
    if t.ndim > 1:
        raise UsageError(f"`t` must be a number or a vector. Received: the shape {t.shape}")
    return a, b, t.reshape(t.shape + (1,) * a.ndim)


def _exact(result, a, b, t):
    result = np.where(t == 0, a, np.where(t == 1, b, result))
    return result.astype(np.result_type(a, b, "float32"))


def _length(a):
    """Norms along the last axis, which stays, in float64."""
    return np.linalg.norm(a.astype("float64"), axis=-1, keepdims=True)


def _perpendicular(u):
    """For unit vectors u: neighbours change places, one of two with another sign, so that it is made of the numbers of
    u and as likely a latent. Where little but an odd last one is left, u's smallest coordinate's axis, turned."""
    turned, even = np.zeros_like(u), u.shape[-1] // 2 * 2
    turned[..., 0:even:2], turned[..., 1:even:2] = -u[..., 1:even:2], u[..., 0:even:2]
    axis = np.zeros_like(u)
    np.put_along_axis(axis, np.abs(u).argmin(axis=-1)[..., None], 1.0, axis=-1)
    axis = axis - (axis * u).sum(axis=-1, keepdims=True) * u
    return np.where(_length(turned) > 0.5, turned, axis)
