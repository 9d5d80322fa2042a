"""The signals: numbers that a trained model shows, each with the range of a healthy one."""

import dataclasses
import inspect
import math

import numpy as np
from keras import ops
from scipy.ndimage import median_filter
from sklearn.metrics import roc_auc_score

from ganedu.data import to_float
from ganedu.engine import AdversarialModel, AutoencodingModel, VQModel
from ganedu.metrics import features
from ganedu.metrics.classes import class_entropy
from ganedu.metrics.components import PrincipalComponents
from ganedu.metrics.manifold import manifold_scores
from ganedu.metrics.memorisation import memorisation
from ganedu.metrics.spectrum import checkerboard, high_frequency_power
from ganedu.models.vae import kl_divergence
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError

MIN_IMAGES, MAX_IMAGES = 100, 1000  # images of each kind that are looked at
MAX_NUMBERS = 2**26  # of them together: of images over 150 pixels a side fewer are looked at
MAX_TRAIN_IMAGES = 10_000  # training images among which copies are looked for
MIN_ROUNDS = 12  # of which an oscillation says something


@dataclasses.dataclass(frozen=True)
class Signal:
    """
    Args:
        name: str.
        meaning: str, what the number says.
        low, high: float, between which a healthy model lies, or `None` for no limit. Default to `None`.
        share: bool, whether it is a share, at its best or at its end 1. Defaults to `False`.
    """

    name: str
    meaning: str
    low: float | None = None
    high: float | None = None
    share: bool = False

    def state(self, value):
        """`"low"`, `"high"` or `"fair"`."""
        if self.low is not None and value < self.low:
            return "low"
        return "high" if self.high is not None and value > self.high else "fair"

    @property
    def healthy(self):
        """What a healthy model has, in words."""
        if self.low is None or self.high is None:
            return f"over {self.low:g}" if self.high is None else f"under {self.high:g}"
        return f"{self.low:g} to {self.high:g}"


# The limits were set between failing and healthy models of seeds 0 to 5 and 10 to 12; see docs/diagnostics.md.
SIGNALS = {
    signal.name: signal
    for signal in (
        Signal("precision", "the share of samples that could be real images", 0.3, share=True),
        Signal("recall", "the share of real images that the samples could be", 0.35, share=True),
        Signal(
            "discriminator_auc", "how often D puts a real image over a sample", 0.25, 0.99, True
        ),
        Signal("generator_gradient", "how much G's loss answers to D's logits", 0.05),
        Signal("loss_oscillation", "how far G's loss jumps from round to round", high=0.06),
        Signal("active_units", "the share of latents that carry anything", 0.5, share=True),
        Signal("codebook_usage", "the share of the codebook that is used", 0.1, share=True),
        Signal("high_frequency_power", "fine detail, real images having 1", 0.42),
        Signal("checkerboard", "a pattern of every second pixel, real images having 1", high=3.0),
        Signal(
            "copy_rate", "the share of samples that are all but a training image", None, 0.05, True
        ),
        Signal("midtone_ratio", "middle tones, real images having 1", 0.7),
    )
}


def measure(model, train, test, history=(), seed=1):
    """Measures the signals of a model that generates.

    Precision and recall are parts of what one half of the test images has against the other, so that 1 is a model as
    good as nature, whatever their number and kind.

    Args:
        model: `GenerativeModel` with `generate`.
        train, test: `ImageDataset`, what it has learnt from and what it has not seen.
        history: list of dict, a row a round, or Keras's dict of lists. Defaults to none.
        seed: int, of the samples. Defaults to `1`.

    Returns:
        Dict of float, by the names in `SIGNALS`: those that this model has.

    Raises:
        UsageError: for a model that generates nothing by itself, fewer than 100 test images, or samples that hold NaN.
    """
    if not model.tasks & {"generate", "generate by class"}:
        raise UsageError(
            f"Only a model that generates from nothing can be diagnosed. Received: {type(model).__name__}"
        )
    if len(test) < MIN_IMAGES:
        raise UsageError(
            f"Diagnosis takes at least {MIN_IMAGES} test images. Received: {len(test)}"
        )
    fits = MAX_NUMBERS // math.prod(test.image_shape)
    test = test.spread_n(min(MAX_IMAGES, max(MIN_IMAGES, fits)))
    labels = {}
    if "generate by class" in model.tasks:
        labels["labels"] = np.arange(len(test)) % model.num_classes
    generated = model.generate(len(test), **labels, seed=seed)
    if not np.isfinite(generated).all():
        raise UsageError(
            "The samples hold NaN or infinity: the model has diverged. Lower its learning rates, or clip its gradients"
        )
    generated = np.clip(generated, -1, 1)
    signals = _of_samples(generated, train, test)
    signals |= _of_players(model, test, seed) | _of_codes(model, test)
    found = loss_oscillation(history)
    return signals if found is None else signals | {"loss_oscillation": found}


def loss_oscillation(history):
    """How far G's loss jumps from round to round, as a share of the size of the losses.

    The mean distance of G's loss from the median of the eleven rounds around, over the mean size of G's and D's
    losses together (a loss like -E[D] may itself be near 0). The first quarter of the rounds, in which every loss
    moves, is left out.

    Args:
        history: list of dict, a row a round, or Keras's dict of lists.

    Returns:
        float, or `None` where there are no such losses, or fewer than 12 rounds.
    """
    if not isinstance(history, dict):
        names = history[0] if history else ()
        history = {name: [row[name] for row in history] for name in names}
    if not {"g_loss", "d_loss"} <= set(history) or len(history["g_loss"]) < MIN_ROUNDS:
        return None
    g, d = (np.asarray(history[name], "float64") for name in ("g_loss", "d_loss"))
    if not np.isfinite(g).all() or not np.isfinite(d).all():
        return None
    jumps = np.abs(g - median_filter(g, 11, mode="nearest"))
    late = slice(len(g) // 4, None)
    return float(jumps[late].mean() / max((np.abs(g) + np.abs(d))[late].mean(), 0.1))


def _of_samples(generated, train, test):
    real, known = test.array(), train.images[:MAX_TRAIN_IMAGES]
    look = _eyes(test, known)
    features, seen_known, seen_generated = look(real), look(known), look(generated)
    found, usual = manifold_scores(features, seen_generated), _usual(features)
    return {
        "precision": found.precision / usual.precision,
        "recall": found.recall / usual.recall,
        "copy_rate": memorisation(seen_generated, seen_known, features).copy_rate,
        "high_frequency_power": high_frequency_power(generated, real),
        "checkerboard": checkerboard(generated, real),
        "midtone_ratio": float(
            np.mean(np.abs(generated) < 0.9) / max(np.mean(np.abs(real) < 0.9), 1e-3)
        ),
    }


def _usual(features):
    """The scores of real images, one half against the other."""
    order = np.random.default_rng(0).permutation(len(features))
    return manifold_scores(features[order[::2]], features[order[1::2]])


def _eyes(test, known):
    """A function of images to what they show: the features of a network that knows their kind, else the first
    principal components."""
    network = features.fitting(test.name, test.image_shape)
    if network is not None:
        return lambda x: network.features(to_float(x) if x.dtype == np.uint8 else x)
    return PrincipalComponents(known)


def _of_players(model, test, seed):
    """What D makes of real images and of samples, and whether G hears it."""
    if not isinstance(model, AdversarialModel):
        return {}
    z = model.latents(len(test), seed=seed + 1)
    generated = _asked(model, model.generator, z, test.labels)[0]
    real, fake = (
        np.ravel(_asked(model, model.discriminator, images, test.labels)[0])
        for images in (test.array(), generated)
    )
    truth = np.r_[np.ones(len(real)), np.zeros(len(fake))]
    signals = {"discriminator_auc": float(roc_auc_score(truth, np.r_[real, fake]))}
    loss = model.generator_loss
    if len(inspect.signature(loss).parameters) == 1:
        fake = fake[:, None].astype("float32")  # (N, 1)
        signals["generator_gradient"] = (
            abs(float(loss(fake + 0.05)) - float(loss(fake - 0.05))) / 0.1
        )
    return signals


def _of_codes(model, test):
    signals = {}
    if isinstance(model, AutoencodingModel) and len(model.encoder.outputs) == 2:
        mean, log_variance = _asked(model, model.encoder, test.array(), test.labels)
        kl = ops.convert_to_numpy(kl_divergence(mean, log_variance)).mean(axis=0)
        signals["active_units"] = float(np.mean(kl > 0.05))  # nats
    if isinstance(model, VQModel):
        codes = model.quantizer.num_embeddings
        shares = np.bincount(model.encode(test.array()).ravel(), minlength=codes)
        signals["codebook_usage"] = float(np.exp(class_entropy(shares / shares.sum())) / codes)
    return signals


def _asked(model, network, x, labels):
    """The outputs of a network for x, in a list; where it reads labels beside its input, for these."""
    inputs = [np.asarray(x)]
    if len(network.inputs) > 1:
        inputs.append(model.one_hot(labels, len(labels)))
    found = predict_in_batches(network, inputs)
    return found if isinstance(found, (list, tuple)) else [found]
