"""Processor-seconds of a model's first training step (trace and first execution), of a later one, and of the first
step of the same model with plain SGD.

    python tests/benchmarks/first_step.py [MODEL ...] [--runs 3]

Each first step is taken in a process of its own, in turn with its rival; printed are medians, and the median of the
ratios of neighbours. The networks are those of the model's defaults: 28x28 images, 32x32 in colour for models of words,
batches of 32 (36 for critics). Targets: at most 1.15 times SGD's, none over 6 s.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def processor():
    spent = os.times()
    return spent.user + spent.system


def one(name, optimizer, steps=20):
    """Seconds of the first step, and the mean of `steps` later ones."""
    from ganedu import runtime

    runtime.setup(0)
    import keras
    import rows

    from ganedu import models

    row = rows.ROWS[name]
    row.build.clear()
    rows.IMAGE_SHAPE = (28, 28, 1)
    if row.feed in ("texts", "edits"):
        rows.IMAGE_SHAPE = (32, 32, 3)
        row.build["length"] = 28
    if row.feed == "labels":
        row.build["num_classes"] = 10
    model = models.build(name, rows.IMAGE_SHAPE, **row.build)
    if optimizer == "sgd":
        model.compile(**{player: keras.optimizers.SGD(1e-3) for player in model.players})
    fed = rows.feed(name, 36 if name.startswith("wgan") else 32)
    fed = fed if isinstance(fed, tuple) else (fed,)
    start = processor()
    model.train_on_batch(*fed)
    first = processor()
    for _ in range(steps):
        model.train_on_batch(*fed)
    return first - start, (processor() - first) / steps


def asked(name, optimizer):
    command = [sys.executable, __file__, name, "--one", optimizer]
    return list(map(float, subprocess.check_output(command, text=True).split()))


def main():
    from rows import ROWS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(ROWS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(*one(options.models[0], options.one))
        return
    print("| model | first step | with SGD | ratio | a later step |\n|---|---|---|---|---|")
    for name in options.models:
        own, sgd = [], []
        for _ in range(options.runs):
            own.append(asked(name, "own"))
            sgd.append(asked(name, "sgd"))
        first, later = (statistics.median(column) for column in zip(*own, strict=True))
        plain = statistics.median(f for f, _ in sgd)
        ratio = statistics.median(a / b for (a, _), (b, _) in zip(own, sgd, strict=True))
        print(
            f"| `{name}` | {first:.1f} s | {plain:.1f} s | {ratio:.2f} | {later:.3f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
