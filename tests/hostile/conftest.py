"""These tests run students' code that means harm: where they are wanted (`GANEDU_HOSTILE=1`, as `.ci/run` says) and a
box can be made. Where one is wanted and cannot be made, they fail."""

import os

import pytest


def pytest_collection_modifyitems(items):
    if not os.environ.get("GANEDU_HOSTILE"):
        for item in items:
            if "hostile" in item.path.parts:
                item.add_marker(
                    pytest.mark.skip(reason="GANEDU_HOSTILE=1 runs code that means harm")
                )
