"""Real images in the one convention: float32 in [-1, 1], (B, H, W, C), as batches ready for `fit`.

>>> digits = load("digits")
>>> model.fit(digits.batches(64), steps_per_epoch=100)
"""

import contextlib
import difflib
import io
import sys
from pathlib import Path

from ganedu.data import embedded, standard
from ganedu.data.array_files import load_file
from ganedu.data.augment import Augmentation
from ganedu.data.captions.grammar import Entity, Picture, parse
from ganedu.data.captions.scenes import NAMES as CAPTIONED
from ganedu.data.captions.scenes import CaptionedImages, captioned_digits, load_captioned, scenes
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
    "parse",
    "scenes",
    "summarize_splits",
    "to_float",
    "to_uint8",
]

NAMES = {
    "digits": "1,797 handwritten digits, 28x28 grey (8x8 originals), embedded",
    "photos": "4,800 crops of two photographs, 32x32 colour, embedded",
    "mnist": "70,000 handwritten digits, 28x28 grey",
    "fashion_mnist": "70,000 pictures of clothes, 28x28 grey",
    "cifar10": "60,000 photographs of 10 kinds, 32x32 colour",
    "cifar100": "60,000 photographs of 100 kinds, 32x32 colour",
    "captioned_digits": "one or two of the digits, coloured, with captions, 32x32 colour, embedded",
    "captioned_mnist": "the same of mnist",
    "scenes": "one or two coloured shapes with captions, 32x32 colour, drawn",
}


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
        print(f"Using {fallback} in the place of {name}: {str(e).partition('. ')[0]}.")
        return dataset
    if labels and targets is None:
        raise UsageError(f"Labels need one folder or number for each image. {name} has none")
    notes = tuple(*notes)
    return ImageDataset(str(name), split, images, targets, class_names, labels, notes)


def _read(name, split, image_size):
    """uint8 images (N, H, W, C), labels or `None`, the classes' names, and perhaps notes."""
    if name == "digits":
        return embedded.load_digits(split, image_size or embedded.DIGIT_SIZE)
    if name == "photos":
        return embedded.load_photos(split, image_size or embedded.PHOTO_SIZE)
    if not name:
        raise UsageError("The name of a data set, or of a folder or file, is empty")
    if name in NAMES:
        return standard.load_standard(name, split, image_size)
    path = Path(name)
    if path.is_dir():
        return load_folder(path, split, image_size)
    if path.suffix.lower() in (".npz", ".npy"):
        return load_file(path, split, image_size)
    near = difflib.get_close_matches(name.lower(), NAMES, n=1)
    raise UsageError(
        f"There is no data set or folder {name!r}. "
        + (f"Did you mean {near[0]}? " if near else "")
        + f"Data sets: {', '.join(NAMES)}; or a folder, an .npz or an .npy"
    )
