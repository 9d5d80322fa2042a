"""What models with a latent space have in common: sampling from it, encoding and reconstruction."""

import keras
import numpy as np

from ganedu import latent
from ganedu.data.images import validate_images
from ganedu.engine.given import validate_latents
from ganedu.engine.model import GenerativeModel
from ganedu.engine.own_networks import check_images, check_logits, functional
from ganedu.networks.inference import predict_in_batches


class LatentModel(GenerativeModel):
    """A model that generates images from latents; a subclass says by which network, `sampling_network`."""

    tasks = frozenset({"generate", "interpolate"})

    @property
    def sampling_network(self):
        """The Keras model that generates: latents (B, latent_dim) -> images (B, H, W, C) in [-1, 1]."""
        raise NotImplementedError

    def network_to_export(self):
        return self.sampling_network

    @property
    def image_shape(self):
        return self.sampling_network.output_shape[1:]

    @property
    def latent_dim(self):
        return self.sampling_network.input_shape[-1]

    def latents(self, count, seed=0):
        """z ~ N(0, I), (count, latent_dim), float32 NumPy, the same on every backend."""
        return latent.sample_prior(count, self.latent_dim, seed)

    def decode(self, z):
        """Latents (N, latent_dim) to images (N, H, W, C) in [-1, 1], float32 NumPy.

        Raises:
            UsageError: for latents of another shape, or that are not finite.
        """
        z = validate_latents(z, self.latent_dim)
        return predict_in_batches(self.sampling_network, z)

    def generate(self, count, seed=0):
        """Generates `count` images (count, H, W, C), float32 in [-1, 1]; the same seed gives the same
        latents.

        Raises:
            UsageError: for a count that is no integer from 1, or a seed that is none from 0.
        """
        return self.decode(self.latents(count, seed))

    def sample_grid(self, examples, seed=0):
        """64 samples in 8 columns."""
        return self.generate(64, seed=seed), 8


class ReconstructionMixin:
    """What models have in common that encode an image and decode it again."""

    def reconstruct(self, x):
        """Images to the images that come back."""
        return self.decode(self.encode(x))

    def sample_grid(self, examples, seed=0):
        """48 samples in 8 columns, over a row of the examples and one of their reconstructions."""
        x = np.asarray(examples[:8])
        return np.concatenate([self.generate(48, seed=seed), x, self.reconstruct(x)]), 8


class AutoencodingModel(ReconstructionMixin, LatentModel):
    """One player of two networks, an encoder and a decoder; a subclass says with which `compute_losses`.

    Args:
        encoder: Keras model, images (B, H, W, C) in [-1, 1] -> codes (B, latent_dim), or a list of
            them.
        decoder: Keras model, codes -> images, or what the subclass makes images of.
        seed: int in [0, 2**31). Defaults to `0`.
        outputs_per_value: int, how many channels the decoder gives for each of the image's. Defaults to `1`.

    Raises:
        ValueError: for networks that are not built, an encoder with another number of outputs, and a
            decoder that does not turn its codes into images of its shape, or ends in something else.
    """

    tasks = frozenset({"generate", "interpolate", "reconstruct"})

    players = {"optimizer": ("encoder", "decoder")}
    forms = {"encoder": "x -> z", "decoder": "z -> images"}
    decoder_ends_in = "images"  # or "logits"

    def __init__(self, encoder, decoder, seed=0, outputs_per_value=1):
        super().__init__(seed=seed)
        self.outputs_per_value = outputs_per_value
        encoder, decoder = functional(self.forms, encoder=encoder, decoder=decoder)
        images, code = (keras.tree.flatten(network.input)[0] for network in (encoder, decoder))
        codes = keras.tree.flatten(encoder.output)
        *sides, channels = images.shape
        fits = decoder.output_shape == (*sides, outputs_per_value * channels)
        if not fits or any(c.shape != code.shape for c in codes):
            raise ValueError(
                "The decoder must turn the encoder's codes into images of the encoder's shape. "
                f"Received: encoder {encoder.input_shape} -> {encoder.output_shape}, "
                f"decoder {decoder.input_shape} -> {decoder.output_shape}"
            )
        check = {"images": check_images, "logits": check_logits}[self.decoder_ends_in]
        check(decoder, "decoder")
        self.encoder, self.decoder = encoder, decoder

    @property
    def sampling_network(self):
        return self.decoder

    def compute_losses(self, x, training):
        """The losses of a batch: dict of named scalars, the first is minimized."""
        raise NotImplementedError

    def train_step(self, data):
        x, _ = self.unpack(data)
        losses = self.minimize(
            lambda: self.compute_losses(x, training=True),
            (self.encoder, self.decoder),
            self.optimizer,
        )
        return self.log(losses)

    def test_step(self, data):
        x, _ = self.unpack(data)
        return self.log(self.compute_losses(x, training=False))

    def encode(self, x):
        """Images (N, H, W, C) in [-1, 1] to codes (N, latent_dim), float32 NumPy; where a code is a
        distribution, to its mean.

        Raises:
            UsageError: for images of another shape or range.
        """
        x = validate_images(x, self.encoder.input_shape[1:])
        codes = predict_in_batches(self.encoder, x)
        return keras.tree.flatten(codes)[0]

    def call(self, x, training=False):
        code, *_ = keras.tree.flatten(self.encoder(x, training=training))
        return self.decoder(code, training=training)
