"""The diagrams: legible, and what they show is so."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from ganedu import diagrams
from ganedu.figures import INK
from ganedu.metrics.manifold import manifold_scores

GRAPHS = ("gan", "unet", "vae", "vq")


def rendered(figure):
    FigureCanvasAgg(figure).draw()
    return figure.axes[0]


@pytest.mark.parametrize("name", GRAPHS)
def test_words_lie_in_their_boxes_and_boxes_apart(name):
    axes = rendered(getattr(diagrams, name)())
    boxes = [p.get_window_extent() for p in axes.patches if isinstance(p, FancyBboxPatch)]
    words = [t.get_window_extent() for t in axes.texts]
    assert len(boxes) == len(words) >= 6
    for box, word in zip(boxes, words, strict=True):
        assert box.x0 < word.x0 < word.x1 < box.x1
        assert box.y0 < word.y0 < word.y1 < box.y1
    for i, a in enumerate(boxes):
        assert not any(a.overlaps(b) for b in boxes[i + 1 :])


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_words_are_dark_on_light_whatever_the_page():
    """The figure has a face of its own, so a dark page does not show through; contrast as WCAG's 1.4.6 has it."""
    assert to_rgb(diagrams.gan().get_facecolor()) == (1, 1, 1)
    for face in diagrams.FACES.values():
        assert (luminance(face) + 0.05) / (luminance(INK) + 0.05) > 7


def test_the_gradient_of_a_gan_never_reaches_a_real_image(monkeypatch):
    seen = []
    monkeypatch.setattr(diagrams, "graph", lambda boxes, arrows, size: seen.extend(arrows))
    diagrams.gan()
    back = {(a, b) for a, b, kind in seen if kind == "gradient"}
    assert {("loss", "D"), ("D", "fake"), ("fake", "G")} == back
    forward = {(a, b) for a, b, kind in seen if kind == "forward"}
    assert {(b, a) for a, b in back} <= forward


@pytest.mark.parametrize(
    ("kernel", "counts"), [(4, "11222211"), (3, "1121211"), (5, "112232211"), (2, "111111")]
)
def test_stamps_are_counted(kernel, counts):
    axes = rendered(diagrams.transposed_convolution(kernel))
    assert "".join(t.get_text() for t in axes.texts) == counts


def test_precision_and_recall_are_the_package_s():
    figure = diagrams.balls(k=2)
    titles = " ".join(a.get_title() for a in figure.axes)
    precision, recall = map(float, re.findall(r"\d\.\d\d", titles))
    scores = manifold_scores(*diagrams.points_of(3), k=2)
    assert precision == pytest.approx(scores.precision, abs=0.005)
    assert recall == pytest.approx(scores.recall, abs=0.005)
    assert precision > 0.8 > 0.5 > recall
