"""Pairs of images made from any data set: tasks for models that translate."""

import colorsys
import dataclasses

import numpy as np
from scipy import ndimage

from ganedu.data.images import BatchSampler, make_dataset, single_pass, to_float
from ganedu.runtime import UsageError

SLANT = 0.5  # columns to the left for each row down: 27 degrees


def edges(images):
    """Where the brightness changes: uint8 (B, H, W, C) to (B, H, W, 1), 255 on an edge and 0
    elsewhere.

    The Sobel gradient's length, over a third of the most that the image has.
    """
    grey = images.mean(axis=-1)
    length = np.hypot(ndimage.sobel(grey, axis=1), ndimage.sobel(grey, axis=2))
    most = np.maximum(length.max(axis=(1, 2), keepdims=True), 1.0)
    return np.where(length > most / 3, 255, 0).astype("uint8")[..., None]


def inverted(images):
    """Black for white: uint8 to uint8."""
    return 255 - images


def slanted(images):
    """Leaning to the right about its middle row; between two pixels the mean, and what comes in is
    the darkest value of its image."""
    height, width = images.shape[1:3]
    shift = SLANT * (np.arange(height) - (height - 1) / 2)
    ground = images.min(axis=(1, 2), keepdims=True)
    most = int(np.ceil(np.abs(shift).max())) + 1
    side = np.broadcast_to(ground, (len(images), height, most, images.shape[-1]))
    wide = np.concatenate([side, images, side], axis=2)
    moved = np.empty_like(images)
    for y, s in enumerate(shift):  # row y takes its values s columns further right
        start, part = most + int(np.floor(s)), s - np.floor(s)
        left, right = wide[:, y, start : start + width], wide[:, y, start + 1 : start + 1 + width]
        moved[:, y] = np.rint((1 - part) * left + part * right)
    return moved


def coloured(images):
    """Grey drawn in the colours of a rainbow, red at the top and violet at the bottom: (B, H, W, 1
    or 3) to (B, H, W, 3)."""
    height = images.shape[1]
    colours = [colorsys.hsv_to_rgb(0.8 * y / (height - 1), 1.0, 1.0) for y in range(height)]
    grey = images.mean(axis=-1, keepdims=True)
    return np.rint(grey * np.array(colours)[None, :, None, :]).astype("uint8")


# name: from an image to (source, target)
TASKS = {
    "edges": lambda x: (edges(x), x),
    "inverted": lambda x: (x, inverted(x)),
    "slanted": lambda x: (x, slanted(x)),
    "coloured": lambda x: (x, coloured(x)),
}


def check(task):
    """
    Raises:
        UsageError: for a name that is none of `TASKS`.
    """
    if task not in TASKS:
        raise UsageError(f"A task must be one of {', '.join(TASKS)}. Received: {task!r}")


def shapes(task, image_shape):
    """The shapes of a task's sources and targets, given that of the images."""
    check(task)
    return tuple(a.shape[1:] for a in TASKS[task](np.zeros((1, *image_shape), "uint8")))


@dataclasses.dataclass(frozen=True, eq=False)
class PairedImages:
    """A data set as batches `(source, target)`, float32 (B, H, W, C) in [-1, 1] each.

    Args:
        dataset: `ImageDataset`.
        task: str, one of `TASKS`.
        aligned: whether a target is that of its source. If not, sources come from the first half
            of the images and targets from the second, so no pair exists at all.

    Raises:
        UsageError: for an unknown task.
    """

    dataset: object
    task: str
    aligned: bool = True

    def __post_init__(self):
        check(self.task)

    def __len__(self):
        return len(self.dataset) if self.aligned else len(self.dataset) // 2

    def batches(self, batch_size, *, seed=0, start=0, augment=None):
        """As `ImageDataset.batches`."""
        order = BatchSampler(len(self), batch_size, seed, start)
        others = BatchSampler(len(self), batch_size, seed + 1, start)
        if augment is not None:
            self.dataset.check_augment(augment)

        def batch(i):
            def augmented(images, n):
                return images if augment is None else augment(images, order.step_seed(i) + n)

            images = self.dataset.images[order[i]]
            if self.aligned:
                return self._pair(augmented(images, 0), None)
            more = self.dataset.images[len(self) + others[i]]
            return self._pair(augmented(images, 0), augmented(more, 1))

        return make_dataset(batch, self._forms(batch_size), None)

    def test_batches(self, batch_size=256):
        """As `ImageDataset.test_batches`, each image with its own target."""
        return single_pass(self.get_batch, self._forms(None), len(self.dataset), batch_size)

    def get_batch(self, indices):
        """The pairs of these indices, each with its own target."""
        return self._pair(self.dataset.images[indices], None)

    def _pair(self, images, more):
        make = TASKS[self.task]
        source, target = make(images)
        if more is not None:
            _, target = make(more)
        return to_float(source), to_float(target)

    def _forms(self, batch_size):
        both = shapes(self.task, self.dataset.image_shape)
        return tuple(((batch_size, *shape), "float32") for shape in both)
