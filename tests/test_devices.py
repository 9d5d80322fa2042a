"""Several devices: the same numbers as one, on three backends; what is refused; processes that die.

The long ones run with `GANEDU_DEVICES=1`, for two models; with `GANEDU_DEVICES=all` for a model of every kind, which
takes about an hour of the processor.
"""

import csv
import importlib.util
import json
import os
import re
import signal
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
from ganedu.runs import training

HERE = Path(__file__).parent
PACKAGE = Path(ganedu.__file__).parent
ASKED = os.environ.get("GANEDU_DEVICES")
OPTIONAL = ("adaptive_augment", "instance_noise", "sparse")
MODELS = [*ALL, *OPTIONAL] if ASKED == "all" else ["wgan_gp", "vqvae"]
GRADIENT = 1e-5  # of a tensor's norm
# A tensor whose gradient is a rounding error in theory, as the bias before a normalization, is measured in units of
# this share of all of its player's gradients.
LEAST_SHARE = 1e-2
ULPS = (0, 1, 2) if ASKED == "all" else (0, 1)  # seeds of changes; 0 changes nothing
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


def run(backend, count, *arguments, status=0):
    done = subprocess.run(
        command(backend, count, *arguments),
        env=environment(backend),
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert (done.returncode == 0) == (status == 0), done.stderr[-3000:]
    return done.stdout + done.stderr


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
            for ulp in ULPS:
                out = folder / f"{ulp}.npz"
                run(backend, 1, out, "--models", ",".join(MODELS), "--ulp", ulp)
            kept[backend] = [numbers_in(folder / f"{ulp}.npz") for ulp in ULPS]
        reference, *others = kept[backend]
        return reference, others

    return numbers


def check_gradients(reference, found, model):
    """Each tensor to `GRADIENT` of its norm."""
    keys = [k for k in reference if k.startswith(f"{model}/gradient/")]
    assert keys
    for key in keys:
        player = key.rsplit(" ", 1)[0]
        every = [np.linalg.norm(reference[k]) for k in keys if k.startswith(player + " ")]
        norm = max(np.linalg.norm(reference[key]), LEAST_SHARE * np.linalg.norm(every))
        assert np.linalg.norm(found[key] - reference[key]) <= GRADIENT * norm, key


def check_after_training(reference, others, found, model):
    """Each loss and weight is at most three times as far away as it is when initial weights change by one ulp. Below
    2e-6 of its norm, a few roundings, the comparison says nothing."""
    for key in (k for k in reference if re.match(f"{model}/(log|weight)/", k)):
        apart = np.linalg.norm(found[key] - reference[key])
        spread = max(np.linalg.norm(other[key] - reference[key]) for other in others)
        least = 2e-6 * max(np.linalg.norm(reference[key]), 0.1)
        assert apart <= 3 * spread + least, (key, apart, spread)


CASES = [("tensorflow", 2), ("jax", 4), ("torch", 4)]
CASES += [("tensorflow", 4), ("jax", 2), ("torch", 2)] if ASKED == "all" else []


@long
@pytest.mark.parametrize(("backend", "count"), CASES)
def test_several_devices_have_the_numbers_of_one(backend, count, alone, tmp_path):
    reference, others = alone(backend)
    run(backend, count, tmp_path / "RANK.npz", "--models", ",".join(MODELS))
    found = numbers_in(tmp_path / "0.npz")
    assert set(found) == set(reference)
    for model in MODELS:
        check_gradients(reference, found, model)
        check_after_training(reference, others, found, model)
    for rank in range(1, count if backend == "torch" else 1):
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
        started = ganedu_in_process(
            backend, "train", "autoencoder", "--epochs", 4, "--precision", precision, "--out", out
        )
        _, errors = started.communicate(timeout=900)
        assert started.returncode == 0, errors[-2000:]
        last[precision] = rows(out)[-1]["loss"]
    assert last["bfloat16"] != last["float32"]
    assert last["bfloat16"] == pytest.approx(last["float32"], rel=0.05)


# Processes


@long
def test_processes_with_different_data_are_refused(tmp_path):
    needs("torch")
    told = run("torch", 2, tmp_path / "out.npz", "--models", "vae", "--unlike", 1, status=1)
    assert "All processes must be given the same batches" in told
    assert not (tmp_path / "out.npz").exists()


@long
def test_what_is_not_finite_on_one_rank_is_found_by_all(tmp_path):
    """At the same step, so that all of them end."""
    needs("torch")
    told = run("torch", 2, tmp_path / "out.npz", "--models", "vae", "--nan", 3, "--steps", 5)
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


def rows(folder):
    with open(folder / "history.csv") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


@long
@pytest.mark.skipif(runtime.cores() < 2, reason="needs two cores")
@pytest.mark.parametrize("victim", [0, 1] if ASKED == "all" else [0])
def test_a_rank_that_is_killed_leaves_a_run_that_goes_on_with_one_device(victim, tmp_path):
    needs("torch")
    asked = ("autoencoder", "--image-size", 8, "--epochs", 20, "--batch-size", 32)
    folder = tmp_path / "run"
    started = ganedu_on_torch("train", *asked, "--devices", 2, "--out", folder)
    try:
        for _ in range(3000):
            if (folder / "model.keras").exists() or started.poll() is not None:
                break
            time.sleep(0.1)
        ranks = {}
        for pid in workers(started.pid):
            told = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            ranks |= {int(t[5:]): pid for t in told if t.startswith(b"RANK=")}
        assert set(ranks) == {0, 1}
        os.kill(ranks[victim], signal.SIGKILL)
        _, errors = started.communicate(timeout=120)
    finally:
        started.kill()
    assert started.returncode == 1
    assert re.search(r"^ganedu: .*(process of the training)", errors, re.MULTILINE)
    assert not [pid for pid in ranks.values() if Path(f"/proc/{pid}").exists()]
    assert json.loads((folder / "run.json").read_text())["status"] == "training"

    resumed = ganedu_on_torch("resume", folder, "--devices", 1)
    told, errors = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, errors[-2000:]
    assert "Started on 2 devices, going on with 1" in told
    whole = ganedu_on_torch("train", *asked, "--out", tmp_path / "whole")
    _, errors = whole.communicate(timeout=600)
    assert whole.returncode == 0, errors[-2000:]
    found, expected = rows(folder), rows(tmp_path / "whole")
    assert [row["step"] for row in found] == [row["step"] for row in expected]
    for a, b in zip(found, expected, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3)
