"""What captioned pictures are drawn with: real digits of a measured thickness and slant, and shapes.

A glyph is a mask of 32x32 whose ink's longer side fills it. Two properties of the ink I(x, y) are measured:

    thickness = h/2 - sqrt(h^2/4 - sum(I)),  h = sum(|grad I|) / 2      the shorter side of the rectangle that
                                         has the ink's area and outline, as a share of the longer side
    slant = -sum(I x y) / sum(I y^2)     x, y from the centre of mass, y downwards: columns to the right for
                                         each row up

Each handwritten digit is taken thin and thick, leaning left, upright and leaning right: it is sheared, and its
outline moved in or out. Then it is measured. Between the classes lies a margin: a digit that comes out within, or
whose strokes broke or ran together, or that looks more like another digit, is left out, so that no caption
says what a person would dispute.

Reference:
    Castro, Tan, Kainz, Konukoglu and Glocker 2019, "Morpho-MNIST", arXiv:1809.10780.
"""

import dataclasses
import functools

import numpy as np
from scipy import ndimage

from ganedu.data.captions.grammar import DIGITS, SHAPES
from ganedu.runtime import UsageError

SIDE = 32
CORE = 0.8  # the radius of the line along its skeleton that a stroke never becomes thinner than
ROOM = 10  # pixels around a digit, for it to lean and grow
THICKNESS = {"thin": (0.07, 0.125), "thick": (0.195, 0.26)}
AIM = {"thin": 0.095, "thick": 0.22}
SLANT = {"left": (-0.55, -0.33), "upright": (-0.1, 0.1), "right": (0.33, 0.55)}
LEAN = {"left": -0.44, "upright": 0.0, "right": 0.44}
LOOPS = {0: 1, 1: 0, 3: 0, 5: 0, 6: 1, 7: 0, 8: 2, 9: 1}  # other digits may have any
TRIED = 250  # digits of each class, so that a set is ready in seconds


@dataclasses.dataclass(frozen=True, eq=False)
class Glyphs:
    """
    Args:
        masks: uint8 array (G, 32, 32).
        extents: float32 array (G, 2), the ink's height and width as shares of the longer.
        indices: dict from (kind, thickness, slant) to the masks' numbers, an int array. Number i in
            each of a kind's arrays is the same digit by the same hand.
    """

    masks: np.ndarray = dataclasses.field(repr=False)
    extents: np.ndarray = dataclasses.field(repr=False)
    indices: dict = dataclasses.field(repr=False)


def means(start, step, source, target):
    """The matrices that shrink by averaging: row i of each takes the mean over
    [start + i step, start + (i + 1) step), and what lies outside of the source is 0.

    Args:
        start, step: arrays (N,), in the source's pixels.
        source, target: ints, lengths.

    Returns:
        float32 array (N, target, source).
    """
    start, step = (np.asarray(a, "float32")[:, None, None] for a in (start, step))
    left = start + step * np.arange(target, dtype="float32")[None, :, None]
    pixels = np.arange(source, dtype="float32")
    shared = np.minimum(left + step, pixels + 1) - np.maximum(left, pixels)
    return np.maximum(shared, 0) / step


def thickness(ink):
    """Ink (N, S, S) in [0, 1] to the mean width of its strokes in pixels, (N,)."""
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    down = padded[:, 1:, :-1] - padded[:, :-1, :-1]
    along = padded[:, :-1, 1:] - padded[:, :-1, :-1]
    half = np.sqrt(down**2 + along**2).sum(axis=(1, 2)) / 4
    return half - np.sqrt(np.maximum(half**2 - ink.sum(axis=(1, 2)), 0))


def slant(ink):
    """Ink (N, S, S) in [0, 1] to columns to the right for each row up, (N,)."""
    count, side = len(ink), np.arange(ink.shape[1], dtype="float32")
    mass = np.maximum(ink.sum(axis=(1, 2)), 1e-6)
    y = side[None] - (ink.sum(axis=2) @ side / mass)[:, None]
    x = side[None] - (ink.sum(axis=1) @ side / mass)[:, None]
    together = np.matmul(y.reshape(count, 1, -1), np.matmul(ink, x[:, :, None])).ravel()
    return -together / np.maximum((ink.sum(axis=2) * y**2).sum(axis=1), 1e-6)


@functools.lru_cache(maxsize=4)
def digit_glyphs(dataset):
    """The legible ones of the first 250 digits of each class, thin and thick, in three slants.

    Args:
        dataset: `ImageDataset` of digits: uint8 (N, 28, 28, 1), labels 0 to 9.

    Returns:
        `Glyphs`.

    Raises:
        UsageError: for another shape or labels, and where a digit has no legible example.
    """
    if dataset.image_shape != (28, 28, 1) or set(np.unique(dataset.labels)) != set(range(10)):
        raise UsageError(
            "Captioned digits are made of 28x28x1 images with labels 0 to 9, as digits and mnist. "
            f"Received: {dataset.name}, {dataset.image_shape}"
        )
    classes = [np.flatnonzero(dataset.labels == k)[:TRIED] for k in range(10)]
    tried = [_variants(dataset.images[c, ..., 0], LOOPS.get(k)) for k, c in enumerate(classes)]
    masks, labels = np.concatenate(tried), np.repeat(range(10), [len(m) for m in tried])
    clear = _told_by_neighbours(masks, labels)
    kept, indices, count = [], {}, 0
    for k, name in enumerate(DIGITS):
        own = masks[(labels == k) & clear]
        if not len(own):
            raise UsageError(f"Each digit needs legible examples. {dataset.name} has no {name}")
        for v, key in enumerate((t, s) for t in THICKNESS for s in SLANT):
            indices[(name, *key)] = np.arange(count, count + len(own))
            kept.append(own[:, v])
            count += len(own)
    masks = np.concatenate(kept)
    return Glyphs(masks, _extents(masks), indices)


@functools.cache
def shape_glyphs():
    """The six shapes, one mask each: `Glyphs`."""
    line = (np.arange(SIDE * 8) + 0.5) / (SIDE * 4) - 1  # eight samples a pixel, from -1 to 1
    x, y = line[None, :], line[:, None]
    radius = np.hypot(x, y)
    inside = {
        "circle": radius < 1,
        "square": (np.abs(x) < 1) & (np.abs(y) < 1),
        "triangle": np.abs(x) < (y + 1) / 2,
        "cross": (np.abs(x) < 1 / 3) | (np.abs(y) < 1 / 3),
        "diamond": np.abs(x) + np.abs(y) < 1,
        "ring": (radius < 1) & (radius > 0.55),
    }
    fine = np.stack([inside[name] for name in SHAPES]).reshape(-1, SIDE, 8, SIDE, 8)
    masks = np.rint(255 * fine.mean(axis=(2, 4))).astype("uint8")
    indices = {(name, None, None): np.array([i]) for i, name in enumerate(SHAPES)}
    return Glyphs(masks, _extents(masks), indices)


def _variants(digits, loops):
    """Those of the digits, uint8 (N, 28, 28), that are legible in all six forms: masks (M, 6, 32, 32)."""
    from skimage.morphology import skeletonize

    ink = _enlarged(digits)
    ink = _framed(_sheared(ink, -slant(ink)))  # upright
    whole = _parts(ink)
    legible = (whole[:, 0] == 1) & ((whole[:, 1] == loops + 1) if loops is not None else True)
    ink, whole = ink[legible], whole[legible]  # the others are not looked at again
    legible = np.ones(len(ink), bool)
    ink = np.pad(ink, ((0, 0), (ROOM, ROOM), (ROOM, ROOM)))
    outline = _distance(ink > 0.5) - _distance(ink <= 0.5)  # from it, in pixels; inside below 0
    outline = ndimage.gaussian_filter(outline, (0, 0.7, 0.7))
    core = _distance(np.stack([skeletonize(i > 0.5) for i in ink])) - CORE

    def transformed(lean, r):
        """Everything within the outline, moved out by r, or within the core; then sheared."""
        inside = np.maximum(r[:, None, None] - outline, -core)
        return _framed(_sheared(np.clip(inside + 0.5, 0, 1), lean))

    found = []
    for t, (least, most) in THICKNESS.items():
        for s, (left, right) in SLANT.items():
            lean, r = np.full(len(ink), LEAN[s]), (AIM[t] * SIDE - thickness(ink)) / 2
            first = transformed(lean, r)
            lean = lean + LEAN[s] - slant(first)
            masks = transformed(lean, r + (AIM[t] * SIDE - thickness(first)) / 2)
            width, lean = thickness(masks) / SIDE, slant(masks)
            legible &= (least <= width) & (width <= most) & (left <= lean) & (lean <= right)
            legible &= (_parts(masks) == whole).all(axis=1)
            found.append(np.rint(255 * masks).astype("uint8"))
    return np.stack(found, axis=1)[legible]


def _told_by_neighbours(masks, labels):
    """Which digits (N, 6, 32, 32) have, in each of their forms, four of the five nearest others from
    their own class: bool (N,)."""
    clear = np.ones(len(masks), bool)
    for form in range(masks.shape[1]):
        points = masks[:, form].reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(len(masks), -1)
        squares = np.sum(points**2, axis=1)
        distance = squares[:, None] + squares - 2 * points @ points.T
        np.fill_diagonal(distance, np.inf)
        nearest = np.argpartition(distance, 5, axis=1)[:, :5]
        clear &= (labels[nearest] == labels[:, None]).sum(axis=1) >= 4
    return clear


def _enlarged(digits):
    """uint8 (N, 28, 28) to float32 ink (N, 76, 76) in [0, 1] with steep edges."""
    grow = ndimage.zoom(np.eye(28), (2, 1), order=3, mode="grid-constant", grid_mode=True)
    grow = grow.astype("float32")
    ink = grow @ (digits / np.float32(255)) @ grow.T
    return np.pad(np.clip(2 * ink - 0.5, 0, 1), ((0, 0), (ROOM, ROOM), (ROOM, ROOM)))


def _sheared(ink, by):
    """Rows above the middle move to the right by `by` (N,) columns a row; between two pixels the mean."""
    side = ink.shape[1]
    rows = (side - 1) / 2 - np.arange(side)
    source = np.arange(side) - (by[:, None] * rows)[..., None]  # (N, row, column)
    low = np.floor(source)
    part = (source - low).astype("float32")
    wide = np.pad(ink, ((0, 0), (0, 0), (2, 2)), mode="edge")
    place = np.clip(low, -2, side).astype("int64") + 2
    place += (side + 4) * np.arange(len(ink) * side).reshape(len(ink), side, 1)
    return (1 - part) * wide.take(place) + part * wide.take(place + 1)


def _distance(there):
    """bool (N, S, S) to the distance of each pixel to the nearest that is `True`, float32."""
    far = 4 * there.shape[1]  # from one image to the next, so that none sees another
    return ndimage.distance_transform_edt(~there, (far, 1, 1)).astype("float32")


def _box(ink):
    """(N, S, S) to the first row of ink and the one after the last, and the columns: (N, 2, 2)."""
    side, edges = ink.shape[1], []
    for axis in (2, 1):
        there = (ink > 0.5).any(axis=axis)
        edges.append([there.argmax(axis=1), side - there[:, ::-1].argmax(axis=1)])
    return np.array(edges).transpose(2, 0, 1)


def _framed(ink):
    """The ink's box, brought to 32x32 by its longer side, in the middle: (N, 32, 32)."""
    box = _box(ink)
    longer = np.ptp(box, axis=2).max(axis=1)
    start = box.mean(axis=2) - longer[:, None] / 2
    rows, columns = (means(start[:, i], longer / SIDE, ink.shape[1], SIDE) for i in (0, 1))
    return rows @ ink @ columns.transpose(0, 2, 1)


def _extents(masks):
    return (np.ptp(_box(masks / np.float32(255)), axis=2) / SIDE).astype("float32")


def _parts(masks):
    """How many pieces the ink has, and how many the ground (one more than holes): (N, 2)."""
    counts = []
    ink = np.pad(masks > 0.5, ((0, 0), (1, 1), (1, 1)))
    for there, diagonal in ((ink, True), (~ink, False)):
        plane = np.zeros((3, 3, 3), bool)
        plane[1] = True if diagonal else ndimage.generate_binary_structure(2, 1)
        numbered, _ = ndimage.label(there, plane)
        last = np.maximum.accumulate(numbered.max(axis=(1, 2)))
        counts.append(np.diff(last, prepend=0))
    return np.stack(counts, axis=1)
