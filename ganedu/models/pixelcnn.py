"""Gated PixelCNN: an exact likelihood, pixel by pixel, of masked convolutions (van den Oord 2016).

    p(x) = prod_i p(x_i | x_1, ..., x_(i-1)),   pixels in reading order                    (equation 1)
    minimize  -log p(x)

A vertical stack of convolutions sees the rows above a pixel, a horizontal one what is left of it, and
is told what the vertical one found. So there is no blind spot; each layer is gated:

    y = tanh(W_f * x) sigma(W_g * x)                                                       (equation 2)

p(x_i | ...) is, with `levels`

    2      Bernoulli: binary images. In training they are drawn anew, a grey value being the probability of a 1
    256    a mixture of K discretized logistics, `losses.logistic_mixture_log_prob`: whole grey values

Departures:
    The mixture is PixelCNN++'s, without its network; the paper has a softmax over 256 values. The
    channels of a pixel depend on each other by that mixture alone, and of binary ones not at all.
    Kernels of half a square take the place of masks; they are dilated (WaveNet), and each pixel has a
    learnt vector that says where it is, since few layers must see far. The network is small and has no
    classes; its first layer has no residual connection. Adam with a fixed rate.

Reference:
    van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves and Kavukcuoglu 2016, "Conditional image
    generation with PixelCNN decoders", arXiv:1606.05328; Salimans, Karpathy, Chen and Kingma 2017,
    PixelCNN++, equations 1 to 3, arXiv:1701.05517; binary images drawn anew from Burda et al. 2015.
"""

import math

import keras
import numpy as np
from keras import ops

from ganedu import latent, networks
from ganedu.data.images import validate_images
from ganedu.devices import replicas
from ganedu.engine import FusedAdam, GenerativeModel, functional, pixel_log_probs, sample_pixels
from ganedu.losses import mixture_size
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError

FAMILY = "autoregressive and flows"


@keras.saving.register_keras_serializable("ganedu")
class PixelCNN(GenerativeModel):
    """One player of two networks.

    Args:
        vertical: Keras model, images (B, H, W, C) -> (B, H, W, D), of the rows above each pixel alone.
        horizontal: Keras model, `[row, above]`, a row (B, W, C) and what `vertical` gives for it (B, W,
            D), -> (B, W, P), of the pixels left of each, and of `above`. P is C logits for 2 levels, else
            K mixtures of `losses.mixture_size(C)`.
        levels: int, 2 or 256. Defaults to `256`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for networks that do not fit together, and other levels.
    """

    players = {"optimizer": ("vertical", "horizontal")}
    forms = {"vertical": "x -> above", "horizontal": "row, above -> parameters"}
    log_names = ("loss", "bits_per_dimension")
    tasks = frozenset({"generate", "likelihood"})
    exact_likelihood = True
    export_instead = "generates its pixels one by one", ("vertical", "horizontal")

    def __init__(self, vertical, horizontal, levels=256, seed=0):
        super().__init__(seed=seed)
        vertical, horizontal = functional(self.forms, vertical=vertical, horizontal=horizontal)
        row, above = (tuple(shape[1:]) for shape in horizontal.input_shape)
        outputs, channels = horizontal.output_shape[-1], vertical.input_shape[-1]
        fits = row == vertical.input_shape[2:] and above == vertical.output_shape[2:]
        if levels not in (2, 256):
            raise ValueError(f"`levels` must be 2 or 256. Received: levels={levels}")
        if not fits or (outputs != channels if levels == 2 else outputs % mixture_size(channels)):
            raise ValueError(
                "Networks must fit together: `horizontal` takes a row of what `vertical` takes and gives, and "
                f"gives what {levels} levels need. Received: vertical {vertical.input_shape} -> "
                f"{vertical.output_shape}, horizontal {horizontal.input_shape} -> {horizontal.output_shape}"
            )
        self.vertical, self.horizontal, self.levels = vertical, horizontal, levels

    @property
    def image_shape(self):
        return self.vertical.input_shape[1:]

    @property
    def likelihood_of(self):
        return "binary" if self.levels == 2 else "8-bit"

    def call(self, x, training=False):
        """Images to the parameters of p(x_i | pixels before it), (B, H, W, P)."""
        h, w, _ = self.image_shape
        above = self.vertical(x, training=training)
        rows = [ops.reshape(a, (-1, w, a.shape[-1])) for a in (x, above)]  # (B H, W, ...)
        parameters = self.horizontal(rows, training=training)
        return ops.reshape(parameters, (-1, h, w, parameters.shape[-1]))

    def compute_losses(self, x, training):
        if self.levels == 2:
            u = replicas.uniform(ops.shape(x), seed=self.seed_generator)
            x = ops.where(u < (x + 1.0) / 2.0, 1.0, -1.0)
        log_probs = pixel_log_probs(x, self(x, training=training), self.levels)
        loss = -ops.mean(ops.sum(log_probs, axis=(1, 2)))
        bits = loss / (math.prod(self.image_shape) * math.log(2.0))
        return {"loss": loss, "bits_per_dimension": bits}

    def train_step(self, data):
        x, _ = self.unpack(data)
        networks = self.vertical, self.horizontal
        losses = self.minimize(
            lambda: self.compute_losses(x, training=True), networks, self.optimizer
        )
        return self.log(losses)

    def test_step(self, data):
        x, _ = self.unpack(data)
        return self.log(self.compute_losses(x, training=False))

    def log_likelihood(self, x):
        """log p(x) in nats of images, (N,), exactly: of -1 and 1 for 2 levels, else of grey values n / 127.5 - 1.

        Raises:
            UsageError: for images of another shape or range, and for 2 levels grey ones.
        """
        x = validate_images(x, self.image_shape)
        if self.levels == 2 and not (np.abs(x) == 1).all():
            raise UsageError(
                "Of 2 levels images must be binary, -1 or 1; `metrics.likelihood.binarized` makes them"
            )
        told = []
        for start in range(0, len(x), 128):
            part = x[start : start + 128]
            rows = [a.reshape(-1, *a.shape[2:]) for a in (part, self.predict_above(part))]
            parameters = predict_in_batches(self.horizontal, rows, 4096)
            parameters = parameters.reshape(*part.shape[:3], -1)
            tensors = map(ops.convert_to_tensor, (part, parameters))
            log_probs = ops.convert_to_numpy(pixel_log_probs(*tensors, self.levels))
            told.append(log_probs.sum(axis=(1, 2), dtype="float64"))
        return np.concatenate(told)

    def predict_above(self, x):
        """What the vertical stack tells of NumPy images (N, H, W, C): (N, H, W, D)."""
        return predict_in_batches(self.vertical, x)

    def generate(self, count, seed=0):
        """Generates `count` images (count, H, W, C), float32 in [-1, 1], pixel by pixel. What the vertical stack
        tells of a row does not depend on it, and is found once a row; the horizontal stack sees one row.

        Raises:
            UsageError: as `LatentModel.generate`.
        """
        latent.check_draw(count, seed)
        rng, (h, w, c) = np.random.default_rng(seed), self.image_shape
        x = np.zeros((count, h, w, c), "float32")
        for i in range(h):
            above = self.predict_above(x)[:, i]
            for j in range(w):
                parameters = predict_in_batches(self.horizontal, [x[:, i], above], 1024)[:, j]
                x[:, i, j] = sample_pixels(parameters, c, self.levels, rng)
        return x

    def sample_grid(self, examples, seed=0):
        """32 samples in 8 columns."""
        return self.generate(32, seed=seed), 8


def build(
    image_shape,
    width=24,
    depth=5,
    kernel=7,
    mixtures=5,
    levels=256,
    learning_rate=2e-3,
    seed=0,
):
    """A compiled gated PixelCNN for images (H, W, C), with Adam.

    Args:
        image_shape: (H, W, C), of any sides.
        width, depth, kernel: of `networks.vertical_stack`; `networks.pixelcnn.receptive_field` says how far they see.
            Default to `24`, `5` and `7`.
        mixtures: int, K, components of the mixture; of no use for 2 levels. Defaults to `5`.
        levels: int, 2 or 256. Defaults to `256`.
        learning_rate: float. Defaults to `2e-3`.
        seed: int in [0, 2**31). Defaults to `0`.
    """
    channels = image_shape[-1]
    outputs = channels if levels == 2 else mixtures * mixture_size(channels)
    model = PixelCNN(
        networks.vertical_stack(image_shape, width, depth, kernel),
        networks.horizontal_stack(image_shape, outputs, width, depth, kernel),
        levels=levels,
        seed=seed,
    )
    return model.compile_with(FusedAdam, learning_rate)
