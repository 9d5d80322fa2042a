"""What is asked of captioned pictures, what comes of it, and captioned data by name."""

import dataclasses
import random

import numpy as np
import pytest

from ganedu import data
from ganedu.data.captions import scenes as captioned
from ganedu.data.captions.grammar import DIGITS, SHAPES, VALUES, Picture
from ganedu.data.captions.instructions import WORDS, instruction
from ganedu.data.captions.tokenizer import Tokenizer


class TestInstructions:
    @pytest.mark.parametrize("kinds", [DIGITS, SHAPES])
    def test_one_attribute_of_one_entity_changes(self, kinds):
        rng, seen = random.Random(0), set()
        for picture in captioned.sample(kinds, 600):
            text, changed, attribute = instruction(picture, rng)
            seen.add((attribute, text.split()[0]))
            assert set(text.split()) <= set(WORDS)
            assert changed.relation == picture.relation
            apart = [
                (name, getattr(e, name), getattr(c, name), e.kind)
                for e, c in zip(picture.entities, changed.entities, strict=True)
                for name in VALUES
                if getattr(e, name) != getattr(c, name)
            ]
            assert [name for name, *_ in apart] == [attribute]
            _, _, new, kind = apart[0]
            assert f"the {kind} " in text or (" it " in text and len(picture.entities) == 1)
            if attribute in ("colour", "kind"):
                assert text.endswith(new)
            message = {"small": "smaller", "upright": "straight", "thick": ("thicker", "bolder")}
            if new in message:
                assert text.endswith(message[new])
        expected = {("kind", "turn"), ("colour", "make"), ("colour", "paint"), ("place", "move")}
        expected |= {(a, "make") for a in ("size", *(("thickness", "slant") * (kinds is DIGITS)))}
        assert seen == expected

    def test_moves_by_hand(self):
        found = {}
        for seed in range(400):
            text, changed, _ = instruction(parse_full("top left"), random.Random(seed))
            if text.startswith("move it"):
                found[text] = changed.entities[0].place
        assert found == {
            "move it down": "left",
            "move it to the right": "top",
            "move it to the middle": "centre",
        }

    def test_only_what_was_asked_changes_in_the_image(self):
        scenes = data.scenes(300, objects=(1,))
        texts, after, what = scenes.edit_targets()
        assert after.pictures != scenes.pictures
        again, *_ = scenes.edit_targets()
        assert texts == again
        assert texts != scenes.edit_targets(seed=1)[0]
        for old, new, name in zip(scenes.images, after.images, what, strict=True):
            assert (old != new).any()
            inks = [(i.max(axis=-1) > 100) for i in (old, new)]
            if name == "colour":  # as much light everywhere, but for rounding
                lights = [i.max(axis=-1) / i.max() for i in (old, new)]
                np.testing.assert_allclose(*lights, atol=0.01)
            if name == "place":
                assert abs(int(inks[0].sum()) - int(inks[1].sum())) <= 20

    def test_what_is_hidden(self):
        scenes = data.scenes(200)
        hidden = scenes.masked()
        for old, new in zip(scenes.images, hidden, strict=True):
            gone = (new == captioned.HIDDEN).all(axis=-1)
            rows, columns = np.flatnonzero(gone.any(axis=1)), np.flatnonzero(gone.any(axis=0))
            assert 16 <= len(rows) == np.ptp(rows) + 1
            assert 16 <= len(columns) == np.ptp(columns) + 1
            assert gone.sum() == len(rows) * len(columns)
            np.testing.assert_array_equal(old[~gone], new[~gone])
            assert old[gone].max() > 100  # something was there

    def test_batches_of_edits(self):
        scenes = data.scenes(50)

        def encode(texts):
            return Tokenizer(WORDS).encode(texts, 28)

        pairs = scenes.edit_pairs(encode, inpaint_prob=0.5)
        images, words = pairs.get_batch(slice(None))
        assert images.shape == (50, 32, 32, 6)
        texts, after, _ = scenes.edit_targets()
        told = Tokenizer(WORDS).decode(words)
        kinds = {True: 0, False: 0}
        for i in range(50):
            instructed = told[i] == texts[i]
            kinds[instructed] += 1
            np.testing.assert_array_equal(images[i, ..., 3:], after.array()[i])
            if instructed:
                np.testing.assert_array_equal(images[i, ..., :3], scenes.array()[i])
            else:
                assert told[i] == after.captions[i]
                assert (np.abs(images[i, ..., :3] - 0.0039) < 1e-3).any()
        assert min(kinds.values()) > 10


def parse_full(place):
    entity = captioned.sample(DIGITS, 1, objects=(1,))[0].entities[0]
    return Picture((dataclasses.replace(entity, place=place),))


def test_captioned_data_by_name(monkeypatch):
    monkeypatch.setattr(captioned, "COUNTS", {"train": 300, "test": 90})
    train, test = data.load("scenes"), data.load("scenes", "test", image_size=16)
    assert (len(train), len(test)) == (300, 90)
    assert (train.image_shape, test.image_shape) == ((32, 32, 3), (16, 16, 3))
    assert (train.split, test.split, train.name) == ("train", "test", "scenes")
    assert not any(captioned.is_held_out(e) for p in train.pictures for e in p.entities)
    assert any(captioned.is_held_out(e) for p in test.pictures for e in p.entities)
    few = train.first_n(7)
    assert len(few) == len(few.captions) == len(few.pictures) == 7
    np.testing.assert_array_equal(few.edit_targets()[1].images, train.edit_targets()[1].images[:7])
    places = np.array([0, 100, 199, 299])
    spread = train.subset(places)  # with all that belongs to them
    np.testing.assert_array_equal(spread.images, train.images[places])
    assert spread.captions == tuple(train.captions[place] for place in places)
    assert spread.pictures == tuple(train.pictures[place] for place in places)
    assert test.spread_n(1000) is test
    short = train.drop_attributes(0.5)
    assert np.mean([len(c.split()) for c in short.captions]) < 0.8 * np.mean(
        [len(c.split()) for c in train.captions]
    )
    digits = data.load("captioned_digits")
    assert digits.name == "captioned_digits"
    assert digits.pictures[0].entities[0].kind in DIGITS
