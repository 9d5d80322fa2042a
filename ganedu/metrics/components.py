"""What images of any size show, as a few numbers, where no network knows their kind."""

import numpy as np
from sklearn.decomposition import PCA

from ganedu.data import to_float

COMPONENTS = 40
SIDE = 32  # pixels; larger images are averaged down to it, so that time and memory do not grow with them
EXACT = 1024  # numbers of an image up to which the covariance is taken whole


class PrincipalComponents:
    """The first 40 principal components of real images, averaged to at most 32 pixels on a side.

    Args:
        images: uint8 (N, H, W, C).

    Reference:
        Halko, Martinsson and Tropp 2011, "Finding structure with randomness", algorithm 4.4, for images of more
        than 1,024 numbers.
    """

    def __init__(self, images):
        real = self._flat(to_float, images)
        solver = "covariance_eigh" if real.shape[1] <= EXACT else "randomized"
        count = min(COMPONENTS, *real.shape)
        self.pca = PCA(count, svd_solver=solver, random_state=0).fit(real)

    def __call__(self, images):
        """Images, uint8 or float in [-1, 1] (N, H, W, C), to points (N, 40)."""
        convert = to_float if images.dtype == np.uint8 else np.asarray
        return self.pca.transform(self._flat(convert, images))

    def _flat(self, convert, images, batch_size=512):
        pieces = [
            shrunk(convert(images[i : i + batch_size])) for i in range(0, len(images), batch_size)
        ]
        return np.concatenate(pieces).reshape(len(images), -1)


def shrunk(images, side=SIDE):
    """Float images (N, H, W, C) averaged over blocks of whole pixels until neither side is over `side`; what is left
    over at the lower and right edge is cut."""
    step = [-(-n // side) for n in images.shape[1:3]]
    if step == [1, 1]:
        return images
    h, w = (n // s for n, s in zip(images.shape[1:3], step, strict=True))
    cut = images[:, : h * step[0], : w * step[1]]
    return cut.reshape(len(images), h, step[0], w, step[1], -1).mean(axis=(2, 4))
