"""A score that is a mean, with its error."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Estimate:
    """
    Args:
        value: float.
        error: float, its standard error; 0 where there is one value alone.
    """

    value: float
    error: float

    @classmethod
    def of(cls, values):
        """The mean of values (n,) and its standard error, their deviation over the root of n."""
        n = len(values)
        error = np.std(values, ddof=1) / np.sqrt(n) if n > 1 else 0.0
        return cls(float(np.mean(values)), float(error))
