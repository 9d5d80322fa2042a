"""Models for the page's tests: tiny ones, whose weights say something and are what float16 has."""

import numpy as np
from rows import ALL

from ganedu import models


def disturbed(model, seed=0):
    """The model, each weight moved at random and rounded to float16."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        value = np.array(v) + 0.25 * rng.standard_normal(v.shape)
        value = np.abs(value) + 0.2 if "variance" in v.name else value
        if "float" in str(v.dtype):
            v.assign(value.astype("float16").astype("float32"))
    return model


def tiny(name, shape, seed=0, **more):
    """The smallest model of that name in `tests/rows.py`, disturbed."""
    row = ALL[name]
    return disturbed(models.build(row.model or name, shape, **row.build | more), seed)
