"""Pictures of one or two objects with captions that are true of them.

>>> pairs = captioned_digits(load("mnist"), 50_000)
>>> pairs.captions[0], pairs.images[0].shape
('a large thin upright magenta number four in the lower middle', (32, 32, 3))

One generator draws what is to be seen, `render` draws it, `grammar.write` says it. All three are functions of a
seed, so a picture can be drawn again with one attribute changed and everything else as it was.

Some combinations of kind and colour can be kept out of training, so that what a model composes can be told
from what it remembers: `is_held_out` is the rule.
"""

import dataclasses
import random

import numpy as np

from ganedu.data.captions.glyphs import SIDE, digit_glyphs, means, shape_glyphs
from ganedu.data.captions.grammar import (
    DIGITS,
    RELATIONS,
    SHAPES,
    VALUES,
    Entity,
    Picture,
    applicable,
    drop_attributes,
    parse,
    write,
)
from ganedu.data.captions.instructions import instruction
from ganedu.data.images import BatchSampler, ImageDataset, make_dataset, single_pass, to_float
from ganedu.data.pictures import resized
from ganedu.runtime import UsageError

COMBOS = ("all", "seen", "held_out")
NAMES = {"captioned_digits": "digits", "captioned_mnist": "mnist", "scenes": None}  # made of
COUNTS = {"train": 40_000, "test": 5_000}
COLOURS = {
    "red": (255, 40, 40),
    "green": (40, 215, 60),
    "blue": (60, 80, 255),
    "yellow": (255, 230, 40),
    "magenta": (240, 50, 240),
    "cyan": (40, 225, 235),
}
# Of a longer side between 10.5 and 13.6 nothing is said, nor of a centre between 11 and 15 or 17 and 21.
# Of two, each has a half of the picture for itself.
SMALL, LARGE, LARGE_OF_TWO = (9.5, 10.5), (14.0, 17.0), (13.6, 14.0)
EDGE = 0.5  # the nearest that ink comes to the picture's border
CENTRES = np.array([10.0, 16.0, 22.0], "float32")  # of the places, along and across
LOOSE = 1.0  # how far from there, or from the middle of its half, an object may be
GAP = 2.5  # between the halves of two
CHUNK = 512
HIDDEN = 128  # what is hidden from a model that is to fill it in


def is_held_out(entity):
    """Whether a combination of kind and colour is one that training may be without.

    Digit k and colour c, counted from 0 in the order of `VALUES`, are if k + c is a multiple of 6; so
    are shape k and colour c. Every kind is left in at least four colours, every colour in five kinds.
    """
    if entity.colour is None:
        return False
    kinds = DIGITS if entity.kind in DIGITS else SHAPES
    return (kinds.index(entity.kind) + VALUES["colour"].index(entity.colour)) % 6 == 0


@dataclasses.dataclass(frozen=True, eq=False)
class CaptionedImages(ImageDataset):
    """An `ImageDataset` whose images have captions.

    Args:
        captions: tuple of N str.
        pictures: tuple of N `Picture`: all that is to be seen, also where the caption says less.
        glyphs, seed: what the pictures were drawn with.
        Others as for `ImageDataset`.
    """

    captions: tuple = dataclasses.field(default=(), repr=False)
    pictures: tuple = dataclasses.field(default=(), repr=False)
    glyphs: object = dataclasses.field(default=None, repr=False)
    seed: int = 0

    def first_n(self, count):
        captions, pictures = self.captions[:count], self.pictures[:count]
        return dataclasses.replace(super().first_n(count), captions=captions, pictures=pictures)

    def subset(self, indices):
        captions, pictures = (tuple(a[i] for i in indices) for a in (self.captions, self.pictures))
        return dataclasses.replace(super().subset(indices), captions=captions, pictures=pictures)

    def drop_attributes(self, attribute_drop_prob, seed=0):
        """The same images, with captions that leave out what is to be seen, and their adjectives in any order.

        Args:
            attribute_drop_prob: float in [0, 1], the chance of each attribute but the kind, and of the relation, to
                go unsaid.
            seed: int >= 0. Defaults to `0`.
        """
        rng = random.Random(f"shortened {seed}")
        captions = tuple(
            write(drop_attributes(p, attribute_drop_prob, rng), rng, any_order=True)
            for p in self.pictures
        )
        return dataclasses.replace(self, captions=captions)

    def tokenized(self, encode):
        """The same as batches `(images, tokens)`, a `TokenizedImages`.

        Args:
            encode: function of a list of N captions to an int32 array (N, L), as a tokenizer's.
        """
        return TokenizedImages(self.images, encode(list(self.captions)))

    def edit_targets(self, seed=0):
        """What can be asked of these images, and what comes of it.

        Args:
            seed: int >= 0. Defaults to `0`.

        Returns:
            `(texts, results, attributes)`: a tuple of N str, such as "make the three blue"; a
            `CaptionedImages` of the images after the change, in all else as they were; and a tuple of N names of
            the attribute that changed.
        """
        rng = random.Random(f"changes {seed}")
        texts, pictures, attributes = zip(
            *(instruction(p, rng) for p in self.pictures), strict=True
        )
        images = resized(render(pictures, self.glyphs, seed=self.seed), self.image_shape[0])
        captions = tuple(write(p, rng) for p in pictures)
        after = dataclasses.replace(self, images=images, captions=captions, pictures=pictures)
        return texts, after, attributes

    def masked(self, seed=0):
        """uint8 images (N, H, W, C) with a rectangle of mid-grey over a part of an object, half to all of the
        image high and wide: what it hides is to be drawn anew."""
        rng = np.random.default_rng([seed, 2])
        images, (height, width) = self.images.copy(), self.image_shape[:2]
        for image in images:
            light = image.max(axis=-1)
            rows, columns = np.nonzero(light > light.max() / 2)
            spot = rng.integers(len(rows))
            down, along = _span(rows[spot], height, rng), _span(columns[spot], width, rng)
            image[down, along] = HIDDEN
        return images

    def edit_pairs(self, encode, inpaint_prob=0.3, seed=0):
        """Batches `(images, tokens)` for a model that edits: an image to be changed and, in further channels,
        what is to come of it, (B, H, W, 2C); the words say what to do, or in a share of the images, with
        a part hidden by grey, what there is to see.

        Args:
            encode: as for `tokenized`.
            inpaint_prob: float in [0, 1], that share. Defaults to `0.3`.
            seed: int >= 0. Defaults to `0`.
        """
        texts, after, _ = self.edit_targets(seed)
        hide = np.random.default_rng([seed, 3]).random(len(self)) < inpaint_prob
        before = np.where(hide[:, None, None, None], after.masked(seed), self.images)
        texts = [c if h else t for h, c, t in zip(hide, after.captions, texts, strict=True)]
        return TokenizedImages(np.concatenate([before, after.images], axis=-1), encode(texts))


def _span(middle, side, rng):
    """A slice of half to all of `side`, around a place."""
    length = rng.integers(side // 2, side + 1)
    start = np.clip(middle - rng.integers(length), 0, side - length)
    return slice(start, start + length)


@dataclasses.dataclass(frozen=True, eq=False)
class TokenizedImages:
    """Images and texts as batches `(images, tokens)`, float32 (B, H, W, C) in [-1, 1] and int32 (B, L).

    Args:
        images: uint8 array (N, H, W, C).
        tokens: int32 array (N, L).
    """

    images: np.ndarray = dataclasses.field(repr=False)
    tokens: np.ndarray = dataclasses.field(repr=False)

    def __len__(self):
        return len(self.images)

    def batches(self, batch_size, *, seed=0, start=0, augment=None):
        """As `ImageDataset.batches`.

        Raises:
            UsageError: also for an `augment`: what is said would no longer be true.
        """
        if augment is not None:
            raise UsageError("Captioned images are not augmented: their captions would lie")
        order = BatchSampler(len(self), batch_size, seed, start)
        return make_dataset(lambda i: self.get_batch(order[i]), self._forms(batch_size), None)

    def test_batches(self, batch_size=256):
        """As `ImageDataset.test_batches`."""
        return single_pass(self.get_batch, self._forms(None), len(self), batch_size)

    def get_batch(self, indices):
        """The images and words of these indices."""
        return to_float(self.images[indices]), self.tokens[indices]

    def _forms(self, batch_size):
        images = (batch_size, *self.images.shape[1:]), "float32"
        return images, ((batch_size, self.tokens.shape[1]), "int32")


def load_captioned(name, split, image_size, load):
    """What `ganedu.data.load` gives of `NAMES`: in training none of the held-out combinations, in the test
    all, and of MNIST other hands (the embedded digits are too few to have legible ones of each class in both).

    Args:
        name: one of `NAMES`.
        split: `"train"` or `"test"`.
        image_size: int or `None`.
        load: `ganedu.data.load`, for the digits.

    Returns:
        `CaptionedImages`.
    """
    asked = {"seed": 0, "combos": "seen"} if split == "train" else {"seed": 1, "combos": "all"}
    if NAMES[name] is None:
        found = scenes(COUNTS[split], **asked)
    else:
        hands = load(NAMES[name], split if name == "captioned_mnist" else "train")
        found = captioned_digits(hands, COUNTS[split], **asked)
    return dataclasses.replace(found, split=split, images=resized(found.images, image_size))


def captioned_digits(
    dataset, count, *, seed=0, objects=(1, 2), combos="all", attribute_drop_prob=0.0
):
    """Handwritten digits, coloured on black, and what can be said of them: digit, colour, size,
    thickness, slant; place of one alone, relation of two.

    Args:
        dataset: `ImageDataset` of digits: `load("digits")`, or `load("mnist")`.
        count: int >= 1.
        seed: int >= 0. Defaults to `0`.
        objects: tuple of the numbers of objects that a picture may have, 1 or 2, drawn evenly.
            Defaults to `(1, 2)`. Two are of different kinds.
        combos: `"all"`; `"seen"`, pictures without a held-out combination of kind and colour; or
            `"held_out"`, pictures with at least one. Defaults to `"all"`.
        attribute_drop_prob: float in [0, 1], the chance of each attribute but the kind, and of the relation, to
            go unsaid. Defaults to `0.0`.

    Returns:
        `CaptionedImages`, a function of the arguments.

    Raises:
        UsageError: for arguments out of range, and other data than digits.
    """
    glyphs = digit_glyphs(dataset)
    named = f"captioned_{dataset.name}", dataset.split
    return _captioned(named, DIGITS, glyphs, count, seed, objects, combos, attribute_drop_prob)


def scenes(count, *, seed=0, objects=(1, 2), combos="all", attribute_drop_prob=0.0):
    """Drawn shapes, coloured on black, and what can be said of them: shape, colour, size; place of
    one alone, relation of two.

    Args:
        count, seed, objects, combos, attribute_drop_prob: as for `captioned_digits`.

    Returns:
        `CaptionedImages`.

    Raises:
        UsageError: for arguments out of range.

    Reference:
        Kuhnle and Copestake 2017, "ShapeWorld", arXiv:1704.04517; Johnson et al. 2017, "CLEVR",
        arXiv:1612.06890.
    """
    return _captioned(
        ("scenes", "train"),
        SHAPES,
        shape_glyphs(),
        count,
        seed,
        objects,
        combos,
        attribute_drop_prob,
    )


def _captioned(named, kinds, glyphs, count, seed, objects, combos, attribute_drop_prob):
    if not 0 <= attribute_drop_prob <= 1:
        raise UsageError(f"The share to omit must lie in [0, 1]. Received: {attribute_drop_prob}")
    pictures = sample(kinds, count, seed=seed, objects=objects, combos=combos)
    rng = random.Random(f"captions {seed}")
    captions = tuple(
        write(drop_attributes(p, attribute_drop_prob, rng) if attribute_drop_prob else p, rng)
        for p in pictures
    )
    images = render(pictures, glyphs, seed=seed)
    return CaptionedImages(
        *named, images, captions=captions, pictures=pictures, glyphs=glyphs, seed=seed
    )


def sample(kinds, count, *, seed=0, objects=(1, 2), combos="all"):
    """What is to be seen, drawn evenly from all that can be said.

    Args:
        kinds: `DIGITS` or `SHAPES`.
        count, seed, objects, combos: as for `captioned_digits`.

    Returns:
        Tuple of `count` `Picture`, complete.

    Raises:
        UsageError: for arguments out of range.
    """
    if count < 1 or seed < 0:
        raise UsageError(
            f"The count must be at least 1 and the seed 0. Received: {count} and {seed}"
        )
    if not objects or not set(objects) <= {1, 2}:
        raise UsageError(f"`objects` must be (1,), (2,) or (1, 2). Received: {objects!r}")
    if combos not in COMBOS:
        raise UsageError(f"`combos` must be one of {', '.join(COMBOS)}. Received: {combos!r}")
    rng = random.Random(f"pictures {seed}")
    pictures = []
    while len(pictures) < count:
        chosen = rng.sample(kinds, rng.choice(objects))
        entities = [Entity(kind, rng.choice(VALUES["colour"])) for kind in chosen]
        if combos == "all" or any(map(is_held_out, entities)) == (combos == "held_out"):
            pictures.append(completed(Picture(tuple(entities)), rng))
    return tuple(pictures)


def completed(picture, rng):
    """The same picture with every attribute that it can have: the missing ones drawn evenly.

    Args:
        picture: `Picture`, such as `parse` returns.
        rng: `random.Random`.
    """
    count = len(picture.entities)
    entities = []
    for e in picture.entities:
        names = applicable(e.kind, count)
        entities.append(Entity(**{n: getattr(e, n) or rng.choice(VALUES[n]) for n in names}))
    relation = picture.relation or (rng.choice(RELATIONS) if count == 2 else None)
    return Picture(tuple(entities), relation)


def complete_captions(texts, seed=0):
    """Captions in which all is said: what each leaves open is drawn evenly, and written.

    A model that has learnt from full captions is asked in its own words: prompt upsampling, as in Betker et al. 2023,
    "Improving image generation with better captions", section 3.

    Args:
        texts: sequence of N str.
        seed: int >= 0. Defaults to `0`.

    Returns:
        List of N str. Captions that leave nothing open, and what is no sentence of the grammar, stay as they are.
    """
    rng = random.Random(f"completed {seed}")

    def complete(text):
        try:
            said = parse(text)
        except UsageError:
            return text
        full = completed(said, rng)
        return text if full == said else write(full, rng)

    return [complete(text) for text in texts]


def render(pictures, glyphs, *, seed=0):
    """Draws pictures. What their attributes leave open (which hand, the exact size, place and
    brightness) is a function of the seed and of a picture's number in the list, so that the same list
    with one attribute changed gives the same images but for that.

    Args:
        pictures: sequence of complete `Picture`.
        glyphs: `digit_glyphs(dataset)` or `shape_glyphs()`.
        seed: int >= 0. Defaults to `0`.

    Returns:
        uint8 array (N, 32, 32, 3), black where nothing is.

    Raises:
        UsageError: for a picture that lacks an attribute, or a kind that is not among the glyphs.
    """
    chances = np.random.default_rng([seed, 1]).random((len(pictures), 2, 6), "float32")
    parts = [
        _painted(*_arranged(pictures[i : i + CHUNK], chances[i : i + CHUNK], glyphs), glyphs)
        for i in range(0, len(pictures), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, SIDE, SIDE, 3), "uint8")


def _arranged(pictures, chances, glyphs):
    """What `_painted` needs of N pictures: glyph numbers (N, 2), sides (N, 2), centres (N, 2, 2) as
    (y, x) and colours (N, 2, 3). One alone is the first of two, the other black."""
    count = len(pictures)
    number = np.zeros((count, 2), "int64")
    colour = np.zeros((count, 2, 3), "float32")
    least, most = np.ones((2, count, 2), "float32")
    places = np.ones((count, 2), "int64")  # of a pair it is overwritten
    relations = np.zeros(count, "int64")
    for i, picture in enumerate(pictures):
        pair = len(picture.entities) == 2
        for j, e in enumerate(picture.entities):
            own = glyphs.indices.get((e.kind, e.thickness, e.slant))
            if own is None or e.colour is None or e.size is None or not (pair or e.place):
                raise UsageError(
                    f"To be drawn an entity needs all of its attributes. Received: {e}"
                )
            number[i, j] = own[int(chances[i, j, 0] * len(own))]
            colour[i, j] = COLOURS[e.colour]
            large = LARGE_OF_TWO if pair else LARGE
            least[i, j], most[i, j] = SMALL if e.size == "small" else large
        if pair:
            if picture.relation is None:
                raise UsageError(f"To be drawn two entities need a relation. Received: {picture}")
            relations[i] = 1 + RELATIONS.index(picture.relation)
        else:
            places[i] = divmod(VALUES["place"].index(picture.entities[0].place), 3)
    side = least + (most - least) * chances[..., 1]
    colour *= 0.8 + 0.2 * chances[..., 2, None]
    half = glyphs.extents[number] * side[..., None] / 2  # (N, 2, 2)
    centre = np.empty_like(half)
    centre[:, 0] = _placed(places, chances[:, 0, 3:5])
    centre[:, 1] = SIDE / 2
    for axis, relation in ((1, 1), (0, 2)):  # "left of" is along x, "above" along y
        some = np.flatnonzero(relations == relation)
        along, across = _related(half[some, :, axis], chances[some, :, 3:])
        centre[some, :, axis], centre[some, :, 1 - axis] = along, across
    return number, side, centre, colour


def _placed(places, chances):
    """The centre (N, 2) of one box at the places (N, 2), each 0, 1 or 2; the largest just has room."""
    return _loosely(CENTRES[places], chances)


def _loosely(middle, chances):
    return middle + LOOSE * (2.0 * chances - 1.0)


def _related(along, chances):
    """The centres (N, 2) along and across the relation, of two boxes of half-sizes (N, 2) along it."""
    half = (SIDE - GAP) / 2 - EDGE  # from the edge to the gap
    loose = np.minimum(half / 2 - along, LOOSE) * (2.0 * chances[:, :, 0] - 1.0)
    middles = np.array([EDGE + half / 2, SIDE - EDGE - half / 2], "float32")
    return middles + loose, _loosely(SIDE / 2, chances[:, :, 1])


def _painted(number, side, centre, colour, glyphs):
    step = SIDE / side  # of the glyph's pixels for each of the picture's
    image = np.zeros((len(number), SIDE, SIDE, 3), "float32")
    for j in range(2):
        some = np.flatnonzero(colour[:, j].any(axis=1))
        start = (SIDE / 2 - centre[some, j] * step[some, j, None]).T
        rows, columns = (means(s, step[some, j], SIDE, SIDE) for s in start)
        mask = rows @ glyphs.masks[number[some, j]].astype("float32") @ columns.transpose(0, 2, 1)
        image[some] += (mask / 255)[..., None] * colour[some, j, None, None]
    return np.rint(image).astype("uint8")
