"""Steps of models on one device or on several; run in a process of its own for each backend and number of devices.

    KERAS_BACKEND=jax python tests/on_devices.py OUT.npz --devices 2 --models gan,vae

writes each model's gradients of the first step, and its losses and weights after 20 steps. On PyTorch `torchrun`
starts it. Every batch, weight and draw is settled by seeds. `--ulps 1,2` does all of that again from initial weights
that are changed by one ulp, by the same graph, and writes it to `ulp-1.npz` and `ulp-2.npz` beside OUT.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from ganedu import devices, runtime

if os.environ.get("KERAS_BACKEND") in ("jax", "torch"):
    sys.modules["tensorflow"] = None  # or Keras imports it for a model's config: four seconds

BACKEND = runtime.setup(0)
parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("out")
parser.add_argument("--devices", type=int, default=1)
parser.add_argument("--models", type=lambda names: names.split(","), required=True)
parser.add_argument("--steps", type=int, default=20)
parser.add_argument(
    "--ulps",
    type=lambda seeds: [int(seed) for seed in seeds.split(",")],
    default=[],
    help="seeds of changes of all weights by one ulp",
)
parser.add_argument("--unlike", type=int, help="the rank that is given other batches")
parser.add_argument("--nan", type=int, help="the step of which one row is NaN")
OPTIONS = parser.parse_args()
if (
    BACKEND == "tensorflow" and not devices.launched()
):  # more of them than the machine may have cores
    import tensorflow as tf

    one = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], 4 * [one])
if BACKEND == "jax":
    import jax

    UNOPTIMIZED = os.environ.get("JAX_DISABLE_MOST_OPTIMIZATIONS") == "1"
devices.use(OPTIONS.devices)

import keras  # noqa: E402
from rows import ALL, IMAGE_SHAPE, OPTIMIZED, arrays, feed  # noqa: E402

from ganedu import layers, models  # noqa: E402
from ganedu.data.images import make_dataset  # noqa: E402

BATCH = 16
SHARED = {"drifting": {"num_generated": 8}, "reflow": {"num_pairs": 8}}  # by 2 and by 4
# What a model of another name may have.
OPTIONAL = {
    "adaptive_augment": ("dcgan", lambda: {"augment": layers.AdaptiveAugment(images=200)}),
    "instance_noise": ("dcgan", lambda: {"augment": keras.layers.GaussianNoise(0.1)}),
    "sparse": ("autoencoder", lambda: {"sparsity_weight": 0.1, "noise_std": 0.1, "mask_prob": 0.2}),
}


class Recorder(keras.optimizers.Optimizer):
    """Adds up the gradients that it is given, and moves nothing."""

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.sums = [self.add_variable_from_reference(v, "sum") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        self.assign_add(self.sums[self._get_variable_index(variable)], gradient)


def batches(name):
    name, _ = OPTIONAL.get(name, (name, None))

    def batch(i):
        i = int(i)
        other = 100 * (OPTIONS.unlike is not None and devices.rank() == OPTIONS.unlike)
        found = feed(name, BATCH, seed=i + other)
        images = found[0] if isinstance(found, tuple) else found
        if OPTIONS.nan is not None and i == OPTIONS.nan:
            images[-1] = np.nan  # in the last device's part
        return found

    one = batch(0)
    forms = [(a.shape, str(a.dtype)) for a in (one if isinstance(one, tuple) else (one,))]
    return make_dataset(batch, tuple(forms) if len(forms) > 1 else forms[0], None)


def built(name):
    known, options = OPTIONAL.get(name, (name, dict))
    row = ALL[known]
    with devices.current().scope():  # as a layer of one's own is built
        arguments = {**row.build, **SHARED.get(name, {}), **options()}
    return models.build(row.model or known, IMAGE_SHAPE, **arguments)


def move_by_an_ulp(model, seed):
    """Moves each weight by one ulp."""
    rng = np.random.default_rng(seed)
    for v, value in zip(model.weights, arrays(model.weights), strict=True):
        if value.dtype == np.float32 and value.any():
            v.assign(np.nextafter(value, rng.choice([-9, 9], value.shape).astype("float32")))


def trained(model, name):
    """What stands in the logs, and each weight, after the steps."""
    logs = model.fit(batches(name), steps_per_epoch=OPTIONS.steps, verbose=0).history
    results = {f"{name}/log/{k}": np.float32(v[-1]) for k, v in logs.items()}
    for i, (v, found) in enumerate(zip(model.weights, arrays(model.weights), strict=True)):
        results[f"{name}/weight/{i}:{v.name}"] = found
    return results


def first_gradients(model, name):
    """What each player's `Recorder` was given at the first step."""
    model.fit(batches(name), steps_per_epoch=1, verbose=0)
    return {
        f"{name}/gradient/{player} {i}": found
        for player in model.players
        for i, found in enumerate(arrays(getattr(model, player).sums))
    }


def each_seed(model, results):
    """Of `results`, seed and dict in turn; the model is then as it was built, its weights changed by the seed."""
    variables = [*model.variables, *model.optimizer.variables]
    initial = arrays(variables)
    for seed, found in results.items():
        if seed:
            for v, value in zip(variables, initial, strict=True):
                v.assign(value)
            move_by_an_ulp(model, seed)
        yield seed, found


def main():
    """What was found, by the seed of the change."""
    results = {seed: {} for seed in (0, *OPTIONS.ulps)}
    for name in OPTIONS.models:
        if BACKEND == "jax":
            unoptimized = UNOPTIMIZED and name not in OPTIMIZED
            jax.config.update("jax_disable_most_optimizations", unoptimized)
        recorder = built(name)
        recorder.compile(**{player: Recorder(0.0) for player in recorder.players})
        for _, found in each_seed(recorder, results):
            found |= first_gradients(recorder, name)
        model = built(name)
        for seed, found in each_seed(model, results):
            found |= trained(model, name)
            if not seed:
                failure = model.first_failure.report()
                print(f"{name} first failure {failure and failure[0]}", flush=True)
    return results


if __name__ == "__main__":
    found = main()
    out = OPTIONS.out.replace("RANK", str(devices.rank()))
    if devices.is_writer() or out != OPTIONS.out:
        np.savez(out, **found[0])
        for seed in OPTIONS.ulps:
            np.savez(Path(out).with_name(f"ulp-{seed}.npz"), **found[seed])
