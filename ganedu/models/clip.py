"""CLIP: an image and a text encoder, trained with a symmetric contrastive loss (Radford 2021).

Of a batch of N pairs, with unit vectors u_i of the images and v_i of the texts, and s_ij = exp(tau) u_i . v_j:

    minimize  1/2 [CE_i(s_i:, i) + CE_j(s_:j, j)]         (figure 3)

each image must find its own text among the batch's, and each text its image. exp(tau) is learnt, and at
most 100. The cosine is then a score of how well a text fits an image, and a way to look for either by the other.

Departures:
    Both encoders are small and trained from nothing on a few thousand pairs, batches have 128
    pairs and not 32,768, and there is no weight decay. Embeddings come from averaged weights.

Reference:
    Radford, Kim, Hallacy, Ramesh, Goh, Agarwal, Sastry, Askell, Mishkin, Clark, Krueger and Sutskever
    2021, "Learning transferable visual models from natural language supervision", arXiv:2103.00020.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.devices import replicas
from ganedu.engine import (
    ContrastiveModel,
    FusedAdam,
    GenerativeModel,
    check_same_shape,
    functional,
)
from ganedu.layers import Temperature
from ganedu.losses import info_nce, l2_normalize

FAMILY = "words"


@keras.saving.register_keras_serializable("ganedu")
class CLIP(ContrastiveModel, GenerativeModel):
    """One player of two networks and a scalar: `similarity(images, texts)`.

    Args:
        image_tower: Keras model, images (B, H, W, C) in [-1, 1] -> (B, dim).
        text_tower: Keras model, words int32 (B, L) -> (B, dim).
        ema_momentum: float in [0, 1), of the averaged towers, which are asked. Defaults to `0.995`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for networks that do not fit together.
    """

    players = {"optimizer": ("image_tower", "text_tower", "temperature")}
    log_names = ("loss", "retrieval_accuracy")

    def __init__(self, image_tower, text_tower, ema_momentum=0.995, seed=0):
        super().__init__(seed=seed)
        image_tower, text_tower = functional(
            self.forms, image_tower=image_tower, text_tower=text_tower
        )
        u, v = image_tower.output_shape, text_tower.output_shape
        check_same_shape({"the image tower's vectors": u, "the text tower's": v})
        self.image_tower, self.text_tower = image_tower, text_tower
        self.ema_momentum = ema_momentum
        self.ema_image_tower = self.ema_copy(image_tower)
        self.ema_text_tower = self.ema_copy(text_tower)
        self.temperature = Temperature()
        self.temperature.build()

    def compute_losses(self, x, tokens, training):
        u, v = self.image_tower(x, training=training), self.text_tower(tokens, training=training)
        u, v = replicas.gather(u), replicas.gather(v)
        nearest = ops.argmax(ops.matmul(l2_normalize(u), ops.transpose(l2_normalize(v))), axis=1)
        own = ops.equal(nearest, ops.cast(ops.arange(ops.shape(u)[0]), nearest.dtype))
        return {
            "loss": info_nce(u, v, self.temperature.value()),
            "retrieval_accuracy": ops.mean(ops.cast(own, "float32")),
        }

    def train_step(self, data):
        x, tokens = self.unpack(data)
        losses = self.minimize(
            lambda: self.compute_losses(x, tokens, training=True),
            (self.image_tower, self.text_tower, self.temperature),
            self.optimizer,
        )
        self.update_ema(self.image_tower, self.ema_image_tower, self.ema_momentum)
        self.update_ema(self.text_tower, self.ema_text_tower, self.ema_momentum)
        return self.log(losses)

    def test_step(self, data):
        x, tokens = self.unpack(data)
        return self.log(self.compute_losses(x, tokens, training=False))

    def call(self, x, training=False):
        return self.ema_image_tower(x, training=training)


def build(
    image_shape,
    length=28,
    width=32,
    text_width=64,
    dim=64,
    learning_rate=1e-3,
    ema_momentum=0.995,
    seed=0,
):
    """A compiled CLIP for captioned images (H, W, C), with Adam."""
    images = networks.image_tower(image_shape, dim, width)
    texts = networks.text_tower(len(CLIP.tokenizer), length, dim, text_width)
    model = CLIP(images, texts, ema_momentum=ema_momentum, seed=seed)
    return model.compile_with(FusedAdam, learning_rate)
