"""The Fréchet distance, against numbers worked out by hand."""

import numpy as np
import pytest

from ganedu import runtime
from ganedu.metrics.frechet import frechet_distance, gaussian


def test_gaussians_by_hand():
    # (1 - 3)^2 + 4 + 9 - 2 * 2 * 3 = 5
    assert (
        frechet_distance((np.array([1.0]), np.array([[4.0]])), (np.array([3.0]), np.array([[9.0]])))
        == 5
    )
    # Diagonal covariances: (1 - 2)^2 + (3 - 1)^2, the deviations' distance.
    zero = np.zeros(2)
    found = frechet_distance((zero, np.diag([1.0, 9.0])), (zero, np.diag([4.0, 1.0])))
    np.testing.assert_allclose(found, 5.0)


def test_a_turned_gaussian_agrees_with_the_matrix_root():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    s1, s2 = (a @ a.T for a in rng.normal(size=(2, 5, 5)))
    zero = np.zeros(5)
    expected = np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)
    np.testing.assert_allclose(frechet_distance((zero, s1), (zero, s2)), expected, rtol=1e-6)


def test_the_gaussian_of_features_by_hand():
    mean, covariance = gaussian([[1.0, 0.0], [3.0, 4.0]])
    np.testing.assert_array_equal(mean, [2, 2])
    np.testing.assert_array_equal(covariance, [[2, 4], [4, 8]])


def test_equal_sets_are_at_no_distance_and_a_shift_is_its_square():
    x = np.random.default_rng(0).normal(size=(500, 8))
    assert frechet_distance(x, x) < 1e-8
    np.testing.assert_allclose(frechet_distance(x, x + 0.5), 8 * 0.25, rtol=1e-6)


def test_singular_covariances():
    # All on one line: the root has eigenvalues 0.
    line = np.arange(10.0)[:, None] * np.array([[1.0, 2.0, 0.0]])
    assert frechet_distance(line, line) < 1e-6
    np.testing.assert_allclose(frechet_distance(line, line + np.array([0, 0, 3.0])), 9.0, atol=1e-6)


def test_an_eigenvalue_that_rounding_brought_below_0_counts_as_0():
    zero, rounded = np.zeros(2), np.diag([4.0, -1e-12])
    np.testing.assert_allclose(frechet_distance((zero, rounded), (zero, np.eye(2))), 2.0)


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.full((4, 3), np.nan), np.zeros(3)])
def test_what_cannot_be_scored_is_refused(bad):
    with pytest.raises(runtime.UsageError, match="finite, \\(N, d\\)"):
        frechet_distance(bad, np.zeros((4, 3)))


def test_widths_must_agree():
    with pytest.raises(runtime.UsageError, match="Received: 3 and 2"):
        frechet_distance(np.eye(4, 3), np.eye(4, 2))


@pytest.mark.parametrize("bad", [(np.zeros(2), np.eye(3)), (np.zeros(2), np.full((2, 2), np.nan))])
def test_what_is_no_gaussian_is_refused(bad):
    with pytest.raises(runtime.UsageError, match="A Gaussian is a mean"):
        frechet_distance(bad, (np.zeros(2), np.eye(2)))
