"""A captioner: a convolutional network sees, a transformer says what it sees, word by word, and shows where it looked.

The encoder makes a map of features a_1 ... a_P of an image, one for each place; the decoder tells the next word
from those before it and from the map, on which it lays a weight alpha at each word:

    minimize  -sum_t log p(w_t | a, w_1 ... w_{t-1})                       (Xu 2015, equation 14 without its last term)
    c_t = sum_i alpha_{t,i} a_i,   alpha_t = softmax_i(q_t . k_i / sqrt(d))    (Vaswani 2017, equation 1)

Describing, greedy search takes the likeliest word each time; beam search keeps the b likeliest beginnings, and so finds
sentences whose first word was not the likeliest.

Reference:
    Xu, Ba, Kiros, Cho, Courville, Salakhutdinov, Zemel and Bengio 2015, "Show, attend and tell",
    arXiv:1502.03044; Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.engine import DescribingModel, FusedAdam, GenerativeModel
from ganedu.text import PAD


def caption_loss(logits, words):
    """The mean of -log softmax(logits)_word over the words that are not padding: (B, L, V), int32 (B, L)."""
    said = ops.cast(ops.not_equal(words, PAD), "float32")
    own = keras.losses.sparse_categorical_crossentropy(words, logits, from_logits=True)  # (B, L)
    return ops.sum(said * own) / ops.sum(said)


@keras.saving.register_keras_serializable("ganedu")
class Captioner(DescribingModel, GenerativeModel):
    """One player of two networks: `describe(images)`, `attention(images, texts)`.

    Args:
        encoder: Keras model, images (B, H, W, C) in [-1, 1] -> map (B, h, w, c).
        decoder: Keras model, `[map, words]` -> `[logits, weights]`, (B, L, V) and alpha, (B, L, h w).
        ema_momentum: float in [0, 1), of the averaged networks, which describe. Defaults to `0.995`.
        seed: int in [0, 2**31). Defaults to `0`.
    """

    players = {"optimizer": ("encoder", "decoder")}
    log_names = ("loss",)

    def __init__(self, encoder, decoder, ema_momentum=0.995, seed=0):
        super().__init__(seed=seed)
        self.encoder, self.decoder, self.ema_momentum = encoder, decoder, ema_momentum
        self.averaged_encoder = self.averaged_copy(encoder)
        self.averaged_decoder = self.averaged_copy(decoder)

    def losses(self, x, words, training):
        places = self.encoder(x, training=training)
        logits, _ = self.decoder([places, words[:, :-1]], training=training)
        return {"loss": caption_loss(logits, words[:, 1:])}

    def train_step(self, data):
        x, words = self.unpack(data)
        losses = self.minimize(
            lambda: self.losses(x, words, training=True),
            (self.encoder, self.decoder),
            self.optimizer,
        )
        self.average(self.encoder, self.averaged_encoder, self.ema_momentum)
        self.average(self.decoder, self.averaged_decoder, self.ema_momentum)
        return self.log(losses)

    def test_step(self, data):
        x, words = self.unpack(data)
        return self.log(self.losses(x, words, training=False))

    def call(self, x, training=False):
        return self.averaged_encoder(x, training=training)


def build(
    image_shape, length=28, width=32, text_width=96, learning_rate=1e-3, ema_momentum=0.995, seed=0
):
    """A compiled captioner for captioned images (H, W, C), with Adam."""
    encoder = networks.image_reader(image_shape, width)
    decoder = networks.caption_decoder(
        encoder.output_shape[1:], len(Captioner.tokenizer), length - 1, text_width
    )
    model = Captioner(encoder, decoder, ema_momentum=ema_momentum, seed=seed)
    return model.compile_with(FusedAdam, learning_rate)
