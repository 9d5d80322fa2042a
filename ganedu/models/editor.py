"""Editor: flow matching that follows an editing instruction, or inpaints (Brooks 2023).

Pairs of an image y and what should come of it, x_1, and words c, an instruction ("make the three blue") or, where a
part of y is hidden by grey, what there is to see. The network of `text_flow` sees y too, in further channels:

    minimize  E_{t, x_0, (y, x_1, c)} w ||x_theta([x_t, y], t, c) - x_1||^2,  w as there

Sampling has one guidance, that of the words; c is now and then nothing in training, y never:

    x~ = x_theta([x_t, y], nothing) + s (x_theta([x_t, y], c) - x_theta([x_t, y], nothing))    (equation 3, s_I = 1)

Departures:
    A flow that predicts x in the pixels' own space, not a latent diffusion model; the pairs are
    made by a grammar; guidance is of the text alone; a fifth to a third of the pairs are
    inpainting, which the paper has not; sampling has 6 steps; the loss has `text_flow`'s weight.

Reference:
    Brooks, Holynski and Efros 2023, "InstructPix2Pix: learning to follow image editing
    instructions", sections 3.2 and 3.2.1, arXiv:2211.09800; Lipman et al. 2023, arXiv:2210.02747.
"""

import keras
import numpy as np
from keras import ops

from ganedu import networks
from ganedu.data.captions.instructions import WORDS
from ganedu.data.captions.tokenizer import Tokenizer
from ganedu.engine import Muon, captioned, cosine_decay
from ganedu.models.text_flow import TextFlow

FAMILY = "words"


@keras.saving.register_keras_serializable("ganedu")
class Editor(TextFlow):
    """A `TextFlow` with an image before its eyes: `edit(images, texts)`. Its steps take batches
    `(images, tokens)` of images (B, H, W, 2C), y and x_1 in one.

    Args:
        network: Keras model, `[x, t, tokens]` -> (B, H, W, C), x_t and y in one x (B, H, W, 2C).
        shift, condition_drop_prob: as for `TextFlow`.
        inpaint_prob: float in [0, 1], the share of pairs that are to be filled in. Defaults to `0.3`.
        Others as for `TextFlow`.
    """

    tasks = frozenset({"edit", "generate by text"})
    tokenizer, guidance, temperature = Tokenizer(WORDS), 1.5, 1.0

    def __init__(
        self,
        network,
        shift=5.0,
        condition_drop_prob=0.1,
        inpaint_prob=0.3,
        ema_momentum=0.998,
        seed=0,
    ):
        super().__init__(network, shift, condition_drop_prob, 0.0, ema_momentum, seed)
        self.inpaint_prob = inpaint_prob

    @property
    def batch_shapes(self):
        *sides, channels = self.image_shape
        return ((*sides, 2 * channels),)

    def prepare_dataset(self, dataset):
        return captioned(self, dataset).edit_pairs(self.tokenize, self.inpaint_prob)

    def compute_losses(self, inputs, training):
        both, tokens = inputs
        y, x = ops.split(both, 2, axis=-1)
        return {"loss": self.flow_loss(x, tokens, training, y)}

    def edit(self, images, texts, steps=None, guidance=None, seed=0, temperature=None):
        """What comes of N images when N texts are followed: float32 (N, H, W, C) in [-1, 1].

        Args:
            images: (N, H, W, C) in [-1, 1]; a part that is 0 in all channels is filled in.
            texts: sequence of N str: instructions, or of an image with a hidden part what it shows.
            steps: int. Defaults to `6`.
            guidance: float, s. Defaults to `1.5`.
            seed: int. Defaults to `0`.
            temperature: float, tau. Defaults to `1`.

        Raises:
            UsageError: for images of another shape or range, and texts that cannot be read.
        """
        y, tokens = self.validate_images(images), self.tokenize(texts)
        options = {"steps": steps, "guidance": guidance, "temperature": temperature}
        return self.decode_tokens(
            self.latents(len(y), seed), tokens, concat_condition=[y], **options
        )

    def decode_tokens(self, z, tokens, *, concat_condition=None, **options):
        """As `edit`, of latents and words (N, L). With nothing beside, of an image that is hidden as a
        whole: that is generation from a text."""
        concat_condition = (
            [np.zeros((len(z), *self.image_shape))]
            if concat_condition is None
            else concat_condition
        )
        return super().decode_tokens(z, tokens, concat_condition=concat_condition, **options)

    def sample_grid(self, examples, seed=0):
        """Three rows, twice: eight images, what comes of them, and what should."""
        y, x = np.split(np.asarray(examples[0][:16]), 2, axis=-1)
        generated = self.decode_tokens(
            self.latents(16, seed), np.asarray(examples[1][:16]), concat_condition=[y]
        )
        return np.concatenate([a[i : i + 8] for i in (0, 8) for a in (y, generated, x)]), 8


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
    seed=0,
):
    """A compiled editor of captioned images (H, W, C), with Muon, whose learning
    rate falls along a cosine within `decay_steps` steps, if they are given."""
    network = networks.text_denoiser(
        image_shape, len(Editor.tokenizer), length, width, units, text_width, image_shape[-1]
    )
    model = Editor(network, shift, ema_momentum=ema_momentum, seed=seed)
    return model.compile_with(Muon, cosine_decay(learning_rate, decay_steps))
