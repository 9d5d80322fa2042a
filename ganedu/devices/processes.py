"""Several processes that train one model together: which of them this is, what they tell each other, how they start.

The backend's own environment says that there are several.

- PyTorch: what `torchrun` sets. `launch` is `torchrun` for the devices of one machine.
- JAX: `JAX_COORDINATOR_ADDRESS`, `JAX_NUM_PROCESSES` and `JAX_PROCESS_ID`; under Slurm and Open MPI theirs.
- TensorFlow: `TF_CONFIG`, with a cluster of workers.

The process of rank 0 writes and prints. What the processes tell each other goes through `exchange`, which all of them
must call alike.
"""

import atexit
import contextlib
import functools
import hashlib
import json
import os
import sys
import time

from ganedu.runtime import RunError, UsageError, cores

# Who starts a process of JAX: what is set where it does, the rank, and how many there are.
JAX_LAUNCHERS = (
    ("JAX_COORDINATOR_ADDRESS", "JAX_PROCESS_ID", "JAX_NUM_PROCESSES"),
    ("SLURM_STEP_NODELIST", "SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
)
START_SECONDS = 120  # in which all processes of JAX must have begun
# After which a process of JAX that says nothing, or does not end with the others, is given up.
LOST_SECONDS = 30
GONE = ("onnection", "Collective ops is aborted", "failed to connect")  # in what backends say of it


def by_torchrun():
    """Whether `torchrun` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def by_tf_config():
    """Whether `TF_CONFIG` tells of this process's cluster, which it does on TensorFlow."""
    on_tensorflow = os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"
    return "TF_CONFIG" in os.environ and on_tensorflow


def _place():
    """`(rank, processes)`, as the environment says; `(0, 1)` where this process is alone."""
    told = os.environ
    if by_torchrun():
        return int(told["RANK"]), int(told["WORLD_SIZE"])
    if by_tf_config():
        return _worker(told["TF_CONFIG"])
    for sign, rank_name, count_name in JAX_LAUNCHERS:
        meant = sign.startswith("JAX") or told.get("KERAS_BACKEND") == "jax"
        if meant and {sign, rank_name, count_name} <= set(told):
            return _checked(rank_name, count_name)
    return 0, 1


def _checked(rank_name, count_name):
    told = [os.environ[rank_name], os.environ[count_name]]
    if not all(t.isdecimal() for t in told) or not int(told[0]) < int(told[1]):
        raise UsageError(
            f"{rank_name} must be a whole number from 0 to {count_name} - 1. Received: {rank_name}={told[0][:20]}, "
            f"{count_name}={told[1][:20]}"
        )
    return int(told[0]), int(told[1])


def _worker(config):
    try:
        config = json.loads(config)
        count, task = len(config["cluster"]["worker"]), config["task"]
        if set(config["cluster"]) == {task["type"]} and int(task["index"]) in range(count):
            return int(task["index"]), count
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UsageError(
        'TF_CONFIG must be as {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}. '
        f"Received: {str(config)[:200]}"
    )


def launched():
    """Whether this process is one of several, or `torchrun` started it."""
    return by_torchrun() or _place()[1] > 1


def launched_backend():
    """The backend whose processes were started; `None` where this process is alone."""
    if not launched():
        return None
    if by_torchrun():
        return "torch"
    return "tensorflow" if by_tf_config() else "jax"


def rank():
    """The number of this process among those that train together; 0 where it is alone."""
    return _place()[0]


def is_writer():
    """Whether this process writes files and prints: of several one alone."""
    return rank() == 0


def wait_for_writer(seconds=10):
    """Gives the process of rank 0 the time to say what went wrong in all: when one ends, `torchrun` ends the others."""
    if by_torchrun() and not is_writer():
        time.sleep(seconds)


def join():
    """Meets the other processes, before the backend's first operation; once.

    Raises:
        UsageError: if they do not come, or where JAX finds no coordinator.
    """
    joins = {"torch": _join_torch, "jax": _join_jax, "tensorflow": multi_worker_strategy}
    if launched():
        joins[launched_backend()]()


def _join_torch():
    import torch

    if torch.distributed.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        torch.distributed.init_process_group("cpu:gloo,cuda:nccl")
    else:
        torch.distributed.init_process_group("gloo")


def _join_jax():
    import jax

    if jax.distributed.is_initialized():
        return
    place, count = _place()
    try:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(
            num_processes=count,
            process_id=place,
            initialization_timeout=START_SECONDS,
            heartbeat_timeout_seconds=LOST_SECONDS,
            shutdown_timeout_seconds=LOST_SECONDS,
        )
    except (RuntimeError, ValueError) as e:
        raise UsageError(
            f"JAX's {count} processes do not meet: {' '.join(str(e).split())[:300]}"
        ) from None


@functools.cache
def multi_worker_strategy():
    """TensorFlow's strategy over the devices of all workers."""
    import tensorflow as tf

    return tf.distribute.MultiWorkerMirroredStrategy()


def exchange(values):
    """What each process gives, in all of them.

    Args:
        values: uint8 array (N,), of one length in all processes.

    Returns:
        uint8 array (processes, N), in the order of ranks.
    """
    import numpy as np

    values = np.asarray(values, "uint8")
    if not launched():
        return values[None]
    if launched_backend() != "torch":
        ways = {"jax": _gathered_by_jax, "tensorflow": _gathered_by_tensorflow}
        return ways[launched_backend()](values)
    import torch

    given = torch.from_numpy(values)  # on the CPU, whatever the devices are
    found = [torch.empty_like(given) for _ in range(_place()[1])]
    torch.distributed.all_gather(found, given)
    return torch.stack(found).numpy()


def _gathered_by_tensorflow(values):
    import numpy as np
    import tensorflow as tf

    strategy, row = multi_worker_strategy(), tf.constant(values[None].astype("int32"))
    rows = strategy.gather(strategy.run(lambda: tf.identity(row)), axis=0).numpy()
    each = len(rows) // _place()[1]  # devices of a process
    return rows[::each].astype(np.uint8)


def _gathered_by_jax(values):
    import jax
    import numpy as np

    by_process, gather = _gathering()
    rows = jax.make_array_from_process_local_data(by_process, values[None])
    return np.asarray(gather(rows))


@functools.cache
def _gathering():
    """How rows lie in JAX's processes, and what brings all of them to all. (JAX's `process_allgather` traces itself at
    each call, which took longer than a small step.)"""
    import jax
    import numpy as np

    mesh = jax.sharding.Mesh(
        np.reshape(jax.devices(), (jax.process_count(), -1)), ("process", "device")
    )
    whole, rows = (
        jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
        for axes in ((), ("process",))
    )
    return rows, jax.jit(lambda x: x, out_shardings=whole)


@contextlib.contextmanager
def together(advice):
    """In this block the backend's error that another process is gone becomes one line.

    Args:
        advice: str, the end of that line.

    Raises:
        RunError: where another process is gone.
    """
    try:
        yield
    except Exception as e:
        known = isinstance(e, (RunError, UsageError)) or not any(t in str(e) for t in GONE)
        if not launched() or known:
            raise
        if not by_torchrun():
            atexit.register(_end)
        raise RunError(
            f"Another process of the training is gone; what was reached is kept. {advice}"
        ) from None


def _end():
    """Ends this process before JAX or TensorFlow, at its exit, waits for the one that is gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def barrier():
    """Waits for all processes."""
    exchange([0])


def any_of(flag):
    """Whether a bool is true in any process: what all must decide alike."""
    return bool(exchange([bool(flag)]).any())


def check_alike(arrays):
    """Refuses a batch that is another in another process.

    Args:
        arrays: list of NumPy arrays.

    Raises:
        UsageError: in all processes.
    """
    import numpy as np

    told = hashlib.sha256()
    for a in arrays:
        told.update(f"{a.shape} {a.dtype} ".encode())
        told.update(np.asarray(a).tobytes())
    found = exchange(list(told.digest()))
    if (found != found[0]).any():
        raise UsageError(
            "All processes must be given the same batches, of which each takes its rows. Received: different images "
            "or labels; is the data set the same file everywhere, and its seed one?"
        )


def launch(arguments, count):
    """Runs `python -m ganedu ARGUMENTS` in `count` processes, by torch's own launcher, to their end.

    Args:
        arguments: list of str.
        count: int.

    Returns:
        The exit status of the command: that of the process that failed first, else 0.

    Raises:
        RunError: if a process was killed.
    """
    import logging
    import uuid

    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // count)))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",  # a free port
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "ganedu", *arguments)
    except SignalException:
        return 130
    except ChildFailedError as error:
        codes = [failure.exitcode for failure in error.failures.values()]
        told = [code for code in codes if code > 0]
        if not told:
            raise RunError(
                f"A process of the training was ended by signal {-codes[0]}; what was reached is kept"
            ) from None
        return told[0]
    return 0
