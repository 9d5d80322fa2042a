"""What is wrong with a model, told from the signs that it shows.

>>> signs = examine(model, train, test, history)
>>> print(diagnose(signs))
mode collapse: the drawings could be only 4% of the real images (healthy: over 35%) ...
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
