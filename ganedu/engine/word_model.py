"""What models have in common that see an image as a map of words from a vocabulary."""

import math

import numpy as np
from keras import ops

from ganedu.engine.latent_model import Reconstructing
from ganedu.engine.model import GenerativeModel
from ganedu.networks.answers import answer


class WordModel(Reconstructing, GenerativeModel):
    """A model with an `encoder`, a `quantizer`, a `decoder`, and a `prior` that writes words one by one;
    a subclass says how they learn.

    Args:
        encoder: Keras model, images (B, H, W, C) in [-1, 1] -> map (B, h, w, code_dim).
        quantizer: `ganedu.layers.VectorQuantizer`.
        decoder: Keras model, map -> images.
        prior: Keras model, words so far (B, h w) -> logits of the next (B, h w, codes).
        seed: int in [0, 2**31). Defaults to `0`.
    """

    def __init__(self, encoder, quantizer, decoder, prior, seed=0):
        super().__init__(seed=seed)
        self.encoder, self.quantizer, self.decoder = encoder, quantizer, decoder
        self.prior = prior
        if not quantizer.built:
            quantizer.build(encoder.output_shape)

    @property
    def map_shape(self):
        """(h, w), in words."""
        return self.encoder.output_shape[1:3]

    def encode(self, x):
        """Images (N, H, W, C) in [-1, 1] to maps of words (N, h, w), int32 NumPy."""
        z_e = answer(self.encoder, x)
        flat = ops.convert_to_tensor(z_e.reshape(-1, z_e.shape[-1]))
        return ops.convert_to_numpy(self.quantizer.nearest(flat)).reshape(z_e.shape[:-1])

    def decode(self, words):
        """Maps of words (N, h, w), each in [0, codes), to images (N, H, W, C), float32 NumPy.

        Raises:
            ValueError: for another shape, or words that there are not.
        """
        words, (h, w), codes = np.asarray(words), self.map_shape, self.quantizer.codes
        if words.shape[1:] != (h, w) or words.min() < 0 or words.max() >= codes:
            raise ValueError(
                f"Words must have the shape (N, {h}, {w}) and lie in [0, {codes}). "
                f"Received: {words.shape}, {words.min()} to {words.max()}"
            )
        z_q = ops.convert_to_numpy(self.quantizer.codebook)[words]
        return np.clip(answer(self.decoder, z_q), -1.0, 1.0)

    def generate(self, count, temperature=1.0, seed=0):
        """Draws `count` images (count, H, W, C): the prior writes the words, one by one."""
        rng, codes = np.random.default_rng(seed), self.quantizer.codes
        words = np.full((count, math.prod(self.map_shape) + 1), codes, "int32")
        for i in range(words.shape[1] - 1):
            logits = answer(self.prior, words[:, :-1])[:, i]
            # The largest of logits with Gumbel noise is a draw from their softmax.
            words[:, i + 1] = np.argmax(logits / temperature + rng.gumbel(size=logits.shape), -1)
        return self.decode(words[:, 1:].reshape(count, *self.map_shape))

    def call(self, x, training=False):
        z_q, *_ = self.quantizer(self.encoder(x, training=training))
        return ops.clip(self.decoder(z_q, training=training), -1.0, 1.0)
