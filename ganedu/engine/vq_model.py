"""What models have in common that see an image as a map of words from a vocabulary."""

import math

import numpy as np
from keras import ops

from ganedu import latent
from ganedu.data.images import validate_images
from ganedu.engine.latent_model import ReconstructionMixin
from ganedu.engine.model import GenerativeModel
from ganedu.engine.own_networks import check_same_shape, functional
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError


class VQModel(ReconstructionMixin, GenerativeModel):
    """A model with an `encoder`, a `quantizer`, a `decoder`, and a `prior` that writes words one by one;
    a subclass says how they learn.

    Args:
        encoder: Keras model, images (B, H, W, C) in [-1, 1] -> map (B, h, w, code_dim).
        quantizer: `ganedu.layers.VectorQuantizer`.
        decoder: Keras model, map -> images.
        prior: Keras model, tokens so far (B, h w) -> logits of the next (B, h w, codes).
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for networks that do not fit together.
    """

    tasks = frozenset({"generate", "reconstruct"})
    sampling_options = frozenset({"temperature"})
    export_instead = "generates its codes one by one", ("prior", "decoder", "encoder")

    def __init__(self, encoder, quantizer, decoder, prior, seed=0):
        super().__init__(seed=seed)
        encoder, decoder, prior = functional(
            self.forms, encoder=encoder, decoder=decoder, prior=prior
        )
        check_same_shape(
            {"the encoder's map": encoder.output_shape, "the decoder's": decoder.input_shape}
        )
        check_same_shape(
            {"the encoder's images": encoder.input_shape, "the decoder's": decoder.output_shape}
        )
        self.encoder, self.quantizer, self.decoder = encoder, quantizer, decoder
        self.prior = prior
        if not quantizer.built:
            quantizer.build(encoder.output_shape)

    @property
    def sampling_prior(self):
        """The Keras model that writes the codes of samples."""
        return self.prior

    @property
    def image_shape(self):
        return self.encoder.input_shape[1:]

    @property
    def latent_grid_shape(self):
        """(h, w), in codes."""
        return self.encoder.output_shape[1:3]

    def encode(self, x):
        """Images (N, H, W, C) in [-1, 1] to grids of codes (N, h, w), int32 NumPy.

        Raises:
            UsageError: for images of another shape or range.
        """
        x = validate_images(x, self.image_shape)
        z_e = predict_in_batches(self.encoder, x)
        flat = ops.convert_to_tensor(z_e.reshape(-1, z_e.shape[-1]))
        return ops.convert_to_numpy(self.quantizer.quantize_indices(flat)).reshape(z_e.shape[:-1])

    def decode(self, codes):
        """Grids of codes (N, h, w), each in [0, num_embeddings), to images (N, H, W, C), float32 NumPy.

        Raises:
            UsageError: for another shape, and for codes that there are not.
        """
        codes, (h, w) = np.asarray(codes), self.latent_grid_shape
        num_embeddings = self.quantizer.num_embeddings
        right = codes.shape[1:] == (h, w) and len(codes) and codes.dtype.kind in "iu"
        if not right or codes.min() < 0 or codes.max() >= num_embeddings:
            span = f", {codes.min()} to {codes.max()}" if right else ""
            raise UsageError(
                f"Codes must be integers in [0, {num_embeddings}), (N, {h}, {w}). "
                f"Received: {codes.dtype} {codes.shape}{span}"
            )
        z_q = ops.convert_to_numpy(self.quantizer.codebook)[codes]
        return np.clip(predict_in_batches(self.decoder, z_q), -1.0, 1.0)

    def generate(self, count, temperature=1.0, seed=0):
        """Generates `count` images (count, H, W, C): the prior generates the codes, one by one.

        Args:
            temperature: float above 0, by which the prior's logits are divided. Defaults to `1.0`.

        Raises:
            UsageError: as `LatentModel.generate`, and for another temperature.
        """
        latent.check_draw(count, seed)
        if not temperature > 0:
            raise UsageError(f"`temperature` must be above 0. Received: {temperature}")
        rng, num_embeddings = np.random.default_rng(seed), self.quantizer.num_embeddings
        codes = np.full((count, math.prod(self.latent_grid_shape) + 1), num_embeddings, "int32")
        for i in range(codes.shape[1] - 1):
            logits = predict_in_batches(self.sampling_prior, codes[:, :-1])[:, i]
            # The largest of logits with Gumbel noise is a draw from their softmax.
            codes[:, i + 1] = np.argmax(logits / temperature + rng.gumbel(size=logits.shape), -1)
        return self.decode(codes[:, 1:].reshape(count, *self.latent_grid_shape))

    def call(self, x, training=False):
        z_q, *_ = self.quantizer(self.encoder(x, training=training))
        return ops.clip(self.decoder(z_q, training=training), -1.0, 1.0)
