"""What is wrong with a model, told from the signals that it shows.

>>> signals = measure(model, train, test, history)
>>> print(diagnose(signals))
mode collapse (the share of real images that the samples could be: 0.04; healthy: over 0.35) ...
"""

from ganedu.diagnostics.failure_modes import (
    FAILURE_MODES,
    Diagnosis,
    FailureMode,
    Finding,
    diagnose,
)
from ganedu.diagnostics.signals import SIGNALS, Signal, loss_oscillation, measure

__all__ = [
    "FAILURE_MODES",
    "SIGNALS",
    "Diagnosis",
    "FailureMode",
    "Finding",
    "Signal",
    "diagnose",
    "loss_oscillation",
    "measure",
]
