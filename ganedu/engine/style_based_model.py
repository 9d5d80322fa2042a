"""What style-based generators have in common: a mapping network, and a style for every layer."""

import keras
import numpy as np
from keras import ops

from ganedu.devices import replicas
from ganedu.engine.given import validate_latents
from ganedu.engine.latent_model import LatentModel
from ganedu.engine.own_networks import check_same_shape, functional
from ganedu.networks.inference import predict_in_batches


class StyleBasedModel(LatentModel):
    """A generator of two networks, kept with its exponential moving average; a subclass says how it learns.

    Args:
        mapping: Keras model, z (B, latent_dim) -> w (B, latent_dim).
        synthesis: Keras model, styles (B, L, latent_dim) -> images (B, H, W, C) in [-1, 1].
        ema_momentum: float in [0, 1), of the averaged generator. Defaults to `0.99`.
        seed: int in [0, 2**31). Defaults to `0`.

    Reference:
        Karras, Laine and Aila 2019, section 3.1 (mixing) and appendix B (truncation),
        arXiv:1812.04948.
    """

    forms = {"mapping": "z -> w", "synthesis": "styles -> images"}

    def __init__(self, mapping, synthesis, ema_momentum=0.99, seed=0):
        super().__init__(seed=seed)
        mapping, synthesis = functional(self.forms, mapping=mapping, synthesis=synthesis)
        w, styles = mapping.output_shape, synthesis.input_shape
        check_same_shape({"w, the mapping's output": w, "one of the styles": (None, *styles[2:])})
        self.mapping, self.synthesis, self.ema_momentum = mapping, synthesis, ema_momentum
        self.ema_mapping = self.ema_copy(mapping)
        self.ema_synthesis = self.ema_copy(synthesis)
        self.w_avg = self.add_weight((self.latent_dim,), "zeros", trainable=False, name="w_avg")

    def network_to_export(self):
        z = keras.Input((self.latent_dim,), name="z")
        return keras.Model(z, self.call(z))

    @property
    def image_shape(self):
        return self.synthesis.output_shape[1:]

    @property
    def latent_dim(self):
        return self.mapping.input_shape[-1]

    @property
    def depth(self):
        """L, the number of layers that have a style."""
        return self.synthesis.input_shape[1]

    def update_ema_generator(self):
        """Moves the averaged generator, after a step of the trained one."""
        self.update_ema(self.mapping, self.ema_mapping, self.ema_momentum)
        self.update_ema(self.synthesis, self.ema_synthesis, self.ema_momentum)

    def update_w_avg(self, w, momentum=0.995):
        """Moves the mean style towards that of a batch w (B, latent_dim)."""
        mean = replicas.mean(ops.stop_gradient(ops.mean(w, axis=0)))
        self.w_avg.assign(self.w_avg + (1.0 - momentum) * (mean - self.w_avg))

    def map_latents(self, z):
        """Latents (N, latent_dim) to w, (N, latent_dim), float32 NumPy.

        Raises:
            UsageError: for latents of another shape, or that are not finite.
        """
        return predict_in_batches(self.ema_mapping, validate_latents(z, self.latent_dim))

    def decode(self, z, truncation=1.0):
        """Latents (N, latent_dim) to images (N, H, W, C) in [-1, 1], float32 NumPy.

        Args:
            truncation: float, psi in w' = w_mean + psi (w - w_mean): 1 keeps all styles, 0 the mean
                style only. Defaults to `1.0`.
        """
        mean = ops.convert_to_numpy(self.w_avg)
        w = mean + truncation * (self.map_latents(z) - mean)
        return self.synthesize(np.repeat(w[:, None], self.depth, axis=1))

    def mix_styles(self, coarse, fine, crossover=1):
        """Images with the coarse layers, the first `crossover`, of one latent and the others of
        another: (N, latent_dim) each."""
        a, b = (np.repeat(self.map_latents(z)[:, None], self.depth, axis=1) for z in (coarse, fine))
        return self.synthesize(np.concatenate([a[:, :crossover], b[:, crossover:]], axis=1))

    def synthesize(self, styles):
        """Styles (N, L, latent_dim) to images, float32 NumPy."""
        return predict_in_batches(self.ema_synthesis, styles)

    def sample_grid(self, examples, seed=0):
        """Five rows of eight samples; then three in which a latent gives the coarse layers and the
        top row the fine ones."""
        z = self.latents(40, seed)
        mixed = [
            self.mix_styles(np.repeat(z[8 * r : 8 * r + 1], 8, axis=0), z[:8]) for r in (1, 2, 3)
        ]
        return np.concatenate([self.decode(z), *mixed]), 8

    def call(self, z, training=False):
        w = self.ema_mapping(z, training=training)
        return self.ema_synthesis(ops.repeat(w[:, None], self.depth, axis=1))
