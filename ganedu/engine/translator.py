"""What models from image to image have in common."""

import numpy as np

from ganedu.data import PairedImages
from ganedu.data.images import validate_images
from ganedu.engine.model import GenerativeModel
from ganedu.networks.inference import predict_in_batches


class Translator(GenerativeModel):
    """A model that turns source images into target images; its steps take batches `(source,
    target)`. A subclass says by which network, `translation_network`.

    Args:
        task: one of `ganedu.data.TASKS`: how a data set becomes sources and targets.
        aligned: whether a batch's targets belong to its sources. Defaults to `True`.
        seed: int in [0, 2**31). Defaults to `0`.
    """

    tasks = frozenset({"translate"})

    def __init__(self, task, aligned=True, seed=0):
        super().__init__(seed=seed)
        self.task, self.aligned = task, aligned

    @property
    def translation_network(self):
        """The Keras model from sources (B, H, W, C) to targets."""
        raise NotImplementedError

    @property
    def image_shape(self):
        return self.translation_network.input_shape[1:]

    @property
    def batch_shapes(self):
        return self.image_shape, self.translation_network.output_shape[1:]

    def network_to_export(self):
        return self.translation_network

    def prepare_dataset(self, dataset):
        return PairedImages(dataset, self.task, self.aligned)

    def translate(self, sources):
        """Images (N, H, W, C) in [-1, 1] of the source's kind to images of the target's kind,
        float32 NumPy.

        Raises:
            UsageError: for images of another shape or range.
        """
        sources = validate_images(sources, self.image_shape, "Sources")
        return predict_in_batches(self.translation_network, sources)

    def sample_grid(self, examples, seed=0):
        """Three rows, twice: eight sources, what becomes of them, and their own targets."""
        sources, targets = (np.asarray(a[:16]) for a in examples)
        generated = self.translate(sources)
        rows = [r[i : i + 8] for i in (0, 8) for r in (sources, generated, targets)]
        channels = max(r.shape[-1] for r in rows)
        rows = [np.repeat(r, channels // r.shape[-1], axis=-1) for r in rows]
        return np.concatenate(rows), 8
