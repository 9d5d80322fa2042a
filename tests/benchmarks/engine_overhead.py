"""What `fit` with the engine costs beside a hand-written `tf.function` loop of the same networks.

    python tests/benchmarks/engine_overhead.py [--windows 10] [--steps 100]

Both train the DCGAN recipe's networks on the same batches in one process; windows of equal numbers
of steps alternate, which goes first alternates too, and the median of the ratios is printed. The
target is at most 1.05.
"""

import argparse
import statistics
import time

from ganedu import runtime

runtime.setup(0)

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from ganedu import data, models, recipes  # noqa: E402


def hand_written(model):
    """Algorithm 1 as one writes it without ganedu: two tapes, two optimizers, the averaged weights, running means."""
    generator, discriminator, copy = model.generator, model.discriminator, model.averaged_generator
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()

    digits = data.load("digits")
    recipe, _ = recipes.find("dcgan", "digits", digits.image_shape, "quick")
    ours, theirs = (models.build("dcgan", digits.image_shape, **recipe.model) for _ in range(2))
    step, batches = hand_written(theirs), iter(digits.batches(recipe.batch_size))

    class Window(keras.callbacks.Callback):
        """Times the steps inside a long `fit`, and gives the other loop its turn between them."""

        def __init__(self):
            super().__init__()
            self.engine, self.hand = [], []

        def run_by_hand(self):
            start = time.perf_counter()
            for _ in range(options.steps):
                step(next(batches))
            self.hand.append(time.perf_counter() - start)

        def on_epoch_begin(self, epoch, logs=None):
            if epoch % 2:
                self.run_by_hand()
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.engine.append(time.perf_counter() - self.start)
            if not epoch % 2:
                self.run_by_hand()

    window = Window()
    ours.fit(
        digits.batches(recipe.batch_size),
        steps_per_epoch=options.steps,
        epochs=options.windows + 1,  # the first one compiles
        verbose=0,
        callbacks=[window],
    )
    pairs = list(zip(window.engine, window.hand, strict=True))[1:]
    ratios = [a / b for a, b in pairs]
    images = options.steps * recipe.batch_size
    print(f"fit with the engine: {images / statistics.median(a for a, _ in pairs):8.0f} images/s")
    print(f"hand-written loop:   {images / statistics.median(b for _, b in pairs):8.0f} images/s")
    print("ratios:", " ".join(f"{r:.3f}" for r in ratios))
    print(f"median ratio of the times: {statistics.median(ratios):.3f} (target: at most 1.05)")


if __name__ == "__main__":
    main()
