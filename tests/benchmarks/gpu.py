"""What ganedu reaches on one GPU: images/s beside a plain PyTorch loop, memory, bfloat16, and scores after a minute.

    python tests/benchmarks/gpu.py [--out gpu.md]        # ten minutes at most; needs ganedu[jax,torch]
    python tests/benchmarks/gpu.py --small               # a few steps of each part, on a CPU too; speed in bfloat16

- Speed: `dcgan` on images of noise, 64x64x3, width 64, batch 256, on each backend that is installed, in float32 and
  in bfloat16; and the same networks in plain PyTorch, fused Adam, the faster layout, D once for real and for generated
  images, as the engine has it. Medians of windows; the images lie in memory.
- Scores: `ganedu speedrun`'s rules, 60 s on JAX of three models on MNIST and CIFAR-10 (`GANEDU_DATA` names their
  folder; a data set that is not there is left out, and said).
- Lesson 07 under nbval in the profile `full` (`--small`: lesson 00 in `quick`, since claims need training).

Each part is a process of its own, with a time limit; one that fails is a row that says so. Prints Markdown.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
FULL = {"side": 64, "width": 64, "batch": 256, "steps": 50, "windows": 5, "seconds": 60.0}
SMALL = {"side": 16, "width": 8, "batch": 16, "steps": 3, "windows": 2, "seconds": 2.0}
LIMIT = 110  # seconds of a part
SCORED = [(m, d) for d in ("mnist", "cifar10") for m in ("dcgan", "flow_matching", "cgan")]


def noise(size):
    import numpy as np

    shape = (4 * size["batch"], size["side"], size["side"], 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")


def speed_of_fit(size, precision):
    """Images/s and peak MiB of the device in `fit`."""
    from ganedu import runtime

    runtime.setup(0)
    import keras
    import numpy as np

    from ganedu import data, models

    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    images = data.ImageDataset("noise", "train", noise(size))
    width = size["width"]
    model = models.build("dcgan", images.image_shape, g_width=width, d_width=width)
    ends = []

    class Window(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):  # the logs have waited for the device
            ends.append(time.perf_counter())

    batches = images.batches(size["batch"])
    model.fit(
        batches,
        steps_per_epoch=size["steps"],
        epochs=size["windows"] + 1,  # the first one compiles
        verbose=0,
        callbacks=[Window()],
    )
    seconds = float(np.median(np.diff(ends)))
    return {"images/s": size["steps"] * size["batch"] / seconds, **device()}


def device():
    """The device's name, and the most memory that was taken of it in MiB, where the backend tells."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        found = jax.devices()[0]
        peak = (found.memory_stats() or {}).get("peak_bytes_in_use")
        return {"device": found.device_kind, "MiB": peak and peak / 2**20}
    if keras.backend.backend() == "torch":
        return torch_device()
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    peak = tf.config.experimental.get_memory_info("GPU:0")["peak"] if gpus else None
    return {"device": "GPU" if gpus else "cpu", "MiB": peak and peak / 2**20}


def torch_device():
    import torch

    if not torch.cuda.is_available():
        return {"device": "cpu", "MiB": None}
    peak = torch.cuda.max_memory_allocated() / 2**20
    return {"device": torch.cuda.get_device_name(), "MiB": peak}


def speed_of_plain_pytorch(size, precision):
    """Images/s and peak MiB of a hand-written loop: `dcgan`, with averaged weights and logs."""
    import statistics
    from copy import deepcopy

    import torch
    from torch import nn

    place = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    g, d = plain_networks(size["side"], size["width"])
    g, d = (n.to(place, memory_format=torch.channels_last) for n in (g, d))
    copy = deepcopy(g).requires_grad_(False)
    options = {"betas": (0.5, 0.999), "fused": True}
    g_optimizer = torch.optim.Adam(g.parameters(), 3e-3, **options)
    d_optimizer = torch.optim.Adam(d.parameters(), 3e-4, **options)
    kept = [t for t in copy.state_dict().values() if t.is_floating_point()]
    trained = [t for t in g.state_dict().values() if t.is_floating_point()]
    means, images = torch.zeros(4, device=place), noise(size)
    softplus = nn.functional.softplus
    low = torch.autocast(place.type, torch.bfloat16, enabled=precision == "bfloat16")

    def step(i):
        start = i % 4 * size["batch"]
        x = torch.from_numpy(images[start : start + size["batch"]]).to(place)
        x = x.permute(0, 3, 1, 2).float() / 127.5 - 1.0
        with low:
            with torch.no_grad():
                fake = g(torch.randn(len(x), 32, device=place))
            real, fake = d(x), d(fake)
            d_loss = softplus(-real.float()).mean() + softplus(fake.float()).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        d.requires_grad_(False)
        with low:
            z = torch.randn(len(x), 32, device=place)
            g_loss = softplus(-d(g(z)).float()).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        d.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(kept, trained, 0.01)
            logs = [d_loss, g_loss, real.float().sigmoid().mean(), fake.float().sigmoid().mean()]
            means.add_(torch.stack(logs))

    taken = []
    for _ in range(size["windows"] + 1):
        start = time.perf_counter()
        for i in range(size["steps"]):
            step(i)
        means.tolist()  # waits for the device
        taken.append(time.perf_counter() - start)
    rate = size["steps"] * size["batch"] / statistics.median(taken[1:])
    parameters = sum(p.numel() for n in (g, d) for p in n.parameters())
    return {"images/s": rate, "parameters": parameters, **torch_device()}


def plain_networks(side, width):
    """G and D in PyTorch, layer by layer those that ganedu builds."""
    from torch import nn

    from ganedu import runtime

    runtime.setup(0)
    import keras

    from ganedu import models

    model = models.build("dcgan", (side, side, 3), g_width=width, d_width=width)

    def translated(network):
        found, channels = [], None
        for layer in network.layers:
            kind = type(layer).__name__
            if kind == "Dense":
                inputs, outputs = layer.kernel.shape
                found += [nn.Linear(inputs, outputs, bias=layer.use_bias)]
            elif kind == "Reshape":
                h, w, channels = layer.output.shape[1:]
                found += [nn.Unflatten(1, (channels, h, w))]
            elif kind in ("Conv2D", "Conv2DTranspose"):
                inputs, outputs = layer.input.shape[-1], layer.output.shape[-1]
                k, s = layer.kernel_size[0], layer.strides[0]
                made = nn.Conv2d if kind == "Conv2D" else nn.ConvTranspose2d
                found += [made(inputs, outputs, k, s, (k - s + 1) // 2, bias=layer.use_bias)]
                channels = outputs
                if layer.activation is keras.activations.tanh:
                    found += [nn.Tanh()]
            elif kind == "BatchNormalization":
                flat = len(layer.output.shape) == 2
                found += [(nn.BatchNorm1d if flat else nn.BatchNorm2d)(layer.output.shape[-1])]
            elif kind == "ReLU":
                found += [nn.ReLU()]
            elif kind == "LeakyReLU":
                found += [nn.LeakyReLU(layer.negative_slope)]
            elif kind == "Flatten":
                found += [nn.Flatten()]
            elif kind != "InputLayer":
                raise NotImplementedError(f"{layer.name}: {kind}")
        return nn.Sequential(*found)

    return translated(model.generator), translated(model.discriminator)


def score(model, name, size):
    """The row of a speedrun of one seed."""
    from ganedu.runs import speedrun

    return speedrun.measure(model, name, size["seconds"], 0)


def lesson(size):
    name, profile = ("00_start", "quick") if size is SMALL else ("07_dcgan", "full")
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", f"notebooks/{name}.ipynb"],
        cwd=ROOT,
        env={**os.environ, "GANEDU_PROFILE": profile},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout.strip().splitlines()[-1:] or [done.stderr[-200:]]
    if done.returncode:
        raise RuntimeError(told[0])
    return {"seconds": time.perf_counter() - start, "nbval": told[0].strip("= ")}


PARTS = {
    "fit": speed_of_fit,
    "plain": speed_of_plain_pytorch,
    "score": score,
    "lesson": lesson,
}


def in_process(part, backend, *arguments, small=False, limit=LIMIT):
    """What a part found, or `{"failed": why}`."""
    command = [sys.executable, __file__, "--one", json.dumps([part, *arguments])]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": paths}
    try:
        done = subprocess.run(
            command + (["--small"] if small else []),
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"failed": f"not done within {limit} s"}
    except subprocess.CalledProcessError as error:
        return {"failed": (error.stderr.strip().splitlines() or ["no word"])[-1][:200]}


def shown(value):
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def rows(small, budget):
    """`(what, found)` of each part, as they come; parts after the time is up are left out, and said."""
    installed = [b for b in ("jax", "torch", "tensorflow") if importlib.util.find_spec(b)]
    asked = []
    for precision in ("bfloat16",) if small else ("float32", "bfloat16"):
        if "torch" in installed:
            asked.append((f"plain PyTorch, {precision}", "plain", "torch", precision))
        asked += [(f"fit on {b}, {precision}", "fit", b, precision) for b in installed]
    scored = [("dcgan", "digits")] if small else SCORED
    backend = "jax" if "jax" in installed else installed[0]
    asked += [(f"{m} on {d}, {backend}", "score", backend, m, d) for m, d in scored]
    asked.append(("a lesson", "lesson", "tensorflow" if small else backend))
    start = time.monotonic()
    for what, *rest in asked:
        left = budget - (time.monotonic() - start)
        limit = min(left, budget if small else LIMIT)
        yield (
            what,
            in_process(*rest, small=small, limit=limit)
            if left > 5
            else {"failed": "left out: the time was up"},
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a few steps, on a CPU too")
    parser.add_argument("--seconds", type=float, default=580.0, help="after which nothing begins")
    parser.add_argument("--out", type=Path, help="a file for the table, too")
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    size = SMALL if options.small else FULL
    if options.one:
        part, *arguments = options.one
        ordered = (*arguments, size) if part == "score" else (size, *arguments)
        print(json.dumps(PARTS[part](*ordered)))
        return
    lines, failed = ["| what | found |", "|---|---|"], 0
    print("\n".join(lines))
    for what, found in rows(options.small, options.seconds):
        failed += "failed" in found
        told = ", ".join(f"{k} {shown(v)}" for k, v in found.items() if v is not None)
        lines.append(f"| {what} | {told} |")
        print(lines[-1], flush=True)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
