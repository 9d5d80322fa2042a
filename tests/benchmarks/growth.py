"""How the time of a step and the memory of `dcgan` grow with the side of an image, its channels, the networks' width,
the batch and the number of images.

    python tests/benchmarks/growth.py [--steps 60]

Each point has a process of its own, on images of noise. Time is the median step after the first twenty; memory is what
the process held at most, less what it held before it had images and a model. Prints a table in Markdown.
"""

import argparse
import json
import subprocess
import sys

BASE = {"side": 32, "channels": 1, "width": 32, "batch": 32, "images": 10_000}
CHANGES = {
    "side": (16, 64, 128),
    "channels": (3,),
    "width": (16, 64, 128),
    "batch": (8, 128, 512),
    "images": (1_000, 100_000),
}


def measure(point, steps):
    """The milliseconds of a step, the peak memory in MiB, and what is counted."""
    import statistics
    import time

    import numpy as np

    from ganedu import runtime

    runtime.setup(0)
    import keras
    from contestants import peak_memory

    from ganedu import data, models
    from ganedu.networks.arithmetic import multiply_adds

    before = peak_memory()
    shape = (point["side"], point["side"], point["channels"])
    noise = np.random.default_rng(0).integers(0, 256, (point["images"], *shape), dtype="uint8")
    images = data.ImageDataset("noise", "train", noise)
    model = models.build("dcgan", shape, g_width=point["width"], d_width=point["width"])

    class Times(keras.callbacks.Callback):
        ends = []

        def on_train_batch_end(self, batch, logs=None):
            self.ends.append(time.perf_counter())

    times = Times()
    batches = images.batches(point["batch"])
    model.fit(batches, steps_per_epoch=steps + 20, verbose=0, callbacks=[times])
    return {
        "ms": 1000 * statistics.median(np.diff(times.ends[20:])),
        "memory": peak_memory() - before,
        "forward": [multiply_adds(n) / 1e6 for n in (model.generator, model.discriminator)],
        "parameters": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.steps)))
        return
    head = [
        *("what", "ms a step", "images/s", "memory above the framework's"),
        *("multiply-adds of G, D forward, an image", "parameters"),
    ]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    points = [("all as it is", BASE)]
    for name, values in CHANGES.items():
        points += [(f"{name} {value:,}", {**BASE, name: value}) for value in values]
    for name, point in points:
        command = [sys.executable, __file__, "--steps", str(options.steps)]
        done = subprocess.run(
            [*command, "--one", json.dumps(point)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        cells = [
            *(name, f"{found['ms']:.1f}", f"{1000 * point['batch'] / found['ms']:,.0f}"),
            *(f"{found['memory']:,.0f} MiB", ", ".join(f"{m:.1f} M" for m in found["forward"])),
            f"{found['parameters']:,}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
