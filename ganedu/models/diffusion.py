"""Diffusion (DDPM, DDIM): noise prediction with a cosine schedule (Ho 2020, Song 2021).

With alpha_bar_t from 1 down to 0, x_t = sqrt(alpha_bar_t) x + sqrt(1 - alpha_bar_t) epsilon, epsilon ~ N(0, I):

    minimize  E_{x, t, epsilon} ||epsilon - epsilon_theta(x_t, t)||^2                  (Ho 2020, equation 14)
    alpha_bar_t = f(t) / f(0),  f(t) = cos^2((t / T + s) / (1 + s) pi / 2), s = 0.008  (Nichol 2021, equation 17)

Sampling goes back from x_T ~ N(0, I) over a few of the times, from t to s (Song 2021, equation 12):

    x_0 = (x_t - sqrt(1 - alpha_bar_t) epsilon_theta) / sqrt(alpha_bar_t)
    x_s = sqrt(alpha_bar_s) x_0 + sqrt(1 - alpha_bar_s - sigma^2) epsilon_theta + sigma epsilon

sigma = 0 (DDIM) makes the sample a function of x_T: a latent space.

Departures:
    Sampling is DDIM over 20 of the times by default; Ho's Algorithm 2 is `sample_from(x, T,
    eta=1.0)`. x_0 is clipped to [-1, 1] at each step. The schedule is Nichol's; the variance is
    not learnt. The network is a small U-Net without attention, with dense layers over its
    smallest map; the moving average has momentum 0.995, not 0.9999.

Reference:
    Ho, Jain and Abbeel 2020, "Denoising diffusion probabilistic models", Algorithm 1,
    arXiv:2006.11239; Nichol and Dhariwal 2021, arXiv:2102.09672; Song, Meng and Ermon 2021,
    "Denoising diffusion implicit models", arXiv:2010.02502.
"""

import itertools

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.engine import DenoisingModel, FusedAdam
from ganedu.runtime import UsageError

FAMILY = "diffusion and flows"


def cosine_alpha_bar(num_timesteps):
    """alpha_bar_0, ..., alpha_bar_T of the cosine schedule, (T + 1,), float64; the last is kept
    above 0 by beta_t <= 0.999."""
    f = np.cos((np.arange(num_timesteps + 1) / num_timesteps + 0.008) / 1.008 * np.pi / 2) ** 2
    beta = np.minimum(1 - f[1:] / f[:-1], 0.999)
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


def q_sample(x, epsilon, alpha_bar):
    """x_t, of images and noise (B, H, W, C) and alpha_bar_t (B, 1, 1, 1)."""
    return ops.sqrt(alpha_bar) * x + ops.sqrt(1.0 - alpha_bar) * epsilon


def ddim_step(x, epsilon, alpha_bar, alpha_bar_to, sigma=0.0, noise=0.0, clip=True):
    """One step from t to s: NumPy images and predicted noise (N, H, W, C), alpha_bar at both times.

    Args:
        clip: whether x_0 is brought into [-1, 1], and the noise with it. Defaults to `True`.
    """
    x_0 = (x - np.sqrt(1 - alpha_bar) * epsilon) / np.sqrt(alpha_bar)
    if clip:
        x_0 = np.clip(x_0, -1, 1)
        epsilon = (x - np.sqrt(alpha_bar) * x_0) / np.sqrt(1 - alpha_bar)
    rest = np.sqrt(np.maximum(1 - alpha_bar_to - sigma**2, 0.0))
    return np.sqrt(alpha_bar_to) * x_0 + rest * epsilon + sigma * noise


@keras.saving.register_keras_serializable("ganedu")
class Diffusion(DenoisingModel):
    """A `DenoisingModel` that predicts noise.

    Args:
        num_timesteps: int, T. Defaults to `1000`.
        Others as for `DenoisingModel`.
    """

    def __init__(self, network, num_timesteps=1000, ema_momentum=0.995, seed=0):
        super().__init__(network, ema_momentum, seed)
        self.num_timesteps, self.alpha_bar = num_timesteps, cosine_alpha_bar(num_timesteps)
        self.sampling_steps = min(self.sampling_steps, num_timesteps)

    def compute_losses(self, x, training):
        t = 1.0 + ops.floor(self.uniform_times(x) * self.num_timesteps)  # 1, ..., T
        epsilon = self.normal_like(x)
        alpha_bar = ops.take(
            ops.convert_to_tensor(self.alpha_bar, dtype="float32"), ops.cast(t, "int32")
        )
        x_t = q_sample(x, epsilon, alpha_bar[:, None, None, None])
        predicted = self.network([x_t, t / self.num_timesteps], training=training)
        return {"loss": ops.mean(ops.square(epsilon - predicted))}

    def sample_from(self, x, steps, eta=0.0, seed=0):
        """x_T (N, H, W, C) to images, over `steps` times.

        Args:
            steps: int from 1 to T.
            eta: float in [0, 1]: 0 for DDIM, 1 for the noise of Ho 2020 (equation 16 of Song 2021).
                Defaults to `0.0`.

        Raises:
            UsageError: for more steps than there are times.
        """
        if steps > self.num_timesteps:
            raise UsageError(
                f"There are {self.num_timesteps} times to sample at. Received: steps={steps}"
            )
        rng = np.random.default_rng(seed)
        timesteps = np.linspace(self.num_timesteps, 0, steps + 1).round().astype(int)
        for t, s in itertools.pairwise(timesteps):
            a, a_to = self.alpha_bar[t], self.alpha_bar[s]
            sigma = eta * np.sqrt((1 - a_to) / (1 - a) * (1 - a / a_to))
            noise = rng.standard_normal(x.shape) if sigma else 0.0
            x = ddim_step(x, self.predict_noise(x, t / self.num_timesteps), a, a_to, sigma, noise)
        return x

    def predict_noise(self, x, t):
        """epsilon_theta of the averaged network, on NumPy images (N, H, W, C) at one time t / T."""
        return self.predict_output(x, t)


def build(
    image_shape,
    width=32,
    units=512,
    num_timesteps=1000,
    learning_rate=2e-3,
    ema_momentum=0.995,
    seed=0,
):
    """A compiled diffusion model for images (H, W, C), with Adam."""
    model = Diffusion(
        networks.denoiser(image_shape, width, units),
        num_timesteps=num_timesteps,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(FusedAdam, learning_rate)
