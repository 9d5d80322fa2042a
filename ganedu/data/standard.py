"""MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100: `$GANEDU_DATA/NAME.npz`, else `keras.datasets`."""

import contextlib
import gzip
import os
import pickle
import socket
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ganedu.data.array_files import checked_images, checked_labels, load_file
from ganedu.data.pictures import resized
from ganedu.runtime import UsageError, one_line

GREY, COLOUR = (28, 28, 1), (32, 32, 3)
SHAPES = {"mnist": GREY, "fashion_mnist": GREY, "cifar10": COLOUR, "cifar100": COLOUR}
CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        *("t-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
    "cifar100": tuple(str(k) for k in range(100)),
}
DAMAGED = (
    *(EOFError, KeyError, ValueError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile),
    *(tarfile.TarError, pickle.UnpicklingError),
)
PATIENCE = 20  # seconds without a byte from the network


def local_file(name):
    """The path of `$GANEDU_DATA/NAME.npz`, or `None` where there is none."""
    folder = os.environ.get("GANEDU_DATA")
    path = Path(folder, f"{name}.npz") if folder else None
    return path if path and path.is_file() else None


def load_standard(name, split, image_size):
    """A standard set: uint8 images (N, H, W, C), int64 labels (N,), the classes' names.

    Sources: LeCun et al. 1998 (MNIST); Xiao et al. 2017, arXiv:1708.07747 (Fashion-MNIST);
    Krizhevsky 2009, "Learning multiple layers of features from tiny images" (CIFAR).

    Raises:
        UsageError: if there is neither a local file nor a network, and for a file that is damaged
            or holds something else.
    """
    source = local_file(name)
    if source:
        images, labels, numbers, _ = load_file(source, split, None)
        labels = None if labels is None else np.array(numbers, "int64")[labels]
    else:
        source = f"keras.datasets.{name}"
        images, labels = _download(name, split)
    if images.shape[1:] != SHAPES[name] or labels is None:
        raise UsageError(
            f"{source} must hold labelled images of shape {SHAPES[name]}. "
            f"Received: {images.shape[1:]}" + ("" if labels is not None else " without labels")
        )
    least, most = labels.min(), labels.max()
    if least < 0 or most >= len(CLASS_NAMES[name]):
        raise UsageError(
            f"Labels in {source} must lie from 0 to {len(CLASS_NAMES[name]) - 1}. "
            f"Received: {least} to {most}"
        )
    return resized(images, image_size), labels, CLASS_NAMES[name]


def _download(name, split):
    import keras

    try:
        with patience():
            train, test = getattr(keras.datasets, name).load_data()
    except DAMAGED as e:
        raise UsageError(
            f"Keras's copy of {name} is truncated or corrupt. Received: {one_line(e)}. "
            "Delete it from ~/.keras/datasets (or $KERAS_HOME/datasets) and try again"
        ) from None
    except Exception as e:  # what Keras itself raises when a download fails
        raise UsageError(
            f"{name} is not on this machine and cannot be downloaded. "
            f"Received: {one_line(e)}. Put {name}.npz (x_train, y_train, x_test, y_test) "
            "into a folder and name the folder in GANEDU_DATA, or use the embedded digits or photos"
        ) from None
    images, labels = train if split == "train" else test
    source = f"keras.datasets.{name}"
    images = images[..., None] if images.ndim == 3 else images
    images = checked_images({split: images}, source)[0][split]
    return images, checked_labels(labels, len(images), source)


@contextlib.contextmanager
def patience():
    """A network that swallows everything would else hold a class for minutes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
