"""What must be settled before a framework starts: seeds, quiet start-up, the profile, the backend.

Nothing here imports Keras until `setup` is called, so the command line can read a wrong word and
answer at once.
"""

import contextlib
import logging
import os
import random
import sys

PROFILES = ("smoke", "quick", "full")
# TensorFlow's passes over a graph before its first step, but for the pruning of what nothing reads.
REWRITING = (
    "arithmetic_optimization",
    "constant_folding",
    "dependency_optimization",
    "function_optimization",
    "implementation_selector",
    "layout_optimizer",
    "loop_optimization",
    "remapping",
    "scoped_allocator_optimization",
    "shape_optimization",
)


class UsageError(ValueError):
    """Something that the user asked for cannot be done; the message says what to do instead.

    The command line prints the message on one line and exits with status 2. Everything else is a
    bug, and is shown with its traceback.
    """


class RunError(RuntimeError):
    """A run could not go on, through no wrong word of the user: the message says why, and what is kept.

    The command line prints the message on one line and exits with status 1.
    """


def one_line(error, letters=None):
    """What an exception says, without line breaks; its name where it says nothing.

    Args:
        letters: int, of which no more are read. Defaults to `None`: all.
    """
    return " ".join(str(error)[:letters].split()).rstrip(".") or type(error).__name__


class NonFiniteLoss(RunError):
    """A loss became NaN or infinite; the message says at which step, with the losses and the causes."""


def profile(name=None):
    """Which size of training is wanted.

    Args:
        name: `"smoke"` (two steps, to see that the code runs), `"quick"` (about a minute on a
            laptop) or `"full"` (for a GPU). Defaults to the environment variable `GANEDU_PROFILE`,
            else `"quick"`.

    Returns:
        One of the three names.

    Raises:
        UsageError: for any other name.
    """
    name = name or os.environ.get("GANEDU_PROFILE") or "quick"
    if name not in PROFILES:
        raise UsageError(f"The profile must be one of {', '.join(PROFILES)}. Received: {name!r}")
    return name


def by_profile(smoke, quick, full):
    """The value for the profile that is wanted: `by_profile(smoke=2, quick=400, full=2000)` steps, say."""
    return {"smoke": smoke, "quick": quick, "full": full}[profile()]


def cores():
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def silenced():
    """Discards what native code writes to file descriptor 2; Python's own errors are still
    raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _as_float32(keras):
    """Layers in float32; a dtype policy that was set by itself, as mixed_bfloat16, stays."""
    usual = keras.config.dtype_policy().name == keras.config.floatx()
    keras.config.set_floatx("float32")
    if usual:
        keras.config.set_dtype_policy("float32")


def setup(seed=0):
    """Starts a lesson or a run: Keras and its backend without their start-up noise, its images with channels last and
    its numbers in float32 whatever `keras.json` says, then every global seed.

    The models of ganedu draw from their own `keras.random.SeedGenerator`; the global seeds settle
    the initial weights, and whatever a student's own code draws.

    Args:
        seed: int in [0, 2**31). Python, NumPy and the backend are seeded with it. Defaults to `0`.

    Returns:
        The name of the backend: `"tensorflow"`, `"jax"` or `"torch"`.
    """
    if not 0 <= seed < 2**31:
        raise UsageError(f"The seed must lie in [0, 2**31). Received: {seed}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # NumPy's threads wait for each other in busy loops. The matrices here are small; beside another process,
    # scores took five times as long with two threads as with one. Read when NumPy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if cores() <= 2:
        # TensorFlow runs operations side by side, real beside generated images. To cut each of them in two as well
        # costs more than it brings: a quarter of the processor's time, and a tenth of the clock's.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    with (
        silenced()
    ):  # TensorFlow writes before it reads its log level, and again when it looks for devices
        import keras

        backend = keras.backend.backend()
        # What ~/.keras/keras.json may say for all that a user does: networks here are (B, H, W, C), float32.
        keras.config.set_image_data_format("channels_last")
        if keras.config.floatx() != "float32":
            _as_float32(keras)
        if backend == "tensorflow":
            logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its advice on retracing
            keras.utils.set_random_seed(seed)
            import tensorflow as tf

            # The graph is run as it was written. TensorFlow's rewriting of it sorts the terms of a sum by
            # the names of layers, and does not always give one graph: the same model built again would
            # differ in its last digits. It gained a tenth at most here, and took long to begin. (Dropping
            # what nothing reads stays on: TensorFlow never frees a graph, and this more than halves it.)
            tf.config.optimizer.set_experimental_options(dict.fromkeys(REWRITING, False))
    if backend != "tensorflow":  # Keras's function would import TensorFlow where it is installed
        random.seed(seed)
        import numpy as np

        np.random.seed(seed)  # noqa: NPY002
        if backend == "torch":
            import torch

            torch.manual_seed(seed)
    return backend
