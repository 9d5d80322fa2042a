"""Augmentation of training images: named presets built on albumentations, applied to uint8.

Colour transforms of albumentations clip floats to [0, 1] without a word; here every transform sees
uint8 in [0, 255], and images become float32 in [-1, 1] afterwards.
"""

import os

import numpy as np

from ganedu.runtime import UsageError

MIRROR = 4  # cv2.BORDER_REFLECT_101: what lies beyond the edge is the image, mirrored

# Each takes the albumentations module, the height and the width, and returns its transforms.
PRESETS = {
    "horizontal_flip": lambda A, h, w: [A.HorizontalFlip(p=0.5)],
    "vertical_flip": lambda A, h, w: [A.VerticalFlip(p=0.5)],
    "rotation": lambda A, h, w: [A.Rotate((-15, 15), border_mode=MIRROR, p=1)],
    "crop": lambda A, h, w: [
        A.PadIfNeeded(h + 2 * _eighth(h, w), w + 2 * _eighth(h, w), border_mode=MIRROR, p=1),
        A.RandomCrop(h, w, p=1),
    ],
    "colour_jitter": lambda A, h, w: [A.ColorJitter(0.2, 0.2, 0.2, 0.05, p=1)],
    "brightness_contrast": lambda A, h, w: [A.RandomBrightnessContrast(0.2, 0.2, p=1)],
    "erasing": lambda A, h, w: [
        A.CoarseDropout((1, 1), *[(_eighth(h, w), 2 * _eighth(h, w))] * 2, fill=0, p=0.5)
    ],
}


class Augmentation:
    """Applies presets in the order given, to each image on its own.

    Args:
        *names: str, any of `PRESETS`: `horizontal_flip` and `vertical_flip` (each with probability
            1/2), `rotation` (up to 15 degrees) and `crop` (a shift by up to an eighth of the side;
            both mirror the edges), `colour_jitter` and `brightness_contrast` (by up to 20%),
            `erasing` (in every second image one black patch, an eighth to a quarter of the side).

    Call arguments:
        images: uint8 array (B, H, W, C).
        seed: int >= 0. The result is a function of the two alone.

    Returns:
        uint8 array (B, H, W, C).

    Raises:
        UsageError: for an unknown name, images that are not uint8, and colour jitter of grey ones.

    Reference:
        Buslaev et al. 2020, "Albumentations: fast and flexible image augmentations",
        arXiv:1809.06839.

    Example:

    >>> load("photos").batches(64, augment=Augmentation("horizontal_flip", "crop"))
    """

    def __init__(self, *names):
        unknown = [str(name) for name in names if name not in PRESETS]
        if unknown or not names:
            raise UsageError(
                f"An augmentation must be one or more of {', '.join(PRESETS)}. "
                f"Received: {', '.join(unknown) or 'none'}"
            )
        self.names = names

    @classmethod
    def of(cls, names):
        """The augmentation of these names, or `None` where there are none, as a recipe has it."""
        return cls(*names) if names else None

    def __call__(self, images, seed):
        if images.dtype != np.uint8 or images.ndim != 4:
            raise UsageError(
                "Augmentation needs uint8 images of shape (B, H, W, C). "
                f"Received: {images.dtype} {images.shape}. Augment first, rescale afterwards"
            )
        height, width, channels = images.shape[1:]
        if "colour_jitter" in self.names and channels != 3:
            raise UsageError(
                f"Colour jitter needs images with 3 channels. Received: {channels}. "
                "Grey images can take brightness_contrast"
            )
        pipeline = self._compose(height, width, seed)
        return np.stack([pipeline(image=image)["image"] for image in images])

    def _compose(self, height, width, seed):
        """A new pipeline (half a millisecond): a kept one would share its state between threads."""
        os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else its import asks the network
        import albumentations as A

        transforms = [t for name in self.names for t in PRESETS[name](A, height, width)]
        return A.Compose(transforms, seed=seed)


def _eighth(height, width):
    return max(1, min(height, width) // 8)
