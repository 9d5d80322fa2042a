"""Networks of `keras.applications`, trained on ImageNet's photographs, in the place of our small ones.

>>> seen = load("inception_v3")
>>> seen.features(images)  # (N, 2048)

Features are the last map's mean over places. Inception V3's are what published Fréchet distances are taken
of, but not with these weights: compare such a distance only with others made here. On digits and other small
samples they mean little.

Reference:
    Heusel et al. 2017, arXiv:1706.08500 (Inception's last map); Parmar, Zhang and Zhu 2022, arXiv:2104.11222
    (resizing decides the number: here bilinear, and with an average over pixels where it makes smaller).
"""

import contextlib
import dataclasses
import functools
import os
import sys
from pathlib import Path

import keras
import numpy as np
from keras import ops

from ganedu.data.images import check_range
from ganedu.data.standard import patience
from ganedu.runtime import UsageError, one_line

BATCH = 32  # images at once: 32 of 299x299 are 34 MB

# name: module and class in keras.applications, pixels on a side, the file of the weights
NAMES = {
    "inception_v3": (
        *("inception_v3", "InceptionV3", 299),
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
    "vgg16": ("vgg16", "VGG16", 224, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "vgg19": ("vgg19", "VGG19", 224, "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "resnet50": ("resnet", "ResNet50", 224, "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "resnet50_v2": (
        *("resnet_v2", "ResNet50V2", 224),
        "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
    "mobilenet": ("mobilenet", "MobileNet", 224, "mobilenet_1_0_224_tf_no_top.h5"),
    "mobilenet_v2": (
        *("mobilenet_v2", "MobileNetV2", 224),
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    ),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Application:
    """A network of `keras.applications`.

    Args:
        name: str, one of `NAMES`.
        network: Keras model, images (B, size, size, 3) in its own range -> features (B, d).
        preprocess: function of images in [0, 255] to that range.
    """

    name: str
    network: object = dataclasses.field(repr=False)
    preprocess: object = dataclasses.field(repr=False)

    def features(self, images):
        """Images (N, H, W, C) in [-1, 1], grey or in colour, of any size, to features (N, d), float32
        NumPy. They are brought to the network's size; grey becomes three equal channels.

        Raises:
            UsageError: for images of another shape or range, or with NaN.
        """
        images = np.asarray(images, "float32")
        if images.ndim != 4 or not len(images) or images.shape[-1] not in (1, 3):
            raise UsageError(f"Images must be (N, H, W, 1 or 3). Received: {images.shape}")
        check_range(images)
        size = self.network.input_shape[1:3]
        found = []
        for start in range(0, len(images), BATCH):
            x = np.repeat(images[start : start + BATCH], 3 // images.shape[-1], axis=-1)
            x = ops.image.resize(x, size, interpolation="bilinear", antialias=True)
            x = self.preprocess((ops.convert_to_numpy(x) + 1.0) * 127.5)
            found.append(self.network.predict_on_batch(x))
        return np.concatenate(found)


@functools.cache
def load(name):
    """The network of a name, with the weights that Keras keeps or fetches.

    Args:
        name: str, one of `NAMES`.

    Returns:
        `Application`.

    Raises:
        UsageError: if its weights are not on this machine and cannot be fetched, or are damaged.
    """
    module, constructor, size, file = NAMES[name]
    module = getattr(keras.applications, module)
    try:
        # What Keras says of its progress goes to stderr: stdout is the caller's.
        with contextlib.redirect_stdout(sys.stderr), patience():
            network = getattr(module, constructor)(
                weights="imagenet", include_top=False, pooling="avg", input_shape=(size, size, 3)
            )
    except Exception as e:  # Keras raises bare ones for a download that failed
        raise UsageError(
            f"The features of {name} need its ImageNet weights, which could be neither found on this machine "
            f"nor fetched ({one_line(e)}). Put the file where Keras looks, {folder() / file}, or take the features "
            "of this package: digits, mnist or cifar10"
        ) from None
    return Application(name, network, module.preprocess_input)


def folder():
    """Where Keras keeps the weights that it has fetched."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
