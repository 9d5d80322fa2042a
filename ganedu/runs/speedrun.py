"""How good a model is after so many seconds: a run under several seeds, scored by rules that are the same for all.

- Seconds are those of training, from the end of the first (compiling) step; what that took is told apart.
- The score is the Fréchet distance of new samples to the test images, as many as there are and 10,000 at most, in the
  fixed features of the data set. No test image is trained on.
- `copy_rate` says whether the samples are new: the share that lies nearer to a training image than all but a hundredth
  of the test images do.

Each seed has a process of its own: `python -m ganedu.runs.speedrun`, which reads what is asked as JSON.
"""

import dataclasses
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ganedu.runs.records import MAX_AMOUNT, RECIPE
from ganedu.runtime import RunError, UsageError, one_line

MAX_SAMPLES = 10_000
GENERATES = frozenset({"generate", "generate by class"})
COPIES = 1000  # samples of which it is looked whether they are copies, and training images
HEAD = (
    *("date", "commit", "model", "data", "seconds", "Fréchet distance", "labels right", "copies"),
    *("processor s", "first step s", "images/s", "multiply-adds", "machine", "command"),
)


@dataclasses.dataclass(frozen=True)
class TimedTraining:
    """A model after some seconds of training, and what they took.

    Args:
        model: `GenerativeModel`.
        train, test: `ImageDataset`, both parts of the data.
        images: int, seen in training.
        seconds, processor_seconds: float, from the end of the first step; the first by the clock that was asked for.
        first_step_seconds: float, to the end of the first step.
    """

    model: object
    train: object
    test: object
    images: int
    seconds: float
    processor_seconds: float
    first_step_seconds: float

    @property
    def images_per_second(self):
        return self.images / self.seconds

    @property
    def parameters(self):
        """int: the numbers that are trained."""
        return sum(math.prod(w.shape) for w in self.model.trainable_weights)


def timed_training(model, data, seconds, seed, recipe=None, by_class=False, tasks=None, clock=None):
    """Trains a model in this process for some seconds from the end of its first step; arguments as for `measure`.

    Args:
        clock: function that tells the seconds, as for `ganedu.callbacks.Clock`. Defaults to `None`: `time.monotonic`.
        tasks: set of names of `ganedu.engine.TASKS`, of which the model must have one. Defaults to `None`.

    Returns:
        `TimedTraining`.

    Raises:
        UsageError: for a model without these tasks.
    """
    from ganedu import runtime

    runtime.setup(seed)
    import keras

    from ganedu import data as sets
    from ganedu import models, recipes
    from ganedu.callbacks import Clock

    train, test = sets.load(data), sets.load(data, "test")
    found, _ = recipes.find(model, data, train.image_shape, "quick")
    asked = recipe or {}
    batch_size = asked.get("batch_size", found.batch_size)
    arguments = models.arguments_of(model, train, by_class)
    arguments |= asked.get("model", found.model)
    built = models.build(model, train.image_shape, seed=seed, **arguments)
    if tasks is not None and not built.tasks & tasks:
        raise UsageError(f"A speedrun needs a model that generates. Received: {model}")
    augment = sets.Augmentation.of(found.augment)
    clock, processor = Clock(0.0, seconds, clock), _Processor()
    began = time.monotonic()
    built.fit(
        built.prepare_dataset(train).batches(batch_size, seed=seed, augment=augment),
        steps_per_epoch=found.steps_per_round,
        epochs=1_000_000,
        verbose=0,
        callbacks=[_callback(keras, processor), clock],
    )
    images, first = int(built.steps) * batch_size, processor.first - began
    return TimedTraining(built, train, test, images, clock.seconds, processor.spent, first)


def measure(model, data, seconds, seed, recipe=None, by_class=False):
    """Trains a model and scores it.

    Args:
        model: str, a model's name.
        data: str, the name of a data set that has features: digits, mnist, cifar10.
        seconds: float, of training.
        seed: int.
        recipe: dict, `batch_size` and `model`, in the place of the quick recipe's. Defaults to `None`.
        by_class: bool, as for `ganedu.runs.begin`. Defaults to `False`.

    Returns:
        dict of numbers: `frechet_distance`, `copy_rate`, `processor_seconds`, `first_step_seconds`,
        `images_per_second`, `steps`, `multiply_adds` (of all trained networks, one pass forward of one image),
        `parameters`, `peak` (GFLOP/s that the machine reached beside it); of a conditional model `label_accuracy`.
    """
    done = timed_training(model, data, seconds, seed, recipe, by_class, GENERATES)
    import keras
    import numpy as np

    from ganedu.metrics import features
    from ganedu.metrics.frechet import frechet_distance
    from ganedu.metrics.memorisation import memorisation
    from ganedu.networks.arithmetic import multiply_adds

    built = done.model
    seen = features.load(data)  # not before: its layers would draw from the seed, too
    count = min(MAX_SAMPLES, len(done.test))
    generated, real = built.generate(count, seed=seed + 1), done.test.array(count)
    flat = [
        a[:COPIES].reshape(min(COPIES, len(a)), -1)
        for a in (generated, done.train.array(COPIES), real)
    ]
    names = {n for names in built.players.values() for n in names}
    networks = [n for n in (getattr(built, name) for name in names) if isinstance(n, keras.Model)]
    row = {
        "frechet_distance": frechet_distance(seen.features(generated), seen.features(real)),
        "copy_rate": memorisation(*flat).copy_rate,
        "processor_seconds": done.processor_seconds,
        "first_step_seconds": done.first_step_seconds,
        "images_per_second": done.images_per_second,
        "steps": int(built.steps),
        "multiply_adds": sum(map(multiply_adds, networks)),
        "parameters": done.parameters,
        "peak": _peak(np),
    }
    if "generate by class" in built.tasks:
        labels = np.arange(count) % built.num_classes
        told = seen.probabilities(built.generate(count, labels=labels, seed=seed + 2)).argmax(
            axis=1
        )
        row["label_accuracy"] = float(np.mean(told == labels))
    return {name: float(value) for name, value in row.items()}


class _Processor:
    """The processor's seconds (user + sys, of all threads) from the end of the first step to the last."""

    first, start, spent = math.nan, math.nan, math.nan

    def step(self):
        if math.isnan(self.start):
            self.first, self.start = time.monotonic(), time.process_time()
        self.spent = time.process_time() - self.start


def _callback(keras, processor):
    return keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs=None: processor.step()
    )


def _peak(np):
    """GFLOP/s of products of large matrices on all cores, as this process may use them."""
    from keras import ops

    a = ops.convert_to_tensor(
        np.random.default_rng(0).standard_normal((2048, 2048)).astype("float32")
    )
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        ops.convert_to_numpy(ops.matmul(a, a))
        best = min(best, time.perf_counter() - began)
    return 2 * 2048**3 / best / 1e9


def check_recipe(path):
    """A recipe from a JSON file: `{"batch_size": 32, "model": {"width": 16}}`.

    Raises:
        UsageError: for what is no such file.
    """
    path = Path(path)
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise UsageError(f"{path} must be a recipe as JSON ({one_line(e)})") from None
    known = ("batch_size", "model")
    for name, value in recipe.items() if isinstance(recipe, dict) else [("", recipe)]:
        if name not in known or not RECIPE[name][1](value):
            wanted = f", {RECIPE[name][0]}" if name in known else ""
            raise UsageError(
                f"{path} must say {' and '.join(known)}{wanted}. Received: {name} {value!r:.60}"
            )
    return recipe


def run(model, data, seconds, seeds=3, recipe=None, by_class=False):
    """Measures a model under several seeds, one after the other, each in a process of its own.

    Returns:
        List of dicts, as `measure` gives them.

    Raises:
        UsageError: for what cannot be asked, RunError: for a process that failed.
    """
    if not 0 < seconds < MAX_AMOUNT:
        raise UsageError(f"The seconds must lie between 0 and {MAX_AMOUNT:g}. Received: {seconds}")
    rows = []
    for seed in range(seeds):
        asked = {"model": model, "data": data, "seconds": seconds, "seed": seed}
        asked |= {"recipe": recipe, "by_class": by_class}
        done = subprocess.run(
            [sys.executable, "-m", "ganedu.runs.speedrun"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            last = (done.stderr.strip().splitlines() or ["no reason was told"])[-1]
            kind = UsageError if done.returncode == 2 else RunError
            raise kind(last.removeprefix("ganedu: "))
        rows.append(json.loads(lines[-1]))
    return rows


def leaderboard_row(rows, model, data, seconds, command):
    """A line of `docs/leaderboard.md` about one model under several seeds."""

    def mean(name):
        return statistics.fmean(row[name] for row in rows)

    distances = [row["frechet_distance"] for row in rows]
    spread = f" ± {statistics.stdev(distances):.2f}" if len(rows) > 1 else ""
    labels = f"{mean('label_accuracy'):.1%}" if "label_accuracy" in rows[0] else ""
    cells = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": commit(),
        "model": model,
        "data": data,
        "seconds": f"{seconds:g}",
        "Fréchet distance": f"{mean('frechet_distance'):.2f}{spread} ({len(rows)})",
        "labels right": labels,
        "copies": f"{mean('copy_rate'):.1%}",
        "processor s": f"{mean('processor_seconds'):.0f}",
        "first step s": f"{mean('first_step_seconds'):.1f}",
        "images/s": f"{mean('images_per_second'):,.0f}",
        "multiply-adds": f"{mean('multiply_adds') / 1e6:.2f} M",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {mean('peak'):.0f} GFLOP/s",
        "command": f"`{command}`",
    }
    return f"| {' | '.join(cells[name] for name in HEAD)} |"


def commit():
    """The commit that the package is of, or its version where it is in no repository."""
    from ganedu import __version__

    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return __version__
    told = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or __version__


def main():
    """Measures what the standard input asks for, and prints it."""
    try:
        print(json.dumps(measure(**json.load(sys.stdin))), flush=True)
    except UsageError as e:
        print(f"ganedu: {one_line(e)}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
