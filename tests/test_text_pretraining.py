"""A network learns from captions alone what they say."""

import random
import re

import keras
import numpy as np
import pytest
from keras import ops

from ganedu import networks
from ganedu.data.captions import scenes
from ganedu.data.captions.grammar import ATTRIBUTES, DIGITS, VALUES, Entity, Picture, parse, write
from ganedu.data.captions.tokenizer import Tokenizer
from ganedu.engine import pretrain_text_encoder
from ganedu.engine.text_pretraining import ANSWERS, attribute_classifier, attribute_labels
from ganedu.models import text_flow
from ganedu.runtime import UsageError

TOKENIZER = Tokenizer()


def small(length=28):
    keras.utils.set_random_seed(0)
    return networks.text_denoiser((16, 16, 3), len(TOKENIZER), length, 8, 8, text_width=16)


def test_meanings_by_hand():
    message = [
        parse("a thick red three to the right of a small green one"),
        parse("a 9 at the top"),
    ]
    assert ATTRIBUTES == ("kind", "colour", "size", "thickness", "slant", "place")
    # The one is on the left, so it comes first; what is not said is 0.
    assert attribute_labels(message).tolist() == [
        [2, 2, 1, 0, 0, 0, 4, 1, 0, 2, 0, 0, 1],
        [10, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_every_answer_has_a_place():
    pictures = [Picture((Entity(kind),)) for kind in VALUES["kind"]]
    assert attribute_labels(pictures)[:, 0].tolist() == list(range(1, ANSWERS))


def test_what_one_object_is_said_to_be_is_soon_read():
    network = small()
    before = [np.array(w) for w in network.get_layer("text_encoder").weights]
    drawing = [np.array(v) for v in network.get_layer("head").weights]
    reader = pretrain_text_encoder(network, TOKENIZER, 19_200)
    rng = random.Random("new")
    asked = scenes.sample(DIGITS, 200, seed=5, objects=(1,))
    words = TOKENIZER.encode([write(p, rng) for p in asked], 28)
    told = np.argmax(ops.convert_to_numpy(reader(words)), axis=-1)
    assert (told == attribute_labels(asked))[:, :6].mean() > 0.6  # 0.28 by chance
    # The network that generates is the one that reads, and nothing else in it has moved.
    after = network.get_layer("text_encoder").weights
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, map(np.array, after), strict=True))
    same = zip(drawing, network.get_layer("head").weights, strict=True)
    assert all(np.array_equal(a, b) for a, b in same)


def test_captions_are_those_of_the_seed_and_none_of_the_held_out(monkeypatch):
    read = []

    class Seen(Tokenizer):
        def encode(self, texts, length=None):
            read.append(texts)
            return super().encode(texts, length)

    monkeypatch.setattr(keras.Model, "fit", lambda *args, **options: None)
    for seed in (1, 1, 2):
        pretrain_text_encoder(small(), Seen(), 400, seed)
    assert read[0] == read[1] != read[2]
    pictures = [parse(text) for text in read[0]]
    assert len(pictures) == 400
    assert {len(p.entities) for p in pictures} == {1, 2}
    assert not any(scenes.is_held_out(e) for p in pictures for e in p.entities)


def test_texts_that_the_network_is_too_short_for_are_refused():
    with pytest.raises(UsageError, match="at most 10 words"):
        pretrain_text_encoder(small(length=12), TOKENIZER, 400)


def test_a_model_is_built_with_what_it_has_read():
    arguments = {"width": 8, "units": 8, "text_width": 8}

    def built(**more):
        keras.utils.set_random_seed(0)
        return text_flow.build((16, 16, 3), **arguments, **more)

    unread, model = built().network, built(pretrain_captions=64)
    moved = {
        now.path
        for then, now in zip(unread.weights, model.network.weights, strict=True)
        if np.any(np.array(then) != np.array(now))
    }
    assert any("text_embedding" in path for path in moved)
    assert not any(re.search(r"(^|/)head", path) for path in moved)
    for a, b in zip(model.network.weights, model.ema_network.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    heads = [v for v in model.network.trainable_variables if re.search(r"(^|/)head", v.path)]
    assert {v.path.split("/")[-2] for v in heads} == {"head", "head_gain_0", "head_where"}
    assert all(model.optimizer._should_use_adamw(v) for v in heads)  # and not Muon's
    assert attribute_classifier(model.network).output_shape == (None, 13, 17)
    assert int(model.steps) == 0
