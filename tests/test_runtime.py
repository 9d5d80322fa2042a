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
from ganedu import runtime
runtime.setup()
import numpy, scipy.linalg
from threadpoolctl import threadpool_info  # scikit-learn's
print({p["num_threads"] for p in threadpool_info() if p["internal_api"] == "openblas"})
"""


@pytest.mark.parametrize(("message", "used"), [(None, {1}), ("2", {2})])
def test_matrices_are_multiplied_on_one_thread_unless_the_user_says_otherwise(message, used):
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": message} if message else {}
    environment |= {"KERAS_BACKEND": keras.backend.backend()}
    told = subprocess.check_output([sys.executable, "-c", THREADS], env=environment, text=True)
    if told == "set()\n":
        pytest.skip("this NumPy multiplies with another library")
    assert told == f"{used}\n"


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


CONFIGURED = """
from ganedu import runtime
runtime.setup(0)
import keras
import numpy as np
from ganedu import models
model = models.build("vae", (8, 8, 1), latent_dim=3, width=4)
model.fit(np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 1)).astype("float32"), verbose=0)
print(keras.config.image_data_format(), keras.config.floatx(), model.encoder.weights[0].dtype, model.generate(2).shape)
"""


@pytest.mark.parametrize("floatx", ["float16"])
def test_keras_json_does_not_turn_images_round(tmp_path, floatx):
    backend = keras.backend.backend()
    told = {"image_data_format": "channels_first", "floatx": floatx, "backend": backend}
    (tmp_path / "keras.json").write_text(json.dumps(told))
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "KERAS_BACKEND": backend}
    found = subprocess.check_output(
        [sys.executable, "-c", CONFIGURED], env=environment, text=True, cwd=ROOT
    )
    assert found == "channels_last float32 float32 (2, 8, 8, 1)\n"


def test_a_value_by_profile(monkeypatch):
    for name, value in {"smoke": 2, "quick": 400, "full": 2000}.items():
        monkeypatch.setenv("GANEDU_PROFILE", name)
        assert runtime.by_profile(smoke=2, quick=400, full=2000) == value
    monkeypatch.setenv("GANEDU_PROFILE", "fast")
    with pytest.raises(runtime.UsageError, match="must be one of"):
        runtime.by_profile(smoke=2, quick=400, full=2000)
