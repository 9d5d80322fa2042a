"""RealNVP: an invertible network with an exact density, of affine couplings (Dinh 2017).

    z = f(x),   log p(x) = log N(f(x); 0, I) + log |det df/dx|,   minimize  -log p(x)       (equations 2, 3)

f is a chain of couplings: a mask b keeps one half of a map, which decides how the other is changed,

    y = b x + (1 - b) (x exp(s(b x)) + t(b x)),   log |det| = sum (1 - b) s(b x)            (equations 6, 9)

with checkerboard masks, then, of a map squeezed from (H, W, C) to (H/2, W/2, 4 C), channel masks; half
of the channels are then done, and the rest goes on to the next scale (equations 12 to 16).

x is real. A grey value n is dequantized in training, n + u, u ~ U[0, 1), and f is of its logit:

    f(logit(alpha + (1 - 2 alpha) (n + u) / 256)),   alpha = 0.05                           (section 4.1)

The density is of images in [-1, 1], as `metrics.likelihood.dequantized` makes them, so that their bits of
whole grey values are an upper bound.

Departures:
    1 - 2 alpha for the paper's 1 - alpha, which keeps white finite, too (the authors' code has it). No
    batch normalization, no residual blocks and no weight normalization; the couplings' networks are three
    small convolutions, on the squeezed map where that can be. There are two scales, and the channel mask
    keeps halves. No L2 penalty; Adam with a fixed rate.

Reference:
    Dinh, Sohl-Dickstein and Bengio 2017, "Density estimation using Real NVP", arXiv:1605.08803;
    dequantization from Theis, van den Oord and Bethge 2016, section 3.1, arXiv:1511.01844.
"""

import math

import keras
from keras import ops

from ganedu import networks
from ganedu.data.images import validate_images
from ganedu.devices import replicas
from ganedu.engine import FusedAdam, LatentModel, ReconstructionMixin, functional
from ganedu.networks.inference import predict_in_batches

FAMILY = "autoregressive and flows"


def to_logits(x, alpha):
    """Images in [-1, 1] (B, H, W, C) to y = logit(p), p = alpha + (1 - 2 alpha) (x + 1) / 2, and log |det dy/dx| =
    sum [log((1 - 2 alpha) / 2) - log p - log(1 - p)], (B,)."""
    p = alpha + (1.0 - 2.0 * alpha) * (x + 1.0) / 2.0
    log_p, log_q = ops.log(p), ops.log(1.0 - p)
    log_det = math.log((1.0 - 2.0 * alpha) / 2.0) - log_p - log_q
    return log_p - log_q, ops.sum(log_det, axis=(1, 2, 3))


def from_logits(y, alpha):
    """The inverse of `to_logits`, clipped to [-1, 1]."""
    p = ops.sigmoid(y)
    return ops.clip(2.0 * (p - alpha) / (1.0 - 2.0 * alpha) - 1.0, -1.0, 1.0)


def standard_normal_log_prob(z):
    """log N(z; 0, I) of z (B, d): (B,), in nats."""
    return -0.5 * (ops.sum(ops.square(z), axis=-1) + z.shape[-1] * math.log(2 * math.pi))


@keras.saving.register_keras_serializable("ganedu")
class RealNVP(ReconstructionMixin, LatentModel):
    """One player, the flow. Its latents have as many numbers as an image.

    Args:
        flow: Keras model, real images (B, H, W, C) -> z (B, H W C) and log |det dz/dx| (B,), made by
            `ganedu.networks.realnvp_flow`.
        alpha: float in (0, 0.5). Defaults to `0.05`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for another network, or alpha.
    """

    players = {"optimizer": ("flow",)}
    forms = {"flow": "x -> z, log_det"}
    log_names = ("loss", "bits_per_dimension")
    tasks = frozenset({"generate", "interpolate", "reconstruct", "likelihood"})
    sampling_options = frozenset({"temperature"})
    likelihood_of = "density"
    exact_likelihood = True

    def __init__(self, flow, alpha=0.05, seed=0):
        super().__init__(seed=seed)
        if not 0 < alpha < 0.5:
            raise ValueError(f"`alpha` must lie in (0, 0.5). Received: alpha={alpha}")
        self.flow, self.alpha = functional(self.forms, flow=flow), alpha
        inverse = networks.inverse_flow(self.flow)  # shares its layers
        self.inverse = keras.Model(inverse.input, from_logits(inverse.output, alpha))

    @property
    def sampling_network(self):
        return self.inverse

    def log_density(self, x, training=False):
        """log p(x) of images in [-1, 1], (B,), in nats."""
        y, log_det = to_logits(x, self.alpha)
        z, flow_log_det = self.flow(y, training=training)
        return standard_normal_log_prob(z) + flow_log_det + log_det

    def compute_losses(self, x, training):
        u = replicas.uniform(ops.shape(x), seed=self.seed_generator)
        x = (ops.round((x + 1.0) * 127.5) + u) / 128.0 - 1.0  # n + u of 256
        loss = -ops.mean(self.log_density(x, training))
        bits = loss / (math.prod(self.image_shape) * math.log(2.0)) + 7.0  # bins of 2 / 256
        return {"loss": loss, "bits_per_dimension": bits}

    def train_step(self, data):
        x, _ = self.unpack(data)
        losses = self.minimize(
            lambda: self.compute_losses(x, training=True), self.flow, self.optimizer
        )
        return self.log(losses)

    def test_step(self, data):
        x, _ = self.unpack(data)
        return self.log(self.compute_losses(x, training=False))

    def call(self, x, training=False):
        z, _ = self.flow(to_logits(x, self.alpha)[0], training=training)
        return self.inverse(z, training=training)

    def encode(self, x):
        """Images (N, H, W, C) in [-1, 1] to z (N, H W C), float32 NumPy: `decode` gives them back.

        Raises:
            UsageError: for images of another shape or range.
        """
        x = validate_images(x, self.image_shape)
        y, _ = to_logits(ops.convert_to_tensor(x), self.alpha)
        return predict_in_batches(self.flow, ops.convert_to_numpy(y))[0]

    def log_likelihood(self, x):
        """log p(x) in nats of dequantized images in [-1, 1], (N,), exactly: a density, which may be over 1.

        Raises:
            UsageError: for images of another shape or range.
        """
        x = validate_images(x, self.image_shape)
        y, log_det = map(ops.convert_to_numpy, to_logits(ops.convert_to_tensor(x), self.alpha))
        z, flow_log_det = predict_in_batches(self.flow, y)
        log_prob = ops.convert_to_numpy(standard_normal_log_prob(ops.convert_to_tensor(z)))
        return (log_prob + flow_log_det + log_det).astype("float64")

    def generate(self, count, temperature=1.0, seed=0):
        """Generates `count` images (count, H, W, C), float32 in [-1, 1].

        Args:
            temperature: float, by which the latents are multiplied: less variety below 1. Defaults to `1.0`.

        Raises:
            UsageError: as `LatentModel.generate`.
        """
        return self.decode(temperature * self.latents(count, seed))


def build(image_shape, width=64, couplings=3, learning_rate=1e-3, seed=0):
    """A compiled RealNVP for images (H, W, C), sides divisible by 4, with Adam; arguments as those of
    `networks.realnvp_flow`."""
    model = RealNVP(networks.realnvp_flow(image_shape, width, couplings), seed=seed)
    return model.compile_with(FusedAdam, learning_rate)
