"""The outputs of a network for NumPy arrays, batch by batch."""

import math

import keras
import numpy as np

NUMBERS = (
    2**24
)  # of the inputs or outputs of one batch: of large images fewer are answered at a time


def predict_in_batches(network, inputs, batch_size=256):
    """The outputs of a network for NumPy inputs, as `network.predict` gives them.

    `predict` lays a pipeline for its data at each call. Where a network is asked again and again,
    at every step of sampling and every word of a text, that takes longer than the answer.

    Args:
        network: Keras model.
        inputs: array (N, ...), N at least 1, or a list of such arrays, one for each input.
        batch_size: int, how many are answered at a time, at most; of large images fewer. Defaults to `256`.

    Returns:
        Array (N, ...) of NumPy, or a list of them where the network has several outputs.

    Raises:
        ValueError: for inputs of different lengths, or of none.
    """
    arrays = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    arrays = [np.asarray(a) for a in arrays]
    if len({len(a) for a in arrays}) > 1 or not len(arrays[0]):
        lengths = [len(a) for a in arrays]
        raise ValueError(f"Inputs must have one length, at least 1. Received: {lengths}")
    shapes = [t.shape[1:] for t in (*network.inputs, *network.outputs)]
    largest = max(math.prod(n or 1 for n in shape) for shape in shapes)
    batch_size = max(1, min(batch_size, NUMBERS // largest))
    parts = []
    for start in range(0, len(arrays[0]), batch_size):
        batch = [a[start : start + batch_size] for a in arrays]
        parts.append(network.predict_on_batch(batch if len(batch) > 1 else batch[0]))
    return keras.tree.map_structure(lambda *batches: np.concatenate(batches), *parts)
