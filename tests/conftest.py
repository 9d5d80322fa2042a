"""Starts the backend quietly, once for each worker, before any test module imports Keras; what is kept between
runs goes to a folder of its own."""

import os
import tempfile

from ganedu import runtime

FOLDER = tempfile.TemporaryDirectory(prefix="ganedu-")
os.environ.setdefault("GANEDU_CACHE", FOLDER.name)
runtime.setup()
