"""Trained weights as files of the package: float16, compressed."""

import numpy as np


def save(file, weights, **metadata):
    """Stores weights, and what else is known of them.

    Args:
        file: path, of suffix `.npz`.
        weights: list of arrays, as `get_weights()` gives.
        **metadata: numbers or arrays.
    """
    stored = {f"w{i}": w.astype("float16") for i, w in enumerate(weights)}
    np.savez_compressed(file, **metadata, **stored)


def load(file):
    """What `save` stored: the weights, a list of float32 arrays, and a dict of the metadata.

    Args:
        file: path that can be opened, also one inside a package.
    """
    with file.open("rb") as opened, np.load(opened) as stored:
        found = dict(stored)
    count = sum(f"w{i}" in found for i in range(len(found)))
    return [found.pop(f"w{i}").astype("float32") for i in range(count)], found
