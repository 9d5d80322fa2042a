"""Captioner: a CNN encoder and an attentive transformer decoder (Xu 2015, Vaswani 2017).

The encoder makes a map of features a_1 ... a_P of an image, one for each place; the decoder tells the next word
from those before it and from the map, on which it lays a weight alpha at each word:

    minimize  -sum_t log p(w_t | a, w_1 ... w_{t-1})                       (Xu 2015, equation 14 without its last term)
    c_t = sum_i alpha_{t,i} a_i,   alpha_t = softmax_i(q_t . k_i / sqrt(d))    (Vaswani 2017, equation 1)

Describing, greedy search takes the likeliest word each time; beam search keeps the b likeliest beginnings, and so finds
sentences whose first word was not the likeliest.

Departures:
    The decoder is a transformer in the place of the paper's LSTM, with normalization before
    each block; there is no hard attention and no doubly stochastic term; the encoder is small
    and trained from nothing, not a pretrained VGG; captions come from averaged weights.

Reference:
    Xu, Ba, Kiros, Cho, Courville, Salakhutdinov, Zemel and Bengio 2015, "Show, attend and tell",
    arXiv:1502.03044; Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.data.captions.tokenizer import PAD
from ganedu.devices import replicas
from ganedu.engine import CaptioningModel, FusedAdam, GenerativeModel, check_same_shape, functional

FAMILY = "words"


def caption_loss(logits, tokens):
    """The mean of -log softmax(logits)_word over the words that are not padding: (B, L, V), int32 (B, L)."""
    said = ops.cast(ops.not_equal(tokens, PAD), "float32")
    own = keras.losses.sparse_categorical_crossentropy(tokens, logits, from_logits=True)  # (B, L)
    return replicas.total(ops.sum(said * own)) / replicas.total(ops.sum(said))


@keras.saving.register_keras_serializable("ganedu")
class Captioner(CaptioningModel, GenerativeModel):
    """One player of two networks: `caption(images)`, `attention(images, texts)`.

    Args:
        encoder: Keras model, images (B, H, W, C) in [-1, 1] -> map (B, h, w, c).
        decoder: Keras model, `[map, tokens]` -> `[logits, weights]`, (B, L, V) and alpha, (B, L, h w).
        ema_momentum: float in [0, 1), of the averaged networks, which describe. Defaults to `0.995`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for networks that do not fit together.
    """

    players = {"optimizer": ("encoder", "decoder")}
    log_names = ("loss",)
    forms = {"decoder": "map, tokens -> logits, weights"}

    def __init__(self, encoder, decoder, ema_momentum=0.995, seed=0):
        super().__init__(seed=seed)
        encoder, decoder = functional(self.forms, encoder=encoder, decoder=decoder)
        read = decoder.input_shape[0]
        check_same_shape({"the encoder's map": encoder.output_shape, "the decoder's": read})
        self.encoder, self.decoder, self.ema_momentum = encoder, decoder, ema_momentum
        self.ema_encoder = self.ema_copy(encoder)
        self.ema_decoder = self.ema_copy(decoder)

    def compute_losses(self, x, tokens, training):
        places = self.encoder(x, training=training)
        logits, _ = self.decoder([places, tokens[:, :-1]], training=training)
        return {"loss": caption_loss(logits, tokens[:, 1:])}

    def train_step(self, data):
        x, tokens = self.unpack(data)
        losses = self.minimize(
            lambda: self.compute_losses(x, tokens, training=True),
            (self.encoder, self.decoder),
            self.optimizer,
        )
        self.update_ema(self.encoder, self.ema_encoder, self.ema_momentum)
        self.update_ema(self.decoder, self.ema_decoder, self.ema_momentum)
        return self.log(losses)

    def test_step(self, data):
        x, tokens = self.unpack(data)
        return self.log(self.compute_losses(x, tokens, training=False))

    def call(self, x, training=False):
        return self.ema_encoder(x, training=training)


def build(
    image_shape, length=28, width=32, text_width=96, learning_rate=1e-3, ema_momentum=0.995, seed=0
):
    """A compiled captioner for captioned images (H, W, C), with Adam."""
    encoder = networks.image_encoder(image_shape, width)
    decoder = networks.caption_decoder(
        encoder.output_shape[1:], len(Captioner.tokenizer), length - 1, text_width
    )
    model = Captioner(encoder, decoder, ema_momentum=ema_momentum, seed=seed)
    return model.compile_with(FusedAdam, learning_rate)
