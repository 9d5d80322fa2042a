"""Who feeds whom: the diagrams of the lessons. Boxes and arrows in, a figure out."""

import itertools

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from ganedu.figures import COLOURS, INK, Figure
from ganedu.metrics.manifold import knn_radius, squared_distances

# What a box is: the colour of its face.
FACES = {"data": "#eef0f4", "noise": "#efe4f2", "network": "#dbe7f5", "loss": "#fbe0e3"}
BOX = (1.7, 0.62)  # width and height


def graph(boxes, arrows, size):
    """Boxes on a plane, and arrows between them.

    Args:
        boxes: dict from a name to `(x, y, text, kind)`: the centre, what it says, and one of `FACES`.
        arrows: list of `(from, to, kind)`, of boxes' names; `"forward"`, or `"gradient"`, which is dashed and red. An
            arrow may have a fourth element: how far it bends to its left.
        size: (width, height) of the plane; a box is 1.7 wide and 0.62 high.

    Returns:
        `Figure`.
    """
    figure, axes = _plane(size)
    width, height = BOX
    for x, y, text, kind in boxes.values():
        box = FancyBboxPatch(
            (x - width / 2, y - height / 2),
            *BOX,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=FACES[kind],
            edgecolor=INK,
            linewidth=0.9,
        )
        axes.add_patch(box)
        axes.text(x, y, text, ha="center", va="center", fontsize=9, color=INK)
    for start, end, kind, *bend in arrows:
        _arrow(axes, boxes[start][:2], boxes[end][:2], kind, *bend)
    return figure


def _arrow(axes, start, end, kind, bend=0.0):
    colour, style = (COLOURS[1], (0, (4, 2))) if kind == "gradient" else (INK, "solid")
    (a, b), (width, height) = np.array([start, end], float), BOX
    way = b - a
    # From edge to edge: out of the side that the way leaves by.
    if abs(way[0]) * height > abs(way[1]) * width:
        out = np.array([np.sign(way[0]) * width / 2, 0])
    else:
        out = np.array([0, np.sign(way[1]) * height / 2])
    shift = 0.12 * np.array([-way[1], way[0]]) / np.linalg.norm(way) if kind == "gradient" else 0
    axes.add_patch(
        FancyArrowPatch(
            a + out + shift,
            b - out + shift,
            connectionstyle=f"arc3,rad={-bend}",
            arrowstyle="-|>",
            mutation_scale=11,
            color=colour,
            linestyle=style,
            linewidth=1.2,
        )
    )


def gan():
    """G, D, and the way of the gradient: through D to G, which never sees a real image (Goodfellow 2014)."""
    boxes = {
        "z": (0.9, 1.7, "noise z", "noise"),
        "G": (3.1, 1.7, "generator G", "network"),
        "fake": (5.3, 1.7, "G(z)", "data"),
        "x": (5.3, 0.6, "real images x", "data"),
        "D": (7.5, 1.15, "discriminator D", "network"),
        "loss": (9.7, 1.15, "real?", "loss"),
    }
    forward = [("z", "G"), ("G", "fake"), ("fake", "D"), ("x", "D"), ("D", "loss")]
    back = [("loss", "D"), ("D", "fake"), ("fake", "G")]
    arrows = [(*a, "forward") for a in forward] + [(*a, "gradient") for a in back]
    return graph(boxes, arrows, (10.6, 2.3))


def vae():
    """An encoder, a draw, a decoder; two terms of one loss (Kingma and Welling 2013)."""
    boxes = {
        "x": (0.9, 1.0, "image x", "data"),
        "encoder": (3.1, 1.0, "encoder", "network"),
        "cloud": (5.3, 1.0, "$\\mu$, $\\sigma$", "data"),
        "epsilon": (7.5, 2.0, "noise $\\epsilon$", "noise"),
        "z": (7.5, 1.0, "$z = \\mu + \\sigma\\epsilon$", "data"),
        "decoder": (9.7, 1.0, "decoder", "network"),
        "copy": (11.9, 1.0, "copy x'", "data"),
        "kl": (5.3, 2.0, "KL term", "loss"),
        "term": (11.9, 2.0, "reconstruction", "loss"),
    }
    chain = ["x", "encoder", "cloud", "z", "decoder", "copy", "term"]
    arrows = [(a, b, "forward") for a, b in itertools.pairwise(chain)]
    arrows += [("epsilon", "z", "forward"), ("cloud", "kl", "forward")]
    back = [
        ("term", "copy"),
        ("copy", "decoder"),
        ("decoder", "z"),
        ("z", "cloud"),
        ("kl", "cloud"),
    ]
    arrows += [(*a, "gradient") for a in [*back, ("cloud", "encoder")]]
    return graph(boxes, arrows, (12.8, 2.6))


def vq():
    """A codebook between encoder and decoder; the gradient jumps over the choice (van den Oord 2017)."""
    boxes = {
        "x": (0.9, 1.1, "image x", "data"),
        "encoder": (3.1, 1.1, "encoder", "network"),
        "codes": (5.3, 1.1, "7x7 vectors", "data"),
        "nearest": (7.5, 1.1, "nearest code", "data"),
        "decoder": (9.7, 1.1, "decoder", "network"),
        "copy": (11.9, 1.1, "copy x'", "data"),
        "codebook": (7.5, 2.2, "codebook", "network"),
        "prior": (9.7, 2.2, "prior", "network"),
    }
    chain = ["x", "encoder", "codes", "nearest", "decoder", "copy"]
    arrows = [(a, b, "forward") for a, b in itertools.pairwise(chain)]
    arrows += [("codebook", "nearest", "forward"), ("nearest", "prior", "forward")]
    arrows += [("prior", "decoder", "forward")]
    arrows += [("copy", "decoder", "gradient"), ("decoder", "codes", "gradient", 0.35)]
    arrows += [("codes", "encoder", "gradient")]
    return graph(boxes, arrows, (12.8, 2.8))


def unet():
    """A network that sees the whole and returns to the pixels, with skips from side to side (Ronneberger 2015)."""
    boxes = {
        "x": (0.9, 2.7, "$x_t$", "data"),
        "t": (0.9, 0.6, "time t", "data"),
        "fine": (3.1, 2.7, "fine maps", "network"),
        "coarse": (5.3, 1.6, "coarse maps", "network"),
        "whole": (7.5, 0.6, "whole image", "network"),
        "up": (9.7, 1.6, "coarse maps", "network"),
        "out": (11.9, 2.7, "fine maps", "network"),
        "guess": (14.1, 2.7, "guess", "data"),
    }
    chain = ["x", "fine", "coarse", "whole", "up", "out", "guess"]
    arrows = [(a, b, "forward") for a, b in itertools.pairwise(chain)]
    arrows += [("fine", "out", "forward"), ("coarse", "up", "forward"), ("t", "whole", "forward")]
    return graph(boxes, arrows, (15.0, 3.2))


def transposed_convolution(kernel=4, stride=2, inputs=3):
    """Each number of a row stamps a kernel; where stamps overlap they add up. Above, the inputs; below, the outputs and
    how many stamps each gets."""
    outputs = (inputs - 1) * stride + kernel
    figure, axes = _plane((outputs + 1, 3.4))
    counts = np.zeros(outputs, int)
    for i in range(inputs):
        centre = 0.5 + i * stride + kernel / 2
        colour = COLOURS[i % len(COLOURS)]
        axes.add_patch(
            Rectangle((centre - 0.4, 2.4), 0.8, 0.8, facecolor=colour, alpha=0.5, edgecolor=INK)
        )
        for k in range(kernel):
            place = i * stride + k
            counts[place] += 1
            axes.plot([centre, place + 1.0], [2.4, 1.25], color=colour, linewidth=1.2)
    for place, count in enumerate(counts):
        axes.add_patch(
            Rectangle((place + 0.6, 0.45), 0.8, 0.8, facecolor=FACES["data"], edgecolor=INK)
        )
        axes.text(place + 1.0, 0.85, str(count), ha="center", va="center", fontsize=10, color=INK)
    return figure


def balls(k=2, seed=3):
    """Precision and recall: around each point a ball that reaches to its k-th neighbour (Kynkäänniemi 2019). Left, the
    balls of real images and which samples lie in them; right, the balls of samples and which real images do. These
    samples are good, and all alike."""
    real, samples = points_of(seed)
    figure = Figure(figsize=(7.6, 3.4), layout="constrained")
    for axes, points, others, names in zip(
        figure.subplots(1, 2),
        (real, samples),
        (samples, real),
        (("real", "sample", "precision"), ("sample", "real", "recall")),
        strict=True,
    ):
        squares = knn_radius(points, k)
        inside = (squared_distances(others, points) <= squares).any(axis=1)
        for point, radius in zip(points, np.sqrt(squares), strict=True):
            axes.add_patch(Circle(point, radius, color=COLOURS[0], alpha=0.13, linewidth=0))
        axes.plot(*points.T, "o", color=COLOURS[0], markersize=4, label=names[0])
        axes.plot(
            *others[inside].T, "^", color=COLOURS[2], markersize=6, label=f"{names[1]}, inside"
        )
        axes.plot(
            *others[~inside].T, "x", color=COLOURS[1], markersize=6, label=f"{names[1]}, outside"
        )
        axes.set_title(f"{names[2]}: {inside.mean():.2f}", fontsize=10)
        axes.legend(fontsize=7, loc="lower left")
        axes.set(xlim=(-2.7, 2.7), ylim=(-2.6, 1.9), xticks=[], yticks=[], aspect="equal")
    return figure


def points_of(seed):
    """Real images spread evenly over a plane, (24, 2), and samples that all lie in a part of it, (12, 2)."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(np.linspace(-1.9, 1.9, 6), np.linspace(-1.2, 1.2, 4)), axis=-1)
    real = places.reshape(-1, 2) + 0.14 * rng.normal(size=(24, 2))
    return real, 0.36 * rng.normal(size=(12, 2)) + np.array([0.9, 0.2])


def _plane(size):
    figure = Figure(figsize=(0.68 * size[0], 0.68 * size[1]), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(0, size[0]), ylim=(0, size[1]), aspect="equal")
    axes.axis("off")
    return figure, axes
