"""Text flow: text-conditional flow matching with classifier-free guidance (Lipman 2023, Ho 2022).

Flow matching (`flow_matching`) with a text c. The network tells the image at the end of the path, which is mostly
black, and not the velocity, half of which is noise; the one follows from the other:

    x_t = (1 - t) x_0 + t x_1,   v = (x_theta(x_t, t, c) - x_t) / (1 - t)             (Li 2025, section 3)
    minimize  E_{t, x_0, x_1, c} w ||x_theta(x_t, t, c) - x_1||^2,  c = nothing with probability p,
    w = 1 / (Var(x_theta(x_t, t, c)) + 0.05)

Var is the variance of an image's own pixels. With w = 1 a small thin digit, a few bright pixels, weighs a fraction of
a large thick one, and is learnt last. The weight follows from what the network sees, x_t, t and c, and no gradient
goes through it, so what is learnt stays the mean of the images that x_t and c could become. (Var(x_1) in its place
would make it another mean, one in which dim images count more.)

Sampling goes, with a guidance s = 1 + w, from what any image would be to, and past, what an image of c would be:

    x~ = x_theta(x_t, t, nothing) + s (x_theta(x_t, t, c) - x_theta(x_t, t, nothing))      (Ho 2022, equation 6)

Larger s show more of what c says, and less variety. So does a lower temperature tau
of the noise that sampling begins with (1 in training):

    x_0 = tau z,   z ~ N(0, I)                                                        (Kingma 2018, section 6)

What is shown, where and in which colour is settled while x_t is nearly noise; later x_t shows it, and the text tells
nothing new. So most times, in training and in sampling, are early ones: for u uniform in [0, 1],

    t = u / (u + k (1 - u))                                                          (Esser 2024, equation 23)

Departures:
    The loss of Lipman and of Ho is of the velocity or the noise, with one weight for all; here it is
    of the image, with w. Temperature below 1 is Glow's, not flow matching's. Guidance is of what x
    would be, clipped to [-1, 1]. The network is a U-Net with a text encoder of its own, trained by
    Muon; captions of which attributes are left out, and adjectives in any order, are part of training,
    and what a caption leaves open is drawn before sampling (`generate(..., complete=False)` does not).

Reference:
    Ho and Salimans 2022, "Classifier-free diffusion guidance", algorithms 1 and 2, arXiv:2207.12598;
    Esser et al. 2024, "Scaling rectified flow transformers", section 5.3.2, arXiv:2403.03206;
    Kingma and Dhariwal 2018, "Glow", arXiv:1807.03039; Lipman et al. 2023, arXiv:2210.02747; Li and He
    2025, "Back to basics: let denoising generative models denoise", arXiv:2511.13720.
"""

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.engine import (
    DenoisingModel,
    Muon,
    TextToImageModel,
    captioned,
    classifier_free_guidance,
    cosine_decay,
    pretrain_text_encoder,
    validate_latents,
)
from ganedu.samplers import euler, shift_timesteps

FAMILY = "words"


# Added to the variance, which is about 0.02 of one small thin digit and 0.1 of a large thick one.
VARIANCE_FLOOR = 0.05


def variance_normalized_error(predicted, x):
    """The squared error of each image x (B, H, W, C), divided by the variance of the predicted one over its pixels and
    channels (and a little, for images of one colour), (B,). No gradient goes through the variance."""
    error = ops.mean(ops.square(predicted - x), axis=(1, 2, 3))
    variance = ops.var(ops.stop_gradient(predicted), axis=(1, 2, 3))
    return error / (variance + VARIANCE_FLOOR)


@keras.saving.register_keras_serializable("ganedu")
class TextFlow(TextToImageModel, DenoisingModel):
    """A flow with captions: `generate(texts)`.

    Args:
        network: Keras model, `[x, t, tokens]` -> (B, H, W, C), words int32 (B, L).
        shift: float, k, at least 1. Defaults to `5`.
        condition_drop_prob: float in [0, 1], p. Defaults to `0.1`.
        attribute_drop_prob: float in [0, 1], how often an attribute is left out of a caption in training, so that short
            texts are understood too, as `grammar.drop_attributes` has it. Defaults to `0.1`.
        ema_momentum, seed: as for `DenoisingModel`.
    """

    forms = {"network": "x, t, tokens -> y"}
    sampling_options = frozenset({"steps", "guidance", "temperature"})
    sampling_steps, guidance, temperature = 6, 2.0, 0.6

    def __init__(
        self,
        network,
        shift=5.0,
        condition_drop_prob=0.1,
        attribute_drop_prob=0.1,
        ema_momentum=0.998,
        seed=0,
    ):
        super().__init__(network, shift=shift, ema_momentum=ema_momentum, seed=seed)
        self.condition_drop_prob = condition_drop_prob
        self.attribute_drop_prob = attribute_drop_prob

    @property
    def text_length(self):
        return self.ema_network.input_shape[-1][-1]

    def prepare_dataset(self, dataset):
        return super().prepare_dataset(
            captioned(self, dataset).drop_attributes(self.attribute_drop_prob)
        )

    def unpack(self, data):
        """A batch as `([x, tokens], None)`."""
        return [*super().unpack(data)], None

    def compute_losses(self, inputs, training):
        return {"loss": self.flow_loss(*inputs, training)}

    def flow_loss(self, x, tokens, training, *concat_condition):
        """The loss of a batch; what the network sees beside x_t, as more channels, comes last."""
        t, x_0 = shift_timesteps(self.uniform_times(x), self.shift), self.normal_like(x)
        silent = self.uniform_times(x)[:, None] < (self.condition_drop_prob if training else 0.0)
        tokens = ops.where(silent, self.null_tokens, tokens)
        share = t[:, None, None, None]
        x_t = ops.concatenate([(1.0 - share) * x_0 + share * x, *concat_condition], axis=-1)
        predicted = self.network([x_t, t, tokens], training=training)
        return ops.mean(variance_normalized_error(predicted, x))

    def decode_tokens(
        self, z, tokens, steps=None, guidance=None, temperature=None, concat_condition=()
    ):
        """Latents (N, H W C) and words (N, L) to images, in `steps` steps (6), with the guidance s (2) and
        the temperature tau (0.6)."""
        scale = self.guidance if guidance is None else guidance
        size = self.temperature if temperature is None else temperature
        null_tokens = np.repeat(self.null_tokens, len(tokens), axis=0)
        z = validate_latents(z, self.latent_dim).astype("float64")
        x = size * z.reshape(len(tokens), *self.image_shape)

        def velocity(x, t):
            x_t = np.concatenate([x, *concat_condition], axis=-1)
            pair = (self.predict_image(x_t, t, c) for c in (tokens, null_tokens))
            x_1 = np.clip(classifier_free_guidance(*pair, scale), -1.0, 1.0)
            return (x_1 - x) / (1.0 - t)

        x = euler(velocity, x, self.resolve_steps(steps), self.shift)
        return x.astype("float32")

    def predict_image(self, x, t, tokens):
        """x_theta of the averaged network, on NumPy images (N, H, W, C) at one time t; it is clipped once it is
        guided."""
        return self.predict_output(x, t, tokens)


def build(
    image_shape,
    length=28,
    width=32,
    units=128,
    text_width=64,
    shift=5.0,
    learning_rate=6e-3,
    decay_steps=None,
    ema_momentum=0.998,
    pretrain_captions=0,
    seed=0,
):
    """A compiled flow for captioned images (H, W, C), with Muon, whose learning
    rate falls along a cosine within `decay_steps` steps, if they are given. Its network has learnt to read from
    `pretrain_captions` captions, if they are any: `pretrain_text_encoder`."""
    network = networks.text_denoiser(
        image_shape, len(TextFlow.tokenizer), length, width, units, text_width
    )
    if pretrain_captions:
        pretrain_text_encoder(network, TextFlow.tokenizer, pretrain_captions, seed)
    model = TextFlow(network, shift, ema_momentum=ema_momentum, seed=seed)
    return model.compile_with(Muon, cosine_decay(learning_rate, decay_steps))
