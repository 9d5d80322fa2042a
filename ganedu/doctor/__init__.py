"""What is wrong with a model, told from the signs that it shows.

>>> signs = examine(model, train, test, history)
>>> print(diagnose(signs))
mode collapse (the share of real images that the drawings could be: 0.04; healthy: over 0.35) ...
"""

from ganedu.doctor.sicknesses import SICKNESSES, Diagnosis, Finding, Sickness, diagnose
from ganedu.doctor.signs import SIGNS, Sign, examine, swing

__all__ = [
    "SICKNESSES",
    "SIGNS",
    "Diagnosis",
    "Finding",
    "Sickness",
    "Sign",
    "diagnose",
    "examine",
    "swing",
]
