"""VQ-VAE: discrete codes of a learnt codebook, and an autoregressive prior (van den Oord 2017).

    z_e = Enc(x),   z_q = the nearest code to each place of z_e (equation 2),   x' = Dec(z_q)
    minimize  ||x - x'||^2 / sigma^2 + beta ||z_e - sg(z_q)||^2        (equation 3)

To sample, a prior is needed over grids of codes (section 3.3): here a small autoregressive
transformer, trained beside the rest:

    minimize  -sum_i log p(k_i | k_1, ..., k_(i-1))

Departures:
    The codebook's own term is replaced by moving averages (appendix A.1), and dead codes are
    revived (Jukebox, 2020). z_e passes a layer normalization. ||.||^2 is here the mean of the
    squares, and 1 / sigma^2 a weight: how small an error still counts. The prior is a small
    transformer, or with `prior="pixelcnn"` masked convolutions moved by Muon (as the autoencoder
    then is); it is trained beside the rest, not after it. With `ema_momentum` samples are of an
    exponential moving average of the prior. With `code_kernel` k a code is about k x k places of
    the map, and the grid of codes has k - 1 fewer a side: a shorter text for the prior.

Reference:
    van den Oord, Vinyals and Kavukcuoglu 2017, "Neural discrete representation learning",
    arXiv:1711.00937.
"""

import math

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import FusedAdam, Muon, VQModel
from ganedu.layers import VectorQuantizer
from ganedu.runtime import UsageError

FAMILY = "autoencoders"
# name: how the prior over a grid (h, w) of codes is made, and the optimizer of both players
PRIORS = {
    "transformer": (lambda grid, k: networks.autoregressive_prior(math.prod(grid), k), FusedAdam),
    "pixelcnn": (networks.pixelcnn_prior, Muon),
}


@keras.saving.register_keras_serializable("ganedu")
class VQVAE(VQModel):
    """Two players: encoder and decoder, and the prior.

    Args:
        encoder, quantizer, decoder, prior: as for `VQModel`.
        beta: float, the weight of the commitment. Defaults to `0.25`.
        variance: float, sigma^2. Defaults to `0.05`.
        ema_momentum: float in [0, 1) or `None`: how slowly the averaged prior, which `generate` uses,
            follows the trained one; `None` for no average. Defaults to `None`.
        seed: int in [0, 2**31). Defaults to `0`.
    """

    players = {"autoencoder_optimizer": ("encoder", "decoder"), "prior_optimizer": ("prior",)}
    log_names = ("loss", "reconstruction_loss", "commitment_loss", "prior_loss", "perplexity")

    def __init__(
        self,
        encoder,
        quantizer,
        decoder,
        prior,
        beta=0.25,
        variance=0.05,
        ema_momentum=None,
        seed=0,
    ):
        super().__init__(encoder, quantizer, decoder, prior, seed=seed)
        self.beta, self.variance, self.ema_momentum = beta, variance, ema_momentum
        self.keep_ema("prior")

    @property
    def sampling_prior(self):
        return self.averaged("prior")

    def train_step(self, data):
        x, _ = self.unpack(data)
        losses = self.minimize(
            lambda: self.compute_losses(x, training=True),
            (self.encoder, self.decoder),
            self.autoencoder_optimizer,
        )
        codes = losses.pop("codes")
        prior = self.minimize(
            lambda: self.prior_loss(codes, training=True), self.prior, self.prior_optimizer
        )
        self.update_kept_ema("prior")
        return self.log({**losses, "prior_loss": prior})

    def test_step(self, data):
        x, _ = self.unpack(data)
        losses = self.compute_losses(x, training=False)
        prior = self.prior_loss(losses.pop("codes"), training=False)
        return self.log({**losses, "prior_loss": prior})

    def compute_losses(self, x, training):
        z_e = self.encoder(x, training=training)
        z_q, codes, perplexity = self.quantizer(z_e, training=training)
        reconstruction = ops.mean(ops.square(x - self.decoder(z_q, training=training)))
        commitment = ops.mean(ops.square(z_e - ops.stop_gradient(z_q)))
        return {
            "loss": reconstruction / self.variance + self.beta * commitment,
            "reconstruction_loss": reconstruction,
            "commitment_loss": commitment,
            "perplexity": perplexity,
            "codes": ops.reshape(codes, (-1, math.prod(self.latent_grid_shape))),
        }

    def prior_loss(self, codes, training):
        """The mean surprise of a word in nats: at most log(codes) for a prior that has learnt
        something."""
        start = ops.full_like(codes[:, :1], self.quantizer.num_embeddings)
        before = ops.concatenate([start, codes[:, :-1]], axis=1)
        logits = self.prior(before, training=training)
        return ops.mean(
            keras.losses.sparse_categorical_crossentropy(codes, logits, from_logits=True)
        )


def build(
    image_shape,
    num_embeddings=64,
    code_dim=16,
    code_kernel=1,
    width=32,
    prior="transformer",
    beta=0.25,
    learning_rate=1e-3,
    prior_learning_rate=1e-3,
    ema_momentum=None,
    seed=0,
):
    """A compiled VQ-VAE for images (H, W, C), sides divisible by 4; with Adam for both players, or Muon if
    `prior` is `"pixelcnn"` and not `"transformer"`."""
    if prior not in PRIORS:
        raise UsageError(f"A prior must be one of {', '.join(PRIORS)}. Received: {prior!r}")
    networks.num_downsamplings(image_shape)  # refuses images that are too small
    encoder = networks.vq_encoder(image_shape, code_dim, width, code_kernel)
    latent_grid_shape = encoder.output_shape[1:]
    make_prior, optimizer = PRIORS[prior]
    model = VQVAE(
        encoder,
        VectorQuantizer(num_embeddings, seed=seed, dtype="float32"),
        networks.vq_decoder(latent_grid_shape, image_shape[-1], width, kernel=code_kernel),
        make_prior(latent_grid_shape[:2], num_embeddings),
        beta=beta,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(optimizer, learning_rate, prior_learning_rate)
