"""What pictures of one or two objects show, and the sentences that say it: a small grammar of English.

    caption  = [opener] one | [opener] two
    one      = entity [place] | place "is" entity
    two      = entity relation entity | relation entity "is" entity | entity "with" entity aside
             | entity "and" entity
    entity   = [article] {size | thickness | slant | colour} kind {tail}
    kind     = ["number" | "digit"] digit | shape
    tail     = "in" colour | "leaning left" | "leaning right" | "standing upright"
    relation = "to the left of" | "to the right of" | "above" | "below" | ...
    aside    = "to its left" | "to its right" | "above it" | "below it"

The words for each value are in `PHRASES`, the first of them the value's name. A caption may leave out every
attribute but the kind. `write` draws one of the paraphrases, `parse` reads them all, and words in
another order: adjectives as they come, with or without an article or a full stop.

>>> parse("a thick red three to the left of a small green seven").entities[0].colour
'red'

Reference:
    Kuhnle and Copestake 2017, "ShapeWorld", arXiv:1704.04517; Johnson et al. 2017, "CLEVR", arXiv:1612.06890.
"""

import dataclasses
import re

from ganedu.runtime import UsageError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SHAPES = ("circle", "square", "triangle", "cross", "diamond", "ring")
PLACES = (
    *("top left", "top", "top right"),
    *("left", "centre", "right"),
    *("bottom left", "bottom", "bottom right"),
)


def _place(name):
    """The phrases for a place."""
    row, _, side = name.partition(" ")
    other = {"top": "upper", "bottom": "lower"}.get(row)
    if side:
        return f"in the {name} corner", f"in the {other} {side}", f"at the {name}"
    if other:
        return f"at the {name}", f"in the {other} middle"
    if name == "centre":
        return "in the centre", "in the middle"
    return f"on the {name}", f"at the {name}"


# attribute: its values, each with the words that may stand for it
PHRASES = {
    "kind": {
        **{
            name: (name, str(i), f"number {name}", f"digit {name}") for i, name in enumerate(DIGITS)
        },
        **{name: (name,) for name in SHAPES},
        "circle": ("circle", "disc"),
        "cross": ("cross", "plus"),
        "diamond": ("diamond", "rhombus"),
    },
    "colour": {name: (name,) for name in ("red", "green", "blue", "yellow", "magenta", "cyan")},
    "size": {"small": ("small", "little"), "large": ("large", "big")},
    "thickness": {"thin": ("thin", "fine"), "thick": ("thick", "bold")},
    "slant": {
        "left": ("left-leaning",),
        "upright": ("upright", "straight"),
        "right": ("right-leaning",),
    },
    "place": {name: _place(name) for name in PLACES},
}
ATTRIBUTES = tuple(PHRASES)
VALUES = {attribute: tuple(values) for attribute, values in PHRASES.items()}
ADJECTIVES = ("size", "thickness", "slant", "colour")  # in the order in which they are written
TAILS = {
    "slant": {"left": "leaning left", "upright": "standing upright", "right": "leaning right"},
    "colour": {name: f"in {name}" for name in VALUES["colour"]},
}
RELATIONS = ("left of", "above")  # of the first entity to the second
# relation: how it is said, how its reverse is, and how each is said with "it"
RELATION_PHRASES = {
    "left of": (("to the left of", "on the left of"), ("to the right of", "on the right of")),
    "above": (("above", "over"), ("below", "under")),
}
ASIDE = {"left of": ("to its left", "to its right"), "above": ("above it", "below it")}
OPENERS = ("", "", "there is", "a picture of")
ARTICLES = ("a", "an", "the")


@dataclasses.dataclass(frozen=True)
class Entity:
    """One object. What is `None` is not said, or does not apply: a shape has no thickness or slant.

    Args:
        kind: str, one of `DIGITS` or `SHAPES`.
        colour, size, thickness, slant, place: str, one of `VALUES` of that name, or `None`.

    Raises:
        UsageError: for another value, and a shape with a thickness or a slant.
    """

    kind: str
    colour: str | None = None
    size: str | None = None
    thickness: str | None = None
    slant: str | None = None
    place: str | None = None

    def __post_init__(self):
        for name in ATTRIBUTES:
            value = getattr(self, name)
            if value not in PHRASES[name] and (value is not None or name == "kind"):
                raise UsageError(
                    f"The {name} must be one of {', '.join(PHRASES[name])}. Received: {value!r}"
                )
        if self.kind in SHAPES and (self.thickness or self.slant):
            raise UsageError(f"A shape has no thickness and no slant. Received: {self}")


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is to be seen, or what a caption says of it.

    Args:
        entities: tuple of one or two `Entity`, both digits or both shapes. Two have no place.
        relation: str, how the first of two stands to the second, one of `RELATIONS`, or `None`: not
            said, or no second.

    Raises:
        UsageError: for other numbers of entities, a mixture, another relation, or a place that does
            not apply.
    """

    entities: tuple
    relation: str | None = None

    def __post_init__(self):
        count = len(self.entities)
        if count not in (1, 2):
            raise UsageError(f"A picture has one or two entities. Received: {count}")
        if count == 2 and len({e.kind in DIGITS for e in self.entities}) == 2:
            raise UsageError("Entities must be all digits or all shapes. Received: a mixture")
        if count == 2 and any(e.place for e in self.entities):
            raise UsageError("Only one entity alone has a place. Received: one of two with a place")
        if self.relation not in ((None, *RELATIONS) if count == 2 else (None,)):
            raise UsageError(
                f"A relation is one of {', '.join(RELATIONS)}, and between two. "
                f"Received: {self.relation!r} with {count}"
            )


def applicable(kind, count=1):
    """The attributes that an entity of this kind has in a picture of `count` entities: a tuple of
    names, the kind first."""
    skipped = {"thickness", "slant"} if kind in SHAPES else set()
    skipped |= {"place"} if count == 2 else set()
    return tuple(a for a in ATTRIBUTES if a not in skipped)


def drop_attributes(picture, attribute_drop_prob, random):
    """A picture of which less is said: of some all but the kind, of many nothing.

    Each picture has a share of its own, drawn from Beta(p, 1 - p), whose mean is p, and each attribute is
    dropped with that chance. With one share for all, a picture of which only the kind is left would hardly
    ever come: in one of 3,000 for p = 0.2 and five attributes, where it is one of 17 here.

    Args:
        picture: `Picture`.
        attribute_drop_prob: float in [0, 1], p: how often an attribute but the kind, or the relation, becomes
            `None`.
        random: `random.Random`.

    Returns:
        `Picture`.
    """
    p = attribute_drop_prob
    share = random.betavariate(p, 1 - p) if 0 < p < 1 else p

    def kept(value):
        return value if random.random() >= share else None

    entities = tuple(
        Entity(e.kind, *(kept(getattr(e, a)) for a in ATTRIBUTES[1:])) for e in picture.entities
    )
    return Picture(entities, kept(picture.relation))


def write(picture, random, any_order=False):
    """A caption that says all that a picture has.

    Args:
        picture: `Picture`.
        random: `random.Random`, which draws the paraphrase.
        any_order: bool, whether adjectives come in any order, and not in that of `ADJECTIVES`. Defaults to
            `False`.

    Returns:
        str of words with single spaces, in small letters.
    """
    pick = random.choice
    opener = pick(OPENERS)
    order = random.sample(ADJECTIVES, len(ADJECTIVES)) if any_order else ADJECTIVES
    first = _entity(picture.entities[0], pick, order)
    if len(picture.entities) == 1:
        place = picture.entities[0].place
        if place is None:
            return f"{opener} {first}".strip()
        place = pick(PHRASES["place"][place])
        return (
            f"{place} is {first}" if random.random() < 0.25 else f"{opener} {first} {place}".strip()
        )
    second = _entity(picture.entities[1], pick, order)
    if picture.relation is None:
        return f"{opener} {first} and {second}".strip()
    forward = random.random() < 0.5
    if not forward:
        first, second = second, first
    form = random.random()
    if form < 0.25:
        return f"{opener} {first} with {second} {ASIDE[picture.relation][forward]}".strip()
    relation = pick(RELATION_PHRASES[picture.relation][not forward])
    if form < 0.5:
        return f"{relation} {second} is {first}"
    return f"{opener} {first} {relation} {second}".strip()


def _entity(entity, pick, order):
    words, tails = [], []
    for attribute in order:
        value = getattr(entity, attribute)
        if value is None:
            continue
        tail = TAILS.get(attribute)
        if tail and pick((False, False, False, True)):
            tails.append(tail[value])
        else:
            words.append(pick(PHRASES[attribute][value]))
    words.append(pick(PHRASES["kind"][entity.kind]))
    article = "an" if words[0][0] in "aeiou8" and not words[0].startswith("one") else "a"
    return " ".join([article, *words, *reversed(tails)])


def split(text):
    """The words of a text: in small letters, without marks; a hyphen joins two.

    Raises:
        UsageError: if it is no str.
    """
    if not isinstance(text, str):
        raise UsageError(f"A text must be a str. Received: {text!r}")
    return re.findall(r"[^\W_]+(?:-[^\W_]+)*", text.lower())


# phrase, as a tuple of words: (what it is about, value)
_PHRASES = {}
for _attribute, _values in PHRASES.items():
    for _value, _said in _values.items():
        _PHRASES.update({tuple(p.split()): (_attribute, _value) for p in _said})
for _attribute, _values in TAILS.items():
    _PHRASES.update({tuple(p.split()): (f"tail {_attribute}", v) for v, p in _values.items()})
for _relation, _both in RELATION_PHRASES.items():
    for _i, _said in enumerate(_both):
        _PHRASES.update({tuple(p.split()): ("relation", (_relation, _i == 1)) for p in _said})
for _relation, _both in ASIDE.items():
    _PHRASES.update({tuple(p.split()): ("aside", (_relation, i == 0)) for i, p in enumerate(_both)})
for _word in ("is", "with", "and"):
    _PHRASES[(_word,)] = ("link", _word)
_PHRASES.update({(a,): ("article", a) for a in ARTICLES})
_PHRASES.update({tuple(o.split()): ("opener", o) for o in OPENERS if o})
_LONGEST = max(map(len, _PHRASES))
VOCABULARY = tuple(sorted({word for phrase in _PHRASES for word in phrase}))


def parse(caption):
    """What a caption says.

    Args:
        caption: str, of this grammar.

    Returns:
        `Picture`; of what "right of" and "below" say, the entities change places.

    Raises:
        UsageError: for words outside the vocabulary, named, and for a sentence that is not of the
            grammar or says an attribute twice.
    """
    words = split(caption)
    unknown = sorted(set(words) - set(VOCABULARY))
    if unknown:
        raise UsageError(
            f"A caption's words are those of the grammar. Unknown: {', '.join(unknown)}"
        )
    phrases, i = [], 0
    while i < len(words):
        for length in range(min(_LONGEST, len(words) - i), 0, -1):
            found = _PHRASES.get(tuple(words[i : i + length]))
            if found:
                break
        else:
            raise _misread(caption)
        phrases.append(found)
        i += length
    reader = _Reader(phrases, caption)
    reader.accept("opener")
    return reader.picture()


def _misread(caption):
    return UsageError(
        "A caption says one object, or two and how they stand, as 'a thick red three above a green "
        f"one'. Received: {caption!r}"
    )


class _Reader:
    """Phrases `(what it is about, value)`, taken from the left."""

    def __init__(self, phrases, caption):
        self.phrases, self.caption = phrases[::-1], caption

    def accept(self, *about):
        """The next phrase's value if it is about one of these, else `None`."""
        if self.phrases and self.phrases[-1][0] in about:
            return self.phrases.pop()
        return None

    def expect(self, about, value=None):
        found = self.accept(about)
        if found is None or value not in (None, found[1]):
            raise _misread(self.caption)
        return found[1]

    def entity(self):
        self.accept("article")
        said = []
        while found := self.accept(*ADJECTIVES):
            said.append(found)
        said.append(("kind", self.expect("kind")))
        while found := self.accept("tail slant", "tail colour"):
            said.append((found[0].removeprefix("tail "), found[1]))
        return self.checked_entity(said)

    def checked_entity(self, attributes):
        if len({attribute for attribute, _ in attributes}) < len(attributes):
            raise UsageError(f"A caption says each attribute once. Received: {self.caption!r}")
        return Entity(**dict(attributes))

    def picture(self):
        place, relation = self.accept("place"), self.accept("relation")
        if relation:  # "to the left of B is A"
            second = self.entity()
            self.expect("link", "is")
            return self.two(self.entity(), second, *relation[1])
        if place:  # "at the top is A"
            self.expect("link", "is")
            return self.end(Picture((dataclasses.replace(self.entity(), place=place[1]),)))
        first = self.entity()
        if place := self.accept("place"):
            return self.end(Picture((dataclasses.replace(first, place=place[1]),)))
        if relation := self.accept("relation"):
            return self.two(first, self.entity(), *relation[1])
        if not self.phrases:
            return Picture((first,))
        link, second = self.expect("link"), self.entity()
        if link == "and":
            return self.end(Picture((first, second)))
        if link == "with":
            return self.two(first, second, *self.expect("aside"))
        raise _misread(self.caption)

    def two(self, first, second, relation, reverse):
        return self.end(Picture((second, first) if reverse else (first, second), relation))

    def end(self, picture):
        if self.phrases:
            raise _misread(self.caption)
        return picture
