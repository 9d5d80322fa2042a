"""Paths and grids in a latent space, against numbers worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest

from ganedu.latent import (
    attribute_vector,
    interpolation_path,
    lerp,
    normal_grid,
    principal_directions,
    sample_prior,
    slerp,
)
from ganedu.runtime import UsageError

T = np.linspace(0, 1, 11)


def pair(*shape, dtype="float32"):
    rng = np.random.default_rng(3)
    return rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape).astype(dtype)


def angle(a, b):
    return np.arccos((a @ b) / np.linalg.norm(a) / np.linalg.norm(b))


def close(actual, expected, atol=1e-6):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def test_sample_prior_is_standard_normal_and_a_function_of_its_seed():
    z = sample_prior(4000, 8, seed=1)
    assert z.shape == (4000, 8)
    assert z.dtype == np.float32
    close(z.mean(0), np.zeros(8), atol=0.08)  # 5 standard errors
    close(z.std(0), np.ones(8), atol=0.06)
    close((np.abs(z) > 2).mean(), 0.0455, atol=0.006)
    np.testing.assert_array_equal(z, sample_prior(4000, 8, seed=1))
    assert not np.array_equal(z, sample_prior(4000, 8, seed=2))


def test_lerp_by_hand():
    close(lerp([0.0, 2.0], [4.0, -2.0], 0.25), [1.0, 1.0])
    close(lerp([0.0, 2.0], [4.0, -2.0], [0.5, 1.5]), [[2.0, 0.0], [6.0, -4.0]])


def test_slerp_by_hand():
    half = np.sqrt(0.5)
    close(slerp([1.0, 0.0], [0.0, 1.0], 0.5), [half, half])  # 45 degrees
    # A third of the way through 45 degrees is 15 degrees.
    close(slerp([1.0, 0.0], [half, half], 1 / 3), [0.9659258, 0.2588190])
    # Half of 90 degrees at the mean length, 3.
    close(slerp([2.0, 0.0], [0.0, 4.0], 0.5), [3 * half, 3 * half])
    close(slerp([1.0, 0.0], [0.0, 1.0], 2.0), [-1.0, 0.0])  # beyond the end: 180 degrees


def test_slerp_is_shoemakes_formula():
    a, b = pair(16, dtype="float64")
    w = angle(a, b)
    u, v = a / np.linalg.norm(a), b / np.linalg.norm(b)
    for t, z in zip(T, slerp(a, b, T), strict=True):
        length = (1 - t) * np.linalg.norm(a) + t * np.linalg.norm(b)
        close(z, length * (np.sin((1 - t) * w) * u + np.sin(t * w) * v) / np.sin(w), atol=1e-12)


@pytest.mark.parametrize("move", [lerp, slerp])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ends_are_exact_and_shapes_hold(move, dtype):
    a, b = pair(5, 7, dtype=dtype)
    wanted = np.result_type(dtype, "float32")
    path = move(a, b, T)
    assert path.shape == (11, 5, 7)
    assert path.dtype == wanted
    np.testing.assert_array_equal(path[0], a)
    np.testing.assert_array_equal(path[-1], b)
    assert not np.array_equal(path[5], a)
    one = move(a, b, 0.3)
    assert one.shape == (5, 7)
    assert one.dtype == wanted
    close(one, path[3])
    close(move(a[2], b[2], T), path[:, 2])  # each row goes its own way
    close(move(b, a, 1 - T), path, atol=1e-5)


def test_slerp_keeps_the_length_that_lerp_loses():
    a, b = (16 * z / np.linalg.norm(z) for z in pair(256))
    lengths = np.linalg.norm(slerp(a, b, T), axis=-1)
    close(lengths, np.full(11, 16.0), atol=1e-5)
    # At 90 degrees, which two draws in 256 dimensions are close to, lerp's middle has length / sqrt 2.
    middle = np.linalg.norm(lerp(a, b, 0.5))
    close(middle, 16 * np.cos(angle(a, b) / 2), atol=1e-4)
    assert middle < 13


def test_slerp_divides_the_angle_evenly():
    a, b = pair(16, dtype="float64")
    path = slerp(a, b, T)
    steps = [angle(p, q) for p, q in pairwise(path)]
    close(steps, np.full(10, angle(a, b) / 10))


@pytest.mark.parametrize("scale", [1.0, 3.0, 1 + 1e-9])
def test_parallel_vectors_go_straight(scale):
    a, _ = pair(16, dtype="float64")
    close(slerp(a, scale * a, T), lerp(a, scale * a, T), atol=1e-12)


def test_almost_parallel_vectors_are_no_worse_than_straight():
    a, c = pair(16, dtype="float64")
    for tiny in (1e-3, 1e-5, 1e-6, 1e-7, 1e-9):
        close(slerp(a, a + tiny * c, T), lerp(a, a + tiny * c, T), atol=10 * tiny**2 + 1e-12)


@pytest.mark.parametrize(
    "a", [pair(16)[0], pair(15)[0], np.array([3.0, 0.0]), np.array([0.0, 0.0, -2.0])]
)
def test_opposite_vectors_take_a_half_circle(a):
    path = slerp(a, -a, T)
    length = np.linalg.norm(a)
    close(np.linalg.norm(path, axis=-1), np.full(11, length), atol=1e-5)
    close(path[5] @ a, 0.0, atol=1e-5)
    close([angle(a, p) for p in path[1:-1]], np.pi * T[1:-1], atol=1e-3)
    np.testing.assert_array_equal(path, slerp(a, -a, T))


def test_halfway_to_the_opposite_lies_a_likely_latent():
    """Made of the same numbers, and not of one large one."""
    a, _ = pair(16)
    close(np.sort(np.abs(slerp(a, -a, 0.5))), np.sort(np.abs(a)), atol=1e-5)


def test_almost_opposite_vectors_make_no_jump():
    a, c = pair(16, dtype="float64")
    for tiny in (1e-3, 1e-6, 1e-9):
        path = slerp(a, -a + tiny * c, np.linspace(0, 1, 101))
        jumps = np.linalg.norm(np.diff(path, axis=0), axis=-1)
        close(jumps, np.full(100, np.linalg.norm(a) * np.pi / 100), atol=1e-2 * tiny + 1e-4)


def test_a_zero_vector_goes_straight():
    a, zero = np.array([3.0, 4.0]), np.zeros(2)
    close(slerp(zero, a, T), T[:, None] * a)
    close(slerp(a, zero, T), (1 - T)[:, None] * a)
    np.testing.assert_array_equal(slerp(zero, zero, T), np.zeros((11, 2)))


@pytest.mark.parametrize("method", [lerp, slerp])
def test_a_path_passes_through_every_point(method):
    points = sample_prior(4, 6)
    path = interpolation_path(points, 5, method)
    assert path.shape == (16, 6)
    assert path.dtype == np.float32
    np.testing.assert_array_equal(path[::5], points)
    np.testing.assert_array_equal(path[5:11], method(points[1], points[2], np.arange(6) / 5))


def test_a_closed_path_returns_and_does_not_repeat_its_start():
    points = sample_prior(3, 6)
    path = interpolation_path(points, 4, lerp, closed=True)
    assert path.shape == (12, 6)
    np.testing.assert_array_equal(path[::4], points)
    np.testing.assert_array_equal(path[8:], lerp(points[2], points[0], np.arange(4) / 4))
    np.testing.assert_array_equal(interpolation_path(points, 1, closed=True), points)


def test_normal_grid_by_hand():
    grid = normal_grid(4, 3)
    assert grid.shape == (4, 4, 3)
    assert grid.dtype == np.float32
    # The quantiles 1/8, 3/8, 5/8, 7/8 of the standard normal distribution, from a table.
    q = [-1.150349, -0.318639, 0.318639, 1.150349]
    for i in range(4):
        close(grid[i, :, 0], q)
        close(grid[:, i, 1], q[::-1])
    np.testing.assert_array_equal(grid[..., 2], np.zeros((4, 4)))
    np.testing.assert_array_equal(normal_grid(1), np.zeros((1, 1, 2)))


def test_an_attribute_vector_by_hand():
    codes = np.array([[1, 0], [3, 4], [0, 0], [0, 3], [-3, 0]])
    vector = attribute_vector(codes, np.array([True, True, False, False, False]))
    close(vector, [2 - -1, 2 - 1])
    close(attribute_vector(codes, np.array([False, False, True, True, True])), -vector)
    wanted = {"float16": "float32", "float32": "float32", "float64": "float64"}
    for given, got in wanted.items():
        assert attribute_vector(codes.astype(given), codes[:, 0] > 0).dtype == got


def test_an_attribute_vector_does_not_see_what_the_groups_share():
    rng = np.random.default_rng(0)
    has, kind = np.arange(4000) % 2 == 0, np.arange(4000) // 2 % 2
    noise = 0.1 * rng.standard_normal((4000, 3))
    codes = noise + np.outer(has, [1.0, 0.0, 0.0]) + np.outer(kind, [0.0, 5.0, 0.0])
    close(attribute_vector(codes, has), [1, 0, 0], atol=0.03)
    apart = has == (kind == 1)  # here kind goes with the attribute, and into the vector
    close(attribute_vector(codes[apart], has[apart]), [1, 5, 0], atol=0.03)


def test_principal_directions_by_hand():
    # Along (3, 4) / 5 lie -5, 0 and 5, across it -1, 2 and -1: no correlation.
    along, across = np.array([0.6, 0.8]), np.array([0.8, -0.6])
    codes = np.outer([-5, 0, 5], along) + np.outer([-1, 2, -1], across) + [10.0, -7.0]
    directions, spreads = principal_directions(codes, 2)
    close(directions, [along, across])  # the largest number of each is positive
    close(spreads, np.sqrt([50 / 3, 2]))
    one, spread = principal_directions(-codes, 1)
    close(one, [along])
    close(spread, spreads[:1])


def test_principal_directions_solve_the_equation():
    codes = sample_prior(300, 6, seed=4) @ sample_prior(6, 6, seed=5)
    directions, spreads = principal_directions(codes, 6)
    assert directions.dtype == spreads.dtype == np.float32
    close(directions @ directions.T, np.eye(6), atol=1e-5)
    covariance = np.cov(codes, rowvar=False, bias=True)
    for u, s in zip(directions, spreads, strict=True):
        close(covariance @ u, s**2 * u, atol=1e-3)
    assert (np.diff(spreads) < 0).all()
    close(spreads, np.std(codes @ directions.T, axis=0), atol=1e-4)
    few, _ = principal_directions(codes[:4], 4)  # fewer codes than numbers
    assert few.shape == (4, 6)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: lerp(np.zeros(3), np.zeros(4), 0.5), r"one shape .*\(3,\) and \(4,\)"),
        (lambda: slerp(1.0, 2.0, 0.5), r"one shape"),
        (lambda: slerp(np.zeros(3), np.zeros(3), np.zeros((2, 2))), r"`t`.*\(2, 2\)"),
        (lambda: interpolation_path(np.zeros((1, 3)), 2), r"P >= 2.*\(1, 3\)"),
        (lambda: interpolation_path(np.zeros(3), 2), r"P >= 2.*\(3,\)"),
        (lambda: interpolation_path(np.zeros((2, 3)), 0), r"`steps`.*0"),
        (lambda: normal_grid(0), r"side of at least 1.*0 and 2"),
        (lambda: normal_grid(3, 1), r"at least 2 latents.*3 and 1"),
        (lambda: attribute_vector(np.zeros(3), [True]), r"\(N, d\).*\(3,\)"),
        (lambda: attribute_vector(np.zeros((2, 3)), [1, 0]), r"one bool.*2 codes.*int64 \(2,\)"),
        (lambda: attribute_vector(np.zeros((2, 3)), [True]), r"one bool.*bool \(1,\)"),
        (lambda: attribute_vector(np.zeros((2, 3)), [True, True]), r"some not.*2 of 2"),
        (lambda: attribute_vector(np.zeros((2, 3)), [False, False]), r"some not.*0 of 2"),
        (lambda: principal_directions(np.zeros(3), 1), r"\(N, d\).*\(3,\)"),
        (lambda: principal_directions(np.zeros((4, 3)), 4), r"count=4 and \(4, 3\)"),
        (lambda: principal_directions(np.zeros((4, 3)), 0), r"count=0"),
        (lambda: principal_directions(np.zeros((1, 3)), 1), r"N >= 2.*\(1, 3\)"),
    ],
)
def test_mistakes_are_named(act, message):
    with pytest.raises(UsageError, match=message):
        act()
