"""What a trained model can do with images that it was never trained for: find them, redraw them, fill them in.

None of these trains anything. Images are arrays (N, H, W, C) in [-1, 1].

Reference:
    Zhu, Kraehenbuehl, Shechtman and Efros 2016, "Generative visual manipulation on the natural image manifold",
    section 3.1, arXiv:1609.03552 (`gan_inversion`); Song, Meng and Ermon 2021, section 4.3, arXiv:2010.02502
    (`ddim_inversion`); Meng et al. 2022, "SDEdit", algorithm 1, arXiv:2108.01073; Lugmayr et al. 2022, "RePaint",
    algorithm 1, arXiv:2201.09865.
"""

import itertools

import keras
import numpy as np
from keras import ops

from ganedu.data.images import validate_images
from ganedu.engine import DenoisingModel, LatentModel
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError


def gan_inversion(
    model, images, steps=200, restarts=4, learning_rate=0.1, prior_weight=0.01, seed=0
):
    """The latents whose images are nearest to given ones:

        minimize_z  ||G(z) - x||^2 / (H W C) + w ||z||^2 / d

    by Adam, from several latents of the prior, of which each image keeps the best. The second term keeps z where
    the generator has been: without it the nearest image may lie at latents that nothing is ever drawn from.

    Args:
        model: `LatentModel` with a `sampling_network` of latents alone, as `dcgan` or `vae`.
        images: array (N, H, W, C) in [-1, 1].
        steps: int, of Adam. Defaults to `200`.
        restarts: int, latents that are begun from, for each image. Defaults to `4`.
        learning_rate: float. Defaults to `0.1`.
        prior_weight: float, w. Defaults to `0.01`.
        seed: int. Defaults to `0`.

    Returns:
        Latents (N, latent_dim), float32 NumPy.

    Raises:
        UsageError: for another model, images of another shape or range, or numbers below 1.
    """
    if not _has_latents(model):
        raise UsageError(
            f"GAN inversion needs a generator of latents alone. Received: a {type(model).__name__}"
        )
    _check_at_least_one(steps=steps, restarts=restarts)
    x, d = validate_images(images, model.image_shape), model.latent_dim
    network = model.network_to_export()
    targets = np.repeat(x, restarts, axis=0)
    z = keras.Variable(model.latents(len(targets), seed))
    target, adam = ops.convert_to_tensor(targets), keras.optimizers.Adam(learning_rate)

    def loss(z):  # summed over rows, which do not see each other
        error = ops.mean(ops.square(network(z, training=False) - target), axis=(1, 2, 3))
        return error + prior_weight * ops.mean(ops.square(z), axis=1)

    for _ in range(steps):
        gradient = model.input_gradient(loss, ops.stop_gradient(z.value))
        adam.apply([ops.stop_gradient(gradient)], [z])
    z = np.asarray(ops.convert_to_numpy(z))
    errors = np.square(predict_in_batches(network, z) - targets).mean(axis=(1, 2, 3))
    best = errors.reshape(len(x), restarts).argmin(axis=1)
    return z.reshape(len(x), restarts, d)[np.arange(len(x)), best]


def _has_latents(model):
    if not isinstance(model, LatentModel) or isinstance(model, DenoisingModel):
        return False
    network = model.network_to_export()
    return isinstance(network, keras.Model) and len(network.inputs) == 1


def ddim_inversion(model, images, steps=50, predict=None):
    """The noise from which sampling comes to given images: the way of `model.step` walked backwards, from a
    little noise to noise alone.

    Args:
        model: `DenoisingModel`, as `diffusion` or `flow_matching`.
        images: array (N, H, W, C) in [-1, 1].
        steps: int. Defaults to `50`.
        predict: as for `DenoisingModel.sample_from`.

    Returns:
        Latents (N, H W C), float32 NumPy, for `model.decode`.

    Raises:
        UsageError: for another model, images of another shape or range, or steps below 1.
    """
    x = _check_denoising(model, images, steps)
    levels = np.linspace(0.0, 1.0, steps + 1)
    levels[0] = levels[1] / 10  # at 0 there is no noise to be seen
    for level, to in itertools.pairwise(levels):
        x = model.step(x, level, to, predict)
    return x.reshape(len(x), -1).astype("float32")


def sdedit(model, images, strength=0.5, steps=20, predict=None, seed=0):
    """Images redrawn: noise is mixed in, and sampling takes it out again. Crude images become likely ones.

    Args:
        model: `DenoisingModel`.
        images: array (N, H, W, C) in [-1, 1], as a sketch.
        strength: float in (0, 1], how much noise: little keeps the image, 1 keeps nothing. Defaults to `0.5`.
        steps: int, from this noise to none. Defaults to `20`.
        predict: as for `DenoisingModel.sample_from`; for a class `functools.partial(model.guided_image, y=y, scale=2)`.
        seed: int. Defaults to `0`.

    Returns:
        Images (N, H, W, C), float32.

    Raises:
        UsageError: as `ddim_inversion`, and for another strength.
    """
    x = _check_denoising(model, images, steps)
    if not 0.0 < strength <= 1.0:
        raise UsageError(f"`strength` must lie in (0, 1]. Received: strength={strength}")
    noise = np.random.default_rng(seed).standard_normal(x.shape)
    x = model.add_noise(x, noise, strength)
    for level, to in itertools.pairwise(np.linspace(strength, 0.0, steps + 1)):
        x = model.step(x, level, to, predict)
    return np.clip(x, -1.0, 1.0).astype("float32")


def repaint(model, images, mask, steps=20, resamplings=5, predict=None, seed=0):
    """Images of which a part is drawn anew, to fit the rest.

    At each level the known part is the image with as much noise, the rest is what sampling made; and each step is
    taken several times, with noise mixed in again between, so that the one can follow the other.

    Args:
        model: `DenoisingModel`.
        images: array (N, H, W, C) in [-1, 1].
        mask: bool array, (H, W) or (N, H, W): `True` where the image is known.
        steps: int. Defaults to `20`.
        resamplings: int, how often each step is taken, at least once. Defaults to `5`.
        predict, seed: as for `sdedit`.

    Returns:
        Images (N, H, W, C), float32: where the mask is `True`, those that were given.

    Raises:
        UsageError: as `ddim_inversion`, and for a mask of another shape or kind.
    """
    x = _check_denoising(model, images, steps)
    _check_at_least_one(resamplings=resamplings)
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape not in (x.shape[1:3], x.shape[:3]):
        raise UsageError(
            f"The mask must be of booleans, {x.shape[1:3]} or {x.shape[:3]}. Received: {mask.dtype} {mask.shape}"
        )
    known, mask = x, mask[..., None]
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(x.shape)
    for level, to in itertools.pairwise(np.linspace(1.0, 0.0, steps + 1)):
        for again in reversed(range(resamplings if to else 1)):
            there = model.add_noise(known, rng.standard_normal(x.shape), to)
            x = np.where(mask, there, model.step(x, level, to, predict))
            if again:
                x = _back(model, x, to, level, rng)
    return np.clip(x, -1.0, 1.0).astype("float32")


def _back(model, x, level, to, rng):
    """x at a noise level with so much more noise that it is at a higher one: a step of the forward process."""
    signal, noise = (
        [model.add_noise(part, 1.0 - part, u) for u in (level, to)] for part in (1.0, 0.0)
    )
    shrink = signal[1] / signal[0]
    more = np.sqrt(np.maximum(noise[1] ** 2 - (shrink * noise[0]) ** 2, 0.0))
    return shrink * x + more * rng.standard_normal(x.shape)


def _check_denoising(model, images, steps):
    """The images as float64.

    Raises:
        UsageError: for a model that does not denoise whole images, other images, and steps below 1.
    """
    whole = isinstance(model, DenoisingModel) and model.noise_shape == model.image_shape
    if not whole or "interpolate" not in model.tasks:
        raise UsageError(
            f"This needs a model such as diffusion or flow_matching. Received: a {type(model).__name__}"
        )
    _check_at_least_one(steps=steps)
    return validate_images(images, model.image_shape).astype("float64")


def _check_at_least_one(**counts):
    for name, value in counts.items():
        if value < 1:
            raise UsageError(f"`{name}` must be at least 1. Received: {name}={value}")
