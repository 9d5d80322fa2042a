"""Plots of numbers: curves, heaps, bars, tables, points in the plane."""

import itertools

import numpy as np
from matplotlib.patches import Circle

from ganedu.diagnostics import SIGNALS
from ganedu.figures.base import COLOURS, GRID, INK, Figure


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
