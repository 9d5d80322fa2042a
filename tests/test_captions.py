"""Captions say what the pictures show, and are read back as they were meant."""

import dataclasses
import itertools
import random
import re

import numpy as np
import pytest

from ganedu import data
from ganedu.data.captions import glyphs, grammar, scenes
from ganedu.data.captions.grammar import ATTRIBUTES, DIGITS, SHAPES, VALUES, Entity, Picture, parse
from ganedu.runtime import UsageError

KINDS = {"digits": DIGITS, "scenes": SHAPES}


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def make(name, digits, count, **options):
    if name == "scenes":
        return data.scenes(count, **options)
    return data.captioned_digits(digits, count, **options)


def rendered(name, digits, pictures, seed=0):
    own = glyphs.shape_glyphs() if name == "scenes" else glyphs.digit_glyphs(digits)
    return scenes.render(pictures, own, seed=seed)


def change(picture, number, **values):
    entities = list(picture.entities)
    entities[number] = dataclasses.replace(entities[number], **values)
    return dataclasses.replace(picture, entities=tuple(entities))


def box(image):
    """The first row of light and the one after the last, and the columns."""
    light = image.max(axis=-1) > image.max() / 3
    rows, columns = np.flatnonzero(light.any(axis=1)), np.flatnonzero(light.any(axis=0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


class TestGrammar:
    @pytest.mark.parametrize("kinds", [DIGITS, SHAPES])
    @pytest.mark.parametrize("attribute_drop_prob", [0.0, 0.3])
    def test_every_paraphrase_is_read_as_it_was_meant(self, kinds, attribute_drop_prob):
        rng = random.Random(0)
        texts = []
        for picture in scenes.sample(kinds, 3000, seed=1):
            message = grammar.drop_attributes(picture, attribute_drop_prob, rng)
            texts.append(grammar.write(message, rng))
            assert parse(texts[-1]) == message, texts[-1]
        assert len(set(texts)) > 2000
        # All that the grammar can say was said.
        phrases = [
            p for both in grammar.RELATION_PHRASES.values() for message in both for p in message
        ]
        phrases += [p for both in grammar.ASIDE.values() for p in both]
        for attribute in grammar.applicable(kinds[0]):
            values = kinds if attribute == "kind" else VALUES[attribute]
            phrases += [p for v in values for p in grammar.PHRASES[attribute][v]]
            phrases += [grammar.TAILS[attribute][v] for v in values if attribute in grammar.TAILS]
        once = " | ".join(texts)
        assert not [p for p in phrases if p not in once]

    def test_by_hand(self):
        assert parse("a thick red three to the left of a small green seven") == Picture(
            (Entity("three", "red", thickness="thick"), Entity("seven", "green", "small")),
            "left of",
        )
        # The same from the other side.
        turned = parse("a small green seven to the right of a thick red three")
        assert turned == parse("a thick red three with a small green seven to its right")
        assert turned == parse("to the right of a thick red three is a small green seven")
        assert turned == parse("a thick red three to the left of a small green seven")
        assert parse("a ring below a cross") == Picture((Entity("cross"), Entity("ring")), "above")
        assert parse("an eight leaning left to the left of a one") == Picture(
            (Entity("eight", slant="left"), Entity("one")), "left of"
        )
        one = Entity("one", "green", "large", "thin", "right", "bottom left")
        assert parse("in the lower left is a large thin 1 in green leaning right") == Picture(
            (one,)
        )

    @pytest.mark.parametrize(
        "text",
        [
            "Red, LARGE, thick THREE.",
            "there is the thick large red number three",
            "a picture of large thick three in red",
        ],
    )
    def test_adjectives_come_in_any_order_and_marks_are_nothing(self, text):
        assert parse(text) == Picture((Entity("three", "red", "large", "thick"),))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"says one object.*Received: ''"),
            ("a red", r"says one object"),
            ("a three four", r"says one object"),
            ("a three above", r"says one object"),
            ("a three with a four", r"says one object"),
            ("a three is a four", r"says one object"),
            ("above a three a four", r"says one object"),
            ("a three above a four above a five", r"says one object"),
            ("of a three", r"says one object"),
            ("a purple zebra", r"Unknown: purple, zebra"),
            ("a red three in blue", r"each attribute once"),
            ("a small large three", r"each attribute once"),
            ("a thick ring", r"no thickness"),
            ("a ring above a three", r"a mixture"),
            (3, r"must be a str. Received: 3"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, text, message):
        with pytest.raises(UsageError, match=message):
            parse(text)

    @pytest.mark.parametrize(
        ("act", "message"),
        [
            (lambda: Entity("ten"), r"The kind must be one of zero, .*Received: 'ten'"),
            (lambda: Entity("one", "black"), r"The colour must be one of red, .*'black'"),
            (lambda: Entity("ring", slant="left"), r"no slant"),
            (lambda: Picture(()), r"one or two entities\. Received: 0"),
            (lambda: Picture((Entity("one"),) * 3), r"Received: 3"),
            (lambda: Picture((Entity("one", place="top"), Entity("two"))), r"alone has a place"),
            (lambda: Picture((Entity("one"), Entity("two")), "below"), r"left of, above"),
            (lambda: Picture((Entity("one"),), "above"), r"between two"),
        ],
    )
    def test_pictures_that_cannot_be_are_refused(self, act, message):
        with pytest.raises(UsageError, match=message):
            act()

    def test_what_is_omitted(self):
        rng = random.Random(0)
        picture = scenes.sample(DIGITS, 1, objects=(2,))[0]
        assert grammar.drop_attributes(picture, 0.0, rng) == picture
        bare = Picture(tuple(Entity(e.kind) for e in picture.entities))
        assert grammar.drop_attributes(picture, 1.0, rng) == bare
        full = scenes.completed(bare, rng)
        assert None not in [
            getattr(e, n) for e in full.entities for n in grammar.applicable(e.kind, 2)
        ]
        assert scenes.completed(picture, rng) == picture


def test_some_captions_say_the_kind_alone_and_most_say_all():
    """With share ~ Beta(p, 1 - p), p = 0.2, of five attributes: none is dropped in (0.8 1.8 2.8 3.8 4.8) / 5! = 0.613,
    all are in (0.2 1.2 2.2 3.2 4.2) / 5! = 0.059, and each is in 0.2."""
    rng = random.Random(0)
    kept = [
        sum(getattr(e, a) is not None for a in ATTRIBUTES[1:])
        for p in scenes.sample(DIGITS, 4000, seed=2, objects=(1,))
        for e in grammar.drop_attributes(p, 0.2, rng).entities
    ]
    assert np.mean(kept) == pytest.approx(5 * 0.8, abs=0.1)
    assert np.mean(np.equal(kept, 5)) == pytest.approx(0.613, abs=0.03)
    assert np.mean(np.equal(kept, 0)) == pytest.approx(0.059, abs=0.015)


def test_adjectives_in_any_order_mean_the_same(digits):
    rng = random.Random(0)
    picture = Picture((Entity("three", "red", "small", "thick", "left", "top"),))
    texts = {grammar.write(picture, rng, any_order=True) for _ in range(2000)}
    assert {parse(text) for text in texts} == {picture}
    for before, after in itertools.permutations(("small", "thick", "left-leaning", "red"), 2):
        assert any(f"{before} {after}" in text for text in texts)
    usual = {grammar.write(picture, rng) for _ in range(2000)}
    assert all("red small" not in text for text in usual)
    # The captions that a flow learns from come so.
    captions = make("captioned_digits", digits, 100).drop_attributes(0.0).captions
    assert any(re.search("(red|green|blue) (small|large)", text) for text in captions)


def test_what_a_caption_leaves_open_is_drawn_evenly_and_what_it_says_stays():
    full = "a small thin red upright three at the top"
    texts = [*["a red three"] * 400, full, "make it blue", "three red"]
    found = scenes.complete_captions(texts, seed=1)
    assert (
        found == scenes.complete_captions(texts, seed=1) != scenes.complete_captions(texts, seed=2)
    )
    assert found[400:] == texts[400:]  # nothing is left open, or it is no caption
    entities = [parse(text).entities[0] for text in found[:400]]
    assert {(e.kind, e.colour) for e in entities} == {("three", "red")}
    for name in ("size", "thickness", "slant", "place"):
        counts = [sum(getattr(e, name) == v for e in entities) for v in VALUES[name]]
        assert min(counts) > 0.5 * 400 / len(counts)
    [two] = map(parse, scenes.complete_captions(["a ring and a cross"]))
    assert two.relation
    assert None not in (*(e.colour for e in two.entities), *(e.size for e in two.entities))


class TestHeldOut:
    def test_the_rule(self):
        # k + c a multiple of 6: zero red (0 + 0), one cyan (1 + 5), three yellow (3 + 3), six red (6 + 0).
        for kinds, count in ((DIGITS, 10), (SHAPES, 6)):
            held = [
                (k, c) for k in kinds for c in VALUES["colour"] if scenes.is_held_out(Entity(k, c))
            ]
            assert len(held) == count
            assert {k for k, _ in held} == set(kinds)
        assert scenes.is_held_out(Entity("three", "yellow"))
        assert scenes.is_held_out(Entity("ring", "green"))
        assert not scenes.is_held_out(Entity("three", "red"))
        assert not scenes.is_held_out(Entity("three"))

    @pytest.mark.parametrize("kinds", [DIGITS, SHAPES])
    def test_training_has_none_and_its_test_nothing_else(self, kinds):
        def held(combos):
            pictures = scenes.sample(kinds, 600, combos=combos)
            return [any(map(scenes.is_held_out, p.entities)) for p in pictures]

        assert not any(held("seen"))
        assert all(held("held_out"))
        assert 60 < sum(held("all")) < 300

    def test_all_else_is_drawn_evenly(self):
        pictures = scenes.sample(DIGITS, 3000, combos="seen")
        assert 1350 < sum(len(p.entities) == 2 for p in pictures) < 1650
        entities = [e for p in pictures for e in p.entities]
        for name in ("kind", "size", "thickness", "slant"):
            values = [getattr(e, name) for e in entities]
            shares = np.array([values.count(v) for v in VALUES[name] if v not in SHAPES]) / len(
                values
            )
            np.testing.assert_allclose(shares, 1 / len(shares), atol=0.04)
        assert all(
            a.kind != b.kind for a, b in (p.entities for p in pictures if len(p.entities) == 2)
        )


@pytest.mark.parametrize("name", KINDS)
class TestPictures:
    def test_a_set_is_a_function_of_its_seed(self, name, digits):
        a, again, b = (make(name, digits, 40, seed=s, attribute_drop_prob=0.3) for s in (1, 1, 2))
        assert a.images.shape == (40, 32, 32, 3)
        assert a.images.dtype == np.uint8
        assert len(a) == len(a.captions) == len(a.pictures) == 40
        np.testing.assert_array_equal(a.images, again.images)
        assert a.captions == again.captions
        assert a.captions != b.captions
        assert (a.images != b.images).any(axis=(1, 2, 3)).all()

    def test_captions_say_no_more_than_what_is_drawn(self, name, digits):
        pairs = make(name, digits, 200, attribute_drop_prob=0.4)
        for caption, picture in zip(pairs.captions, pairs.pictures, strict=True):
            message = parse(caption)
            for a, b in zip(message.entities, picture.entities, strict=True):
                assert all(v in (None, getattr(b, k)) for k, v in dataclasses.asdict(a).items())
            assert message.relation in (None, picture.relation)
        whole = make(name, digits, 50)
        assert [parse(c) for c in whole.captions] == list(whole.pictures)

    def test_size_and_place_in_pixels(self, name, digits):
        pairs = make(name, digits, 300, objects=(1,), seed=3)
        for image, picture in zip(pairs.images, pairs.pictures, strict=True):
            (entity,) = picture.entities
            top, bottom, left, right = box(image)
            longer = max(bottom - top, right - left)
            assert 8 <= longer <= 12 if entity.size == "small" else 13 <= longer <= 19
            row, column = divmod(grammar.PLACES.index(entity.place), 3)
            for middle, third in (((top + bottom) / 2, row), ((left + right) / 2, column)):
                assert [0, 13.5, 19.5][third] <= middle <= [12.5, 18.5, 32][third]

    def test_two_are_apart_and_stand_as_is_said(self, name, digits):
        pictures = scenes.sample(KINDS[name], 200, objects=(2,), seed=4)
        # The first red and the second green shows which pixels are whose.
        pictures = [change(change(p, 0, colour="red"), 1, colour="green") for p in pictures]
        for image, picture in zip(
            rendered(name, digits, pictures).astype(int), pictures, strict=True
        ):
            owners = [
                np.argwhere(image[..., i] > np.maximum(90, 2 * image[..., 1 - i])) for i in (0, 1)
            ]
            axis = 1 if picture.relation == "left of" else 0
            first, second = (o[:, axis] for o in owners)
            assert first.max() < 15 < 16 < second.min()  # two dark pixels between their halves
            middles = [(o.min(axis=0) + o.max(axis=0)) / 2 for o in owners]
            along, across = np.subtract(*middles[::-1])[[axis, 1 - axis]]
            assert along > 1.5 * abs(across)
            assert all(abs(m[1 - axis] - 15.5) < 3 for m in middles)

    def test_one_attribute_can_be_changed_alone(self, name, digits):
        pictures = scenes.sample(KINDS[name], 30, objects=(1,), seed=5)
        before = rendered(name, digits, pictures, seed=6)
        blue = rendered(name, digits, [change(p, 0, colour="blue") for p in pictures], seed=6)
        full = [np.array(scenes.COLOURS[p.entities[0].colour]) for p in pictures]
        # The same light in another colour: the blue of each over 255 is the mask, dimmed.
        for old, new, colour in zip(before, blue, full, strict=True):
            strong = colour.argmax()
            np.testing.assert_allclose(
                old[..., strong] / colour[strong], new[..., 2] / 255, atol=1.5 / 255 * 2
            )
        moved = rendered(name, digits, [change(p, 0, place="top left") for p in pictures], seed=6)
        for old, new in zip(before, moved, strict=True):
            assert abs(int(old.sum()) - int(new.sum())) < 0.03 * old.sum()
            assert max(box(new)[0], box(new)[2]) < 12

    def test_batches(self, name, digits):
        pairs = make(name, digits, 20)

        def encode(texts):
            return np.array([[len(t), i] for i, t in enumerate(texts)], "int32")

        worded = pairs.tokenized(encode)
        stream = worded.batches(6, seed=3)
        batch = next(iter(stream)) if hasattr(stream, "element_spec") else stream[0]
        images, words = (np.array(a) for a in batch)
        assert images.dtype == np.float32
        assert words.dtype == np.int32
        for image, (length, number) in zip(images, words, strict=True):
            np.testing.assert_array_equal(image, pairs.array()[number])
            assert length == len(pairs.captions[number])
        assert len(set(words[:, 1])) == 6
        with pytest.raises(UsageError, match="between 1 and the number of images, 20"):
            worded.batches(21)
        with pytest.raises(UsageError, match="their captions would lie"):
            worded.batches(6, augment=data.Augmentation("horizontal_flip"))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"count": 0}, r"count must be at least 1.*Received: 0 and 0"),
            ({"seed": -1}, r"Received: 3 and -1"),
            ({"objects": (3,)}, r"`objects` must be .*\(3,\)"),
            ({"objects": ()}, r"`objects` must be"),
            ({"combos": "new"}, r"all, seen, held_out\. Received: 'new'"),
            ({"attribute_drop_prob": 1.5}, r"\[0, 1\]\. Received: 1.5"),
        ],
    )
    def test_mistakes_are_named(self, name, options, message, digits):
        with pytest.raises(UsageError, match=message):
            make(name, digits, **{"count": 3, **options})


class TestGlyphs:
    def test_thickness_by_hand(self):
        ink = np.zeros((2, 40, 40), "float32")
        ink[0, 10:30, 18:22] = 1
        ink[1, 5:35, 19:21] = 1
        # Rectangles of 20 by 4 and 30 by 2. On the grid an outline is a little shorter at its corners.
        np.testing.assert_allclose(glyphs.thickness(ink), [4, 2], rtol=0.03)

    def test_slant_by_hand(self):
        ink = np.zeros((3, 20, 20), "float32")
        for y in range(4, 16):
            ink[0, y, 10] = ink[1, y, 20 - y] = 1
            ink[2, y, 4 + y // 2] = ink[2, y, 4 + (y + 1) // 2] = 1
        # Upright; one column to the right for each row up; half a column to the left, between two pixels.
        np.testing.assert_allclose(glyphs.slant(ink), [0, 1, -0.5], atol=0.01)

    def test_shrinking_keeps_the_mean(self):
        matrix = glyphs.means([0.0], [2.5], 10, 4)[0]
        np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)
        # The second row is over [2.5, 5): half of pixel 2, and pixels 3 and 4.
        np.testing.assert_allclose(
            matrix[1], np.array([0, 0, 0.5, 1, 1, 0, 0, 0, 0, 0]) / 2.5, rtol=1e-6
        )
        outside = glyphs.means([-5.0], [2.5], 10, 4)[0]
        np.testing.assert_array_equal(outside[:2], 0)

    def test_a_digit_is_the_same_in_all_its_forms_and_measures_as_it_is_called(self, digits):
        own = glyphs.digit_glyphs(digits)
        forms = list(itertools.product(VALUES["thickness"], VALUES["slant"]))
        for name in DIGITS:
            counts = {len(own.indices[(name, *f)]) for f in forms}
            assert len(counts) == 1
            assert min(counts) >= 20
        for width, lean in forms:
            ink = own.masks[np.concatenate([own.indices[(k, width, lean)] for k in DIGITS])] / 255
            least, most = glyphs.THICKNESS[width]
            found = glyphs.thickness(ink) / 32
            assert least - 0.003 < found.min() <= found.max() < most + 0.003
            found = glyphs.slant(ink.astype("float32"))
            assert glyphs.SLANT[lean][0] - 0.01 < found.min()
            assert found.max() < glyphs.SLANT[lean][1] + 0.01
        # The same hand: thin lies within thick.
        thin, thick = (
            own.masks[own.indices[("eight", t, "upright")]] / 255 for t in ("thin", "thick")
        )
        assert np.mean(thin.sum(axis=(1, 2))) < 0.75 * np.mean(thick.sum(axis=(1, 2)))
        alike = (thin * thick).sum(axis=(1, 2)) / thin.sum(axis=(1, 2))
        assert np.mean(alike) > np.mean(
            (thin * thick[::-1]).sum(axis=(1, 2)) / thin.sum(axis=(1, 2))
        )

    def test_every_form_lies_between_the_classes_margins(self):
        for ranges, order in (
            (glyphs.THICKNESS, VALUES["thickness"]),
            (glyphs.SLANT, VALUES["slant"]),
        ):
            for a, b in itertools.pairwise(order):
                assert ranges[a][1] < 0.75 * ranges[b][0] or ranges[a][1] + 0.2 < ranges[b][0]
        assert scenes.SMALL[1] + 3 < scenes.LARGE_OF_TWO[0]

    def test_other_data_are_refused(self, digits):
        with pytest.raises(UsageError, match=r"28x28x1 .*Received: digits, \(8, 8, 1\)"):
            data.captioned_digits(data.load("digits", image_size=8), 3)
        few = dataclasses.replace(digits, images=digits.images[:5], labels=digits.labels[:5])
        with pytest.raises(UsageError, match="labels 0 to 9"):
            data.captioned_digits(few, 3)

    def test_a_picture_that_lacks_something_is_not_drawn(self, digits):
        with pytest.raises(UsageError, match="needs all of its attributes"):
            rendered("digits", digits, [parse("a red three")])
        with pytest.raises(UsageError, match="needs all of its attributes"):
            rendered("scenes", digits, scenes.sample(DIGITS, 1))
        pair = scenes.sample(SHAPES, 1, objects=(2,))[0]
        with pytest.raises(UsageError, match="need a relation"):
            rendered("scenes", digits, [dataclasses.replace(pair, relation=None)])
        assert rendered("scenes", digits, []).shape == (0, 32, 32, 3)
