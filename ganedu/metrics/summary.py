"""The scores of samples beside real images, in one call."""

from ganedu.metrics.frechet import frechet_distance
from ganedu.metrics.kernel import kernel_distance
from ganedu.metrics.manifold import manifold_scores


def feature_scores(real, generated):
    """Scores of features (N, d) of real images and (M, d) of samples.

    Returns:
        dict of float: `frechet_distance` and `kernel_distance` (0 for equal distributions),
        `kernel_distance_error`, `precision`, `recall`, `density`, `coverage`. What each means, its
        bias and its source stand with `frechet_distance`, `kernel_distance`, `manifold_scores`.

    Raises:
        UsageError: for fewer than six rows, NaN, or widths that differ.
    """
    kernel, manifold = kernel_distance(real, generated), manifold_scores(real, generated)
    return {
        "frechet_distance": frechet_distance(real, generated),
        "kernel_distance": kernel.value,
        "kernel_distance_error": kernel.error,
        "precision": manifold.precision,
        "recall": manifold.recall,
        "density": manifold.density,
        "coverage": manifold.coverage,
    }
