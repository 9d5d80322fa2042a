"""What models that make images out of noise, step by step, have in common."""

import functools
import math

import numpy as np
from keras import ops

from ganedu import latent
from ganedu.devices import replicas
from ganedu.engine.conditional_model import ConditionalModel
from ganedu.engine.given import validate_latents
from ganedu.engine.latent_model import LatentModel
from ganedu.engine.own_networks import check_same_shape, functional
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError


def classifier_free_guidance(conditional, unconditional, scale):
    """unconditional + s (conditional - unconditional): s = 1 is the conditional prediction alone, more goes past it.

    Reference:
        Ho and Salimans 2022, "Classifier-free diffusion guidance", equation 6 with s = 1 + w, arXiv:2207.12598.
    """
    return unconditional + scale * (conditional - unconditional)


class DenoisingModel(LatentModel):
    """One network that is evaluated again and again. A subclass says with which `compute_losses` it learns,
    and how noise becomes an image, `sample_from`. A latent is the noise at the start, flattened.

    A subclass declares `samplers`, by name, and which of them it uses by default: `sampler`, in `sampling_steps`; and
    what its network may be asked for, `predictions`: one follows from the other (`image_from`), and in sampling all
    are the image that is seen in x_t.

    Args:
        network: Keras model, `[x, t]`, (B, H, W, C) and (B,) in [0, 1], -> (B, H, W, C).
        prediction: str, one of `predictions`: what the network tells. Defaults to `"image"`.
        shift: float > 0, k: how much more of the noisy times there is; a subclass says by which equation. Defaults
            to `1.0`: none.
        ema_momentum: float in [0, 1), of the averaged network, which `generate` samples from. Defaults to
            `0.998`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for a network that reads or returns something else.
        UsageError: for another prediction.
    """

    players = {"optimizer": ("network",)}
    log_names = ("loss",)
    forms = {"network": "x, t -> y"}
    sampling_options = frozenset({"steps", "sampler"})
    samplers, predictions = {}, ("image",)
    sampler, sampling_steps = None, 20
    export_instead = "generates in many steps", ("ema_network",)

    def __init__(self, network, prediction="image", shift=1.0, ema_momentum=0.998, seed=0):
        super().__init__(seed=seed)
        if not shift > 0:
            raise ValueError(f"`shift` must be above 0. Received: shift={shift}")
        self.shift = shift
        if prediction not in self.predictions:
            raise UsageError(
                f"The predictions are {', '.join(self.predictions)}. Received: prediction={prediction!r}"
            )
        self.prediction = prediction
        network = functional(self.forms, network=network)
        x, y = network.input_shape[0], network.output_shape
        check_same_shape({"x without channels": x[:-1], "y without channels": y[:-1]})
        self.network, self.ema_momentum = network, ema_momentum
        self.ema_network = self.ema_copy(network)

    @property
    def noise_shape(self):
        """(h, w, c) of what is denoised: the image's, unless a subclass denoises something else."""
        return self.network.output_shape[1:]

    @property
    def image_shape(self):
        return self.noise_shape

    @property
    def latent_dim(self):
        return math.prod(self.noise_shape)

    def compute_losses(self, x, training, *conditions):
        """The losses of a batch: dict of named scalars, the first is minimized. The network reads `conditions`
        after x_t and t."""
        raise NotImplementedError

    def sample_from(self, x, steps, sampler=None, predict=None, seed=0):
        """Noise to images.

        Args:
            x: NumPy array (N, H, W, C).
            steps: int, at least 1.
            sampler: str, one of `samplers`. Defaults to `None`: the model's own.
            predict: function of x_t (N, H, W, C) and one time t to the images that are seen in x_t. Defaults to
                `None`: `predict_image`.
            seed: int, of the noise that a sampler adds. Defaults to `0`.

        Returns:
            NumPy array (N, H, W, C).
        """
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
        return replicas.normal(ops.shape(x), seed=self.seed_generator)

    def uniform_times(self, x):
        """One t ~ U[0, 1) for each image of a batch: (B,)."""
        return replicas.uniform((ops.shape(x)[0],), seed=self.seed_generator)

    def predict_output(self, x, t, *conditions):
        """The averaged network's output for NumPy images (N, H, W, C) at one time t."""
        inputs = [np.asarray(x, "float32"), np.full(len(x), t, "float32"), *conditions]
        return predict_in_batches(self.ema_network, inputs)

    def image_from(self, output, x, t):
        """The image that follows from the network's output for x_t (N, H, W, C) at one time t, all NumPy: where that is
        not the image itself, a subclass says how."""
        return output

    def predict_image(self, x, t, *conditions):
        """The images that the averaged network sees in x_t (N, H, W, C) at one time t, brought into [-1, 1]."""
        return np.clip(self.image_from(self.predict_output(x, t, *conditions), x, t), -1.0, 1.0)

    def add_noise(self, x, noise, level):
        """Images and noise (N, H, W, C) at a noise level: 0 is the images, 1 the noise alone, and between are the
        levels that sampling passes at an even pace."""
        raise NotImplementedError

    def step(self, x, level, to, predict=None):
        """One step of first order from one noise level, above 0, to another, down or up.

        Args:
            x: NumPy array (N, H, W, C).
            level, to: float in [0, 1].
            predict: as for `sample_from`.
        """
        raise NotImplementedError

    def decode(self, z, steps=None, sampler=None, seed=0):
        """Latents (N, H W C) to images (N, H, W, C) in [-1, 1], float32 NumPy.

        Args:
            z: array (N, H W C), noise.
            steps: int, at least 1. Defaults to `None`: the model's `sampling_steps`.
            sampler: str, one of the model's `samplers`. Defaults to `None`: its own.
            seed: int, of the noise that a sampler adds on the way. Defaults to `0`.

        Raises:
            UsageError: for latents of another shape, or that are not finite, and for what is no sampler.
        """
        return self.decode_with(None, z, steps, sampler, seed)

    def decode_with(self, predict, z, steps, sampler, seed):
        """As `decode`, with `predict` as for `sample_from`."""
        noise = validate_latents(z, self.latent_dim).reshape(-1, *self.noise_shape)
        return self.finish(
            self.sample_from(noise, self.resolve_steps(steps), sampler, predict, seed)
        )

    def finish(self, x):
        """What sampling has come to (N, h, w, c), as images (N, H, W, C) in [-1, 1], float32."""
        return np.clip(x, -1.0, 1.0).astype("float32")

    def resolve_steps(self, steps):
        """The number of sampling steps, by default the model's own; at least 1."""
        if steps is not None and steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: steps={steps}")
        return steps or self.sampling_steps

    def resolve_sampler(self, sampler):
        """The function of a sampler by its name; `None` is the model's own.

        Raises:
            UsageError: for another name.
        """
        sampler = self.sampler if sampler is None else sampler
        if sampler not in self.samplers:
            raise UsageError(
                f"The samplers are {', '.join(self.samplers)}. Received: sampler={sampler!r}"
            )
        return self.samplers[sampler]

    def latents(self, count, seed=0):
        return latent.sample_prior(count, self.latent_dim, seed)

    def generate(self, count, steps=None, sampler=None, seed=0):
        """Generates `count` images (count, H, W, C), float32 in [-1, 1]; `steps` and `sampler` as for `decode`."""
        return self.decode(self.latents(count, seed), steps, sampler, seed)

    def call(self, inputs, training=False):
        return self.network(inputs, training=training)


class GuidedModel(ConditionalModel, DenoisingModel):
    """A `DenoisingModel` whose network reads a label, with classifier-free guidance; to be put before the class
    whose losses and samplers it takes.

    In training the label is left out with probability p, so that one network is both the conditional and the
    unconditional model: algorithm 1 of the paper. Sampling goes from the one past the other, by
    `classifier_free_guidance`: algorithm 2.

    Args:
        network: Keras model, `[x, t, y]` -> (B, H, W, C), y one-hot (B, K), or zeros: nothing is said.
        condition_drop_prob: float in [0, 1], p. Defaults to `0.1`.
        Others as for the class behind it.

    Reference:
        Ho and Salimans 2022, "Classifier-free diffusion guidance", algorithms 1 and 2, arXiv:2207.12598.
    """

    forms = {"network": "x, t, y -> y"}
    sampling_options = DenoisingModel.sampling_options | {"guidance"}
    guidance = 2.0

    def __init__(self, network, condition_drop_prob=0.1, **others):
        super().__init__(network, **others)
        if not 0.0 <= condition_drop_prob <= 1.0:
            raise ValueError(
                "`condition_drop_prob` must lie in [0, 1]. "
                f"Received: condition_drop_prob={condition_drop_prob}"
            )
        self.condition_drop_prob = condition_drop_prob

    @property
    def latent_dim(self):
        return math.prod(self.noise_shape)

    @property
    def num_classes(self):
        return self.network.input_shape[2][-1]

    def unpack(self, data):
        """A batch as `([x, y], None)`."""
        return [*super().unpack(data)], None

    def compute_losses(self, inputs, training):
        x, y = inputs
        if training:
            kept = self.uniform_times(x)[:, None] >= self.condition_drop_prob
            y = ops.where(kept, y, 0.0)
        return super().compute_losses(x, training, y)

    def decode(self, z, labels=None, steps=None, sampler=None, guidance=None, seed=0):
        """Latents (N, H W C) and labels to images (N, H, W, C) in [-1, 1].

        Args:
            z, steps, sampler, seed: as for `DenoisingModel.decode`.
            labels: int in [0, num_classes), or an array (N,) of them. Defaults to all classes in turn.
            guidance: float >= 0, s: 0 leaves the label unheard, 1 is the conditional model, more shows more of the
                class and less variety. Defaults to `None`: 2.

        Raises:
            UsageError: as `ConditionalModel.decode`, and for what is no sampler or a negative guidance.
        """
        scale = self.guidance if guidance is None else guidance
        if not 0.0 <= scale < math.inf:
            raise UsageError(f"`guidance` must be a number from 0. Received: guidance={guidance}")
        y = self.one_hot(labels, len(validate_latents(z, self.latent_dim)))
        predict = functools.partial(self.guided_image, y=y, scale=scale)
        return self.decode_with(predict, z, steps, sampler, seed)

    def predict_output(self, x, t, y=None):
        """As `DenoisingModel.predict_output`; without y (N, K) of no class."""
        no_class = np.zeros((len(x), self.num_classes), "float32")
        return super().predict_output(x, t, no_class if y is None else y)

    def guided_image(self, x, t, y, scale):
        """The images seen in x_t (N, H, W, C), y one-hot (N, K), with guidance, brought into [-1, 1]."""
        if scale == 1.0:
            return self.predict_image(x, t, y)
        unconditional = self.predict_output(x, t)
        guided = unconditional
        if scale > 0.0:
            conditional = self.predict_output(x, t, y)
            guided = classifier_free_guidance(conditional, unconditional, scale)
        return np.clip(self.image_from(guided, x, t), -1.0, 1.0)

    def generate(self, count, labels=None, steps=None, sampler=None, guidance=None, seed=0):
        """Generates `count` images (count, H, W, C), float32 in [-1, 1]; the rest as for `decode`."""
        z = self.latents(count, seed)
        return self.decode(z, labels, steps, sampler, guidance, seed)
