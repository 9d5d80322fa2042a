"""Real images that need no network: scikit-learn's 1,797 handwritten digits and two photographs."""

import functools

import numpy as np
from PIL import Image

DIGIT_SIZE, PHOTO_SIZE = 28, 32


@functools.cache
def digits():
    """The digits as they were published, and which are for the test: every sixth of each class.

    Returns:
        uint8 (1797, 8, 8) in [0, 255], int64 labels (1797,), bool (1797,).

    Source: Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI repository.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype("uint8")
    labels = bunch.target.astype("int64")
    test = np.zeros(len(labels), bool)
    for k in range(10):
        test[np.flatnonzero(labels == k)[::6]] = True
    return images, labels, test


def load_digits(split, image_size):
    """uint8 digits (N, H, W, 1), int64 labels (N,), the classes' names; as published for size 8."""
    images, labels, test = digits()
    chosen = test if split == "test" else ~test
    images = images[chosen]
    if image_size != 8:
        images = np.stack([_enlarged_digit(image, image_size) for image in images])
    return images[..., None], labels[chosen], tuple("0123456789")


def _enlarged_digit(image, size):
    """As MNIST frames its digits: 20 of 28 pixels, the rest a black border; the strokes' edges are
    made steep again."""
    inner = max(8, round(size * 20 / 28))
    large = Image.fromarray(image).resize((inner, inner), Image.Resampling.BICUBIC)
    ink = np.asarray(large, "float32") / 255
    ink = np.clip((ink - 0.5) * 2.2 + 0.5, 0, 1)
    before = (size - inner) // 2
    framed = np.zeros((size, size), "float32")
    framed[before : before + inner, before : before + inner] = ink
    return np.rint(framed * 255).astype("uint8")


def load_photos(split, image_size):
    """Square crops of 40 to 120 pixels, brought to `image_size`, at places drawn once for all.

    The training crops come from the left three quarters of each photograph, the test crops from
    the right quarter.

    Returns:
        uint8 (N, H, W, 3), int64 labels (N,) of the photograph, its name; N = 4000 or 800.

    Source: scikit-learn's `china.jpg` and `flower.jpg`, (427, 640, 3) each.
    """
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0 if split == "train" else 1)
    count = 2000 if split == "train" else 400
    images, labels = [], []
    for label, photo in enumerate(load_sample_images().images):
        height, width, _ = photo.shape
        left, right = (0, width * 3 // 4) if split == "train" else (width * 3 // 4, width)
        picture = Image.fromarray(photo)
        for _ in range(count):
            side = int(rng.integers(40, 121))
            x = int(rng.integers(left, right - side + 1))
            y = int(rng.integers(0, height - side + 1))
            images.append(_crop(picture, x, y, side, image_size))
            labels.append(label)
    return np.stack(images), np.array(labels, "int64"), ("china", "flower")


def _crop(picture, x, y, side, size):
    crop = picture.crop((x, y, x + side, y + side))  # first, so that no pixel beyond it is used
    return np.asarray(crop.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0))
