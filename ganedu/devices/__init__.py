"""Training on several devices: how many there are, which of them a model is built on, and who writes.

    devices.use(2)                  # before the model is built
    model = models.build("dcgan", (28, 28, 1))
    model.fit(digits.batches(32), steps_per_epoch=100)

Each device takes an equal part of every batch, and all of them hold the same weights: data parallelism. The engines
are the backends' own.

- JAX: `keras.distribution.DataParallel` over the devices of all processes, of which there may be one.
- TensorFlow: `tf.distribute.MirroredStrategy` over the devices of this process; over those of several
  `MultiWorkerMirroredStrategy`.
- PyTorch: a process a device, which `torchrun` starts (`launch`), and `torch.distributed` between them. Each process
  makes whole batches and takes its rows. The process of rank 0 writes and prints.

What a step needs of the devices, draws and means over the whole batch, is in `replicas.py`; what processes tell each
other, in `processes.py`. Nothing here imports a framework before `use`.
"""

import contextlib
import os

from ganedu.devices.processes import (
    any_of,
    barrier,
    is_writer,
    join,
    launch,
    launched,
    launched_backend,
    multi_worker_strategy,
    rank,
    together,
    wait_for_writer,
)
from ganedu.runtime import UsageError, cores

__all__ = [
    "Devices",
    "any_of",
    "barrier",
    "check",
    "check_batch",
    "current",
    "in_processes",
    "is_writer",
    "launch",
    "launched",
    "parse",
    "rank",
    "together",
    "use",
    "wait_for_writer",
]
THREADS_OF_A_DEVICE = 16  # for JAX, where cores of the CPU are devices
_chosen = None  # `Devices` of this process


def parse(devices):
    """What a user says as `--devices`: an int from 1, or `"all"`.

    Raises:
        UsageError: for anything else.
    """
    if devices == "all":
        return devices
    try:
        count = int(devices)
    except (TypeError, ValueError):
        count = 0
    if count < 1 or str(count) != str(devices).strip():
        raise UsageError(
            f"`devices` must be a whole number from 1, or all. Received: {str(devices)[:50]}"
        )
    return count


def in_processes():
    """Whether a device is a process of its own, as on PyTorch."""
    import keras

    return keras.backend.backend() == "torch"


class Devices:
    """The devices that models are built on.

    Args:
        count: int, in all processes together.
        engine: `keras.distribution.DataParallel`, `tf.distribute.Strategy`, or `None`. Defaults to `None`.
    """

    def __init__(self, count=1, engine=None):
        self.count, self.engine = count, engine

    def scope(self):
        """A `with` block in which variables are made on these devices. On JAX and PyTorch a process makes its own, and
        a step takes them to the devices."""
        if self.engine is None or not hasattr(self.engine, "num_replicas_in_sync"):
            return contextlib.nullcontext()
        return self.engine.scope()


def current():
    """The `Devices` that `use` chose; one device before it was called."""
    return _chosen or Devices()


def use(devices):
    """Chooses the devices that models are built on from now on, in `models.build` or `with devices.current().scope():`.

    On a CPU a device is a core, which TensorFlow and JAX must be told before their first operation, or what
    `XLA_FLAGS=--xla_force_host_platform_device_count=N` says.

    Args:
        devices: int from 1, or `"all"`.

    Returns:
        `Devices`.

    Raises:
        UsageError: for more devices than there are; on PyTorch for several in a process that `torchrun` did not start.
    """
    global _chosen
    import keras

    devices, backend = parse(devices), keras.backend.backend()
    if launched_backend() not in (None, backend):
        starts = {
            "torch": "`torchrun` starts processes for PyTorch",
            "jax": "JAX_PROCESS_ID starts processes for JAX",
        }
        raise UsageError(f"{starts[launched_backend()]}. Received: KERAS_BACKEND={backend}")
    if backend == "torch" and not launched():
        check(devices)
        if devices != 1:
            raise UsageError(
                "On PyTorch a device is a process: start them by `ganedu train ... --devices N`, or "
                f"`torchrun --standalone --nproc-per-node N script.py`. Received: devices={devices} in a single process"
            )
    count = check(devices)
    if count > 1 or launched():
        _chosen = {"tensorflow": _mirrored, "jax": _parallel, "torch": Devices}[backend](count)
    else:
        _chosen = Devices()
    return _chosen


def check(devices):
    """How many devices are meant, an int; the backend starts.

    Raises:
        UsageError: for more than there are, or fewer than the processes have.
    """
    devices = parse(devices)
    if devices == 1 and not launched():
        return 1
    join()
    found, kind = _available(devices)
    if devices == "all":
        return found
    if devices > found:
        raise UsageError(f"There are {found} devices ({kind}). Received: devices={devices}")
    if launched() and devices != found:
        raise UsageError(f"The processes have {found} devices. Received: devices={devices}")
    return devices


def check_batch(batch_size, count, parts=1):
    """Refuses a batch that cannot be shared out.

    Args:
        batch_size: int.
        count: int, the devices.
        parts: int, into how many equal parts a step cuts a batch, as a critic's. Defaults to `1`.

    Raises:
        UsageError: where `count * parts` does not divide it.
    """
    whole = count * parts
    if batch_size % whole:
        each = f", in {parts} critic steps each" if parts > 1 else ""
        raise UsageError(
            f"A batch must be a multiple of {whole} to be shared by {count} devices{each}. Received: {batch_size} "
            f"images; as --batch-size {max(whole, batch_size // whole * whole)}"
        )


def _available(wanted):
    """`(count, kind)` of the devices; on a CPU as many as are wanted are made of its cores, at most."""
    import keras

    backend = keras.backend.backend()
    return {"tensorflow": _tensorflow_devices, "jax": _jax_devices, "torch": _torch_devices}[
        backend
    ](cores() if wanted == "all" else min(wanted, cores()))


def _tensorflow_devices(wanted):
    import tensorflow as tf

    if launched():
        return multi_worker_strategy().num_replicas_in_sync, "of all processes"
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return len(gpus), "GPUs"
    cpu = tf.config.list_physical_devices("CPU")[0]
    if wanted > 1 and tf.config.get_logical_device_configuration(cpu) is None:
        one = tf.config.LogicalDeviceConfiguration()
        with contextlib.suppress(RuntimeError):  # too late: TensorFlow has begun
            tf.config.set_logical_device_configuration(cpu, [one] * wanted)
    return len(tf.config.list_logical_devices("CPU")), "cores of the CPU"


def _jax_devices(wanted):
    import jax

    told = "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if wanted > 1 and not told and not launched():
        with contextlib.suppress(RuntimeError, AttributeError):  # JAX has begun, or is older
            jax.config.update("jax_num_cpu_devices", wanted)
    if wanted > 1 or told:
        # A collective keeps a thread of XLA's until all devices are there. As many threads as devices are too few: two
        # collectives of one device, and all wait for ever. XLA reads this when it starts.
        os.environ.setdefault("NPROC", str(THREADS_OF_A_DEVICE * max(wanted, cores())))
    found = jax.devices()
    if found[0].platform != "cpu":
        return len(found), f"{found[0].platform.upper()}s"
    if launched():
        return len(found), "of all processes"
    return len(found), "as XLA_FLAGS says" if told else "cores of the CPU"


def _torch_devices(wanted):
    import torch

    if launched():
        return int(os.environ["WORLD_SIZE"]), "processes"
    if torch.cuda.is_available():
        return torch.cuda.device_count(), "GPUs"
    return cores(), "cores of the CPU"


def _mirrored(count):
    import tensorflow as tf

    if launched():
        return Devices(count, multi_worker_strategy())
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    names = [d.name for d in tf.config.list_logical_devices(kind)[:count]]
    return Devices(count, tf.distribute.MirroredStrategy(names))


def _parallel(count):
    import keras

    found = keras.distribution.list_devices()[:count]
    return Devices(count, keras.distribution.DataParallel(devices=found))
