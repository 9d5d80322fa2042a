"""Pictures of images: grids, rows, PNGs and GIFs."""

import math
import textwrap

import numpy as np
from PIL import Image

from ganedu.data.images import to_uint8
from ganedu.figures.base import COLOURS, INK, Figure


def tile(images, columns=None, padding=1):
    """Puts images side by side.

    Args:
        images: (N, H, W, C), uint8 or float in [-1, 1]; C is 1 or 3.
        columns: int. Defaults to the square root of N, rounded up.
        padding: int, pixels of mid-grey between images. Defaults to `1`.

    Returns:
        uint8 array (rows * (H + padding) - padding, columns * (W + padding) - padding, C).
    """
    images = np.asarray(images)
    if images.ndim != 4 or not len(images) or images.shape[-1] not in (1, 3):
        raise ValueError(
            f"`images` must have shape (N, H, W, 1 or 3) with N > 0. Received: {images.shape}"
        )
    if images.dtype != np.uint8:
        images = to_uint8(images)
    count, height, width, channels = images.shape
    columns = min(count, columns or math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    tiled = np.full(
        (rows * (height + padding), columns * (width + padding), channels), 110, "uint8"
    )
    for i, image in enumerate(images):
        y, x = i // columns * (height + padding), i % columns * (width + padding)
        tiled[y : y + height, x : x + width] = image
    return tiled[: tiled.shape[0] - padding, : tiled.shape[1] - padding]


def grid(images, columns=None, title=None):
    """A grid of images (N, H, W, C)."""
    tiled = tile(images, columns)
    figure = _figure(tiled.shape[1], tiled.shape[0])
    _picture(figure.subplots(), tiled, title)
    return figure


def side_by_side(sets, columns=None):
    """Grids of images side by side, as `{"real": x, "generated": g}`: dict of title to images (N, H,
    W, C)."""
    tiles = {title: tile(images, columns) for title, images in sets.items()}
    first = next(iter(tiles.values()))
    figure = _figure(first.shape[1] * len(tiles), first.shape[0])
    for axes, (title, tiled) in zip(
        np.ravel(figure.subplots(1, len(tiles))), tiles.items(), strict=True
    ):
        _picture(axes, tiled, title)
    return figure


def rows(sets, texts=None, right=None):
    """One row of images under another, as `{"image": x, "reconstruction": y}` or `{"lerp": a,
    "slerp": b}`.

    Args:
        sets: dict of a row's title to images (N, H, W, C), N the same in all rows.
        texts: list of N str, over the columns. Defaults to none.
        right: N bool: the texts that are not right are red. Defaults to all right.
    """
    tiles = {title: tile(images, len(images)) for title, images in sets.items()}
    first = next(iter(tiles.values()))
    figure = _figure(first.shape[1], (first.shape[0] + 4) * len(tiles))
    for axes, (title, tiled) in zip(
        np.ravel(figure.subplots(len(tiles), 1)), tiles.items(), strict=True
    ):
        _picture(axes, tiled)
        axes.set_ylabel(title, rotation=0, ha="right", va="center", color=INK)
    width = first.shape[1] / len(texts or "-")
    for i, text in enumerate(texts or ()):
        colour = INK if right is None or right[i] else COLOURS[1]
        text, place = textwrap.fill(text, 10), ((i + 0.5) * width, -0.06 * first.shape[0])
        figure.axes[0].text(*place, text, ha="center", va="bottom", color=colour, fontsize=7.5)
    return figure


def reconstructions(images, reconstructed):
    """Images (N, H, W, C) over what came back of them."""
    return rows({"image": images, "reconstruction": reconstructed})


def attention(image, tokens, maps):
    """Where a network looks at each word: the image, large, and beside it a map for each word, white where it looks
    most, with the ink's outline.

    Args:
        image: (H, W, C).
        tokens: list of T str.
        maps: (T, h, w), not negative.
    """
    image, maps = tile(np.asarray(image)[None]), np.asarray(maps)
    columns = min(len(tokens), 6)
    lines = max(2, math.ceil(len(tokens) / columns))
    figure = Figure(figsize=(1.1 * (columns + lines), 1.3 * lines), layout="constrained")
    places = figure.add_gridspec(lines, columns + lines)
    _picture(figure.add_subplot(places[:, :lines]), image)
    extent = (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
    light = image.max(axis=-1)
    for i, (word, weights) in enumerate(zip(tokens, maps, strict=False)):
        axes = figure.add_subplot(places[i // columns, lines + i % columns])
        axes.imshow(weights, "inferno", extent=extent, interpolation="nearest")
        if np.ptp(light):
            axes.contour(
                light, [(light.min() / 2 + light.max() / 2)], colors="#7fd6ff", linewidths=0.8
            )
        axes.set_title(word, color=INK, fontsize=9)
        axes.set_axis_off()
    return figure


def similarity(images, texts, panels):
    """How well each of T texts fits each of N images: the texts beside the rows, the images over the columns.

    Args:
        images: (N, H, W, C).
        texts: list of T str.
        panels: dict of a title to cosines (T, N), black at -1 and white at 1; each is shown beside the others.
    """
    count = len(images)
    side = min(0.42, 5.6 / (count * len(panels)))  # inches of a cell
    beside = 0.07 * max(map(len, texts))
    size = (beside + side * (count + 0.4) * len(panels), side * (len(texts) + 2.2))
    figure = Figure(figsize=size, layout="constrained")
    tiled = tile(images, count, padding=0)
    grids = figure.subplots(
        2, len(panels), squeeze=False, height_ratios=(1, len(texts)), sharex=False
    )
    for (above, axes), (title, scores) in zip(grids.T, panels.items(), strict=True):
        _picture(above, tiled, title)
        above.set_aspect("auto")
        axes.imshow(np.asarray(scores), "gray", vmin=-1, vmax=1, aspect="auto")
        axes.set_xticks([])
        axes.set_yticks([])
    grids[1, 0].set_yticks(range(len(texts)), texts, fontsize=8, color=INK)
    grids[1, 0].tick_params(length=0)
    return figure


def captioned(images, texts, columns=4, right=None):
    """Images, each over its text.

    Args:
        images: (N, H, W, C).
        texts: list of N str.
        columns: int. Defaults to `4`.
        right: N bool: the texts that are not right are red. Defaults to all right.
    """
    if not len(images) == len(texts) == len(texts if right is None else right):
        raise ValueError(
            f"There must be a text for each image. Received: {len(texts)} for {len(images)} images"
        )
    lines, wide = math.ceil(len(texts) / columns), 8.8 / columns
    figure = Figure(figsize=(8.8, 1.75 * lines), layout="constrained")
    panels = np.ravel(figure.subplots(lines, columns, squeeze=False))
    for i, (axes, text) in enumerate(zip(panels, texts, strict=False)):
        _picture(axes, tile(np.asarray(images[i])[None]))
        colour = INK if right is None or right[i] else COLOURS[1]
        axes.set_xlabel(textwrap.fill(text, round(14 * wide)), color=colour, fontsize=8.5)
    for axes in panels[len(texts) :]:
        axes.set_axis_off()
    return figure


def strip(images, title=None):
    """An interpolation (T, H, W, C) from left to right."""
    return grid(images, columns=len(images), title=title)


def manifold(images, title=None):
    """Images (S, S, H, W, C) of a square grid of latents, without gaps."""
    images = np.asarray(images)
    tiled = tile(images.reshape(-1, *images.shape[2:]), images.shape[1], padding=0)
    figure = _figure(tiled.shape[1], tiled.shape[0])
    _picture(figure.subplots(), tiled, title)
    return figure


def save_png(images, file, columns=None, min_side=448):
    """Writes a grid of images (N, H, W, C) as PNG, each pixel enlarged by a whole number until a
    side has `min_side` pixels."""
    tiled = _picture_of(tile(images, columns))
    scale = max(1, math.ceil(min_side / max(tiled.size)))
    enlarged = tiled.resize((tiled.width * scale, tiled.height * scale), Image.Resampling.NEAREST)
    enlarged.save(file, format="PNG")


def save_gif(frames, file, seconds=6.0, hold=1.0, min_side=336):
    """Writes an endless GIF.

    Args:
        frames: list of uint8 arrays (H, W, C) of one shape, C 1 or 3.
        file: path or binary file.
        seconds: float, of one turn. Defaults to `6.0`.
        hold: float, seconds more for the last frame. Defaults to `1.0`.
        min_side: int, as in `save_png`. Defaults to `336`.
    """
    if not frames:
        raise ValueError("A GIF needs at least one frame. Received: none")
    pictures = [_picture_of(f) for f in frames]
    scale = max(1, math.ceil(min_side / max(pictures[0].size)))
    size = (pictures[0].width * scale, pictures[0].height * scale)
    pictures = [p.resize(size, Image.Resampling.NEAREST) for p in pictures]
    each = max(20, int(1000 * seconds / len(pictures)))
    durations = [each] * (len(pictures) - 1) + [each + round(1000 * hold)]
    first, *others = pictures
    first.save(file, format="GIF", save_all=True, append_images=others, duration=durations, loop=0)


def _picture_of(tiled):
    return Image.fromarray(tiled.squeeze(-1) if tiled.shape[-1] == 1 else tiled)


def _figure(width, height):
    inches = min(9.0, max(3.0, width / 45))
    return Figure(figsize=(inches, inches * height / width + 0.3), layout="constrained")


def _picture(axes, tiled, title=None):
    axes.imshow(tiled.squeeze(-1) if tiled.shape[-1] == 1 else tiled, cmap="gray", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title, color=INK)
