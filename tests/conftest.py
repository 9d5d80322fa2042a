"""Starts the backend quietly, once for each worker, before any test module imports Keras."""

from ganedu import runtime

runtime.setup()
