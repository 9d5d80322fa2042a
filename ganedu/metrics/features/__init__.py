"""Small classifiers of small images, for scores: Inception's features mean nothing on digits.

>>> seen = load("mnist")
>>> seen.features(images)  # (N, 64)
>>> seen.probabilities(images)  # (N, 10)

Their weights are part of the package; `python -m ganedu.metrics.features.train NAME` makes them anew. Networks of
`keras.applications` can be named instead, `load("inception_v3")`: see `ganedu.metrics.features.applications`.
"""

import dataclasses
import functools
from importlib import resources

import numpy as np
from keras import ops

from ganedu.data.images import check_range
from ganedu.metrics.features import applications
from ganedu.metrics.features.network import classifier
from ganedu.networks import weights as stored
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError

# data set: what its network was trained to tell apart
NAMES = {
    "digits": "the ten digits of scikit-learn's 8x8 images, at 28x28",
    "mnist": "the ten digits of MNIST",
    "cifar10": "the ten kinds of CIFAR-10",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """A trained network.

    Args:
        name: str, one of `NAMES`.
        network: Keras model, images -> `[features, logits]`.
        accuracy: float in [0, 1], on test images.
    """

    name: str
    network: object = dataclasses.field(repr=False)
    accuracy: float

    @property
    def image_shape(self):
        return self.network.input_shape[1:]

    def features(self, images):
        """Images (N, H, W, C) in [-1, 1] to features (N, 64), float32 NumPy.

        Raises:
            UsageError: for images of another shape or range, or with NaN.
        """
        return self._look(images)[0]

    def probabilities(self, images):
        """Images as for `features` to the classes' probabilities (N, K), float32 NumPy."""
        return ops.convert_to_numpy(ops.softmax(self._look(images)[1], axis=-1))

    def _look(self, images):
        images = np.asarray(images, "float32")
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise UsageError(
                f"The features of {self.name} are those of images {self.image_shape}. "
                f"Received: {images.shape[1:]}"
            )
        check_range(images)
        return predict_in_batches(self.network, images, batch_size=512)


@functools.cache
def load(name):
    """The network of a data set, or one of `keras.applications`.

    Args:
        name: str, one of `NAMES` or of `applications.NAMES`.

    Returns:
        `Features`, or `applications.Application`, which has `features` alone.

    Raises:
        UsageError: for a name that has none, and weights that cannot be had.
    """
    if name in applications.NAMES:
        return applications.load(name)
    if name not in NAMES:
        known = ", ".join([*NAMES, *applications.NAMES])
        raise UsageError(f"There are features of {known}. Received: {name!r}")
    file = resources.files("ganedu.metrics.features") / "weights" / f"{name}.npz"
    weights, metadata = stored.load(file)
    network = classifier(tuple(metadata["image_shape"].tolist()), weights[-1].shape[0])
    network.set_weights(weights)
    return Features(name, network, float(metadata["accuracy"]))


def fitting(name, image_shape):
    """The network for images of a data set: its own, or for other images of that shape MNIST's or
    CIFAR-10's; `None` if there is none.

    Args:
        name: str, of the data set.
        image_shape: (H, W, C).
    """
    for known in (name, "mnist", "cifar10"):
        if known in NAMES and load(known).image_shape == tuple(image_shape):
            return load(known)
    return None


def for_shape(name, image_shape):
    """As `fitting`.

    Raises:
        UsageError: if there is none.
    """
    network = fitting(name, image_shape)
    if network is None:
        raise UsageError(no_features(image_shape))
    return network


def no_features(image_shape):
    """The line that says that `for_shape` finds nothing."""
    shape = "x".join(map(str, image_shape))
    return f"There are features for images of 28x28x1 and 32x32x3. Received: {shape}"


def for_dataset(dataset):
    """As `for_shape`, for an `ImageDataset`."""
    return for_shape(dataset.name, dataset.image_shape)
