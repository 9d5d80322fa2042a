"""The tokenizer, and the text encoder on the backend of this process."""

import keras
import numpy as np
import pytest
from keras import ops

from ganedu.data.captions.tokenizer import PAD, Tokenizer
from ganedu.layers import PositionEmbedding
from ganedu.networks.text_encoder import text_encoder
from ganedu.runtime import UsageError

TEXTS = ["a thick red three", "a thick red three to the left of a small green seven", "a three"]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer()


@pytest.fixture(scope="module")
def encoder(tokenizer):
    keras.utils.set_random_seed(0)
    return text_encoder(len(tokenizer), 16, width=24, blocks=2, heads=3)


def pooled_of(encoder, tokens):
    return [ops.convert_to_numpy(a) for a in encoder(tokens, training=False)]


class TestTokenizer:
    def test_by_hand(self):
        small = Tokenizer(("red", "three"))
        assert len(small) == 6
        # start, red = 4, three = 5, end, padding; what is not known is 3
        tokens = small.encode(["red three", "Three!", "a red"], 5)
        assert tokens.dtype == np.int32
        np.testing.assert_array_equal(tokens, [[1, 4, 5, 2, 0], [1, 5, 2, 0, 0], [1, 3, 4, 2, 0]])
        assert small.decode(tokens) == ["red three", "three", "<unknown> red"]

    def test_what_was_written_comes_back(self, tokenizer):
        tokens = tokenizer.encode(TEXTS)
        assert tokens.shape == (3, 12 + 2)
        assert tokenizer.decode(tokens) == TEXTS
        np.testing.assert_array_equal(tokenizer.encode(TEXTS, 20)[:, :14], tokens)
        assert (tokenizer.encode(TEXTS, 20)[:, 14:] == PAD).all()

    def test_what_follows_the_end_is_not_read(self, tokenizer):
        tokens = tokenizer.encode(["a red three"], 8)
        tokens[0, 5:] = tokens[0, 2]
        assert tokenizer.decode(tokens) == ["a red three"]
        assert tokenizer.decode(tokens[:, :3]) == ["a red"]  # no end

    def test_unknown_words_are_named(self, tokenizer):
        assert tokenizer.unknown(TEXTS) == ()
        assert tokenizer.unknown(["a zebra", "a blue, Aardvark three"]) == ("aardvark", "zebra")

    def test_a_text_without_words_is_start_and_end(self, tokenizer):
        np.testing.assert_array_equal(tokenizer.encode(["", " ,"], 3), [[1, 2, 0], [1, 2, 0]])
        assert tokenizer.decode([[1, 2, 0]]) == [""]
        assert tokenizer.encode([], 4).shape == (0, 4)

    @pytest.mark.parametrize(
        ("act", "message"),
        [
            (lambda t: t.encode(TEXTS, 12), r"at most 10 words\. Received: 12 in 'a thick red"),
            (lambda t: t.encode("a three"), r"sequence of str\. Received: the one str 'a three'"),
            (lambda t: t.unknown("a three"), r"sequence of str"),
            (lambda t: t.encode([3]), r"must be a str\. Received: 3"),
            (lambda t: t.decode([1, 2]), r"\(N, L\)\. Received: int64 \(2,\)"),
            (lambda t: t.decode([[0.5]]), r"Received: float64"),
            (lambda t: t.decode([[1, len(t)]]), r"Tokens must lie in \[0, \d+\)\. Received: 1 to"),
            (lambda t: t.decode([[-1]]), r"Received: -1 to -1"),
            (lambda t: Tokenizer(("red", "red")), r"distinct"),
            (lambda t: Tokenizer(("Red",)), r"small letters"),
        ],
    )
    def test_mistakes_are_named(self, act, message, tokenizer):
        with pytest.raises(UsageError, match=message):
            act(tokenizer)


class TestEncoder:
    def test_shapes(self, encoder, tokenizer):
        sequence, pooled = pooled_of(encoder, tokenizer.encode(TEXTS, 16))
        assert sequence.shape == (3, 16, 24)
        assert pooled.shape == (3, 48)

    def test_padding_changes_nothing(self, encoder, tokenizer):
        """The same weights in a longer network: a text in more padding."""
        long = text_encoder(len(tokenizer), 30, width=24, blocks=2, heads=3)
        for ours, theirs in zip(long.layers, encoder.layers, strict=True):
            values = theirs.get_weights()
            if isinstance(theirs, PositionEmbedding):
                values = [np.concatenate([values[0], np.full((14, 24), 7.0)])]
            ours.set_weights(values)
        sequence, pooled = pooled_of(encoder, tokenizer.encode(TEXTS, 16))
        further, again = pooled_of(long, tokenizer.encode(TEXTS, 30))
        np.testing.assert_allclose(again, pooled, atol=1e-5)
        np.testing.assert_allclose(further[:, :16], sequence, atol=1e-5)

    def test_its_own_places_are_0_and_what_is_pooled_leaves_them_out(self, encoder, tokenizer):
        tokens = tokenizer.encode(TEXTS, 16)
        sequence, pooled = pooled_of(encoder, tokens)
        there = tokens != PAD
        assert (sequence[~there] == 0).all()
        assert (np.abs(sequence[there]).max(axis=-1) > 1e-3).all()
        for row, used, found in zip(sequence, there, pooled, strict=True):
            expected = [row[used].mean(axis=0), row[used].max(axis=0)]
            np.testing.assert_allclose(found, np.concatenate(expected), atol=1e-5)

    def test_order_is_read_and_each_word_sees_the_later_ones(self, encoder, tokenizer):
        texts = ["a red three above a green one", "a green three above a red one"]
        sequence, pooled = pooled_of(encoder, tokenizer.encode(texts, 16))
        assert np.abs(pooled[0] - pooled[1]).max() > 1e-4
        texts = ["a red three above a green one", "a red three above a green two"]
        sequence, _ = pooled_of(encoder, tokenizer.encode(texts, 16))
        assert np.abs(sequence[0, 1] - sequence[1, 1]).max() > 1e-5

    def test_nothing_but_padding_is_finite(self, encoder):
        sequence, pooled = pooled_of(encoder, np.zeros((2, 16), "int32"))
        assert (sequence == 0).all()
        assert (pooled == 0).all()

    def test_a_file_holds_all_of_it(self, encoder, tokenizer, tmp_path):
        encoder.save(tmp_path / "encoder.keras")
        loaded = keras.models.load_model(tmp_path / "encoder.keras")
        tokens = tokenizer.encode(TEXTS, 16)
        for a, b in zip(pooled_of(encoder, tokens), pooled_of(loaded, tokens), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_a_width_that_heads_do_not_divide_is_refused(self):
        with pytest.raises(UsageError, match=r"multiple of the heads\. Received: 10 and 4"):
            text_encoder(9, 4, width=10)
