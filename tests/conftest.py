"""Starts the backend quietly, once for each worker, before any test module imports Keras."""

import pytest

from ganedu import runtime

runtime.setup()


def pytest_collection_modifyitems(items):
    """With several workers (`--dist=loadgroup`), a file's tests stay on one; the contract's, a
    model's."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
