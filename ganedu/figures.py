"""Pictures of what a model does: arrays and histories in, figures and GIFs out.

Every function returns a `Figure` of its own, outside of pyplot: nothing is shown by itself and
nothing piles up. In a notebook, a figure that ends a cell is drawn; elsewhere call
`figure.savefig(path)`.
"""

import io
import itertools
import math
import textwrap

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.patches import Circle
from PIL import Image

from ganedu.data.images import to_uint8
from ganedu.diagnostics import SIGNALS

INK, GRID = "#1a1a2e", "#d8d8e0"
COLOURS = ("#3b6ea8", "#d1495b", "#2e8b57", "#8d5a97", "#edae49", "#e07ba8", "#7a5c3e", "#00798c")


class Figure(MatplotlibFigure):
    """A matplotlib figure that a notebook can draw without pyplot."""

    def _repr_png_(self):
        full, small = io.BytesIO(), io.BytesIO()
        self.savefig(full, format="png", dpi=100, bbox_inches="tight")
        # 128 colours are a third of the bytes, and notebooks are kept under version control.
        Image.open(full).convert("RGB").quantize(128, Image.Quantize.FASTOCTREE).save(
            small, format="PNG", optimize=True
        )
        return small.getvalue()


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


def curves(history, groups=None, x=None, xlabel="round", colours=COLOURS):
    """Loss curves.

    Args:
        history: dict of name to a list of numbers, as `model.fit(...).history`.
        groups: list of lists of names, a plot for each. Defaults to one plot of all names.
        x: list of numbers. Defaults to 1, 2, ...
        xlabel: str. Defaults to `"round"`.
        colours: the lines' colours, in turn. Defaults to `COLOURS`.
    """
    groups = groups or [list(history)]
    figure = Figure(figsize=(4.2 * len(groups), 2.8), layout="constrained")
    for axes, names in zip(np.ravel(figure.subplots(1, len(groups))), groups, strict=True):
        for name, colour in zip(names, itertools.cycle(colours), strict=False):
            values = history[name]
            places = range(1, len(values) + 1) if x is None else x
            axes.plot(places, values, label=name, color=colour)
        axes.set_xlabel(xlabel, color=INK)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
        _plain(axes)
    return figure


def compared(runs, names, limits=None):
    """The same logs of several runs: a plot for each log, a line for each run.

    Args:
        runs: dict of a run's name to its logs, as `model.fit(...).history`.
        names: list of str, the logs.
        limits: dict of a log's name to the lowest and the highest number drawn. Defaults to none.
    """
    figure = Figure(figsize=(3.6 * len(names), 2.8), layout="constrained")
    for axes, name in zip(np.ravel(figure.subplots(1, len(names))), names, strict=True):
        for (run, logs), colour in zip(runs.items(), itertools.cycle(COLOURS), strict=False):
            axes.plot(range(1, len(logs[name]) + 1), logs[name], label=run, color=colour)
        axes.set_title(name, color=INK, fontsize=10)
        axes.set_xlabel("round", color=INK)
        axes.set_ylim(*(limits or {}).get(name, (None, None)))
        axes.xaxis.get_major_locator().set_params(integer=True)
        _plain(axes)
    if len(runs) > 1:
        figure.axes[0].legend(frameon=False)
    return figure


def histograms(panels, xlabel="", bins=40):
    """How numbers are spread, in panels side by side; the heaps of a panel have the same area.

    Args:
        panels: dict of a panel's title to its heaps, a dict of a name to numbers. The names are the same in all panels.
        xlabel: str. Defaults to none.
        bins: int. Defaults to `40`.
    """
    figure = Figure(figsize=(3.6 * len(panels), 2.6), layout="constrained")
    for axes, (title, heaps) in zip(
        np.ravel(figure.subplots(1, len(panels))), panels.items(), strict=True
    ):
        edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in heaps.values()]), bins)
        for (name, values), colour in zip(heaps.items(), COLOURS, strict=False):
            axes.hist(np.ravel(values), edges, density=True, alpha=0.6, label=name, color=colour)
        axes.set_title(title, color=INK, fontsize=10)
        axes.set_xlabel(xlabel, color=INK)
        axes.set_yticks([])
        _plain(axes)
    figure.axes[0].legend(frameon=False)
    return figure


def histories(runs, name):
    """One log of several runs, a line each.

    Args:
        runs: dict from a run's name to its rounds, a list of dict of numbers with `step`.
        name: str, the log; of a run without it its first loss.
    """
    figure = Figure(figsize=(6.4, 3.2 + 0.12 * len(runs)), layout="constrained")
    axes = figure.subplots()
    for (run, rounds), colour in zip(runs.items(), itertools.cycle(COLOURS)):
        chosen = name if name in rounds[0] else _log_of(rounds[0])
        steps, values = zip(
            *((row["step"], row.get(chosen, np.nan)) for row in rounds), strict=True
        )
        axes.plot(steps, values, ".-", label=f"{run}: {chosen}", color=colour)
    axes.set_xlabel("step", color=INK)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _plain(axes)
    return figure


def _log_of(row):
    names = [name for name in row if name not in ("round", "step", "epoch", "seconds")]
    losses = [name for name in names if name.endswith("loss")]
    return "loss" if "loss" in names else (losses or names or ["seconds"])[0]


def rate_distortion(networks, length=5.0):
    """Rate-distortion curves, and at each network a short line whose slope is the price of a nat, downwards.

    Args:
        networks: dict of a curve's name to its networks: their prices, rates and distortions, (N,) each.
        length: float, how many nats of rate the line of a low price goes to either side. Defaults to `5.0`.
    """
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    for (name, (prices, rate, distortion)), colour in zip(
        networks.items(), itertools.cycle(COLOURS), strict=False
    ):
        axes.plot(rate, distortion, label=name, color=colour)
        run = length * np.array([[-1], [1]]) / np.maximum(1, np.asarray(prices) / 3)
        axes.plot(rate + run, distortion - prices * run, color=INK, linewidth=1.2)
        for price, *place in zip(prices, rate, distortion, strict=True):
            axes.annotate(f"{price:g}", place, (4, 6), textcoords="offset points", color=INK)
    axes.set(xlim=(0, None), xlabel="rate (nats an image)", ylabel="distortion (nats)")
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def bars(sets, names, ylabel=""):
    """Counts by class.

    Args:
        sets: dict of a title to numbers (K,), a group of bars for each class.
        names: list of K str, under the groups.
        ylabel: str. Defaults to none.
    """
    beside = 0.5 + 0.08 * max(map(len, sets)) if len(sets) > 1 else 0.0  # inches of the legend
    figure = Figure(figsize=(6 + beside, 2.4), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(sets)
    for i, ((title, values), colour) in enumerate(zip(sets.items(), COLOURS, strict=False)):
        places = np.arange(len(names)) - 0.4 + width * (i + 0.5)
        axes.bar(places, values, width, label=title, color=colour)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel(ylabel, color=INK)
    if len(sets) > 1:
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _plain(axes)
    return figure


def table(values, rows, columns, shades):
    """Numbers in a table, each cell shaded.

    Args:
        values: (R, C).
        rows, columns: lists of R and C str, the names beside and above.
        shades: (R, C) in [0, 1], from white at 0 to red at 1.
    """
    values, shades = np.asarray(values), np.asarray(shades)
    if values.shape != (len(rows), len(columns)) or shades.shape != values.shape:
        raise ValueError(
            f"There must be a value and a shade for each of {len(rows)}x{len(columns)} cells. "
            f"Received: {values.shape} and {shades.shape}"
        )
    size = (0.95 * len(columns) + 1.6, 0.36 * len(rows) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.imshow(shades, "Reds", vmin=0, vmax=1.5, aspect="auto")  # so that ink is read on 1
    for (row, column), value in np.ndenumerate(values):
        told = f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
        axes.text(column, row, told, ha="center", va="center", color=INK, fontsize=9)
    axes.set_xticks(range(len(columns)), columns, fontsize=9)
    axes.set_yticks(range(len(rows)), rows, fontsize=9)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    axes.spines[:].set_visible(False)
    return figure


def signals(diagnosis):
    """The signals of a `ganedu.diagnostics.Diagnosis`, each on a scale on which the healthy part is
    shaded, its limits beneath; one outside is red. A line marks 1, where the scale of a share ends; what is beyond its
    scale is an arrow at the end."""
    names = [name for name in SIGNALS if name in diagnosis.signals]
    figure = Figure(figsize=(9.5, 0.42 * len(names) + 0.3), layout="constrained")
    axes = figure.subplots()
    for row, name in enumerate(reversed(names)):
        signal, value = SIGNALS[name], diagnosis.signals[name]
        limits = [limit for limit in (signal.low, signal.high) if limit is not None]
        top = 1.0 if signal.share else 1.5 * max(1.0, *limits)
        span = ((signal.low or 0.0) / top, (top if signal.high is None else signal.high) / top)
        axes.barh(row, span[1] - span[0], left=span[0], height=0.55, color=GRID)
        colour = COLOURS[2] if signal.state(value) == "fair" else COLOURS[1]
        axes.vlines(1 / top, row - 0.28, row + 0.28, INK, linewidth=1.2, clip_on=False)
        marker = ">" if value > top else "o"
        axes.plot(min(value / top, 1.0), row, marker, color=colour, clip_on=False)
        axes.text(1.03, row, f"{value:.2g}", va="center", color=colour)
        near_one = any(0 < abs(limit - 1) < 0.05 for limit in limits)
        for mark in limits if near_one else [*limits, 1]:
            axes.text(mark / top, row - 0.43, f"{mark:g}", ha="center", va="center", fontsize=7)
    meanings = [f"{SIGNALS[name].meaning}: {name}" for name in reversed(names)]
    axes.set_yticks(range(len(names)), meanings)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    _plain(axes)
    return figure


def scatter(codes, labels=None, class_names=(), title=None):
    """Points of a latent space (N, 2), or the first two latents of (N, d), coloured by class."""
    codes = np.asarray(codes)
    figure = Figure(figsize=(4.6, 4), layout="constrained")
    axes = figure.subplots()
    if labels is None:
        axes.scatter(codes[:, 0], codes[:, 1], s=6, color=COLOURS[0], alpha=0.6, linewidths=0)
    else:
        from matplotlib import colormaps

        for k in np.unique(labels):
            chosen = np.asarray(labels) == k
            name = class_names[k] if len(class_names) else str(k)
            colour = colormaps["tab10"](int(k) % 10)
            axes.scatter(
                *codes[chosen, :2].T, s=6, color=colour, label=name, alpha=0.7, linewidths=0
            )
        axes.legend(frameon=False, markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set(xlabel="$z_1$", ylabel="$z_2$", title=title or "", aspect="equal")
    _plain(axes)
    return figure


def plane(panels, extent=3.0):
    """The plane [-extent, extent]^2, in panels side by side.

    Args:
        panels: dict of a panel's title to a dict of what it shows, any of

            - `"heat"`: (S, S) numbers in [0, 1], red at 0 and blue at 1, at the places
              `np.linspace(-extent, extent, S)` along each axis; the first row lies lowest;
            - `"arrows"`: (S, S, 2), laid out alike; the longest is as long as they stand apart;
            - `"points"`: (N, 2), or a dict of a name to points, each in its colour;
            - `"circles"`: (N, 3), each a centre and a radius;
            - `"paths"`: a list of paths (T, 2), each marked at its start and drawn step by step.
        extent: float. Defaults to `3.0`.
    """
    figure = Figure(figsize=(3.1 * len(panels), 3.3), layout="constrained")
    for axes, (title, shown) in zip(
        np.ravel(figure.subplots(1, len(panels))), panels.items(), strict=True
    ):
        _landscape(axes, shown, extent)
        points = shown.get("points", {})
        points = points if isinstance(points, dict) else {"": points}
        colours = [INK] if list(points) == [""] else COLOURS * 8
        for (name, places), colour in zip(points.items(), colours, strict=False):
            dots = np.asarray(places).reshape(-1, 2)
            axes.scatter(*dots.T, s=4, color=colour, alpha=0.5, linewidths=0, label=name)
        for *centre, radius in shown.get("circles", ()):
            axes.add_patch(Circle(centre, radius, fill=False, color=INK, linewidth=0.8))
        for path in shown.get("paths", ()):
            axes.plot(*np.asarray(path).T, "-o", color=INK, linewidth=0.8, markersize=2.5)
            axes.plot(*path[0], "o", color="white", markeredgecolor=INK, markersize=7)
        if any(points) and len(points) <= 4:
            axes.legend(frameon=False, markerscale=3, loc="upper left", borderpad=0)
        axes.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
        axes.set_title(title, color=INK, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color(GRID)
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


def _landscape(axes, shown, extent):
    """The heat and the arrows of a panel of `plane`."""
    if "heat" in shown:
        heat = np.asarray(shown["heat"])
        half = extent / (len(heat) - 1)  # half a cell, so that a cell's middle is its place
        edges = (-extent - half, extent + half) * 2
        axes.imshow(heat, "RdBu", origin="lower", extent=edges, vmin=0, vmax=1, alpha=0.7)
    if "arrows" in shown:
        arrows = np.asarray(shown["arrows"])
        ticks = np.linspace(-extent, extent, len(arrows))
        longest = max(np.linalg.norm(arrows, axis=-1).max(), 1e-12)
        unit = longest / (ticks[1] - ticks[0])
        axes.quiver(
            ticks,
            ticks,
            *np.moveaxis(arrows, -1, 0),
            color=INK,
            angles="xy",
            scale_units="xy",
            scale=unit,
        )


def _plain(axes):
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
