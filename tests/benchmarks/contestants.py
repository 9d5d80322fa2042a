"""Who competes in `time_to_quality.py`: models of ganedu, and what a user would pick instead, written from the facts
published about them and trained as their authors train them.

Each is a function of a `Turns`. It builds its networks, says in `turns.details` how large they are, gives `turns` a
function that draws (or scores) and calls `turns.step(count)` after each training step on `count` images.
"""

import itertools
import json
import sys
import time

import numpy as np

from ganedu import runtime

DRAWN = {"mnist": 10_000, "cifar10": 2000}


class Turns:
    """Counts the seconds of training from the end of the first, compiling step, and stands still between turns.

    At the end of a turn the process writes a line of JSON: the seconds, the images trained on, the peak memory, and
    for an ELBO its value; then it waits for the next line of its input, the seconds at which the next turn ends and
    the file for its samples (10,000 of MNIST, 2,000 of CIFAR-10, uint8).

    Args:
        seed: int.
        data: str, `"mnist"` or `"cifar10"`.
    """

    def __init__(self, seed=0, data="mnist"):
        self.seed, self.data, self.details, self.results = seed, data, {}, None
        self.images, self.seconds, self.until, self.file = 0, 0.0, None, None
        self.since = None

    def step(self, count):
        if self.until is None:  # the first step is over
            self._hand_over({"ready": True, **self.details})
            return
        self.images += count
        seconds = self.seconds + time.perf_counter() - self.since
        if seconds >= self.until:
            self.seconds = seconds
            self._hand_over({"seconds": seconds, "images": self.images, "memory": peak_memory()})

    def _hand_over(self, told):
        if self.file is not None:
            told |= self.results(self.file)
        print(json.dumps(told), flush=True)
        asked = sys.stdin.readline().split()
        if not asked:
            raise SystemExit
        self.until, self.file = float(asked[0]), asked[1]
        self.since = time.perf_counter()

    def draws(self, draw):
        """`draw()` returns images in [-1, 1], (N, H, W, C)."""

        def results(file):
            from ganedu.data import to_uint8

            np.save(file, to_uint8(draw()))
            return {}

        self.results = results

    def scores(self, score):
        self.results = lambda file: {"score": score()}


def peak_memory():
    """MiB that the process held at most."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def callback(turns, batch_size):
    import keras

    class Steps(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            turns.step(batch_size)

    return Steps()


def sizes(g, d, g_passes, d_passes):
    """The facts of two Keras networks. A pass forward, one back to the weights and one back to the input have about
    the same number of multiply-adds; `g_passes`, `d_passes` say how many of them a step has for each image."""
    from ganedu.networks.arithmetic import multiply_adds

    forward = multiply_adds(g), multiply_adds(d)
    return {
        "parameters": sum(int(np.prod(w.shape)) for n in (g, d) for w in n.trainable_weights),
        "G": forward[0],
        "D": forward[1],
        "step": g_passes * forward[0] + d_passes * forward[1],
    }


# Games. Passes of D in a step: forward on real and generated images, and back to the weights and through all but the
# first layer of both, 6; then in G's step forward, unless the pass is shared, and back to the input.


def ours(turns, name, batch_size=None, **changes):
    """A model of ganedu with its quick recipe, or with a changed one."""
    from ganedu import data, models, recipes

    mnist = data.load("mnist")
    recipe, _ = recipes.find(name, "mnist", mnist.image_shape, "quick")
    batch_size = batch_size or recipe.batch_size
    arguments = {**models.arguments_of(name, mnist), **recipe.model, **changes}
    model = models.build(name, mnist.image_shape, seed=turns.seed, **arguments)
    if hasattr(model, "discriminator"):
        turns.details = sizes(model.generator, model.discriminator, 4, 8)
    else:
        turns.details = {"parameters": sum(int(np.prod(w.shape)) for w in model.trainable_weights)}
    turns.draws(lambda: model.generate(DRAWN["mnist"], seed=1))
    model.fit(
        model.prepare_dataset(mnist).batches(batch_size, seed=turns.seed),
        steps_per_epoch=recipe.steps_per_round,
        epochs=1_000_000,
        verbose=0,
        callbacks=[callback(turns, batch_size)],
    )


def keras_io(turns):
    """keras.io's GAN for MNIST ("Customizing what happens in fit()"): images in [0, 1], the two kinds in one batch,
    noise on D's targets."""
    import keras
    import tensorflow as tf
    from keras import layers

    from ganedu import data

    def leaky():
        return layers.LeakyReLU(negative_slope=0.2)

    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 3, strides=2, padding="same"),
            leaky(),
            layers.Conv2D(128, 3, strides=2, padding="same"),
            leaky(),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [
            keras.Input((128,)),
            layers.Dense(7 * 7 * 128),
            leaky(),
            layers.Reshape((7, 7, 128)),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same"),
            leaky(),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same"),
            leaky(),
            layers.Conv2D(1, 7, padding="same", activation="sigmoid"),
        ]
    )
    turns.details = sizes(generator, discriminator, 4, 8)
    turns.draws(lambda: generator.predict(latents(128), batch_size=256, verbose=0) * 2 - 1)

    class Game(keras.Model):
        def __init__(self):
            super().__init__()
            self.discriminator, self.generator = discriminator, generator
            self.d_tracker, self.g_tracker = keras.metrics.Mean(), keras.metrics.Mean()
            self.seed_generator = keras.random.SeedGenerator(turns.seed)

        def compile(self, d_optimizer, g_optimizer, loss_fn):
            super().compile()
            self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

        def train_step(self, x):
            count = tf.shape(x)[0]
            z = keras.random.normal((count, 128), seed=self.seed_generator)
            both = tf.concat([self.generator(z), x], axis=0)
            labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
            labels += 0.05 * keras.random.uniform(tf.shape(labels), seed=self.seed_generator)
            with tf.GradientTape() as tape:
                d_loss = self.loss_fn(labels, self.discriminator(both))
            grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
            self.d_optimizer.apply(grads, self.discriminator.trainable_weights)
            z = keras.random.normal((count, 128), seed=self.seed_generator)
            with tf.GradientTape() as tape:
                verdicts = self.discriminator(self.generator(z))
                g_loss = self.loss_fn(tf.zeros((count, 1)), verdicts)
            grads = tape.gradient(g_loss, self.generator.trainable_weights)
            self.g_optimizer.apply(grads, self.generator.trainable_weights)
            self.d_tracker.update_state(d_loss)
            self.g_tracker.update_state(g_loss)
            return {"d_loss": self.d_tracker.result(), "g_loss": self.g_tracker.result()}

    game = Game()
    game.compile(
        keras.optimizers.Adam(3e-4),
        keras.optimizers.Adam(3e-4),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    images = data.load("mnist").images.astype("float32") / 255
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(1024, seed=turns.seed)
    game.fit(
        batches.batch(64, drop_remainder=True),
        epochs=1_000_000,
        verbose=0,
        callbacks=[callback(turns, 64)],
    )


def tensorflow_tutorial(turns):
    """TensorFlow's DCGAN tutorial: one pass of G for both players, in a `tf.function`."""
    import keras
    import tensorflow as tf
    from keras import layers

    from ganedu import data

    def up(width, strides, **more):
        return layers.Conv2DTranspose(
            width, 5, strides=strides, padding="same", use_bias=False, **more
        )

    generator = keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(7 * 7 * 256, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),  # of slope 0.3
            layers.Reshape((7, 7, 256)),
            up(128, 1),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            up(64, 2),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            up(1, 2, activation="tanh"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 5, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Dropout(0.3),
            layers.Conv2D(128, 5, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    turns.details = sizes(generator, discriminator, 3, 7)
    turns.draws(lambda: generator.predict(latents(100), batch_size=256, verbose=0))
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    g_optimizer, d_optimizer = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)

    @tf.function
    def step(x):
        z = tf.random.normal([256, 100])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            generated = generator(z, training=True)
            real = discriminator(x, training=True)
            fake = discriminator(generated, training=True)
            g_loss = entropy(tf.ones_like(fake), fake)
            d_loss = entropy(tf.ones_like(real), real) + entropy(tf.zeros_like(fake), fake)
        for tape, loss, network, optimizer in (
            (g_tape, g_loss, generator, g_optimizer),
            (d_tape, d_loss, discriminator, d_optimizer),
        ):
            grads = tape.gradient(loss, network.trainable_variables)
            optimizer.apply_gradients(zip(grads, network.trainable_variables, strict=True))

    images = data.load("mnist").array()
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(60_000, seed=turns.seed)
    batches = batches.batch(256, drop_remainder=True)
    while True:
        for x in batches:
            step(x)
            turns.step(256)


def pytorch_tutorial(turns):
    """PyTorch's DCGAN tutorial for 64x64, brought to 32x32: its last three blocks; and to 28x28, from 4x4 to 7x7 by a
    kernel of 3."""
    import torch
    from torch import nn

    from ganedu import data

    torch.manual_seed(turns.seed)
    w, known = 64, data.load(turns.data)
    side, _, channels = known.image_shape
    kernel = {28: 3, 32: 4}[side]
    sides = 4, side // 4, side // 2, side

    def up(*shape):
        return nn.ConvTranspose2d(*shape, bias=False)

    def down(*shape):
        return nn.Conv2d(*shape, bias=False)

    generator = nn.Sequential(
        *(up(100, 4 * w, 4, 1, 0), nn.BatchNorm2d(4 * w), nn.ReLU(True)),
        *(up(4 * w, 2 * w, kernel, 2, 1), nn.BatchNorm2d(2 * w), nn.ReLU(True)),
        *(up(2 * w, w, 4, 2, 1), nn.BatchNorm2d(w), nn.ReLU(True)),
        *(up(w, channels, 4, 2, 1), nn.Tanh()),
    )
    discriminator = nn.Sequential(
        *(down(channels, w, 4, 2, 1), nn.LeakyReLU(0.2, True)),
        *(down(w, 2 * w, 4, 2, 1), nn.BatchNorm2d(2 * w), nn.LeakyReLU(0.2, True)),
        *(down(2 * w, 4 * w, kernel, 2, 1), nn.BatchNorm2d(4 * w), nn.LeakyReLU(0.2, True)),
        *(down(4 * w, 1, 4, 1, 0), nn.Sigmoid()),
    )
    for module in [*generator, *discriminator]:
        if isinstance(module, (nn.ConvTranspose2d, nn.Conv2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    forward = [
        sum(
            m.weight.numel() * (pair[0] if isinstance(m, nn.ConvTranspose2d) else pair[1]) ** 2
            for m, pair in zip((m for m in network if hasattr(m, "kernel_size")), maps, strict=True)
        )
        for network, maps in (
            (generator, tuple(itertools.pairwise((1, *sides)))),
            (discriminator, tuple(itertools.pairwise((*sides[::-1], 1)))),
        )
    ]
    turns.details = {
        "parameters": sum(p.numel() for n in (generator, discriminator) for p in n.parameters()),
        "G": forward[0],
        "D": forward[1],
        "step": 3 * forward[0] + 9 * forward[1],  # G's step also fills D's gradients
    }

    def draw():
        z = torch.from_numpy(latents(100, turns.data))[:, :, None, None]
        with torch.no_grad():  # as the tutorial draws: by the statistics of a batch
            images = torch.cat([generator(part) for part in z.split(100)])
        return images.permute(0, 2, 3, 1).numpy()

    turns.draws(draw)
    images = torch.from_numpy(known.array()).permute(0, 3, 1, 2).contiguous()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images), batch_size=128, shuffle=True, drop_last=True
    )
    entropy = nn.BCELoss()
    d_optimizer, g_optimizer = (
        torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (discriminator, generator)
    )
    real, fake = torch.ones(128), torch.zeros(128)
    while True:
        for (x,) in loader:
            discriminator.zero_grad()
            entropy(discriminator(x).view(-1), real).backward()
            generated = generator(torch.randn(128, 100, 1, 1))
            entropy(discriminator(generated.detach()).view(-1), fake).backward()
            d_optimizer.step()
            generator.zero_grad()
            entropy(discriminator(generated).view(-1), real).backward()
            g_optimizer.step()
            turns.step(128)


def latents(width, data="mnist"):
    return np.random.default_rng(1).standard_normal((DRAWN[data], width)).astype("float32")


def keras_io_ddim(turns):
    """keras.io's "Denoising Diffusion Implicit Models" for 64x64 flowers, brought to 32x32: a U-Net of three levels
    that tells the noise, the absolute error, AdamW, an average of weights, 20 steps."""
    import math

    import keras
    import tensorflow as tf
    from keras import layers, ops

    from ganedu import data

    known = data.load(turns.data)
    side, _, channels = known.image_shape
    widths, depth, batch_size = (32, 64, 96), 2, 64

    def embedding(level):
        frequencies = ops.exp(ops.linspace(math.log(1.0), math.log(1000.0), 16))
        angles = 2.0 * math.pi * frequencies * level
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=3)

    def block(x, width):
        residual = x if x.shape[3] == width else layers.Conv2D(width, 1)(x)
        x = layers.BatchNormalization(center=False, scale=False)(x)
        x = layers.Conv2D(width, 3, padding="same", activation="swish")(x)
        return layers.Conv2D(width, 3, padding="same")(x) + residual

    def unet():
        image, level = keras.Input((side, side, channels)), keras.Input((1, 1, 1))
        e = layers.Lambda(embedding, output_shape=(1, 1, 32))(level)
        e = layers.UpSampling2D(side, interpolation="nearest")(e)
        x = layers.Concatenate()([layers.Conv2D(widths[0], 1)(image), e])
        skips = []
        for width in widths:
            for _ in range(depth):
                x = block(x, width)
                skips.append(x)
            x = layers.AveragePooling2D(2)(x)
        for _ in range(depth):
            x = block(x, 128)
        for width in reversed(widths):
            x = layers.UpSampling2D(2, interpolation="bilinear")(x)
            for _ in range(depth):
                x = block(layers.Concatenate()([x, skips.pop()]), width)
        x = layers.Conv2D(channels, 1, kernel_initializer="zeros")(x)
        return keras.Model([image, level], x)

    network, averaged = unet(), unet()
    averaged.set_weights(network.get_weights())
    images = (known.array() + 1) / 2
    mean, std = images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=1e-4)
    turns.details = {"parameters": sum(int(np.prod(w.shape)) for w in network.trainable_weights)}

    def schedule(t):
        start, end = math.acos(0.95), math.acos(0.02)
        angle = start + t * (end - start)
        return tf.cos(angle), tf.sin(angle)  # of the signal, of the noise

    @tf.function
    def step(x):
        x = (tf.image.random_flip_left_right(x) - mean) / std
        noise = tf.random.normal(tf.shape(x))
        signal, level = schedule(tf.random.uniform((tf.shape(x)[0], 1, 1, 1)))
        with tf.GradientTape() as tape:
            told = network([signal * x + level * noise, level**2], training=True)
            loss = tf.reduce_mean(tf.abs(noise - told))
        gradients = tape.gradient(loss, network.trainable_weights)
        optimizer.apply_gradients(zip(gradients, network.trainable_weights, strict=True))
        for mine, theirs in zip(averaged.weights, network.weights, strict=True):
            mine.assign(0.999 * mine + 0.001 * theirs)

    def sample_from(x, steps=20):
        for i in range(steps):
            (signal, level), (signal_then, level_then) = (
                schedule(tf.fill((len(x), 1, 1, 1), 1.0 - k / steps)) for k in (i, i + 1)
            )
            told = averaged([x, level**2], training=False)
            clean = (x - level * told) / signal
            x = signal_then * clean + level_then * told
        return clean

    def draw():
        shape = (DRAWN[turns.data], side, side, channels)
        noise = np.random.default_rng(1).standard_normal(shape).astype("float32")
        clean = np.concatenate([sample_from(tf.constant(part)) for part in np.split(noise, 10)])
        return np.clip(clean * std + mean, 0, 1) * 2 - 1

    turns.draws(draw)
    batches = tf.data.Dataset.from_tensor_slices(images.astype("float32"))
    batches = batches.shuffle(10 * batch_size, seed=turns.seed).batch(
        batch_size, drop_remainder=True
    )
    while True:
        for x in batches:
            step(x)
            turns.step(batch_size)


# Autoencoders: images of 0 and 1, scored in nats


def binary(split):
    """MNIST, 1 where a pixel is above half of full brightness and else 0: float32 (N, 28, 28, 1)."""
    from ganedu import data

    return (data.load("mnist", split).images > 127).astype("float32")


def elbo(x, mean, log_variance, decode, draws=4):
    """The ELBO in nats an image, the mean over images and over draws of z.

    Args:
        x: (N, H, W, C) of 0 and 1.
        mean, log_variance: of q(z|x), (N, d).
        decode: function of z (N, d) to the probabilities of 1, (N, H, W, C).
        draws: int, of z for each image. Defaults to `4`.
    """
    rng = np.random.default_rng(0)
    kl = -0.5 * np.sum(1 + log_variance - mean**2 - np.exp(log_variance), axis=1)
    told = []
    for _ in range(draws):
        epsilon = rng.standard_normal(mean.shape).astype("float32")
        p = decode(mean + np.exp(log_variance / 2) * epsilon).astype("float64")
        p = np.clip(np.where(x > 0.5, p, 1 - p), 1e-7, 1)
        told.append(np.mean(np.sum(np.log(p), axis=(1, 2, 3)) - kl))
    return float(np.mean(told))


def our_vae(turns, latent_dim):
    """The `vae` of ganedu as `build` makes it, in the batches of its recipe, on binary images: the recipe's own beta
    is not that of the bound which is measured here."""
    from ganedu import data, models, recipes
    from ganedu.data.images import stream

    recipe, _ = recipes.find("vae", "mnist", (28, 28, 1), "quick")
    model = models.build("vae", (28, 28, 1), latent_dim=latent_dim, seed=turns.seed)
    turns.details = _sizes_of_vae(model.encoder, model.decoder)
    x, test = binary("train") * 2 - 1, binary("test")

    def score():
        distribution = model.encode_distribution(test * 2 - 1)
        return elbo(test, *distribution, lambda z: (model.decode(z) + 1) / 2)

    turns.scores(score)
    size = recipe.batch_size
    order = data.images.BatchSampler(len(x), size, turns.seed)
    model.fit(
        stream(lambda i: x[order[i]], ((size, 28, 28, 1), "float32"), None),
        steps_per_epoch=recipe.steps_per_round,
        epochs=1_000_000,
        verbose=0,
        callbacks=[callback(turns, size)],
    )


def keras_io_vae(turns, latent_dim):
    """keras.io's VAE for MNIST ("Variational AutoEncoder")."""
    import keras
    import tensorflow as tf
    from keras import layers

    image, z = keras.Input((28, 28, 1)), keras.Input((latent_dim,))
    h = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(image)
    h = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(h)
    h = layers.Dense(16, activation="relu")(layers.Flatten()(h))
    encoder = keras.Model(image, [layers.Dense(latent_dim)(h), layers.Dense(latent_dim)(h)])
    h = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu")(z))
    h = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(h)
    h = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(h)
    decoder = keras.Model(z, layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(h))
    turns.details = _sizes_of_vae(encoder, decoder)

    class VAE(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder
            self.trackers = [keras.metrics.Mean(name=n) for n in ("loss", "reconstruction", "kl")]
            self.seed_generator = keras.random.SeedGenerator(turns.seed)

        @property
        def metrics(self):
            return self.trackers

        def train_step(self, x):
            with tf.GradientTape() as tape:
                mean, log_variance = self.encoder(x)
                epsilon = keras.random.normal(tf.shape(mean), seed=self.seed_generator)
                generated = self.decoder(mean + tf.exp(0.5 * log_variance) * epsilon)
                entropy = keras.losses.binary_crossentropy(x, generated)
                reconstruction = tf.reduce_mean(tf.reduce_sum(entropy, axis=(1, 2)))
                kl = -0.5 * (1 + log_variance - tf.square(mean) - tf.exp(log_variance))
                kl = tf.reduce_mean(tf.reduce_sum(kl, axis=1))
                loss = reconstruction + kl
            self.optimizer.apply_gradients(
                zip(
                    tape.gradient(loss, self.trainable_weights), self.trainable_weights, strict=True
                )
            )
            for tracker, value in zip(self.trackers, (loss, reconstruction, kl), strict=True):
                tracker.update_state(value)
            return {tracker.name: tracker.result() for tracker in self.trackers}

    model, test = VAE(), binary("test")
    model.compile(keras.optimizers.Adam())

    def score():
        distribution = encoder.predict(test, batch_size=256, verbose=0)
        return elbo(test, *distribution, lambda z: decoder.predict(z, batch_size=256, verbose=0))

    turns.scores(score)
    model.fit(
        binary("train"),
        epochs=1_000_000,
        batch_size=128,
        verbose=0,
        callbacks=[callback(turns, 128)],
    )


def _sizes_of_vae(encoder, decoder):
    from ganedu.networks.arithmetic import multiply_adds

    networks = encoder, decoder
    forward = [multiply_adds(n) for n in networks]
    weights = sum(int(np.prod(w.shape)) for n in networks for w in n.trainable_weights)
    return {"parameters": weights, "G": forward[1], "D": forward[0], "step": 3 * sum(forward)}


RIVALS = {
    "keras.io": keras_io,
    "keras.io-ddim": keras_io_ddim,
    "TensorFlow": tensorflow_tutorial,
    "PyTorch": pytorch_tutorial,
}


def play(name, seed, data="mnist"):
    """Trains a contestant, as `time_to_quality.py` asks on the standard input.

    Args:
        name: a rival; `vae-D` or `keras.io-vae-D` with D latents; or a model of ganedu, alone or with what its
            recipe is to be changed to: `dcgan:batch_size=64,g_width=24`.
        seed: int.
        data: str, what a rival trains on. Defaults to `"mnist"`.
    """
    backend = runtime.setup(seed)
    assert backend == "tensorflow", backend
    turns = Turns(seed, data)
    if name in RIVALS:
        import tensorflow as tf

        # What `setup` turned off, on again: rivals run as they would without ganedu.
        tf.config.optimizer.set_experimental_options(dict.fromkeys(runtime.REWRITING, True))
        RIVALS[name](turns)
    elif "vae-" in name:
        kind, latent_dim = name.rsplit("-", 1)
        {"vae": our_vae, "keras.io-vae": keras_io_vae}[kind](turns, int(latent_dim))
    else:
        name, _, changes = name.partition(":")
        changes = dict(c.split("=") for c in changes.split(",") if c)
        ours(turns, name, **{key: json.loads(value) for key, value in changes.items()})
