"""What models of texts and images have in common, and what is asked of them once they are trained."""

import numpy as np
from keras import ops

from ganedu.data.captions.grammar import split
from ganedu.data.captions.scenes import complete_captions
from ganedu.data.captions.tokenizer import PAD, Tokenizer
from ganedu.data.images import validate_images
from ganedu.networks.beam_search import beam_search
from ganedu.networks.inference import predict_in_batches
from ganedu.runtime import UsageError


class TextModel:
    """A model whose steps take batches `(images, tokens)`, int32 words (B, L) as its `tokenizer` makes them. A
    subclass says how long a text is, `text_length`, and which images it takes, `image_shape`."""

    tokenizer = Tokenizer()

    @property
    def text_length(self):
        """L, with the marks of start and end."""
        raise NotImplementedError

    def prepare_dataset(self, dataset):
        return captioned(self, dataset).tokenized(self.tokenize)

    def tokenize(self, texts):
        """Texts to words, int32 (N, L) NumPy.

        Args:
            texts: sequence of N str, at least one.

        Raises:
            UsageError: for no texts, an empty one, words outside of the vocabulary, which are named, and
                a text that is too long.
        """
        unknown = self.tokenizer.unknown(texts)
        if unknown:
            raise UsageError(
                f"Words that the model does not know: {', '.join(unknown)}. "
                f"It knows: {', '.join(self.tokenizer.vocabulary)}"
            )
        tokens = self.tokenizer.encode(texts, self.text_length)
        if not len(tokens) or (tokens != PAD).sum(axis=1).min() <= 2:
            raise UsageError(f"A text must have at least one word. Received: {list(texts)!r}")
        return tokens

    @property
    def null_tokens(self):
        """The words of the empty text, int32 (1, L): nothing is said."""
        return self.tokenizer.encode([""], self.text_length)

    def validate_images(self, images):
        """Images as float32 NumPy (N, H, W, C).

        Raises:
            UsageError: for another shape than the model's `image_shape`, and what
                `ganedu.data.images.check_scaled` refuses.
        """
        return validate_images(images, self.image_shape)


class TextToImageModel(TextModel):
    """A model that generates what a text says; a subclass says how, `decode_tokens`."""

    tasks = frozenset({"generate by text"})

    def decode_tokens(self, z, tokens, **options):
        """Latents (N, latent_dim) and words (N, L) to images (N, H, W, C) in [-1, 1], float32 NumPy."""
        raise NotImplementedError

    def decode(self, z, texts, **options):
        """As `decode_tokens`, of N texts."""
        return self.decode_tokens(z, self.tokenize(texts), **options)

    def generate(self, texts, seed=0, complete=True, **options):
        """Generates an image for each of N texts: (N, H, W, C), float32 in [-1, 1].

        Args:
            texts: sequence of N str.
            seed: int. Defaults to `0`.
            complete: bool, whether what a caption leaves open is drawn at random first, as
                `ganedu.data.captions.scenes.complete_captions` does, if it then still fits. Defaults to `True`.
            **options: those of the model's `decode_tokens`.

        Raises:
            UsageError: for texts that cannot be read, as `tokenize` says.
        """
        tokens = self.tokenize(texts)
        if complete:
            room = self.text_length - 2
            pairs = zip(texts, complete_captions(texts, seed), strict=True)
            tokens = self.tokenize([b if len(split(b)) <= room else a for a, b in pairs])
        return self.decode_tokens(self.latents(len(texts), seed), tokens, **options)

    def sample_grid(self, examples, seed=0):
        """Two rows, twice: samples of eight texts, over the images that they belong to."""
        x, tokens = (np.asarray(a[:16]) for a in examples)
        generated = self.decode_tokens(self.latents(16, seed), tokens)
        return np.concatenate([a[i : i + 8] for i in (0, 8) for a in (generated, x)]), 8


class CaptioningModel(TextModel):
    """A model with an `ema_encoder`, images to a map (B, h, w, c), and an `ema_decoder`, `[map, words so
    far]` to the next words' logits (B, L - 1, V) and where it looked for them (B, L - 1, h w)."""

    tasks = frozenset({"caption"})
    export_instead = "finds its words one by one", ("ema_encoder", "ema_decoder")

    @property
    def text_length(self):
        return self.ema_decoder.input_shape[1][-1] + 1  # the last word is never read

    @property
    def image_shape(self):
        return self.ema_encoder.input_shape[1:]

    def caption(self, images, beams=1):
        """What images (N, H, W, C) in [-1, 1] show: a list of N str.

        Args:
            beams: int: 1 for greedy search, more for beam search. Defaults to `1`.

        Raises:
            UsageError: for images of another shape or range.
        """
        places = np.repeat(self._places(images), beams, axis=0)

        def log_probabilities(tokens):
            t = tokens.shape[1]
            tokens = np.pad(tokens, ((0, 0), (0, self.text_length - 1 - t)), constant_values=PAD)
            logits, _ = self._decoded(places, tokens)
            return ops.convert_to_numpy(ops.log_softmax(logits[:, t - 1]))

        found, _ = beam_search(log_probabilities, len(images), self.text_length, beams)
        return self.tokenizer.decode(found)

    def attention(self, images, texts):
        """Where the decoder looks before it says each word of a text: float32 (N, L - 1, h, w), each map
        of sum 1; number t is that of word t, and of the end after the last."""
        return self._looks(images, self.tokenize(texts))

    def sample_grid(self, examples, seed=0):
        """Eight images, each in a row with where the decoder looks for the first seven words of its caption."""
        images, tokens = (np.asarray(a[:8]) for a in examples)
        return overlay_attention(images, self._looks(images, tokens)[:, :7]), 8

    def _places(self, images):
        return predict_in_batches(self.ema_encoder, self.validate_images(images))

    def _decoded(self, places, tokens):
        return predict_in_batches(self.ema_decoder, [places, tokens])

    def _looks(self, images, tokens):
        places = self._places(images)
        weights = self._decoded(places, tokens[:, :-1])[1]
        return weights.reshape(*weights.shape[:2], *places.shape[1:3])


class ContrastiveModel(TextModel):
    """A model with an `ema_image_tower` and an `ema_text_tower`, to vectors (B, dim) of one space."""

    tasks = frozenset({"compare"})
    export_instead = "compares with two networks", ("ema_image_tower", "ema_text_tower")

    @property
    def text_length(self):
        return self.ema_text_tower.input_shape[-1]

    @property
    def image_shape(self):
        return self.ema_image_tower.input_shape[1:]

    def embed_images(self, images):
        """Images (N, H, W, C) in [-1, 1] to unit vectors (N, dim), float32 NumPy."""
        return _embedded(self.ema_image_tower, self.validate_images(images))

    def embed_texts(self, texts):
        """N texts to unit vectors (N, dim), float32 NumPy."""
        return _embedded(self.ema_text_tower, self.tokenize(texts))

    def similarity(self, images, texts):
        """How well each of M texts fits each of N images: cosines (N, M)."""
        return self.embed_images(images) @ self.embed_texts(texts).T

    def sample_grid(self, examples, seed=0):
        """A row for each of eight captions: its own image, then the seven of the examples that fit it best."""
        images, tokens = (np.asarray(a) for a in examples)
        fit = _embedded(self.ema_text_tower, tokens[:8]) @ self.embed_images(images).T
        best = np.argsort(-fit, axis=1, kind="stable")[:, :7]
        return images[np.concatenate([np.arange(8)[:, None], best], axis=1).ravel()], 8


def captioned(model, dataset):
    """The data set.

    Raises:
        UsageError: if it has no captions.
    """
    if not hasattr(dataset, "captions"):
        raise UsageError(
            f"A {type(model).__name__} needs captions, as captioned_digits and scenes have them. "
            f"{dataset.name} has none"
        )
    return dataset


def overlay_attention(images, maps):
    """Images (N, H, W, C) in [-1, 1], each followed by itself as bright as T maps say: (N (T + 1), H, W, C).

    Args:
        maps: (N, T, h, w), not negative; h and w at most H and W. The largest of a map is full light.
    """
    images, maps = np.asarray(images, "float32"), np.asarray(maps, "float32")
    (height, width), (h, w) = images.shape[1:3], maps.shape[2:]
    rows, columns = np.arange(height) * h // height, np.arange(width) * w // width
    light = maps[:, :, rows[:, None], columns][..., None]
    light = 0.2 + 0.8 * light / light.max(axis=(2, 3), keepdims=True)
    shown = np.concatenate([images[:, None], (images[:, None] + 1) * light - 1], axis=1)
    return shown.reshape(-1, *images.shape[1:])


def _embedded(tower, inputs):
    found = predict_in_batches(tower, inputs)
    return found / np.linalg.norm(found, axis=1, keepdims=True)
