"""One SGD step of several models with given weights, batch and draws; run in a process of its own for each backend.

    KERAS_BACKEND=jax python tests/one_step.py OUT.npz

writes the losses and every variable after the step: on TensorFlow operation by operation, which the contract compares
with the graph's step; on JAX compiled, without optimizations where `JAX_DISABLE_MOST_OPTIMIZATIONS=1` says so and none
is needed. `python tests/one_step.py OUT.npz FOLDER` also
saves a model in FOLDER, and loads and trains on those that other backends saved there; with `-` in the place of OUT.npz
it does that alone.
"""

import contextlib
import os
import sys
from pathlib import Path

import numpy as np

from ganedu import runtime

if os.environ.get("KERAS_BACKEND") in ("jax", "torch"):
    sys.modules["tensorflow"] = None  # or Keras imports it for a model's config: four seconds

BACKEND = runtime.setup(0)

import keras  # noqa: E402
from keras import layers, ops  # noqa: E402
from rows import ALL, IMAGE_SHAPE, OPTIMIZED, ROWS, arrays, batch, feed  # noqa: E402

from ganedu import models  # noqa: E402
from ganedu.engine import GenerativeModel  # noqa: E402

DRAWS = np.random.default_rng(5)


def given_normal(shape, *args, **kwargs):
    return ops.convert_to_tensor(DRAWS.standard_normal(tuple(map(int, shape))).astype("float32"))


def given_uniform(shape, *args, **kwargs):
    return ops.convert_to_tensor(DRAWS.uniform(size=tuple(map(int, shape))).astype("float32"))


class Penalized(GenerativeModel):
    """A critic with a gradient penalty (Gulrajani 2017, Algorithm 1) and batch normalization, which
    moves in the penalty too."""

    players = {"optimizer": ("critic",)}
    log_names = ("loss", "gradient_penalty")

    def __init__(self, seed=0):
        super().__init__(seed=seed)
        x = image = keras.Input(IMAGE_SHAPE)
        x = layers.BatchNormalization()(layers.Conv2D(4, 3, strides=2)(x))
        x = layers.Dense(1)(layers.Flatten()(ops.tanh(x)))
        self.critic = keras.Model(image, x)

    def train_step(self, data):
        x, _ = self.unpack(data)
        epsilon = keras.random.uniform((ops.shape(x)[0], 1, 1, 1), seed=self.seed_generator)

        def losses():
            between = epsilon * x - (1 - epsilon) * ops.flip(x, axis=0)
            slope = self.input_gradient(lambda b: self.critic(b, training=True), between)
            norm = ops.sqrt(ops.sum(ops.square(slope), axis=(1, 2, 3)) + 1e-12)
            gradient_penalty = ops.mean(ops.square(norm - 1))
            return {
                "loss": ops.mean(self.critic(x, training=True)) + gradient_penalty,
                "gradient_penalty": gradient_penalty,
            }

        return self.log(self.minimize(losses, self.critic, self.optimizer))


def subjects():
    for name, row in ALL.items():
        # Keras draws dropout's masks itself.
        extra = {"dropout": 0.0} if name in ("gan", "pix2pix") else {}
        yield name, models.build(row.model or name, IMAGE_SHAPE, **row.build, **extra)
    yield "gradient_penalty", Penalized()


@contextlib.contextmanager
def optimized(needed):
    """What JAX compiles here is optimized where that is needed, whatever the environment says."""
    if BACKEND != "jax" or not needed:
        yield
        return
    import jax

    jax.config.update("jax_disable_most_optimizations", False)
    yield
    asked = os.environ.get("JAX_DISABLE_MOST_OPTIMIZATIONS") == "1"
    jax.config.update("jax_disable_most_optimizations", asked)


def one_step():
    results = {}
    keras.random.normal, keras.random.uniform = given_normal, given_uniform
    for name, model in subjects():
        rng = np.random.default_rng(3)
        for v in model.weights:
            if not v.path.endswith(("moving_variance", "code_covariance", "counts")):
                v.assign(rng.normal(0, 0.3, v.shape).astype("float32"))
        # On TensorFlow without a graph, which takes longer to trace than a step.
        optimizers = {player: keras.optimizers.SGD(0.01) for player in model.players}
        model.compile(run_eagerly=BACKEND == "tensorflow", **optimizers)
        fed = feed(name) if name in ALL else batch()
        fed = fed if isinstance(fed, tuple) else (fed,)
        with optimized(name in OPTIMIZED):
            logs = model.train_on_batch(*fed, return_dict=True)
        results |= {f"{name}/log/{k}": np.float32(v) for k, v in logs.items()}
        for i, (v, value) in enumerate(zip(model.weights, arrays(model.weights), strict=True)):
            results[f"{name}/{i}:{v.name}"] = value
    return results


def exchange(folder):
    """Saves a model for the other backends; loads theirs, compares with what they said it holds, and trains on."""
    for path in sorted(folder.glob("*.keras")):
        model = keras.models.load_model(path)
        with np.load(path.with_suffix(".npz")) as expected:
            for i, value in enumerate(arrays([*model.weights, *model.optimizer.variables])):
                np.testing.assert_array_equal(value, expected[str(i)], err_msg=f"{path} {i}")
        before = arrays(model.generator.trainable_variables)
        logs = model.train_on_batch(batch(seed=2), return_dict=True)
        assert all(np.isfinite(float(v)) for v in logs.values())
        assert int(ops.convert_to_numpy(model.steps)) == 3
        after = arrays(model.generator.trainable_variables)
        assert all((a != b).any() for a, b in zip(before, after, strict=True))
        print(f"{BACKEND} trains on what {path.stem} saved")
    model = models.build("dcgan", IMAGE_SHAPE, **ROWS["dcgan"].build)
    for i in range(2):
        model.train_on_batch(batch(seed=i))
    model.save(folder / f"{BACKEND}.keras")
    state = arrays([*model.weights, *model.optimizer.variables])
    np.savez(folder / f"{BACKEND}.npz", **{str(i): a for i, a in enumerate(state)})


if __name__ == "__main__":
    if len(sys.argv) > 2:
        exchange(Path(sys.argv[2]))
    if sys.argv[1] != "-":
        np.savez(sys.argv[1], **one_step())
