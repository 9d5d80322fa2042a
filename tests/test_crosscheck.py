"""The scores beside independent implementations, on the same features. Where `GANEDU_CROSSCHECK` is set, these must be
installed (`pip install 'ganedu[torch,crosscheck]'`); elsewhere what is missing is skipped."""

import importlib
import os

import numpy as np
import pytest

from ganedu.metrics import classes, frechet, kernel, manifold

pytestmark = [
    pytest.mark.filterwarnings("ignore:Metric .* will save all extracted features"),
    pytest.mark.filterwarnings("ignore:std.*degrees of freedom"),
]
WIDTH, COUNT = 12, 400
RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(COUNT, WIDTH))
DRAWN = 0.8 * RNG.normal(size=(COUNT, WIDTH)) + 0.2


def needed(name):
    if os.environ.get("GANEDU_CROSSCHECK"):
        return importlib.import_module(name)
    return pytest.importorskip(name)


def as_images(features):
    """Features as a batch that torchmetrics takes for images."""
    torch = needed("torch")
    return torch.tensor(features.reshape(len(features), WIDTH // 3, 1, 3).transpose(0, 3, 1, 2))


@pytest.fixture
def extractor():
    """A network whose features are the batch itself."""
    torch = needed("torch")

    class Itself(torch.nn.Module):
        num_features = WIDTH

        def forward(self, x):
            return x.permute(0, 2, 3, 1).reshape(len(x), -1)[:, :WIDTH].double()

    return Itself()


def scored(metric):
    """A torchmetrics metric after it has seen both sets."""
    metric = metric.double()
    metric.update(as_images(REAL), real=True)
    metric.update(as_images(DRAWN), real=False)
    return metric.compute()


def test_frechet_distance(extractor):
    image = needed("torchmetrics.image.fid")
    theirs = scored(image.FrechetInceptionDistance(feature=extractor, normalize=True))
    np.testing.assert_allclose(frechet.frechet_distance(REAL, DRAWN), float(theirs), rtol=1e-3)


def test_kernel_distance(extractor):
    image = needed("torchmetrics.image.kid")
    metric = image.KernelInceptionDistance(
        feature=extractor, subsets=2, subset_size=COUNT, normalize=True
    )
    theirs, _ = scored(metric)  # subsets of everything: nothing is left to chance
    ours = kernel.kernel_distance(REAL, DRAWN, subsets=1)
    np.testing.assert_allclose(ours.value, float(theirs), rtol=1e-3)


def test_inception_score(extractor):
    torch = needed("torch")
    image = needed("torchmetrics.image.inception")
    metric = image.InceptionScore(feature=extractor, splits=1).double()
    metric.update(as_images(REAL))
    theirs, _ = metric.compute()
    probabilities = torch.softmax(torch.tensor(REAL), dim=1).numpy()
    ours = classes.inception_score(probabilities, splits=1)
    np.testing.assert_allclose(ours.value, float(theirs), rtol=1e-3)


@pytest.mark.parametrize("k", [1, 5])
def test_manifold_scores(k):
    theirs = needed("prdc").compute_prdc(REAL, DRAWN, nearest_k=k)
    ours = vars(manifold.manifold_scores(REAL, DRAWN, k=k))
    assert set(theirs) == set(ours)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, err_msg=name)
