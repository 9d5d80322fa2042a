"""Real images in the one convention: float32 in [-1, 1], (B, H, W, C), as batches ready for `fit`.

>>> digits = load("digits")
>>> model.fit(digits.batches(64), steps_per_epoch=100)
"""

import contextlib
import io
import sys
from pathlib import Path

from ganedu import catalogue
from ganedu.catalogue import DATA_SETS as NAMES
from ganedu.data import embedded, standard
from ganedu.data.array_files import load_file
from ganedu.data.augment import Augmentation
from ganedu.data.captions.grammar import Entity, Picture, parse
from ganedu.data.captions.scenes import (
    COUNTS,
    CaptionedImages,
    captioned_digits,
    load_captioned,
    scenes,
)
from ganedu.data.captions.scenes import NAMES as CAPTIONED
from ganedu.data.folders import load_folder
from ganedu.data.images import ImageDataset, summarize_splits, to_float, to_uint8
from ganedu.data.pairs import TASKS, PairedImages
from ganedu.data.pictures import MIN_SIDE
from ganedu.runtime import UsageError

__all__ = [
    "NAMES",
    "TASKS",
    "Augmentation",
    "CaptionedImages",
    "Entity",
    "ImageDataset",
    "PairedImages",
    "Picture",
    "captioned_digits",
    "load",
    "load_checked",
    "parse",
    "scenes",
    "summarize_splits",
    "to_float",
    "to_uint8",
]


def load(name, split="train", *, image_size=None, labels=False, fallback=None):
    """Loads a set of images.

    Args:
        name: one of `NAMES`, or the path of an `.npz`, an `.npy` or a folder with one class a
            folder. The standard sets come from `$GANEDU_DATA/NAME.npz` if it is there, else
            through `keras.datasets`, whose progress goes to stderr.
        split: `"train"` or `"test"`; no image is in both. Defaults to `"train"`.
        image_size: int >= 8, pixels on a side; images are cut to their central square and resized.
            Defaults to the set's own size.
        labels: bool, whether batches are `(images, labels)`. Defaults to `False`.
        fallback: another name, taken where this one cannot be had; that is said in one line.
            Defaults to `None`.

    Returns:
        An `ImageDataset`: `.batches(...)` for `fit`, `.array()` for all images as float32,
        `.image_shape`, `.labels`.

    Raises:
        UsageError: for an unknown name, no network, and files that are missing, damaged or of the
            wrong kind or shape.
    """
    if split not in ("train", "test"):
        raise UsageError(f"The split must be train or test. Received: {split!r}")
    if image_size is not None and image_size < MIN_SIDE:
        raise UsageError(
            f"The image size must be at least {MIN_SIDE} pixels. Received: {image_size}"
        )
    if name in CAPTIONED:
        return load_captioned(name, split, image_size, load)
    # Keras reports its downloads on stdout, which is the caller's; a fallback has one line to say.
    progress = sys.stderr if fallback is None else io.StringIO()
    try:
        with contextlib.redirect_stdout(progress):
            images, targets, class_names, *notes = _read(str(name), split, image_size)
    except UsageError as e:
        if fallback is None:
            raise
        dataset = load(fallback, split, image_size=image_size, labels=labels)
        print(
            f"Using {fallback} in the place of {name}: {str(e).partition('. ')[0]}. "
            f"GANEDU_DATA may name a folder with {name}.npz."
        )
        return dataset
    if labels and targets is None:
        raise UsageError(f"Labels need one folder or number for each image. {name} has none")
    notes = tuple(*notes)
    return ImageDataset(str(name), split, images, targets, class_names, labels, notes)


def load_checked(name, *, image_size=None):
    """The training images of a set, where its test images are in order too.

    Returns:
        `(dataset, count)`: an `ImageDataset`, and how many test images there are.

    Raises:
        UsageError: as `load`, for either.
    """
    dataset = load(name, image_size=image_size)
    if name in CAPTIONED:  # drawn by this package, in seconds: nothing can be wrong with them
        return dataset, COUNTS["test"]
    return dataset, len(load(name, "test", image_size=image_size))


def _read(name, split, image_size):
    """uint8 images (N, H, W, C), labels or `None`, the classes' names, and perhaps notes."""
    if name == "digits":
        return embedded.load_digits(split, image_size or embedded.DIGIT_SIZE)
    if name == "photos":
        return embedded.load_photos(split, image_size or embedded.PHOTO_SIZE)
    if not name:
        raise catalogue.no_data(name)
    if name in NAMES:
        return standard.load_standard(name, split, image_size)
    path = Path(name)
    if path.is_dir():
        return load_folder(path, split, image_size)
    if path.suffix.lower() in (".npz", ".npy"):
        return load_file(path, split, image_size)
    raise catalogue.no_data(name)
