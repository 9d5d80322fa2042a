"""What can be asked of a picture in words, and the pictures before and after.

    instruction = "make" what colour | "paint" what colour                   colour
                | "make" what ("bigger" | "larger" | "smaller")              size
                | "make" what ("thicker" | "bolder" | "thinner" | "finer")   thickness
                | "make" what ("lean left" | "lean right" | "straight")      slant
                | "move" what ("up" | "down" | "to the left" | "to the right" | "to the middle")   place
                | "turn" what "into a" kind                                  kind
    what        = "it", where there is one object | "the" kind

"to the left" is one of the nine places further left. An instruction says nothing of what is as it should be
already: no red three is asked to be red.

The same call of `render` on both lists gives each pair the same hand, brightness and exact size, but for what
was asked.
"""

import dataclasses

from ganedu.data.captions.grammar import (
    DIGITS,
    SHAPES,
    VALUES,
    VOCABULARY,
    Picture,
    applicable,
    split,
)

MOVES = {
    "up": (-1, 0),
    "down": (1, 0),
    "to the left": (0, -1),
    "to the right": (0, 1),
    "to the middle": None,
}
COMPARED = {
    "size": {"small": ("smaller",), "large": ("bigger", "larger")},
    "thickness": {"thin": ("thinner", "finer"), "thick": ("thicker", "bolder")},
    "slant": {"left": ("lean left",), "upright": ("straight",), "right": ("lean right",)},
}
_PHRASES = ("make paint move turn into it the a an", *MOVES)
_PHRASES = (
    *_PHRASES,
    *(said for values in COMPARED.values() for both in values.values() for said in both),
)
WORDS = tuple(sorted({*VOCABULARY, *(word for said in _PHRASES for word in split(said))}))


def instruction(picture, random):
    """Something that can be asked of a picture.

    Args:
        picture: complete `Picture`.
        random: `random.Random`.

    Returns:
        `(text, edited, attribute)`: str, what is to be seen then, a `Picture`, and which of
        `grammar.ATTRIBUTES` of one of its entities is another.
    """
    count = len(picture.entities)
    chosen = random.randrange(count)
    entity = picture.entities[chosen]
    attribute = random.choice(applicable(entity.kind, count))
    named = f"the {entity.kind}"
    what = random.choice(("it", named)) if count == 1 else named
    text, value = _asked(picture, entity, attribute, what, random)
    entities = list(picture.entities)
    entities[chosen] = dataclasses.replace(entity, **{attribute: value})
    return text, Picture(tuple(entities), picture.relation), attribute


def _asked(picture, entity, attribute, what, random):
    old = getattr(entity, attribute)
    if attribute == "place":
        row, column = divmod(VALUES["place"].index(old), 3)
        moves = {said: _moved(row, column, by) for said, by in MOVES.items()}
        said = random.choice([s for s, to in moves.items() if to not in (None, (row, column))])
        row, column = moves[said]
        return f"move {what} {said}", VALUES["place"][3 * row + column]
    if attribute == "kind":
        there = {e.kind for e in picture.entities}
        value = random.choice([k for k in (DIGITS if old in DIGITS else SHAPES) if k not in there])
        return f"turn {what} into {'an' if value == 'eight' else 'a'} {value}", value
    value = random.choice([v for v in VALUES[attribute] if v != old])
    if attribute == "colour":
        return f"{random.choice(('make', 'paint'))} {what} {value}", value
    return f"make {what} {random.choice(COMPARED[attribute][value])}", value


def _moved(row, column, by):
    """The place that a move leads to, or `None` where it would leave the picture."""
    if by is None:
        return 1, 1
    row, column = row + by[0], column + by[1]
    return (row, column) if row in range(3) and column in range(3) else None
