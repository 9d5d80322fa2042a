"""What two players have in common: a generator that generates from latents, and a discriminator."""

import inspect

import keras
from keras import ops

from ganedu.devices import replicas
from ganedu.engine.latent_model import LatentModel
from ganedu.engine.own_networks import check_images, check_one_logit, functional


class AdversarialModel(LatentModel):
    """A `LatentModel` of a generator and a discriminator; a subclass says how they play.

    Args:
        generator: Keras model, z (B, latent_dim) -> images (B, H, W, C) in [-1, 1].
        discriminator: Keras model, images -> logits (B, 1).
        label_smoothing: float in [0, 1), for losses with targets. Defaults to `0.0`.
        augment: Keras layer through which D sees all images, as `ganedu.layers.DiffAugment()`, or
            `keras.layers.GaussianNoise(0.1)` (instance noise), or `None`. Defaults to `None`.
        ema_momentum: float in [0, 1) or `None`: how slowly the averaged generator, which `generate`
            uses, follows the trained one; `None` for no average. It follows in training alone: after
            `model.generator.load_weights(file)` call `model.reset_ema()`. Defaults to `0.99`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for networks that are not built, whose image shapes differ, that do not end in images
            and a logit; if labels are to be smoothed and the loss has none, or `augment` follows
            decisions and D makes none.
    """

    players = {"g_optimizer": ("generator",), "d_optimizer": ("discriminator",)}
    forms = {"generator": "z -> images", "discriminator": "x -> logit"}
    # D's output for what it cannot tell; `None` where only differences of outputs mean anything.
    decision_boundary = 0.0

    def __init__(
        self,
        generator,
        discriminator,
        label_smoothing=0.0,
        augment=None,
        ema_momentum=0.99,
        seed=0,
    ):
        super().__init__(seed=seed)
        generator, discriminator = functional(
            self.forms, generator=generator, discriminator=discriminator
        )
        images = keras.tree.flatten(discriminator.input)[0].shape
        if generator.output_shape != images:
            raise ValueError(
                "The discriminator must read what the generator generates. "
                f"Received: {generator.output_shape} and {images}"
            )
        check_images(generator, "generator")
        check_one_logit(discriminator, "discriminator")
        if label_smoothing and not _smooths(self.discriminator_loss):
            raise ValueError(
                "`label_smoothing` needs a loss with targets, as the GAN's or the LSGAN's. "
                f"Received: {label_smoothing} for {type(self).__name__}"
            )
        if augment is not None and not callable(augment):
            raise ValueError(
                f"`augment` must be a Keras layer, as `ganedu.layers.DiffAugment()`. Received: {augment!r}"
            )
        if self.decision_boundary is None and hasattr(augment, "update_probability"):
            raise ValueError(
                "An adaptive `augment` needs a D that decides at a known output, as the GAN's or the LSGAN's. "
                f"Received: {type(augment).__name__} for {type(self).__name__}"
            )
        if isinstance(augment, keras.layers.Layer) and not augment.built:
            augment.build(
                images
            )  # else Keras would call the model on images, to build what is in it
        self.generator, self.discriminator, self.augment = generator, discriminator, augment
        self.label_smoothing = label_smoothing
        self.ema_momentum = ema_momentum
        self.keep_ema("generator")

    @property
    def sampling_network(self):
        """The averaged generator, or without one the trained one."""
        return self.averaged("generator")

    def discriminate(self, x, training):
        """D's logits of images that it sees through `augment`."""
        return self.discriminator(self.augmented(x, training), training=training)

    def augmented(self, x, training):
        """Images as D sees them: in training, augmented."""
        return x if self.augment is None else self.augment(x, training=training)

    def update_augment(self, real, training):
        """Lets an adaptive `augment` see D's logits of real images."""
        if training and hasattr(self.augment, "update_probability"):
            self.augment.update_probability(ops.stop_gradient(real) - self.decision_boundary)

    def sample_prior(self, count):
        """z ~ N(0, I), (count, latent_dim)."""
        return replicas.normal((count, self.latent_dim), seed=self.seed_generator)

    def update_ema_generator(self):
        """Moves the averaged generator, after a step of the trained one."""
        self.update_kept_ema("generator")

    def call(self, z, training=False):
        return self.sampling_network(z, training=training)


def _smooths(loss):
    return "smoothing" in inspect.signature(loss).parameters
