"""Flow matching: velocities on straight conditional paths, sampled by Euler or Heun (Lipman 2023).

x_0 ~ N(0, I) is noise and x_1 an image; on the straight path between them

    x_t = (1 - t) x_0 + t x_1,   u = x_1 - x_0         (equations 22 and 23, with sigma_min = 0)
    minimize  E_{t, x_0, x_1} ||v_theta(x_t, t) - u||^2

A network learns sooner to tell the image, of which most is black, than the velocity, half of which is noise. The one
follows from the other, and their errors are one up to a weight (Li 2025, section 3):

    v_theta(x_t, t) = (x_theta(x_t, t) - x_t) / (1 - t),   (1 - t)^2 ||v_theta - u||^2 = ||x_theta - x_1||^2

What an image shows is settled while x_t is nearly noise. So most times, in training and in sampling, are early ones:

    t = u / (u + k (1 - u)),   u uniform in [0, 1]                                   (Esser 2024, equation 23)

Sampling follows dx/dt = v_theta(x, t) from t = 0 to 1, with steps h:

    Euler   x + h v(x, t)
    Heun    x + h/2 (v(x, t) + v(x + h v(x, t), t + h))

With `num_classes` the network reads a label too, and sampling is guided (Ho 2022, `ganedu.engine.GuidedModel`).

Departures:
    sigma_min = 0, so the paths are those of rectified flow. Only the conditional paths are
    straight: those that sampling follows bend, which is what Heun's method is for. `build` minimizes the
    error of x_theta, with k = 3; `prediction="velocity", shift=1` is the paper. In sampling, what the
    network tells of the image is clipped to [-1, 1]. Fixed
    steps in the place of an adaptive solver; Heun's last is Euler's, since at t = 1 there is nothing
    left to see. A small U-Net, trained by Muon (Jordan 2024); samples are of a moving average.

Reference:
    Lipman, Chen, Ben-Hamu, Nickel and Le 2023, "Flow matching for generative modeling", section
    4.1, example II, arXiv:2210.02747; Liu, Gong and Liu 2023, "Flow straight and
    fast: learning to generate and transfer data with rectified flow", arXiv:2209.03003; Li and He 2025,
    "Back to basics: let denoising generative models denoise", arXiv:2511.13720; Esser et al. 2024,
    "Scaling rectified flow transformers", arXiv:2403.03206.
"""

import functools

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.engine import DenoisingModel, GuidedModel, Muon
from ganedu.samplers import euler, heun, shift_timesteps

FAMILY = "diffusion and flows"


@keras.saving.register_keras_serializable("ganedu")
class FlowMatching(DenoisingModel):
    """A flow from noise to images.

    Args:
        network: Keras model, `[x, t]` -> (B, H, W, C).
        prediction: `"velocity"` or `"image"`: whether the network is v_theta or x_theta. Defaults to `"velocity"`.
        shift: float > 0, k. Defaults to `1.0`.
        ema_momentum, seed: as for `DenoisingModel`.
    """

    samplers = {"euler": euler, "heun": functools.partial(heun, final_correction=False)}
    predictions = "velocity", "image"
    sampler, sampling_steps = "heun", 8

    def __init__(self, network, prediction="velocity", shift=1.0, ema_momentum=0.998, seed=0):
        super().__init__(network, prediction, shift, ema_momentum, seed)

    def compute_losses(self, x, training, *conditions):
        return {"loss": self.matching_loss(self.network, x, training, *conditions)}

    def matching_loss(self, network, x, training, *conditions):
        """The error of one network, for images (B, H, W, C) on their way from noise: a scalar."""
        t, x_0 = shift_timesteps(self.uniform_times(x), self.shift), self.normal_like(x)
        share = t[:, None, None, None]
        x_t = (1.0 - share) * x_0 + share * x
        output = network([x_t, t, *conditions], training=training)
        target = x if self.prediction == "image" else x - x_0
        return ops.mean(ops.square(output - target))

    def sample_from(self, x, steps, sampler=None, predict=None, seed=0):
        sampler, predict = self.resolve_sampler(sampler), predict or self.predict_image

        def velocity(x, t):
            return (predict(x, t) - x) / (1.0 - t)

        return sampler(velocity, np.asarray(x, "float64"), steps, self.shift)

    def add_noise(self, x, noise, level):
        t = shift_timesteps(1.0 - level, self.shift)
        return (1.0 - t) * noise + t * x

    def step(self, x, level, to, predict=None):
        t, later = (shift_timesteps(1.0 - u, self.shift) for u in (level, to))
        x_1 = (predict or self.predict_image)(x, t)
        return x + (later - t) * (x_1 - x) / (1.0 - t)

    def image_from(self, output, x, t):
        return output if self.prediction == "image" else x + (1.0 - t) * output

    def predict_velocity(self, x, t, *conditions):
        """v_theta of the averaged network, on NumPy images (N, H, W, C) at one time t. Of a network that tells the
        image 1 - t counts as 0.05 at least."""
        output = self.predict_output(x, t, *conditions)
        return output if self.prediction == "velocity" else (output - x) / max(1.0 - t, 0.05)


@keras.saving.register_keras_serializable("ganedu")
class ConditionalFlowMatching(GuidedModel, FlowMatching):
    """A `FlowMatching` of classes: `generate(count, labels=...)`; arguments as for `GuidedModel` and `FlowMatching`."""


def build(
    image_shape,
    num_classes=None,
    width=16,
    units=64,
    prediction="image",
    shift=3.0,
    learning_rate=6e-3,
    ema_momentum=0.998,
    seed=0,
):
    """A compiled flow for images (H, W, C), with Muon; of classes, if it is given their number."""
    network = networks.denoiser(image_shape, width, units, num_classes)
    kind = FlowMatching if num_classes is None else ConditionalFlowMatching
    model = kind(network, prediction=prediction, shift=shift, ema_momentum=ema_momentum, seed=seed)
    return model.compile_with(Muon, learning_rate)
