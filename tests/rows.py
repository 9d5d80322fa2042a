"""One row for each model: the smallest network that still is that model, and how the contract feeds it."""

import dataclasses

import numpy as np

IMAGE_SHAPE = (8, 8, 1)


@dataclasses.dataclass(frozen=True)
class Row:
    """
    Args:
        build: dict, arguments of the model's `build`.
        conditional: whether its batches carry labels. Defaults to `False`.
    """

    build: dict
    conditional: bool = False


ROWS = {
    "autoencoder": Row({"latent_dim": 3, "width": 4}),
    "dcgan": Row({"latent_dim": 3, "g_width": 4, "d_width": 4}),
    "gan": Row({"latent_dim": 3, "width": 8}),
    "vae": Row({"latent_dim": 3, "width": 4}),
}


def batch(count=8, seed=0):
    """Images (count, 8, 8, 1) in [-1, 1], float32."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *IMAGE_SHAPE)).astype("float32")


def arrays(variables):
    """The values of Keras variables, as NumPy arrays."""
    from keras import ops

    return [np.array(ops.convert_to_numpy(v.value)) for v in variables]


def everything(model):
    """All that training changes: weights, seeds, optimizer state."""
    return arrays([*model.variables, *model.optimizer.variables])
