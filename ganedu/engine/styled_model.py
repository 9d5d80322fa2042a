"""What models have in common that turn a latent into a style, and let the style steer every layer."""

import numpy as np
from keras import ops

from ganedu.engine.latent_model import LatentModel
from ganedu.networks.answers import answer


class StyledModel(LatentModel):
    """A generator of two networks, kept with its average, that draws; a subclass says how it learns.

    Args:
        mapping: Keras model, z (B, latent_dim) -> w (B, latent_dim).
        synthesis: Keras model, styles (B, L, latent_dim) -> images (B, H, W, C) in [-1, 1].
        ema_momentum: float in [0, 1), of the averaged generator. Defaults to `0.99`.
        seed: int in [0, 2**31). Defaults to `0`.

    Reference:
        Karras, Laine and Aila 2019, section 3.1 (mixing) and appendix B (truncation),
        arXiv:1812.04948.
    """

    def __init__(self, mapping, synthesis, ema_momentum=0.99, seed=0):
        super().__init__(seed=seed)
        self.mapping, self.synthesis, self.ema_momentum = mapping, synthesis, ema_momentum
        self.averaged_mapping = self.averaged_copy(mapping)
        self.averaged_synthesis = self.averaged_copy(synthesis)
        self.w_mean = self.add_weight((self.latent_dim,), "zeros", trainable=False, name="w_mean")

    @property
    def latent_dim(self):
        return self.mapping.input_shape[-1]

    @property
    def depth(self):
        """L, the number of layers that have a style."""
        return self.synthesis.input_shape[1]

    def follow_generator(self):
        """Moves the averaged generator, after a step of the trained one."""
        self.average(self.mapping, self.averaged_mapping, self.ema_momentum)
        self.average(self.synthesis, self.averaged_synthesis, self.ema_momentum)

    def follow_styles(self, w, momentum=0.995):
        """Moves the mean style towards that of a batch w (B, latent_dim)."""
        mean = ops.stop_gradient(ops.mean(w, axis=0))
        self.w_mean.assign(self.w_mean + (1.0 - momentum) * (mean - self.w_mean))

    def styles(self, z):
        """Latents (N, latent_dim) to w, (N, latent_dim), float32 NumPy."""
        return answer(self.averaged_mapping, z)

    def decode(self, z, truncation=1.0):
        """Latents (N, latent_dim) to images (N, H, W, C) in [-1, 1], float32 NumPy.

        Args:
            truncation: float, psi in w' = w_mean + psi (w - w_mean): 1 draws all styles, 0 the mean
                style only. Defaults to `1.0`.
        """
        mean = ops.convert_to_numpy(self.w_mean)
        w = mean + truncation * (self.styles(z) - mean)
        return self.paint(np.repeat(w[:, None], self.depth, axis=1))

    def mix(self, coarse, fine, change=1):
        """Images with the coarse layers, the first `change`, of one latent and the others of
        another: (N, latent_dim) each."""
        a, b = (np.repeat(self.styles(z)[:, None], self.depth, axis=1) for z in (coarse, fine))
        return self.paint(np.concatenate([a[:, :change], b[:, change:]], axis=1))

    def paint(self, styles):
        """Styles (N, L, latent_dim) to images, float32 NumPy."""
        return answer(self.averaged_synthesis, styles)

    def sheet(self, examples, seed=0):
        """Five rows of eight drawings; then three in which a latent gives the coarse layers and the
        top row the fine ones."""
        z = self.latents(40, seed)
        mixed = [self.mix(np.repeat(z[8 * r : 8 * r + 1], 8, axis=0), z[:8]) for r in (1, 2, 3)]
        return np.concatenate([self.decode(z), *mixed]), 8

    def call(self, z, training=False):
        w = self.averaged_mapping(z, training=training)
        return self.averaged_synthesis(ops.repeat(w[:, None], self.depth, axis=1))
