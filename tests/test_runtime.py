"""What `runtime.setup` settles."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from ganedu import runtime

ROOT = Path(__file__).parents[1]
THREADS = """
import numpy, scipy.linalg
from threadpoolctl import threadpool_info  # scikit-learn's
print({p["num_threads"] for p in threadpool_info() if p["internal_api"] == "openblas"})
"""


def check_threads(told, number):
    """NumPy's threads, as `THREADS` told of them."""
    if told == "set()":
        pytest.skip("this NumPy multiplies with another library")
    assert told == f"{{{number}}}"


def test_a_user_says_how_many_threads_multiply_matrices():
    """Without Keras, which takes seconds to start: what NumPy reads is settled before it is imported."""
    code = f"""
import sys
from unittest.mock import MagicMock
sys.modules["keras"] = MagicMock()
from ganedu import runtime
runtime.setup()
{THREADS}"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    told = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    check_threads(told.strip(), 2)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
def test_tensorflow_runs_a_graph_as_it_was_written_but_drops_what_nothing_reads():
    import tensorflow as tf

    runtime.setup()
    options = tf.config.optimizer.get_experimental_options()
    assert {name: options[name] for name in runtime.REWRITING} == dict.fromkeys(
        runtime.REWRITING, False
    )
    assert not options["disable_meta_optimizer"]
    assert not options["disable_model_pruning"]


CONFIGURED = f"""
from ganedu import runtime
runtime.setup(0)
import keras
import numpy as np
from ganedu import models
model = models.build("vae", (8, 8, 1), latent_dim=3, width=4)
model.fit(np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 1)).astype("float32"), verbose=0)
print(keras.config.image_data_format(), keras.config.floatx(), model.encoder.weights[0].dtype, model.generate(2).shape)
{THREADS}"""


def test_keras_json_does_not_turn_images_round_and_matrices_are_multiplied_on_one_thread(tmp_path):
    backend = keras.backend.backend()
    told = {"image_data_format": "channels_first", "floatx": "float16", "backend": backend}
    (tmp_path / "keras.json").write_text(json.dumps(told))
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    environment |= {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": backend}
    found = subprocess.check_output(
        [sys.executable, "-c", CONFIGURED], env=environment, text=True, cwd=ROOT
    )
    formats, threads = found.splitlines()
    assert formats == "channels_last float32 float32 (2, 8, 8, 1)"
    check_threads(threads, 1)


def test_a_value_by_profile(monkeypatch):
    for name, value in {"smoke": 2, "quick": 400, "full": 2000}.items():
        monkeypatch.setenv("GANEDU_PROFILE", name)
        assert runtime.by_profile(smoke=2, quick=400, full=2000) == value
    monkeypatch.setenv("GANEDU_PROFILE", "fast")
    with pytest.raises(runtime.UsageError, match="must be one of"):
        runtime.by_profile(smoke=2, quick=400, full=2000)
