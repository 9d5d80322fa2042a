"""The same step on every installed backend: each in a process of its own, compared number by number.

`GANEDU_BACKENDS="tensorflow jax torch"` makes a backend that is missing an error instead of a skip.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
OTHERS = ("jax", "torch")


def run(backend, *arguments):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        [sys.executable, str(HERE / "one_step.py"), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module", params=OTHERS)
def other(request):
    """Another backend than TensorFlow; asked for before any process is started."""
    if importlib.util.find_spec(request.param) is None:
        if request.param in os.environ.get("GANEDU_BACKENDS", ""):
            pytest.fail(f"{request.param} is not installed")
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(scope="module")
def reference(folder):
    run("tensorflow", folder / "reference.npz", folder)
    with np.load(folder / "reference.npz") as file:
        return dict(file)


def test_one_sgd_step_is_the_same(other, reference, folder, tmp_path):
    """Autoencoder, VAE, GANs and a gradient penalty: losses and weights; and files travel between backends."""
    told = run(other, tmp_path / "out.npz", folder)
    assert f"{other} trains on what tensorflow saved" in told
    with np.load(tmp_path / "out.npz") as found:
        assert set(found.files) == set(reference)
        for key, expected in reference.items():
            np.testing.assert_allclose(found[key], expected, rtol=1e-4, atol=1e-6, err_msg=key)
    assert any("gradient_penalty" in key for key in reference)


def test_tensorflow_trains_on_what_the_others_saved(folder):
    saved = [backend for backend in OTHERS if (folder / f"{backend}.keras").exists()]
    if not saved:
        pytest.skip("no other backend is installed")
    told = run("tensorflow", "-", folder)
    for backend in saved:
        assert f"tensorflow trains on what {backend} saved" in told
