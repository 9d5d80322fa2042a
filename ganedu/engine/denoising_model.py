"""What models that make images out of noise, step by step, have in common."""

import math

import keras
import numpy as np
from keras import ops

from ganedu import latent
from ganedu.engine.given import validate_latents
from ganedu.engine.latent_model import LatentModel
from ganedu.engine.own_networks import check_same_shape, functional
from ganedu.networks.inference import predict_in_batches


class DenoisingModel(LatentModel):
    """One network that is evaluated again and again. A subclass says with which `compute_losses` it learns,
    and how noise becomes an image, `sample_from`. A latent is the noise at the start, flattened.

    Args:
        network: Keras model, `[x, t]`, (B, H, W, C) and (B,) in [0, 1], -> (B, H, W, C).
        ema_momentum: float in [0, 1), of the averaged network, which `generate` samples from. Defaults to
            `0.995`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for a network that reads or returns something else.
    """

    players = {"optimizer": ("network",)}
    log_names = ("loss",)
    forms = {"network": "x, t -> y"}
    sampling_steps = 20
    export_instead = "generates in many steps", ("ema_network",)

    def __init__(self, network, ema_momentum=0.995, seed=0):
        super().__init__(seed=seed)
        network = functional(self.forms, network=network)
        x, y = network.input_shape[0], network.output_shape
        check_same_shape({"x without channels": x[:-1], "y without channels": y[:-1]})
        self.network, self.ema_momentum = network, ema_momentum
        self.ema_network = self.ema_copy(network)

    @property
    def image_shape(self):
        return self.network.output_shape[1:]

    @property
    def latent_dim(self):
        return math.prod(self.image_shape)

    def compute_losses(self, x, training):
        """The losses of a batch: dict of named scalars, the first is minimized."""
        raise NotImplementedError

    def sample_from(self, x, steps):
        """Noise (N, H, W, C) to images, by `predict_output`."""
        raise NotImplementedError

    def train_step(self, data):
        x, _ = self.unpack(data)
        losses = self.minimize(
            lambda: self.compute_losses(x, training=True), self.network, self.optimizer
        )
        self.update_ema(self.network, self.ema_network, self.ema_momentum)
        return self.log(losses)

    def test_step(self, data):
        x, _ = self.unpack(data)
        return self.log(self.compute_losses(x, training=False))

    def normal_like(self, x):
        return keras.random.normal(ops.shape(x), seed=self.seed_generator)

    def uniform_times(self, x):
        """One t ~ U[0, 1) for each image of a batch: (B,)."""
        return keras.random.uniform((ops.shape(x)[0],), seed=self.seed_generator)

    def predict_output(self, x, t, *conditions):
        """The averaged network's output for NumPy images (N, H, W, C) at one time t."""
        inputs = [np.asarray(x, "float32"), np.full(len(x), t, "float32"), *conditions]
        return predict_in_batches(self.ema_network, inputs)

    def decode(self, z, steps=None):
        """Latents (N, H W C) to images (N, H, W, C) in [-1, 1], float32 NumPy, in `steps` steps (20
        by default).

        Raises:
            UsageError: for latents of another shape, or that are not finite.
        """
        noise = validate_latents(z, self.latent_dim).reshape(-1, *self.image_shape)
        generated = self.sample_from(noise, self.resolve_steps(steps))
        return np.clip(generated, -1.0, 1.0).astype("float32")

    def resolve_steps(self, steps):
        """The number of sampling steps, by default the model's own; at least 1."""
        if steps is not None and steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: steps={steps}")
        return steps or self.sampling_steps

    def latents(self, count, seed=0):
        return latent.sample_prior(count, self.latent_dim, seed)

    def generate(self, count, steps=None, seed=0):
        """Generates `count` images (count, H, W, C), float32 in [-1, 1], in `steps` steps."""
        return self.decode(self.latents(count, seed), steps)

    def call(self, inputs, training=False):
        return self.network(inputs, training=training)
