"""Mutated inputs: what a user gives by mistake is refused in one line, or understood as it is.

    python tests/fuzz 1000 [SEED]

feeds that many to the package, in one process, and counts what must not be: tracebacks, hangs, and silent nonsense.
"""
