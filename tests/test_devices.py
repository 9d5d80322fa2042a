"""Several devices: the same numbers as one, on three backends; what is refused; processes that die.

The long ones run with `GANEDU_DEVICES=1`, for two models; with `GANEDU_DEVICES=all` for a model of every kind, which
takes about an hour of the processor.
"""

import contextlib
import csv
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from rows import ALL

import ganedu
from ganedu import devices, runs, runtime
from ganedu.cli import main
from ganedu.devices import processes
from ganedu.runs import training

HERE = Path(__file__).parent
PACKAGE = Path(ganedu.__file__).parent
ASKED = os.environ.get("GANEDU_DEVICES")
OPTIONAL = ("adaptive_augment", "instance_noise", "sparse")
MODELS = [*ALL, *OPTIONAL] if ASKED == "all" else ["wgan_gp", "vqvae"]
GRADIENT = 1e-5  # of a tensor's norm
# A tensor whose gradient is a rounding error in theory, as of a bias before a normalization, or what is left of sums
# that cancel, as of the bias of D's logits, is measured in units of this share of all of its player's gradients.
LEAST_SHARE = 5e-2
ULPS = (1, 2) if ASKED == "all" else (1,)  # seeds of changes
long = pytest.mark.skipif(not ASKED, reason="GANEDU_DEVICES=1 runs it")


# What is refused


@pytest.mark.parametrize("word", ["0", "-1", "x", "1.5", "", "ALL", "1e3"])
def test_what_is_no_number_of_devices_is_refused(word):
    with pytest.raises(runtime.UsageError, match="must be a whole number from 1, or all"):
        devices.parse(word)


def test_a_number_of_devices_is_read():
    assert [devices.parse(word) for word in ("1", 8, "all")] == [1, 8, "all"]


def test_a_batch_that_cannot_be_shared_is_refused():
    devices.check_batch(24, 2, parts=3)
    with pytest.raises(runtime.UsageError, match=r"of 6 .*Received: 32 images; as --batch-size 30"):
        devices.check_batch(32, 2, parts=3)


def ganedu_says(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    lines = result.output.strip().splitlines()
    return result.exit_code, lines[-1] if lines else ""


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--devices", "none"), "must be a whole number from 1, or all"),
        (("--devices", "2", "--batch-size", "33"), "multiple of 2 to be shared by 2 devices"),
        (("--devices", "4096"), "devices .*Received: devices=4096"),
    ],
)
def test_the_command_refuses_in_one_line_and_leaves_nothing(asked, message, tmp_path):
    status, line = ganedu_says("train", "gan", "--out", tmp_path / "run", *asked)
    assert status == 2
    assert re.search(f"^ganedu: .*{message}", line)
    assert not (tmp_path / "run").exists()


def test_torchrun_is_refused_on_other_backends(monkeypatch):
    if runtime.setup() == "torch":
        pytest.skip("there it is what starts the processes")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(runtime.UsageError, match="starts processes for PyTorch"):
        devices.use(2)


def launched_as(monkeypatch, **told):
    """What `processes` says of the environment of a process that was started so."""
    for names in processes.JAX_LAUNCHERS:
        for name in (*names, "TORCHELASTIC_RUN_ID", "TF_CONFIG"):
            monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return processes.rank(), processes.launched()


JAX_TOLD = {"JAX_COORDINATOR_ADDRESS": "localhost:1", "JAX_NUM_PROCESSES": "2"}
SLURM_TOLD = {"SLURM_STEP_NODELIST": "node[1-2]", "SLURM_NTASKS": "4", "SLURM_PROCID": "3"}


def test_the_place_of_a_process_is_what_its_launcher_says(monkeypatch):
    assert launched_as(monkeypatch, KERAS_BACKEND="jax") == (0, False)
    assert launched_as(monkeypatch, **JAX_TOLD, JAX_PROCESS_ID="1") == (1, True)
    assert launched_as(monkeypatch, **JAX_TOLD | {"JAX_NUM_PROCESSES": "1"}) == (0, False)
    assert launched_as(monkeypatch, **SLURM_TOLD) == (3, True)
    both = {**SLURM_TOLD, "JAX_COORDINATOR_ADDRESS": "node1:29500"}
    assert launched_as(monkeypatch, **both) == (3, True)
    openmpi = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}
    assert launched_as(monkeypatch, **openmpi) == (1, True)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # there Slurm's tasks are runs of their own
    assert launched_as(monkeypatch, **SLURM_TOLD) == (0, False)
    assert launched_as(monkeypatch, **JAX_TOLD, JAX_PROCESS_ID="1", KERAS_BACKEND="jax")[0] == 1


@pytest.mark.parametrize("place", ["2", "-1", "x", ""])
def test_a_place_that_cannot_be_is_refused_in_one_line(place, monkeypatch, tmp_path):
    launched_as(monkeypatch, **{k: v for k, v in JAX_TOLD.items() if "PROCESSES" not in k})
    monkeypatch.setenv("JAX_PROCESS_ID", place)
    monkeypatch.setenv("JAX_NUM_PROCESSES", "2")
    status, line = ganedu_says("train", "gan", "--out", tmp_path / "run")
    assert status == 2
    assert line.startswith("ganedu: JAX_PROCESS_ID must be a whole number from 0")
    assert not (tmp_path / "run").exists()


TF_TOLD = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}


def test_the_place_of_a_worker_is_what_tf_config_says(monkeypatch):
    told = {"TF_CONFIG": json.dumps(TF_TOLD)}
    assert launched_as(monkeypatch, **told, KERAS_BACKEND="tensorflow") == (1, True)
    assert processes.launched_backend() == "tensorflow"
    assert launched_as(monkeypatch, **told, KERAS_BACKEND="jax") == (0, False)
    monkeypatch.delenv("KERAS_BACKEND")
    for wrong in ("{", "[]", "{}", json.dumps({**TF_TOLD, "task": {"type": "ps", "index": 0}})):
        with pytest.raises(runtime.UsageError, match="TF_CONFIG must be as"):
            launched_as(monkeypatch, TF_CONFIG=wrong)


def test_processes_of_jax_are_refused_on_other_backends(monkeypatch):
    if runtime.setup() == "jax":
        pytest.skip("there they are what trains")
    launched_as(monkeypatch, **JAX_TOLD, JAX_PROCESS_ID="0")
    with pytest.raises(runtime.UsageError, match="starts processes for JAX"):
        devices.use(2)


def test_batches_that_differ_between_processes_are_refused(monkeypatch):
    """Their digests are compared, not the images: shapes and dtypes count, too."""
    told = []

    def exchange(values):
        told.append(np.asarray(values))
        return np.stack([told[0], told[-1]])

    monkeypatch.setattr(processes, "exchange", exchange)
    images = np.arange(12, dtype="float32").reshape(3, 4)
    processes.check_alike([images])
    processes.check_alike([images.copy()])
    for batch in (images[::-1], images.astype("float64"), images.reshape(4, 3)):
        with pytest.raises(runtime.UsageError, match="must be given the same batches"):
            processes.check_alike([batch])


@pytest.mark.parametrize(
    ("before", "flags"), [(None, ""), ("7", ""), (None, "--xla_force_host_platform_device_count=4")]
)
def test_jax_starts_with_threads_enough_for_its_collectives(before, flags, monkeypatch):
    """With as many threads as devices, half of the runs with 4 devices on two cores waited for ever."""
    monkeypatch.setenv("XLA_FLAGS", flags)
    monkeypatch.setenv("NPROC", "")
    monkeypatch.delenv("NPROC") if before is None else monkeypatch.setenv("NPROC", before)
    told = []

    def started():
        told.append(os.environ["NPROC"])
        return 4 * [SimpleNamespace(platform="cpu")]

    config = SimpleNamespace(update=lambda name, value: None)
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(config=config, devices=started))
    monkeypatch.setattr(devices, "cores", lambda: 2)
    assert devices._jax_devices(2)[0] == 4
    assert told == [before or "32"]


def test_one_device_is_what_there_was():
    assert devices.use(1).count == devices.current().count == 1
    assert devices.is_writer()
    assert devices.any_of(True)
    assert not devices.any_of(False)


def test_draws_of_a_step_are_those_of_the_whole_batch():
    """`keras.random` by itself would draw the same for each device's part."""
    own = {
        "models/reflow.py": 1,
        "layers/quantizer.py": 1,
    }  # pairs and codes that all devices share
    found = {}
    for room in ("engine", "models", "layers"):
        for file in sorted((PACKAGE / room).rglob("*.py")):
            draws = re.findall(r"keras\.random\.(?!SeedGenerator)", file.read_text())
            found |= {str(file.relative_to(PACKAGE)): len(draws)} if draws else {}
    assert found == own


# The same numbers


def needs(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")


def command(backend, count, *arguments):
    start = [sys.executable]
    if backend == "torch" and count > 1:
        start += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    return [*start, str(HERE / "on_devices.py"), *map(str, arguments), "--devices", str(count)]


def environment(backend):
    return {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(HERE), str(PACKAGE.parent)]),
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        # With more devices than cores, executions that run ahead of each other can wait for each other's threads.
        "JAX_CPU_ENABLE_ASYNC_DISPATCH": "0",
        "OMP_NUM_THREADS": "1",
    }


def free_addresses(count):
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in free:
            each.bind(("localhost", 0))
        return [f"localhost:{each.getsockname()[1]}" for each in free]


def told_to_each(backend, count, each):
    """By rank, what a user sets for so many processes, on JAX of `each` devices."""
    addresses = free_addresses(count)
    if backend == "tensorflow":
        cluster = {"worker": addresses}
        tasks = ({"type": "worker", "index": rank} for rank in range(count))
        return [{"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]
    told = {"JAX_COORDINATOR_ADDRESS": addresses[0], "JAX_NUM_PROCESSES": str(count)}
    told |= {"XLA_FLAGS": f"--xla_force_host_platform_device_count={each}"}
    return [{**told, "JAX_PROCESS_ID": str(rank)} for rank in range(count)]


def start_processes(backend, count, each, *arguments):
    """Starts `python ARGUMENTS` in so many processes, as a user of JAX or TensorFlow does."""
    return [
        subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env={**environment(backend), **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for told in told_to_each(backend, count, each)
    ]


def run(backend, count, *arguments, status=0, processes=1):
    """Runs `on_devices.py` on so many devices, in so many processes; what it prints, and its errors."""
    if backend != "torch" and processes > 1:
        asked = command(backend, count, *arguments)[1:]
        started = start_processes(backend, processes, count // processes, *asked)
    else:
        started = [
            subprocess.Popen(
                command(backend, count, *arguments),
                env=environment(backend),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        ]
    told = ""
    for process in started:
        try:
            printed = process.communicate(timeout=3600)
        finally:
            process.kill()
        assert (process.returncode == 0) == (status == 0), printed[1][-3000:]
        told += "".join(printed)
    return told


def numbers_in(path):
    with np.load(path) as file:
        return {name: file[name].astype("float64") for name in file.files}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One device's numbers, and those with other initial weights by one ulp: `(reference, [others])`."""
    kept = {}

    def numbers(backend):
        needs(backend)
        if backend not in kept:
            folder = tmp_path_factory.mktemp(backend)
            seeds = ",".join(map(str, ULPS))
            run(backend, 1, folder / "0.npz", "--models", ",".join(MODELS), "--ulps", seeds)
            others = [numbers_in(folder / f"ulp-{seed}.npz") for seed in ULPS]
            kept[backend] = numbers_in(folder / "0.npz"), others
        return kept[backend]

    return numbers


def check_gradients(reference, others, found, model):
    """Each tensor to `GRADIENT` of its norm, or to twice what it is away when initial weights change by one ulp."""
    keys = [k for k in reference if k.startswith(f"{model}/gradient/")]
    assert keys
    for key in keys:
        player = key.rsplit(" ", 1)[0]
        every = [np.linalg.norm(reference[k]) for k in keys if k.startswith(player + " ")]
        norm = max(np.linalg.norm(reference[key]), LEAST_SHARE * np.linalg.norm(every))
        apart = np.linalg.norm(found[key] - reference[key])
        spread = max(np.linalg.norm(other[key] - reference[key]) for other in others)
        assert apart <= max(GRADIENT * norm, 2 * spread), (key, apart / norm, spread / norm)


def check_after_training(reference, others, found, model):
    """Each loss and weight is at most three times as far away as it is when initial weights change by one ulp. Below
    2e-6 of its norm, a few roundings, the comparison says nothing."""
    for key in (k for k in reference if re.match(f"{model}/(log|weight)/", k)):
        apart = np.linalg.norm(found[key] - reference[key])
        spread = max(np.linalg.norm(other[key] - reference[key]) for other in others)
        least = 2e-6 * max(np.linalg.norm(reference[key]), 0.1)
        assert apart <= 3 * spread + least, (key, apart, spread)


# Backend, devices, processes.
CASES = [("tensorflow", 2, 1), ("jax", 4, 2), ("torch", 4, 4)]
if ASKED == "all":
    CASES += [
        ("tensorflow", 4, 1),
        ("tensorflow", 2, 2),
        ("jax", 2, 1),
        ("jax", 2, 2),
        ("jax", 4, 1),
        ("torch", 2, 2),
    ]


@long
@pytest.mark.parametrize(("backend", "count", "processes"), CASES)
def test_several_devices_have_the_numbers_of_one(backend, count, processes, alone, tmp_path):
    reference, others = alone(backend)
    asked = ("--models", ",".join(MODELS))
    run(backend, count, tmp_path / "RANK.npz", *asked, processes=processes)
    found = numbers_in(tmp_path / "0.npz")
    assert set(found) == set(reference)
    for model in MODELS:
        check_gradients(reference, others, found, model)
        check_after_training(reference, others, found, model)
    for rank in range(1, processes):
        replica = numbers_in(tmp_path / f"{rank}.npz")
        for key in (k for k in found if "/gradient/" not in k):
            np.testing.assert_array_equal(replica[key], found[key], err_msg=f"rank {rank}, {key}")


BUILT_BEFORE = """
from ganedu import devices, runtime
runtime.setup(0)
devices.use(2)
import keras
from ganedu import models
from rows import IMAGE_SHAPE, ROWS
try:
    models.build("dcgan", IMAGE_SHAPE, **ROWS["dcgan"].build, augment=keras.layers.GaussianNoise(0.1))
except runtime.UsageError as e:
    print(e)
with devices.current().scope():
    noise = keras.layers.GaussianNoise(0.1)
print(models.build("dcgan", IMAGE_SHAPE, **ROWS["dcgan"].build, augment=noise).name)
"""


@long
def test_a_layer_that_was_built_before_its_devices_is_refused():
    """On TensorFlow each replica would move its seed, and the draws are others than one device's."""
    needs("tensorflow")
    command = [sys.executable, "-c", BUILT_BEFORE]
    told = subprocess.run(
        command, env=environment("tensorflow"), capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert re.match(
        r"Layers of one's own are built .*Received: .*seed_generator_state, on one", told[0]
    )
    assert told[1].startswith("dcgan")


# Precision and compilation


@pytest.mark.parametrize(
    ("backend", "count", "refused"),
    [("torch", 1, "KERAS_BACKEND=torch"), ("tensorflow", 2, "needs one device"), ("jax", 2, None)],
)
def test_compilation_is_refused_where_it_cannot_be(backend, count, refused):
    if refused is None:
        training.check_jit(backend, count)
        return
    with pytest.raises(runtime.UsageError, match=refused):
        training.check_jit(backend, count)


def test_a_run_in_bfloat16_goes_on_so(tmp_path):
    """Layers compute in it, weights are float32, and what is resumed is the same; Keras's own setting stays."""
    folder = runs.begin(
        tmp_path / "run",
        model="autoencoder",
        data="digits",
        image_size=8,
        profile="smoke",
        precision="bfloat16",
    )
    assert training.train(folder) == "finished"
    for model in (folder.load_model(), training.load_model_file(folder.path / "model.keras")):
        assert model.encoder.layers[1].compute_dtype == "bfloat16"
        assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    assert np.isfinite(folder.history()[-1]["loss"])


@long
@pytest.mark.parametrize(
    "backend", ["tensorflow", "jax", "torch"] if ASKED == "all" else ["tensorflow"]
)
def test_bfloat16_trains_as_float32_but_for_its_digits(backend, tmp_path):
    """8 bits of a number: after 200 steps the loss is within a twentieth of float32's."""
    needs(backend)
    last = {}
    for precision in ("float32", "bfloat16"):
        out = tmp_path / precision
        ganedu_does(
            backend, "train", "autoencoder", "--epochs", 4, "--precision", precision, "--out", out
        )
        last[precision] = rows(out)[-1]["loss"]
    assert last["bfloat16"] != last["float32"]
    assert last["bfloat16"] == pytest.approx(last["float32"], rel=0.05)


# Processes


IN_PROCESSES = ["torch", "jax", "tensorflow"] if ASKED == "all" else ["torch"]


@long
@pytest.mark.parametrize("backend", IN_PROCESSES)
def test_processes_with_different_data_are_refused(backend, tmp_path):
    needs(backend)
    asked = (tmp_path / "out.npz", "--models", "vae", "--unlike", 1)
    told = run(backend, 2, *asked, status=1, processes=2)
    assert "All processes must be given the same batches" in told
    assert not (tmp_path / "out.npz").exists()


@long
@pytest.mark.parametrize("backend", IN_PROCESSES)
def test_what_is_not_finite_on_one_rank_is_found_by_all(backend, tmp_path):
    """At the same step, so that all of them end."""
    needs(backend)
    asked = (tmp_path / "out.npz", "--models", "vae", "--nan", 3, "--steps", 5)
    told = run(backend, 2, *asked, processes=2)
    assert told.count("vae first failure 4") == 2


def torchrun(count, *arguments):
    """The line that a user types: the status of `torchrun`, what it prints and its errors."""
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    done = subprocess.run(
        [sys.executable, *start, "-m", "ganedu", *map(str, arguments)],
        env=environment("torch"),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@long
def test_torchrun_begins_a_run_on_as_many_devices_as_it_has_processes(tmp_path):
    needs("torch")
    asked = ("train", "gan", "--image-size", 8, "--profile", "smoke", "--out")
    status, told, errors = torchrun(2, *asked, tmp_path / "run")
    assert status == 0, errors[-2000:]
    assert told.count("model.keras") == 1
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (info["devices"], info["status"]) == (2, "finished")
    assert torchrun(1, "resume", tmp_path / "run")[:2] == (0, f"{tmp_path / 'run'} is finished.\n")
    status, _, errors = torchrun(2, *asked, tmp_path / "odd", "--batch-size", 31)
    assert status == 1
    assert errors.count("multiple of 2 to be shared by 2 devices") == 1
    assert "[rank" not in errors  # no traceback of the other process
    assert not (tmp_path / "odd").exists()


def workers(pid):
    """The processes that a process has started, and theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(path.parent.name)
            found += [child, *workers(child)]
    return found


def ganedu_on_torch(*arguments):
    return ganedu_in_process("torch", *arguments)


def ganedu_in_process(backend, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "ganedu", *map(str, arguments)],
        env=environment(backend),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ganedu_does(backend, *arguments):
    """What ganedu prints: in this process, if it is of that backend."""
    if backend == runtime.setup():
        done = CliRunner().invoke(main, [str(a) for a in arguments])
        assert done.exit_code == 0, done.output
        return done.output
    started = ganedu_in_process(backend, *arguments)
    told, errors = started.communicate(timeout=900)
    assert started.returncode == 0, errors[-2000:]
    return told


def rows(folder):
    with open(folder / "history.csv") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def begun_on_torch(folder, asked):
    """The process that a user started, and by rank the pids of those that train, once they have kept a round."""
    started = ganedu_on_torch("train", *asked, "--devices", 2, "--out", folder)
    wait_for_a_round(folder, [started])
    ranks = {}
    for pid in workers(started.pid):
        told = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        ranks |= {int(t[5:]): pid for t in told if t.startswith(b"RANK=")}
    return [started], ranks


def begun_by_hand(backend, folder, asked):
    """The same on JAX and TensorFlow: there a user starts both."""
    started = start_processes(backend, 2, 1, "-m", "ganedu", "train", *asked, "--out", folder)
    wait_for_a_round(folder, started)
    return started, {rank: process.pid for rank, process in enumerate(started)}


def wait_for_a_round(folder, started):
    for _ in range(3000):
        ended = any(process.poll() is not None for process in started)
        if (folder / "model.keras").exists() or ended:
            return
        time.sleep(0.1)


KILLS = [("torch", 0)]
if ASKED == "all":
    KILLS += [("torch", 1), ("jax", 0), ("jax", 1), ("tensorflow", 0), ("tensorflow", 1)]


@long
@pytest.mark.skipif(runtime.cores() < 2, reason="needs two cores")
@pytest.mark.parametrize(("backend", "victim"), KILLS)
def test_a_rank_that_is_killed_leaves_a_run_that_goes_on_with_one_device(backend, victim, tmp_path):
    needs(backend)
    asked = ("autoencoder", "--image-size", 8, "--epochs", 10, "--batch-size", 32)
    folder, started = tmp_path / "run", []
    try:
        if backend == "torch":
            started, ranks = begun_on_torch(folder, asked)
        else:
            started, ranks = begun_by_hand(backend, folder, asked)
        assert set(ranks) == {0, 1}
        os.kill(ranks[victim], signal.SIGKILL)
        told = [process.communicate(timeout=120)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    left = started[0] if backend == "torch" else started[1 - victim]
    errors = told[started.index(left)]
    assert not [pid for pid in ranks.values() if Path(f"/proc/{pid}").exists()]
    assert json.loads((folder / "run.json").read_text())["status"] == "training"
    if (backend, victim) == ("jax", 0):  # who holds JAX's processes together: JAX aborts the others
        assert left.returncode
        assert "JAX distributed service" in errors
    else:
        assert left.returncode == 1
        assert re.search(r"^ganedu: .*process of the training", errors, re.MULTILINE)
        assert backend == "torch" or "Traceback" not in errors

    told = ganedu_does(backend, "resume", folder, "--devices", 1)
    assert "Started on 2 devices, going on with 1" in told
    found = rows(folder)
    ganedu_does(backend, "train", *asked, "--out", tmp_path / "whole")
    expected = rows(tmp_path / "whole")
    assert [row["step"] for row in found] == [row["step"] for row in expected]
    for a, b in zip(found, expected, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3 if backend == "torch" else 1e-2)
