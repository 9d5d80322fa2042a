"""Diffusion (DDPM, DDIM): denoising along a cosine schedule (Ho 2020, Song 2021).

With alpha_bar_t from 1 down to 0, x_t = sqrt(alpha_bar_t) x + sqrt(1 - alpha_bar_t) epsilon, epsilon ~ N(0, I):

    minimize  E_{x, t, epsilon} ||epsilon - epsilon_theta(x_t, t)||^2                  (Ho 2020, equation 14)
    alpha_bar_t = f(t) / f(0),  f(t) = cos^2((t / T + s) / (1 + s) pi / 2), s = 0.008  (Nichol 2021, equation 17)

A network learns sooner to tell the image than the noise. The one follows from the other, and their errors are one up
to the signal-to-noise ratio, SNR_t = alpha_bar_t / (1 - alpha_bar_t) (Salimans 2022, section 4):

    epsilon_theta = (x_t - sqrt(alpha_bar_t) x_theta) / sqrt(1 - alpha_bar_t)
    ||epsilon - epsilon_theta||^2 = SNR_t ||x - x_theta||^2

What an image shows is settled while x_t is nearly noise, so SNR_t is divided by k^2 (Hoogeboom 2023, section 3).
With `num_classes` the network reads a label too (`ganedu.engine.GuidedModel`).

Sampling goes back from x_T ~ N(0, I) over a few of the times, from t to s (Song 2021, equation 12):

    x_s = sqrt(alpha_bar_s) x_theta + sqrt(1 - alpha_bar_s - sigma^2) epsilon_theta + sigma epsilon

sigma = 0 (`ddim`) makes the sample a function of x_T: a latent space. `ddpm` is Ho's Algorithm 2 over these times.
`dpm_solver` is of second order, from what was seen one step before (Lu 2022, algorithm 2).

Departures:
    `build` minimizes the error of x_theta, with k = 3; `prediction="noise", shift=1` is the paper.
    Sampling is over few of the times by default; all of them are `generate(count, 1000, "ddpm")`. The
    image is clipped to [-1, 1] at each step. The schedule is Nichol's; the variance is not learnt. A
    small U-Net without attention, trained by Muon (Jordan 2024), and a moving average of 0.998.

Reference:
    Ho, Jain and Abbeel 2020, "Denoising diffusion probabilistic models", Algorithms 1 and 2, arXiv:2006.11239;
    Nichol and Dhariwal 2021, arXiv:2102.09672; Song, Meng and Ermon 2021, arXiv:2010.02502; Salimans and Ho 2022,
    arXiv:2202.00512; Hoogeboom, Heek and Salimans 2023, arXiv:2301.11093; Lu et al. 2022, "DPM-Solver++",
    arXiv:2211.01095.
"""

import functools

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.engine import DenoisingModel, GuidedModel, Muon
from ganedu.runtime import UsageError
from ganedu.samplers import ddim, ddim_step, dpm_solver, predicted_noise

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


@keras.saving.register_keras_serializable("ganedu")
class Diffusion(DenoisingModel):
    """A diffusion model.

    Args:
        network: Keras model, `[x, t / T]` -> (B, H, W, C).
        num_timesteps: int, T. Defaults to `1000`.
        prediction: `"noise"` or `"image"`: what the network tells. Defaults to `"noise"`.
        shift: float > 0, k. Defaults to `1.0`.
        ema_momentum, seed: as for `DenoisingModel`.
    """

    samplers = {"ddim": ddim, "ddpm": functools.partial(ddim, eta=1.0), "dpm_solver": dpm_solver}
    predictions = "noise", "image"
    sampler, sampling_steps = "dpm_solver", 12

    def __init__(
        self,
        network,
        num_timesteps=1000,
        prediction="noise",
        shift=1.0,
        ema_momentum=0.998,
        seed=0,
    ):
        super().__init__(network, prediction, shift, ema_momentum, seed)
        self.num_timesteps = num_timesteps
        self.alpha_bar = shift_alpha_bar(cosine_alpha_bar(num_timesteps), shift)
        self.sampling_steps = min(self.sampling_steps, num_timesteps)

    def compute_losses(self, x, training, *conditions):
        t = 1.0 + ops.floor(self.uniform_times(x) * self.num_timesteps)  # 1, ..., T
        alpha_bar = ops.take(
            ops.convert_to_tensor(self.alpha_bar, dtype="float32"), ops.cast(t, "int32")
        )
        epsilon = self.normal_like(x)
        x_t = q_sample(x, epsilon, alpha_bar[:, None, None, None])
        output = self.network([x_t, t / self.num_timesteps, *conditions], training=training)
        target = x if self.prediction == "image" else epsilon
        return {"loss": ops.mean(ops.square(target - output))}

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

    def add_noise(self, x, noise, level):
        a = self.alpha_bar[round(level * self.num_timesteps)]
        return np.sqrt(a) * x + np.sqrt(1 - a) * noise

    def step(self, x, level, to, predict=None):
        t, s = max(1, round(level * self.num_timesteps)), round(to * self.num_timesteps)
        x_0 = (predict or self.predict_image)(x, t / self.num_timesteps)
        epsilon = predicted_noise(x, x_0, self.alpha_bar[t])
        return ddim_step(x, epsilon, self.alpha_bar[t], self.alpha_bar[s])

    def image_from(self, output, x, t):
        a = self.alpha_bar[round(t * self.num_timesteps)]
        return output if self.prediction == "image" else (x - np.sqrt(1 - a) * output) / np.sqrt(a)

    def predict_noise(self, x, t, *conditions):
        """epsilon_theta of the averaged network, on NumPy images (N, H, W, C) at one time t / T."""
        output = self.predict_output(x, t, *conditions)
        if self.prediction == "noise":
            return output
        return predicted_noise(x, output, self.alpha_bar[round(t * self.num_timesteps)])


@keras.saving.register_keras_serializable("ganedu")
class ConditionalDiffusion(GuidedModel, Diffusion):
    """A `Diffusion` of classes: `generate(count, labels=...)`; arguments as for `GuidedModel` and `Diffusion`."""


def build(
    image_shape,
    num_classes=None,
    width=16,
    units=64,
    num_timesteps=1000,
    prediction="image",
    shift=3.0,
    learning_rate=6e-3,
    ema_momentum=0.998,
    seed=0,
):
    """A compiled diffusion model for images (H, W, C), with Muon; of classes, if it is given their number."""
    network = networks.denoiser(image_shape, width, units, num_classes)
    kind = Diffusion if num_classes is None else ConditionalDiffusion
    options = {"num_timesteps": num_timesteps, "prediction": prediction, "shift": shift}
    model = kind(network, **options, ema_momentum=ema_momentum, seed=seed)
    return model.compile_with(Muon, learning_rate)
