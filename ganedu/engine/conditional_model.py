"""What models that generate a class on demand have in common."""

import numpy as np
from keras import ops

from ganedu.engine.given import class_indices, validate_latents
from ganedu.engine.latent_model import LatentModel
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError


class ConditionalModel(LatentModel):
    """A `LatentModel` whose networks read a label beside their input: `sampling_network` takes `[z, y]`, y
    one-hot (B, num_classes); its steps take batches `(images, labels)`."""

    tasks = frozenset({"generate by class", "interpolate"})

    @property
    def latent_dim(self):
        return self.sampling_network.input_shape[0][-1]

    @property
    def num_classes(self):
        return self.sampling_network.input_shape[1][-1]

    def prepare_dataset(self, dataset):
        return dataset.as_labelled(self.num_classes)

    def unpack(self, data):
        """A batch as `(x, y)` with y one-hot (B, num_classes), float32."""
        x, labels = super().unpack(data)
        if labels is None:
            raise ValueError(
                "A conditional model must be given labels, (images, labels). Received: images alone"
            )
        if len(labels.shape) == 2 and labels.shape[1] == self.num_classes > 1:  # one-hot already
            return x, ops.cast(labels, "float32")
        labels = ops.reshape(ops.cast(labels, "int32"), (-1,))  # of (B,) or (B, 1)
        return x, ops.one_hot(labels, self.num_classes, dtype="float32")

    def check_labels(self, labels):
        class_indices(labels, self.num_classes)

    def decode(self, z, labels=None):
        """Latents (N, latent_dim) and labels to images (N, H, W, C) in [-1, 1].

        Args:
            z: array (N, latent_dim).
            labels: int in [0, num_classes), or an array (N,) of them. Defaults to all classes in
                turn.

        Raises:
            UsageError: for latents of another shape or that are not finite, and labels of another range or number.
        """
        z = validate_latents(z, self.latent_dim)
        inputs = [z, self.one_hot(labels, len(z))]
        return predict_in_batches(self.sampling_network, inputs)

    def generate(self, count, labels=None, seed=0):
        """Generates `count` images (count, H, W, C), float32 in [-1, 1]; labels as for `decode`."""
        return self.decode(self.latents(count, seed), labels)

    def sample_grid(self, examples, seed=0):
        """A column for each class (16 at most) and a row for each of six latents."""
        columns = min(self.num_classes, 16)
        z = np.repeat(self.latents(6, seed), columns, axis=0)
        return self.decode(z, np.tile(np.arange(columns), 6)), columns

    def one_hot(self, labels, count):
        """Labels as `decode` takes them to float32 (count, num_classes)."""
        k = self.num_classes
        if labels is None:
            labels = np.arange(count) % k
        labels = np.full(count, labels) if np.ndim(labels) == 0 else np.asarray(labels)
        if len(labels) != count or (labels.dtype.kind == "f" and labels.ndim == 1):
            raise UsageError(
                f"Labels must be integers from 0 to {k - 1}, one or {count} of them. "
                f"Received: {labels.dtype} {labels.shape}"
            )
        labels = class_indices(labels, k)
        return np.eye(k, dtype="float32")[labels]
