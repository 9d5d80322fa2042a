"""What `fit` with the engine costs beside hand-written loops of the same networks: a `tf.function`, and plain PyTorch.

    python tests/benchmarks/engine_overhead.py [--windows 10] [--steps 100]

All train the DCGAN's default networks on batches of 32 in one process, with Adam, averaged weights and running
means; windows of equal numbers of steps take turns. PyTorch (skipped where it is not installed) has two threads,
fused Adam, and its faster layout (channels last); once with real and generated images passing D separately, as in the
engine, once in one call. Printed are the medians and the ratios of `fit` to each, of the clock and of the processor.
The targets: at most 1.05 to the `tf.function`, 0.85 to PyTorch with as many passes.
"""

import argparse
import importlib.util
import itertools
import time
from copy import deepcopy

from ganedu import runtime

runtime.setup(0)

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from ganedu import data, models  # noqa: E402


def hand_written(model):
    """Algorithm 1 as one writes it without ganedu: two tapes, two optimizers, the averaged weights, running means."""
    generator, discriminator, copy = model.generator, model.discriminator, model.ema_generator
    g_optimizer = keras.optimizers.Adam(3e-3, beta_1=0.5)
    d_optimizer = keras.optimizers.Adam(3e-4, beta_1=0.5)
    g_optimizer.build(generator.trainable_variables)
    d_optimizer.build(discriminator.trainable_variables)
    means = [keras.metrics.Mean() for _ in range(4)]

    @tf.function
    def step(x):
        z = tf.random.normal((tf.shape(x)[0], model.latent_dim))
        with tf.GradientTape() as tape:
            real = discriminator(x, training=True)
            fake = discriminator(generator(z, training=True), training=True)
            d_loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
        gradients = tape.gradient(d_loss, discriminator.trainable_variables)
        d_optimizer.apply_gradients(zip(gradients, discriminator.trainable_variables, strict=True))
        z = tf.random.normal((tf.shape(x)[0], model.latent_dim))
        with tf.GradientTape() as tape:
            g_loss = tf.reduce_mean(
                tf.nn.softplus(-discriminator(generator(z, training=True), training=True))
            )
        gradients = tape.gradient(g_loss, generator.trainable_variables)
        g_optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))
        for target, source in zip(copy.weights, generator.weights, strict=True):
            target.assign(0.99 * target + 0.01 * source)
        scalars = [
            d_loss,
            g_loss,
            tf.reduce_mean(tf.sigmoid(real)),
            tf.reduce_mean(tf.sigmoid(fake)),
        ]
        for mean, value in zip(means, scalars, strict=True):
            mean.update_state(value)

    return step


def plain_pytorch(one_pass):
    """A step of the same networks and the same algorithm in PyTorch, on a batch (B, H, W, C) of NumPy."""
    import torch
    from torch import nn

    torch.set_num_threads(2)
    torch.manual_seed(0)
    g = nn.Sequential(
        *[nn.Linear(32, 7 * 7 * 64, bias=False), nn.Unflatten(1, (64, 7, 7))],
        *[nn.BatchNorm2d(64), nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False)],
        *[nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh()],
    )
    convolutions = [nn.Conv2d(c, k, 3, 2, 1) for c, k in ((1, 32), (32, 64), (64, 128))]
    body = [layer for c in convolutions for layer in (c, nn.LeakyReLU(0.2))]
    d = nn.Sequential(*body, nn.Flatten(), nn.Linear(128 * 4 * 4, 1))
    g, d = (network.to(memory_format=torch.channels_last) for network in (g, d))
    copy = deepcopy(g).requires_grad_(False)
    options = {"betas": (0.5, 0.999), "fused": True}
    g_optimizer = torch.optim.Adam(g.parameters(), 3e-3, **options)
    d_optimizer = torch.optim.Adam(d.parameters(), 3e-4, **options)
    kept = [t for t in copy.state_dict().values() if t.is_floating_point()]
    trained = [t for t in g.state_dict().values() if t.is_floating_point()]
    means = torch.zeros(4)
    softplus = nn.functional.softplus

    def step(x):
        x = torch.from_numpy(x).permute(0, 3, 1, 2)
        with torch.no_grad():
            fake = g(torch.randn(len(x), 32))
        if one_pass:
            real, fake = d(torch.cat([x, fake])).split(len(x))
        else:
            real, fake = d(x), d(fake)
        d_loss = softplus(-real).mean() + softplus(fake).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        d.requires_grad_(False)
        g_loss = softplus(-d(g(torch.randn(len(x), 32)))).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        d.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(kept, trained, 0.01)
            logs = [d_loss, g_loss, real.sigmoid().mean(), fake.sigmoid().mean()]
            means.add_(torch.stack(logs))

    return step


def on_next(step, batches):
    return lambda: step(next(batches))


def now():
    """Seconds of the clock, and of the processor (all threads, user and sys)."""
    return np.array([time.perf_counter(), time.process_time()])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()

    digits = data.load("digits")
    ours, theirs = (models.build("dcgan", digits.image_shape) for _ in range(2))
    step, batches = hand_written(theirs), iter(digits.batches(32))
    others = {"tf.function": on_next(step, batches)}
    if importlib.util.find_spec("torch"):
        arrays = itertools.cycle([np.array(next(batches)) for _ in range(40)])
        for name, one_pass in (("PyTorch", False), ("PyTorch, D once", True)):
            others[name] = on_next(plain_pytorch(one_pass), arrays)
    else:
        print("PyTorch is not installed: its loop is left out")
    times = {name: [] for name in ("fit", *others)}

    class Window(keras.callbacks.Callback):
        """Times the steps inside a long `fit`, and gives the other loops their turns between them."""

        def on_epoch_begin(self, epoch, logs=None):
            for name, turn in others.items():
                start = now()
                for _ in range(options.steps):
                    turn()
                times[name].append(now() - start)
            self.start = now()

        def on_epoch_end(self, epoch, logs=None):
            times["fit"].append(now() - self.start)

    ours.fit(
        digits.batches(32),
        steps_per_epoch=options.steps,
        epochs=options.windows + 1,  # the first one compiles
        verbose=0,
        callbacks=[Window()],
    )
    for name, taken in times.items():
        clock, processor = np.median(taken[1:], axis=0) / options.steps * 1e3
        ratios = np.array(times["fit"][1:]) / np.array(taken[1:])
        (clock_ratio, processor_ratio), low, high = (
            f(ratios, axis=0) for f in (np.median, np.min, np.max)
        )
        print(
            f"{name:16s} {clock:6.2f} ms a step, {processor:6.2f} of the processor; "
            f"fit takes {clock_ratio:.2f} of it ({low[0]:.2f} to {high[0]:.2f}), "
            f"{processor_ratio:.2f} of its processor time ({low[1]:.2f} to {high[1]:.2f})"
        )


if __name__ == "__main__":
    main()
