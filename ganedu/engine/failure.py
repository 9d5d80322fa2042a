"""Which step went wrong first."""

import keras
from keras import ops


class FirstFailure(keras.metrics.Metric):
    """Remembers the first step since the last reset at which a loss was not finite, and the losses
    of that step.

    Costs a few scalar operations a step, and no wait for the device.

    Args:
        names: list of str, the losses in the order in which they come.
    """

    def __init__(self, names):
        super().__init__(name="first_failure", dtype="float32")
        self.names = list(names)
        one = {"initializer": "zeros", "aggregation": "only_first_replica"}  # all have the same
        self.count = self.add_variable((), name="count", **one)
        self.at = self.add_variable((), name="at", **one)  # 0: none so far, else 1, 2, ...
        self.losses = self.add_variable((len(self.names),), name="losses", **one)

    def update_state(self, losses):
        self.count.assign_add(1.0)
        failed = ops.logical_not(ops.all(ops.isfinite(losses)))
        first = ops.logical_and(failed, ops.equal(self.at.value, 0.0))
        self.at.assign(ops.where(first, self.count.value, self.at.value))
        self.losses.assign(ops.where(first, losses, self.losses.value))

    def result(self):
        return {}  # not a number to print beside the losses

    def report(self):
        """`None`, or `(n, losses)`: it was the `n`-th step (from 1), with these losses by name
        (floats)."""
        at = int(ops.convert_to_numpy(self.at))
        if not at:
            return None
        return at, dict(zip(self.names, ops.convert_to_numpy(self.losses).tolist(), strict=True))
