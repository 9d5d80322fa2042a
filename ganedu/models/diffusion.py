"""Diffusion (DDPM, DDIM): denoising along a cosine schedule (Ho 2020, Song 2021).

With alpha_bar_t from 1 down to 0, x_t = sqrt(alpha_bar_t) x + sqrt(1 - alpha_bar_t) epsilon, epsilon ~ N(0, I):

    minimize  E_{x, t, epsilon} w(t) ||epsilon - epsilon_theta(x_t, t)||^2             (Ho 2020, equation 14)
    alpha_bar_t = f(t) / f(0),  f(t) = cos^2((t / T + s) / (1 + s) pi / 2), s = 0.008  (Nichol 2021, equation 17)

The network tells the image and not the noise; the one follows from the other, and with the signal-to-noise ratio
SNR_t = alpha_bar_t / (1 - alpha_bar_t) their errors do:

    epsilon_theta = (x_t - sqrt(alpha_bar_t) x_theta) / sqrt(1 - alpha_bar_t)
    ||epsilon - epsilon_theta||^2 = SNR_t ||x - x_theta||^2

Here w(t) = 1 / SNR_t (Salimans 2022, section 4). What an image shows is settled while x_t is nearly noise, so SNR_t is
divided by k^2 (Hoogeboom 2023, section 3). With `num_classes` the network reads a label too (`GuidedModel`).

Sampling goes back from x_T ~ N(0, I) over a few of the times, from t to s (Song 2021, equation 12):

    x_s = sqrt(alpha_bar_s) x_theta + sqrt(1 - alpha_bar_s - sigma^2) epsilon_theta + sigma epsilon

sigma = 0 (`ddim`) makes the sample a function of x_T: a latent space. `ddpm` is Ho's Algorithm 2 over these times.
`dpm_solver` is of second order, from what was seen one step before (Lu 2022, algorithm 2).

Departures:
    Ho's network tells the noise, and w(t) = 1. Sampling is over few of the times by default; all of
    them are `generate(count, 1000, "ddpm")`. x_theta is clipped to [-1, 1] at each step. The schedule
    is Nichol's, shifted; the variance is not learnt. A small U-Net without attention, trained by Muon
    (Jordan 2024); the moving average has momentum 0.998, not 0.9999.

Reference:
    Ho, Jain and Abbeel 2020, "Denoising diffusion probabilistic models", Algorithms 1 and 2, arXiv:2006.11239;
    Nichol and Dhariwal 2021, arXiv:2102.09672; Song, Meng and Ermon 2021, arXiv:2010.02502; Salimans and Ho 2022,
    arXiv:2202.00512; Hoogeboom, Heek and Salimans 2023, arXiv:2301.11093; Lu et al. 2022, "DPM-Solver++",
    arXiv:2211.01095.
"""

import functools
import itertools

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.engine import DenoisingModel, GuidedModel, Muon
from ganedu.runtime import UsageError

FAMILY = "diffusion and flows"


def cosine_alpha_bar(num_timesteps):
    """alpha_bar_0, ..., alpha_bar_T of the cosine schedule, (T + 1,), float64; the last is kept
    above 0 by beta_t <= 0.999."""
    f = np.cos((np.arange(num_timesteps + 1) / num_timesteps + 0.008) / 1.008 * np.pi / 2) ** 2
    beta = np.minimum(1 - f[1:] / f[:-1], 0.999)
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


def shift_alpha_bar(alpha_bar, shift):
    """The schedule whose signal-to-noise ratio is that of `alpha_bar` (T + 1,), divided by k^2, k the `shift`."""
    return alpha_bar / (alpha_bar + shift**2 * (1 - alpha_bar))


def q_sample(x, epsilon, alpha_bar):
    """x_t, of images and noise (B, H, W, C) and alpha_bar_t (B, 1, 1, 1)."""
    return ops.sqrt(alpha_bar) * x + ops.sqrt(1.0 - alpha_bar) * epsilon


def predicted_noise(x, x_0, alpha_bar):
    """epsilon_theta, of x_t and x_theta (N, H, W, C)."""
    return (x - np.sqrt(alpha_bar) * x_0) / np.sqrt(1 - alpha_bar)


def ddim_step(x, epsilon, alpha_bar, alpha_bar_to, sigma=0.0, noise=0.0, clip=True):
    """One step from t to s: NumPy images and predicted noise (N, H, W, C), alpha_bar at both times.

    Args:
        clip: whether x_0 is brought into [-1, 1], and the noise with it. Defaults to `True`.
    """
    x_0 = (x - np.sqrt(1 - alpha_bar) * epsilon) / np.sqrt(alpha_bar)
    if clip:
        x_0 = np.clip(x_0, -1, 1)
        epsilon = predicted_noise(x, x_0, alpha_bar)
    rest = np.sqrt(np.maximum(1 - alpha_bar_to - sigma**2, 0.0))
    return np.sqrt(alpha_bar_to) * x_0 + rest * epsilon + sigma * noise


def ddim(predict_noise, x, alpha_bar, timesteps, rng, eta=0.0):
    """x_T to images.

    Args:
        predict_noise: function of x_t (N, H, W, C) and t, an int, to epsilon_theta.
        x: NumPy array (N, H, W, C).
        alpha_bar: (T + 1,).
        timesteps: int array, from T down to 0.
        rng: `numpy.random.Generator`, of the noise that is added.
        eta: float in [0, 1]: 0 for no noise, 1 for Ho's (equation 16 of Song 2021). Defaults to `0.0`.
    """
    for t, s in itertools.pairwise(timesteps):
        a, a_to = alpha_bar[t], alpha_bar[s]
        sigma = eta * np.sqrt((1 - a_to) / (1 - a) * (1 - a / a_to))
        noise = rng.standard_normal(x.shape) if sigma else 0.0
        x = ddim_step(x, predict_noise(x, t), a, a_to, sigma, noise)
    return x


def dpm_solver(predict_noise, x, alpha_bar, timesteps, rng):
    """As `ddim`, of second order: DPM-Solver++(2M) of Lu 2022. With lambda = log(SNR) / 2 and h its change,

        x_s = sigma_s / sigma_t x_t - sqrt(alpha_bar_s) (exp(-h) - 1) D,   D = x_0 + h / (2 h_before) (x_0 - x_0_before)

    D = x_0 in the first step, and in the last, whose h is infinite."""
    before = None  # x_0 and h of the step before
    for t, s in itertools.pairwise(timesteps):
        a, a_to = alpha_bar[t], alpha_bar[s]
        x_0 = (x - np.sqrt(1 - a) * predict_noise(x, t)) / np.sqrt(a)
        if a_to == 1.0:
            return x_0
        h = 0.5 * (np.log(a_to / (1 - a_to)) - np.log(a / (1 - a)))
        d = x_0 if before is None else x_0 + h / (2 * before[1]) * (x_0 - before[0])
        before = x_0, h
        x = np.sqrt((1 - a_to) / (1 - a)) * x - np.sqrt(a_to) * np.expm1(-h) * d
    return x


@keras.saving.register_keras_serializable("ganedu")
class Diffusion(DenoisingModel):
    """A diffusion model.

    Args:
        network: Keras model, `[x, t / T]` -> (B, H, W, C), x_theta.
        num_timesteps: int, T. Defaults to `1000`.
        shift: float > 0, k. Defaults to `3.0`.
        ema_momentum, seed: as for `DenoisingModel`.
    """

    samplers = {"ddim": ddim, "ddpm": functools.partial(ddim, eta=1.0), "dpm_solver": dpm_solver}
    sampler, sampling_steps = "dpm_solver", 12

    def __init__(self, network, num_timesteps=1000, shift=3.0, ema_momentum=0.998, seed=0):
        super().__init__(network, ema_momentum, seed)
        if not shift > 0:
            raise ValueError(f"`shift` must be above 0. Received: shift={shift}")
        self.num_timesteps, self.shift = num_timesteps, shift
        self.alpha_bar = shift_alpha_bar(cosine_alpha_bar(num_timesteps), shift)
        self.sampling_steps = min(self.sampling_steps, num_timesteps)

    def compute_losses(self, x, training, *conditions):
        t = 1.0 + ops.floor(self.uniform_times(x) * self.num_timesteps)  # 1, ..., T
        alpha_bar = ops.take(
            ops.convert_to_tensor(self.alpha_bar, dtype="float32"), ops.cast(t, "int32")
        )
        x_t = q_sample(x, self.normal_like(x), alpha_bar[:, None, None, None])
        predicted = self.network([x_t, t / self.num_timesteps, *conditions], training=training)
        return {"loss": ops.mean(ops.square(x - predicted))}

    def sample_from(self, x, steps, sampler=None, predict=None, seed=0):
        """As `DenoisingModel.sample_from`, over `steps` of the T times; more are a `UsageError`."""
        sampler, predict = self.resolve_sampler(sampler), predict or self.predict_image
        if steps > self.num_timesteps:
            raise UsageError(
                f"There are {self.num_timesteps} times to sample at. Received: steps={steps}"
            )

        def predict_noise(x, t):
            return predicted_noise(x, predict(x, t / self.num_timesteps), self.alpha_bar[t])

        timesteps = np.linspace(self.num_timesteps, 0, steps + 1).round().astype(int)
        rng = np.random.default_rng(seed)
        return sampler(predict_noise, np.asarray(x, "float64"), self.alpha_bar, timesteps, rng)

    def predict_noise(self, x, t, *conditions):
        """epsilon_theta of the averaged network, on NumPy images (N, H, W, C) at one time t / T."""
        alpha_bar = self.alpha_bar[round(t * self.num_timesteps)]
        return predicted_noise(x, self.predict_output(x, t, *conditions), alpha_bar)


@keras.saving.register_keras_serializable("ganedu")
class ConditionalDiffusion(GuidedModel, Diffusion):
    """A `Diffusion` of classes: `generate(count, labels=...)`; arguments as for `GuidedModel` and `Diffusion`."""


def build(
    image_shape,
    num_classes=None,
    width=16,
    units=64,
    num_timesteps=1000,
    shift=3.0,
    learning_rate=6e-3,
    ema_momentum=0.998,
    seed=0,
):
    """A compiled diffusion model for images (H, W, C), with Muon; of classes, if it is given their number."""
    network = networks.denoiser(image_shape, width, units, num_classes)
    kind = Diffusion if num_classes is None else ConditionalDiffusion
    model = kind(
        network, num_timesteps=num_timesteps, shift=shift, ema_momentum=ema_momentum, seed=seed
    )
    return model.compile_with(Muon, learning_rate)
