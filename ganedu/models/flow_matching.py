"""Flow matching: velocities on straight conditional paths, sampled by Euler or Heun (Lipman 2023).

x_0 ~ N(0, I) is noise and x_1 an image; on the straight path between them

    x_t = (1 - t) x_0 + t x_1,   u = x_1 - x_0         (equations 22 and 23, with sigma_min = 0)
    minimize  E_{t, x_0, x_1} ||v_theta(x_t, t) - u||^2

Sampling follows dx/dt = v_theta(x, t) from t = 0 to 1, with a step h:

    Euler   x + h v(x, t)
    Heun    x + h/2 (v(x, t) + v(x + h v(x, t), t + h))

Departures:
    sigma_min = 0, so the paths are those of rectified flow. Only the conditional paths are
    straight: those that sampling follows bend, which is what Heun's method is for. Fixed steps
    in the place of an adaptive solver; the network is that of `diffusion`.

Reference:
    Lipman, Chen, Ben-Hamu, Nickel and Le 2023, "Flow matching for generative modeling", section
    4.1, example II, arXiv:2210.02747; Liu, Gong and Liu 2023, "Flow straight and
    fast: learning to generate and transfer data with rectified flow", arXiv:2209.03003.
"""

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.engine import DenoisingModel, FusedAdam

FAMILY = "diffusion and flows"


def euler(velocity, x, steps):
    """Follows `velocity(x, t)` from t = 0 to 1: one evaluation a step."""
    h = 1.0 / steps
    for i in range(steps):
        x = x + h * velocity(x, i * h)
    return x


def heun(velocity, x, steps):
    """As `euler`, with the mean of the velocities at both ends of a step: two evaluations a step."""
    h = 1.0 / steps
    for i in range(steps):
        v = velocity(x, i * h)
        x = x + h / 2 * (v + velocity(x + h * v, (i + 1) * h))
    return x


@keras.saving.register_keras_serializable("ganedu")
class FlowMatching(DenoisingModel):
    """A `DenoisingModel` that predicts velocities."""

    def compute_losses(self, x, training):
        t, x_0 = self.uniform_times(x), self.normal_like(x)
        share = t[:, None, None, None]
        predicted = self.network([(1.0 - share) * x_0 + share * x, t], training=training)
        return {"loss": ops.mean(ops.square(predicted - (x - x_0)))}

    def sample_from(self, x, steps, method=euler):
        """Noise (N, H, W, C) to images by `euler` or `heun`."""
        return method(self.predict_velocity, np.asarray(x, "float64"), steps)

    def predict_velocity(self, x, t):
        """v_theta of the averaged network, on NumPy images (N, H, W, C) at one time t."""
        return self.predict_output(x, t)


def build(image_shape, width=32, units=512, learning_rate=2e-3, ema_momentum=0.995, seed=0):
    """A compiled flow for images (H, W, C), with Adam."""
    model = FlowMatching(
        networks.denoiser(image_shape, width, units), ema_momentum=ema_momentum, seed=seed
    )
    return model.compile_with(FusedAdam, learning_rate)
