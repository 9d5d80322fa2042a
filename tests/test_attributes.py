"""What the reader of pictures sees, in pictures that this file draws by itself and in real pairs."""

import ast
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ganedu import data
from ganedu.data.captions.grammar import Entity, Picture, parse
from ganedu.metrics import attributes
from ganedu.runtime import UsageError

FINE = 16  # drawn at this many samples a pixel, then averaged
LIGHT = {"red": (255, 0, 0), "green": (0, 220, 0), "blue": (40, 60, 255), "yellow": (250, 240, 0)}
# strokes through points of a box from (0, 0) at the top left to (1, 1)
STROKES = {
    "one": [[(0.5, 0), (0.5, 1)]],
    "four": [[(0.3, 0), (0.05, 0.6), (0.9, 0.6)], [(0.75, 0.25), (0.75, 1)]],
    "seven": [[(0.05, 0), (0.85, 0), (0.4, 1)]],
    "zero": [[(0.5 + 0.38 * np.sin(a), 0.5 - 0.5 * np.cos(a)) for a in np.linspace(0, 6.4, 40)]],
}


def blank():
    return Image.new("RGB", (32 * FINE, 32 * FINE))


def finished(*layers):
    """Layers, one on the other, as one image (32, 32, 3) in [-1, 1]."""
    total = np.clip(sum(np.asarray(layer, "float32") for layer in layers), 0, 255)
    return total.reshape(32, FINE, 32, FINE, 3).mean(axis=(1, 3)) / 127.5 - 1


def digit(name, colour, centre, height, width, lean=0.0):
    """Strokes of `width` pixels, leaning by columns a row."""
    picture = blank()
    draw = ImageDraw.Draw(picture)
    x0, y0 = centre
    for line in STROKES[name]:
        points = []
        for x, y in line:
            down = (y - 0.5) * (height - width)
            across = (x - 0.5) * (height - width) * 0.7 - lean * down
            points.append(((x0 + across) * FINE, (y0 + down) * FINE))
        draw.line(points, LIGHT[colour], round(width * FINE), joint="curve")
        for x, y in (points[0], points[-1]):
            r = width * FINE / 2
            draw.ellipse((x - r, y - r, x + r, y + r), LIGHT[colour])
    return picture


def own_lean(name):
    """How a digit's strokes lean as they are: the slope of the line through their points."""
    points = []
    for line in STROKES[name]:
        for (x0, y0), (x1, y1) in pairwise(line):
            t = np.linspace(0, 1, 2 + round(1000 * np.hypot(0.7 * (x1 - x0), y1 - y0)))
            points.append(np.stack([0.7 * (x0 + t * (x1 - x0)), y0 + t * (y1 - y0)], axis=1))
    x, y = np.concatenate(points).T
    return -np.cov(x, y)[0, 1] / np.var(y, ddof=1)


def shape(name, colour, centre, side):
    picture = blank()
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = (
        FINE * (c + s * side / 2) for s, c in zip((-1, -1, 1, 1), (*centre, *centre), strict=True)
    )
    x, y, third = (left + right) / 2, (top + bottom) / 2, side * FINE / 6
    if name in ("circle", "ring"):
        draw.ellipse((left, top, right, bottom), LIGHT[colour])
    if name == "ring":
        r = 0.27 * side * FINE
        draw.ellipse((x - r, y - r, x + r, y + r), (0, 0, 0))
    if name == "square":
        draw.rectangle((left, top, right - 1, bottom - 1), LIGHT[colour])
    if name == "triangle":
        draw.polygon([(x, top), (left, bottom), (right, bottom)], LIGHT[colour])
    if name == "diamond":
        draw.polygon([(x, top), (left, y), (x, bottom), (right, y)], LIGHT[colour])
    if name == "cross":
        draw.rectangle((left, y - third, right, y + third), LIGHT[colour])
        draw.rectangle((x - third, top, x + third, bottom), LIGHT[colour])
    return picture


def read_one(image, kind):
    return attributes.detect(image[None], kind)[0]


@pytest.mark.parametrize("name", ["circle", "square", "triangle", "cross", "diamond", "ring"])
@pytest.mark.parametrize(("size", "side"), [("small", 10), ("large", 15)])
def test_shapes_drawn_here(name, size, side):
    for colour, place, centre in [
        ("red", "top left", (8.2, 8.9)),
        ("green", "bottom", (16.3, 23.1)),
        ("yellow", "right", (22.8, 15.4)),
        ("blue", "centre", (15.6, 16.5)),
    ]:
        seen = read_one(finished(shape(name, colour, centre, side)), "shapes")
        assert seen == Picture((Entity(name, colour, size, place=place),))


@pytest.mark.parametrize("name", STROKES)
@pytest.mark.parametrize(("slant", "lean"), [("left", -0.45), ("upright", 0.0), ("right", 0.45)])
@pytest.mark.parametrize(("thickness", "width"), [("thin", 1.5), ("thick", 3.2)])
def test_digits_drawn_here(name, slant, lean, thickness, width):
    image = finished(digit(name, "green", (16, 16), 15, width, lean - own_lean(name)))
    expected = Entity(name, "green", "large", thickness, slant, "centre")
    assert read_one(image, "digits") == Picture((expected,))


@pytest.mark.parametrize(
    ("second", "relation", "turned"),
    [
        ((24, 17), "left of", False),
        ((8, 15), "left of", True),
        ((17, 25), "above", False),
        ((15, 7), "above", True),
    ],
)
@pytest.mark.parametrize("colour", ["blue", "red"])
def test_two_drawn_here(second, relation, turned, colour):
    """The second one to the right, to the left, below and above; of another colour, and of the same."""
    first = (32 - second[0], 32 - second[1])
    image = finished(shape("ring", "red", first, 10), shape("square", colour, second, 10))
    entities = Entity("ring", "red", "small"), Entity("square", colour, "small")
    expected = Picture(entities[::-1] if turned else entities, relation)
    assert read_one(image, "shapes") == expected


def test_colours_that_touch_are_two_and_a_gap_of_one_pixel_is_none():
    image = finished(shape("square", "red", (11, 16), 10), shape("square", "green", (21, 16), 10))
    expected = Picture(
        (Entity("square", "red", "small"), Entity("square", "green", "small")), "left of"
    )
    assert read_one(image, "shapes") == expected
    image = finished(shape("square", "red", (16, 16), 14))
    image[16] = -1  # a stroke that broke
    seen = read_one(image, "shapes")
    assert len(seen.entities) == 1
    assert seen.entities[0].size == "large"


def test_no_object_three_objects_and_noise():
    black = np.full((32, 32, 3), -1.0)
    assert read_one(black, "shapes") is None
    three = [shape("square", "red", (6, y), 7) for y in (5, 16, 27)]
    assert read_one(finished(*three), "shapes") is None
    rng = np.random.default_rng(0)
    image = finished(shape("circle", "blue", (16, 16), 15))
    noisy = np.clip(image + rng.normal(0, 0.1, image.shape), -1, 1)
    noisy[2, 2] = 1  # one bright pixel
    assert read_one(noisy, "shapes") == read_one(image, "shapes")
    grey = np.where(image > -0.5, 0.6, -1.0).max(axis=-1, keepdims=True).repeat(3, axis=-1)
    assert read_one(grey, "shapes").entities[0].colour is None


def test_the_reader_shares_nothing_with_the_maker():
    tree = ast.parse(Path(attributes.__file__).read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{a.name}" for a in node.names}
        if isinstance(node, ast.Import):
            imported |= {a.name for a in node.names}
    makers = ("scenes", "glyphs", "instructions")
    assert not [n for n in imported if any(maker in n for maker in makers)]
    words = {n for n in imported if n.startswith("ganedu.data.captions.grammar.")}
    allowed = {"ATTRIBUTES", "DIGITS", "Entity", "Picture"}
    assert words == {f"ganedu.data.captions.grammar.{n}" for n in allowed}


@pytest.mark.parametrize("objects", [(1,), (2,)])
@pytest.mark.parametrize("name", ["digits", "scenes"])
def test_real_pairs(name, objects):
    if name == "digits":
        pairs = data.captioned_digits(data.load("digits"), 120, objects=objects, seed=1)
    else:
        pairs = data.scenes(120, objects=objects, seed=1)
    seen = attributes.detect(pairs.array(), "digits" if name == "digits" else "shapes")
    found = attributes.attribute_accuracy(pairs.pictures, seen)
    names = {"kind", "colour", "size", "place" if objects == (1,) else "relation", "all"}
    assert set(found) == names | ({"thickness", "slant"} if name == "digits" else set())
    found.pop("all")
    assert min(found.values()) > 0.96, found


class TestCompare:
    def test_by_hand(self):
        target = parse("a thick red three to the left of a small green seven")
        three = Entity("three", "red", "large", "thick", "upright")
        seven = Entity("seven", "blue", "small", "thin", "left")
        told = attributes.compare(target, Picture((three, seven), "left of"))
        assert told == {
            "kind": [True, True],
            "colour": [True, False],
            "size": [True],
            "thickness": [True],
            "relation": [True],
        }
        # The same two the other way round: all but the relation is right.
        told = attributes.compare(target, Picture((seven, three), "left of"))
        assert told["kind"] == [True, True]
        assert told["relation"] == [False]
        assert attributes.compare(target, Picture((three, seven), "above"))["relation"] == [False]

    @pytest.mark.parametrize("shown", [None, Picture((Entity("three", "red"),))])
    def test_another_number_of_objects_is_all_wrong(self, shown):
        told = attributes.compare(parse("a red three above a four"), shown)
        assert told == {"kind": [False, False], "colour": [False], "relation": [False]}

    def test_rates_by_hand(self):
        target = [parse(t) for t in ("a red three", "a blue four at the top", "a five")]
        shown = [
            Picture((Entity("three", "red"),)),
            Picture((Entity("four", "red", place="top"),)),
            None,
        ]
        found = attributes.attribute_accuracy(target, shown)
        # Kinds 2 of 3; colours 1 of the 2 that were asked for; places 1 of 1; all of the first alone.
        assert found == pytest.approx({"kind": 2 / 3, "colour": 1 / 2, "place": 1.0, "all": 1 / 3})


@pytest.mark.parametrize(
    ("act", "target"),
    [
        (lambda: attributes.detect(np.zeros((2, 32, 30, 3)), "digits"), r"\(N, H, H, 3\).*30"),
        (lambda: attributes.detect(np.zeros((2, 32, 32, 1)), "digits"), r"\(N, H, H, 3\)"),
        (lambda: attributes.detect(np.full((1, 8, 8, 3), 9.0), "digits"), r"floats in \[-1, 1\]"),
        (
            lambda: attributes.detect(np.zeros((1, 8, 8, 3)), "cats"),
            r"digits, shapes\. Received: 'cats'",
        ),
        (lambda: attributes.attribute_accuracy([], []), r"at least one\. Received: 0 and 0"),
        (lambda: attributes.attribute_accuracy([parse("a five")], []), r"Received: 1 and 0"),
    ],
)
def test_mistakes_are_named(act, target):
    with pytest.raises(UsageError, match=target):
        act()
