"""What a picture of one or two coloured objects on black shows, read from its pixels alone.

Nothing here knows how such pictures are made. Objects are connected patches of one hue; their size and
place are those of their box; a stroke's width is the ink's area over the length of its skeleton, a slant the
slope of the line through the ink; a digit is told by trained classifiers of real digits, a shape by how it
fills its box. Where two values meet, the border lies halfway.

>>> shown = detect(model.generate(texts=captions), "digits")
>>> attribute_accuracy([parse(c) for c in captions], shown)["colour"]
"""

import colorsys

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.morphology import skeletonize

from ganedu.data.captions.grammar import ATTRIBUTES, DIGITS, Entity, Picture
from ganedu.data.images import check_range
from ganedu.metrics import features
from ganedu.runtime import UsageError

KINDS = ("digits", "shapes")
HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")  # every sixth of a turn
FAINT = 0.25  # of full light; what is darker is ground
SPECK = 3.0  # the least mass of an object, in pixels of full light
NEAR = 2.3  # patches of one hue with no more than one dark pixel between them are one object
SIZE, THIRDS = 12 / 32, (13 / 32, 19 / 32)  # borders, as shares of the picture's side
THICKNESS, SLANT = 0.152, 0.22  # width of a stroke over the longer side; columns a row
# shape: its area, as a share of its box; the part above the middle; light in the middle; light halfway out
# along the diagonals, as soft as small pictures are
SHAPES = {
    "circle": (0.79, 0.50, 1.0, 1.0),
    "square": (1.00, 0.50, 1.0, 1.0),
    "triangle": (0.54, 0.26, 1.0, 0.6),
    "cross": (0.56, 0.50, 1.0, 0.3),
    "diamond": (0.54, 0.50, 1.0, 0.9),
    "ring": (0.55, 0.50, 0.0, 0.7),
}


def detect(images, kind):
    """What pictures show.

    Args:
        images: float array (N, H, H, 3) in [-1, 1].
        kind: `"digits"` or `"shapes"`: as what objects are looked at.

    Returns:
        List of N `Picture`. One object has its place, two have their relation. An attribute that
        cannot be told is `None`, and so is a picture without an object, or with more than two.

    Raises:
        UsageError: for another shape, range or kind.
    """
    images = np.asarray(images, "float32")
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3:
        raise UsageError(f"Pictures must be (N, H, H, 3). Received: {images.shape}")
    check_range(images)
    if kind not in KINDS:
        raise UsageError(f"The kind must be one of {', '.join(KINDS)}. Received: {kind!r}")
    found = [objects(image) for image in (images + 1) / 2]
    kinds = iter((_digits if kind == "digits" else _shapes)([o for f in found for o in f]))
    pictures = []
    for parts in found:
        named = [(part, next(kinds)) for part in parts]
        pictures.append(_picture(named, images.shape[1], kind) if len(named) in (1, 2) else None)
    return pictures


def attribute_accuracy(target, detected):
    """How often the detected attributes are the target's.

    Args:
        target: sequence of N `Picture`; what is `None` is not asked for.
        detected: sequence of N `Picture` or `None`, as `detect` returns.

    Returns:
        Dict from each attribute that was said, and `"relation"`, to the share that is right; `"all"`
        is the share of pictures in which everything is. Of two objects the ones that fit best are
        compared.

    Raises:
        UsageError: for different lengths, or none.
    """
    if len(target) != len(detected) or not len(target):
        raise UsageError(
            "There must be as many pictures as descriptions, at least one. "
            f"Received: {len(target)} and {len(detected)}"
        )
    told = [compare(a, b) for a, b in zip(target, detected, strict=True)]
    names = [n for n in (*ATTRIBUTES, "relation") if any(n in t for t in told)]
    found = {n: float(np.mean([v for t in told for v in t.get(n, ())])) for n in names}
    return {**found, "all": float(np.mean([all(map(all, t.values())) for t in told]))}


def compare(target, detected):
    """Each thing that is said of one picture, and whether it is to be seen.

    Args:
        target: `Picture`.
        detected: `Picture`, or `None`: nothing said is right.

    Returns:
        Dict from attribute to a list of bool, one for each object of which it is said; `"relation"`
        to a list of one.
    """
    right = detected is not None and len(detected.entities) == len(target.entities)
    entities = detected.entities if right else (None,) * len(target.entities)
    relation = detected.relation if right else None
    told = [_compare(target, entities, relation)]
    if len(entities) == 2:
        told.append(
            _compare(target, entities[::-1], None)
        )  # a relation the other way round is another
    return max(told, key=lambda t: sum(sum(v) for v in t.values()))


def _compare(target, entities, relation):
    told = {}
    for asked, found in zip(target.entities, entities, strict=True):
        for name in ATTRIBUTES:
            value = getattr(asked, name)
            if value is not None:
                told.setdefault(name, []).append(getattr(found, name, None) == value)
    if target.relation is not None:
        told["relation"] = [target.relation == relation]
    return told


def objects(image):
    """The objects of a picture (H, W, 3) in [0, 1]: a list of arrays of that shape, black elsewhere."""
    light = image.max(axis=-1)
    patches, count = ndimage.label(light > FAINT, np.ones((3, 3)))
    patches = [patches == i for i in range(1, count + 1)]
    patches = [p for mask in patches if light[mask].sum() >= 1 for p in _by_hue(image, mask)]
    joined = []
    for mask in sorted(patches, key=np.sum, reverse=True):
        near = [i for i, other in enumerate(joined) if _belong(image, mask, other)]
        for i in reversed(near):
            mask = mask | joined.pop(i)
        joined.append(mask)
    grown = [ndimage.binary_dilation(m, np.ones((3, 3))) for m in joined]
    masks = [
        g & ~np.any([o for o in joined if o is not m], axis=0)
        for g, m in zip(grown, joined, strict=True)
    ]
    return [image * m[..., None] for m in masks if light[m].sum() >= SPECK]


def _by_hue(image, mask):
    """A patch, or its parts where a quarter of its light or more has another colour."""
    y, x = np.nonzero(mask)
    pixels = image[y, x]
    near = np.array([_hue(p)[0] * 6 for p in pixels]).round().astype(int) % 6
    light = np.bincount(near, pixels.max(axis=1), minlength=6)
    large = np.flatnonzero(light >= 0.25 * light.sum())
    if len(large) < 2:
        return [mask]
    apart = np.abs(near[:, None] - large)
    nearest = np.minimum(apart, 6 - apart).argmin(axis=1)
    parts = []
    for i in range(len(large)):
        part = np.zeros_like(mask)
        part[y[nearest == i], x[nearest == i]] = True
        pieces = np.bincount(ndimage.label(part, np.ones((3, 3)))[0][part])
        if pieces.max() < 0.8 * part.sum():
            return [mask]  # speckles of two colours are not two objects
        parts.append(part)
    return parts


def _hue(colour):
    """Hue and saturation, each in [0, 1]."""
    return colorsys.rgb_to_hsv(*map(float, colour))[:2]


def _belong(image, mask, other):
    """Whether two patches are near each other and of one hue."""
    if cdist(np.argwhere(mask), np.argwhere(other)).min() > NEAR:
        return False
    apart = abs(_hue(image[mask].sum(axis=0))[0] - _hue(image[other].sum(axis=0))[0])
    return min(apart, 1 - apart) < 1 / 9


def _ink(part):
    """How much of each pixel is covered, in [0, 1], and its box (top, bottom, left, right)."""
    light = part.max(axis=-1)
    full = max(np.percentile(light[light > FAINT], 90), 0.7)
    ink = np.clip(light / full, 0, 1)
    rows, columns = np.nonzero(ink > 0.4)
    if not len(rows):
        rows, columns = np.nonzero(light > FAINT)
    return ink, (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1)


def _picture(named, side, kind):
    entities, centres = [], []
    for part, name in named:
        ink, (top, bottom, left, right) = _ink(part)
        longer, centre = max(bottom - top, right - left), ((top + bottom) / 2, (left + right) / 2)
        hue, saturation = _hue(part.sum(axis=(0, 1)))
        told = {
            "colour": HUES[round(hue * 6) % 6] if saturation > 0.35 else None,
            "size": "small" if longer < SIZE * side else "large",
        }
        if kind == "digits":
            lean = slant(ink)
            told["slant"] = "upright" if abs(lean) < SLANT else "right" if lean > 0 else "left"
            told["thickness"] = "thin" if stroke(ink) < THICKNESS * longer else "thick"
        if len(named) == 1:
            told["place"] = _place(centre, side)
        entities.append(Entity(name, **told))
        centres.append(centre)
    if len(named) == 1:
        return Picture(tuple(entities))
    down, along = np.subtract(centres[1], centres[0])
    if (along if abs(along) > abs(down) else down) < 0:
        entities = entities[::-1]
    return Picture(tuple(entities), "left of" if abs(along) > abs(down) else "above")


def _place(centre, side):
    row, column = (sum(c > t * side for t in THIRDS) for c in centre)
    words = ("top", "", "bottom")[row], ("left", "", "right")[column]
    return " ".join(filter(None, words)) or "centre"


def stroke(ink):
    """Ink (H, W) in [0, 1] to the width of its strokes in pixels: area over the skeleton's length."""
    fine = ndimage.zoom(np.pad(ink, 1), 4, order=3, mode="nearest", grid_mode=True)
    line = skeletonize(fine > 0.3)  # not 0.5: a stroke between two pixels would break
    across = np.sum(line[1:, 1:] & line[:-1, :-1]) + np.sum(line[1:, :-1] & line[:-1, 1:])
    length, area = (line.sum() + (np.sqrt(2) - 1) * across) / 4, ink.sum()
    beside = ndimage.convolve(line.astype("uint8"), np.ones((3, 3), "uint8"), mode="constant") - 1
    ends = np.sum(line & (beside < 2))
    # at an end the skeleton stops half a width before the stroke does: area = w (length + w ends / 2)
    root = np.sqrt(length**2 + 2 * ends * area)
    return (root - length) / ends if ends else area / length


def slant(ink):
    """Ink (H, W) in [0, 1] to the columns to the right for each row up of the line through it."""
    rows, columns = np.nonzero(ink)
    if np.ptp(rows) == 0:
        return 0.0
    return -np.polyfit(rows, columns, 1, w=np.sqrt(ink[rows, columns]))[0]


def _digits(objects):
    """The digits' names, told by the classifiers of MNIST and of scikit-learn's digits together, upright
    and halfway there."""
    if not objects:
        return []
    inks = [_ink(part)[0] for part in objects]
    looks = [np.stack([_cutout(ink, by) for ink in inks]) for by in (0.5, 1.0)]
    seen = [features.load(n).probabilities(look) for n in ("mnist", "digits") for look in looks]
    return [DIGITS[k] for k in np.mean(seen, axis=0).argmax(axis=1)]


def _cutout(ink, upright):
    """Ink (H, W) as MNIST frames a digit: 20 of 28 pixels, centred by mass; (28, 28, 1) in [-1, 1]."""
    side = 4 * len(ink)
    large = Image.fromarray(ink).resize((side, side), Image.Resampling.BICUBIC)
    lean, middle = upright * slant(ink), 4 * ndimage.center_of_mass(ink)[0]
    large = large.transform(large.size, Image.Transform.AFFINE, (1, -lean, lean * middle, 0, 1, 0))
    light = np.asarray(large)
    rows, columns = np.nonzero(light > min(0.5, light.max() / 2))
    box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    height, width = box[3] - box[1], box[2] - box[0]
    scale = 20 / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.clip(large.crop(box).resize(size, Image.Resampling.BOX), 0, 1)
    mass = small.sum()
    at = [
        int(np.clip(round(14 - (small.sum(axis=1 - a) @ np.arange(n)) / mass), 0, 28 - n))
        for a, n in enumerate(small.shape)
    ]
    framed = np.zeros((28, 28, 1), "float32")
    framed[at[0] : at[0] + size[1], at[1] : at[1] + size[0], 0] = small
    return 2 * framed - 1


def _shapes(objects):
    names = []
    for part in objects:
        ink, (top, bottom, left, right) = _ink(part)
        height, width = (ink.max(axis=a).sum() for a in (1, 0))  # parts of pixels count
        y, x = (top + bottom - 1) / 2, (left + right - 1) / 2
        rows = np.arange(len(ink))
        above = ink[rows < y].sum() + 0.5 * ink[rows == y].sum()
        down, along = np.array([[-1, -1, 1, 1, 0], [-1, 1, -1, 1, 0]])
        points = y + 0.21 * height * down, x + 0.21 * width * along
        *diagonal, middle = ndimage.map_coordinates(ink, points, order=1)
        seen = ink.sum() / (height * width), above / ink.sum(), middle, np.mean(diagonal)
        names.append(min(SHAPES, key=lambda s: np.abs(np.subtract(SHAPES[s], seen)).sum()))
    return names
