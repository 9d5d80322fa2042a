"""Drifting: samples drift to the data while a generator learns, which then takes one step (Deng 2026).

A generator f makes samples x = f(z) of noise. The drifting field says where x should go: to images y+ of the
data p, and away from other samples y- of its own q, each counted by how near it lies,

    V(x) = E_{y+ ~ p, y- ~ q}[k(x, y+) k(x, y-) (y+ - y-)],   k(x, y) ~ exp(-||x - y|| / tau)
    minimize  E_z ||f(z) - stop_gradient(f(z) + V(f(z)))||^2,   which is E ||V||^2 in value

Swapping p and q turns V round, so that it is 0 where the two are one: then nothing drifts any more. No
discriminator, and one step in sampling: the many steps are those of training.

k is the geometric mean of two softmaxes: over all y, and over all x. Distances count in units of their mean. V is
short, too, where the samples are all alike and far from the data: the loss does not tell how good they are.

Departures:
    Distances are those of pixels, with one tau; the paper measures, for images of many kinds, in the features of a
    network that it trains before, at several scales and with three taus. V is as it comes, not brought to a mean
    length of 1: Adam's steps do not depend on it. No classes. The generator is `dcgan`'s; samples are of a moving
    average.

Reference:
    Deng, Li, Li, Du and He 2026, "Generative modeling via drifting", section 3, algorithms 1 and 2,
    arXiv:2602.04770.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.engine import FusedAdam, LatentModel, check_images, functional

FAMILY = "diffusion and flows"
ITSELF = 1e6  # the distance at which a sample no longer counts


def pairwise_distances(x, y):
    """||x_i - y_j|| of x (N, D) and y (M, D): (N, M). Below 1e-3 they count as that."""
    squares = ops.sum(ops.square(x), axis=1)[:, None] + ops.sum(ops.square(y), axis=1)
    return ops.sqrt(ops.maximum(squares - 2.0 * ops.matmul(x, ops.transpose(y)), 1e-6))


def drifting_field(x, positives, negatives, temperature, own=False):
    """V at each x: algorithm 2.

    Args:
        x: tensor (N, D).
        positives, negatives: tensors (P, D) and (Q, D), y+ and y-.
        temperature: float, tau, in units of the mean distance of x to the positives.
        own: bool, whether the negatives are x: none then counts for itself. Defaults to `False`.

    Returns:
        Tensor (N, D).
    """
    near, far = pairwise_distances(x, positives), pairwise_distances(x, negatives)
    scale = temperature * ops.mean(near)
    if own:
        far = far + ITSELF * scale * ops.eye(ops.shape(x)[0])
    logits = -ops.concatenate([near, far], axis=1) / scale
    k = ops.exp(0.5 * (ops.log_softmax(logits, axis=1) + ops.log_softmax(logits, axis=0)))
    count = ops.shape(positives)[0]
    k_positive, k_negative = k[:, :count], k[:, count:]
    towards = k_positive * ops.sum(k_negative, axis=1, keepdims=True)
    away = k_negative * ops.sum(k_positive, axis=1, keepdims=True)
    return ops.matmul(towards, positives) - ops.matmul(away, negatives)


@keras.saving.register_keras_serializable("ganedu")
class Drifting(LatentModel):
    """One generator, with no discriminator.

    Args:
        generator: Keras model, z (B, latent_dim) -> images (B, H, W, C) in [-1, 1].
        num_generated: int, at least 2: samples of a step, beside a batch of real images. Defaults to `64`.
        temperature: float > 0, tau. Defaults to `0.05`.
        ema_momentum: float in [0, 1), of the averaged generator, which `generate` samples from. Defaults to
            `0.998`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for a network that does not end in images, and for other numbers.
    """

    players = {"optimizer": ("generator",)}
    log_names = ("loss",)
    forms = {"generator": "z -> images"}

    def __init__(self, generator, num_generated=64, temperature=0.05, ema_momentum=0.998, seed=0):
        super().__init__(seed=seed)
        if num_generated < 2:
            raise ValueError(f"`num_generated` must be at least 2. Received: {num_generated}")
        if not temperature > 0:
            raise ValueError(f"`temperature` must be above 0. Received: {temperature}")
        generator = functional(self.forms, generator=generator)
        check_images(generator, "generator")
        self.num_generated, self.temperature = num_generated, temperature
        self.generator, self.ema_momentum = generator, ema_momentum
        self.ema_generator = self.ema_copy(generator)

    @property
    def sampling_network(self):
        return self.ema_generator

    def compute_losses(self, x, training):
        """E ||V||^2 of a batch of real images."""
        shape = self.num_generated // replicas.count(), self.latent_dim
        z = replicas.normal(shape, seed=self.seed_generator)
        real, fake = (
            replicas.gather(ops.reshape(images, (ops.shape(images)[0], -1)))
            for images in (x, self.generator(z, training=training))
        )
        samples = ops.stop_gradient(fake)
        drifted = samples + drifting_field(samples, real, samples, self.temperature, own=True)
        return {"loss": ops.mean(ops.sum(ops.square(fake - drifted), axis=1))}

    def train_step(self, data):
        x, _ = self.unpack(data)
        losses = self.minimize(
            lambda: self.compute_losses(x, training=True), self.generator, self.optimizer
        )
        self.update_ema(self.generator, self.ema_generator, self.ema_momentum)
        return self.log(losses)

    def test_step(self, data):
        x, _ = self.unpack(data)
        return self.log(self.compute_losses(x, training=False))

    def call(self, z, training=False):
        return self.sampling_network(z, training=training)


def build(
    image_shape,
    latent_dim=32,
    width=32,
    num_generated=64,
    temperature=0.05,
    learning_rate=2e-3,
    ema_momentum=0.998,
    seed=0,
):
    """A compiled drifting model for images (H, W, C), with Adam."""
    model = Drifting(
        networks.generator(image_shape, latent_dim, width),
        num_generated=num_generated,
        temperature=temperature,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, learning_rate)
