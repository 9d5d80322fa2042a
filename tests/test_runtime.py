"""What `runtime.setup` settles."""

import os
import subprocess
import sys

import keras
import pytest

from ganedu import runtime

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
