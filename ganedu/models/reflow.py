"""Reflow: a flow of straight paths, learned from the pairs that another flow makes (Liu 2023).

A flow that has learned to take noise to images (`flow_matching`, here the teacher) does so on paths that
bend. But each z_0 and the image z_1 to which the teacher takes it are a pair, and such pairs can be joined by
straight lines that hardly cross. A second flow learns those (the reflow procedure, algorithm 1):

    z_1 = ODE(z_0; teacher),   z_0 ~ N(0, I),   z_t = (1 - t) z_0 + t z_1
    minimize  E_{t, z_0} ||v_theta(z_t, t) - (z_1 - z_0)||^2                        (equation 1)

A straight path needs one step of Euler's method, x_1 = x_0 + v_theta(x_0, 0): in sampling the network is asked
once, where the teacher is asked twenty times.

Departures:
    Both learn in one run. The paper trains the teacher first, makes all pairs once, and begins the second flow
    from the first's weights; here pairs are those of the teacher's moving average, and each step takes
    `new_pairs` for the oldest, so that one is learned from `num_pairs / new_pairs` times. The networks tell
    the image, times are shifted, Muon: all as in `flow_matching`. Half of the times are 0, where one step
    begins (Lee, Lin and Fanti 2024 have more of the times at both ends). The teacher takes `pair_steps`
    steps of Euler's method. No perceptual loss, no distillation after it.

Reference:
    Liu, Gong and Liu 2023, "Flow straight and fast: learning to generate and transfer data with rectified
    flow", section 2, equation 1 and algorithm 1, arXiv:2209.03003; Lee, Lin and Fanti 2024, "Improving the
    training of rectified flows", arXiv:2405.20320.
"""

import itertools

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.engine import Muon, check_same_shape, functional
from ganedu.models.flow_matching import FlowMatching
from ganedu.networks.inference import predict_in_batches
from ganedu.samplers import shift_timesteps, timesteps

FAMILY = "diffusion and flows"
AT_NOISE = 0.5  # the share of times that are 0


@keras.saving.register_keras_serializable("ganedu")
class Reflow(FlowMatching):
    """Two flows: a teacher that learns from images, and one that learns from the teacher's pairs.

    Args:
        network: Keras model, `[x, t]` -> (B, H, W, C): the image, x_theta.
        teacher: another of that kind.
        num_pairs: int, at least `new_pairs`: pairs that a step learns from. Defaults to `32`.
        new_pairs: int, at least 1: how many of them are new. Defaults to `8`.
        pair_steps: int, at least 1: of the teacher for a pair. Defaults to `5`.
        shift, ema_momentum, seed: as for `FlowMatching`. `shift` defaults to `3.0`.

    Raises:
        ValueError: for networks that do not fit each other, and other numbers.
    """

    players = {"teacher_optimizer": ("teacher",), "student_optimizer": ("network",)}
    log_names = ("teacher_loss", "loss")
    forms = {"network": "x, t -> y", "teacher": "x, t -> y"}
    predictions = ("image",)
    sampler, sampling_steps = "euler", 1

    def __init__(
        self,
        network,
        teacher,
        num_pairs=32,
        new_pairs=8,
        pair_steps=5,
        shift=3.0,
        ema_momentum=0.998,
        seed=0,
    ):
        super().__init__(network, "image", shift, ema_momentum, seed)
        if not 1 <= new_pairs <= num_pairs or pair_steps < 1:
            raise ValueError(
                "`new_pairs` must lie in [1, num_pairs], and `pair_steps` be at least 1. "
                f"Received: new_pairs={new_pairs}, num_pairs={num_pairs}, pair_steps={pair_steps}"
            )
        self.network, self.teacher = functional(self.forms, network=network, teacher=teacher)
        check_same_shape({"network": self.noise_shape, "teacher": self.teacher.output_shape[1:]})
        self.ema_teacher = self.ema_copy(self.teacher)
        self.num_pairs, self.new_pairs, self.pair_steps = num_pairs, new_pairs, pair_steps
        shape = num_pairs, *self.noise_shape
        self.z_0 = keras.Variable(np.zeros(shape, "float32"), trainable=False, name="z_0")
        self.z_1 = keras.Variable(np.zeros(shape, "float32"), trainable=False, name="z_1")

    def make_pairs(self, count):
        """`count` noises z_0 and the images z_1 to which the teacher's average takes them: tensors."""
        z_0 = keras.random.normal((count, *self.noise_shape), seed=self.seed_generator)
        x = z_0
        for t, later in itertools.pairwise(timesteps(self.pair_steps, self.shift).tolist()):
            x_1 = self.ema_teacher([x, ops.full((count,), t)], training=False)
            x = x + (later - t) / (1.0 - t) * (ops.clip(x_1, -1.0, 1.0) - x)
        return ops.stop_gradient(z_0), ops.stop_gradient(x)

    def pair_loss(self, z_0, z_1, training):
        """The error of x_theta on the straight lines between pairs: that of v_theta up to a weight."""
        t = shift_timesteps(self.uniform_times(z_0), self.shift)
        t = ops.where(self.uniform_times(z_0) < AT_NOISE, 0.0, t)
        share = t[:, None, None, None]
        x_theta = self.network([(1.0 - share) * z_0 + share * z_1, t], training=training)
        return {"loss": ops.mean(ops.square(x_theta - z_1))}

    def teacher_losses(self, x, training):
        """Those of flow matching."""
        return {"teacher_loss": self.matching_loss(self.teacher, x, training)}

    def train_step(self, data):
        x, _ = self.unpack(data)
        taught = self.minimize(
            lambda: self.teacher_losses(x, training=True), self.teacher, self.teacher_optimizer
        )
        self.update_ema(self.teacher, self.ema_teacher, self.ema_momentum)
        for kept, new in zip((self.z_0, self.z_1), self.make_pairs(self.new_pairs), strict=True):
            kept.assign(ops.concatenate([new, kept.value[: self.num_pairs - self.new_pairs]]))
        z_0, z_1 = (replicas.cut(ops.stop_gradient(kept.value)) for kept in (self.z_0, self.z_1))
        losses = self.minimize(
            lambda: self.pair_loss(z_0, z_1, training=True), self.network, self.student_optimizer
        )
        self.update_ema(self.network, self.ema_network, self.ema_momentum)
        return self.log(taught | losses)

    def test_step(self, data):
        x, _ = self.unpack(data)
        losses = self.pair_loss(*self.make_pairs(self.new_pairs), training=False)
        return self.log(self.teacher_losses(x, training=False) | losses)

    def predict_by_teacher(self, x, t):
        """As `predict_image`, of the teacher's average."""
        inputs = [np.asarray(x, "float32"), np.full(len(x), t, "float32")]
        return np.clip(predict_in_batches(self.ema_teacher, inputs), -1.0, 1.0)

    def generate_by_teacher(self, count, steps=20, sampler=None, seed=0):
        """As `generate`, by the teacher: the same seed gives the same noise."""
        z = self.latents(count, seed)
        return self.decode_with(self.predict_by_teacher, z, steps, sampler, seed)


def build(
    image_shape,
    width=16,
    units=64,
    num_pairs=32,
    new_pairs=8,
    pair_steps=5,
    shift=3.0,
    learning_rate=6e-3,
    ema_momentum=0.998,
    seed=0,
):
    """A compiled `Reflow` for images (H, W, C): two networks of one size, each with Muon."""
    model = Reflow(
        networks.denoiser(image_shape, width, units),
        networks.denoiser(image_shape, width, units),
        num_pairs=num_pairs,
        new_pairs=new_pairs,
        pair_steps=pair_steps,
        shift=shift,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    return model.compile_with(Muon, learning_rate, learning_rate)
