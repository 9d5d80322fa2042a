"""Divergences on a grid, against numbers worked out by hand and lesson 01's own."""

import ast
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.special import rel_entr

from ganedu import runtime
from ganedu.metrics import grid

LESSON = Path(__file__).parents[1] / "notebooks" / "01_distributions.ipynb"


def cloud(count, seed=0, centre=0.0):
    return np.random.default_rng(seed).normal(size=(count, 2)) + centre


def test_divergences_by_hand():
    p, q = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    # 1/2 log 2 + 1/2 log(2/3) = 0.143841
    assert grid.kullback_leibler(p, q) == pytest.approx(0.5 * math.log(4 / 3))
    # m = (3/8, 5/8): KL(p||m) = 1/2 log(4/3) + 1/2 log(4/5), KL(q||m) = 1/4 log(2/3) + 3/4 log(6/5)
    parts = 0.5 * math.log(16 / 15), 0.25 * math.log(2 / 3) + 0.75 * math.log(6 / 5)
    assert grid.jensen_shannon(p, q) == pytest.approx(sum(parts) / 2)


def test_what_share_nothing_is_log_2_apart_and_infinitely():
    p, q = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert grid.jensen_shannon(p, q) == pytest.approx(math.log(2))
    assert grid.kullback_leibler(p, q) == math.inf
    assert grid.jensen_shannon(p, p) == grid.kullback_leibler(p, p) == 0


def test_the_histogram_by_hand():
    points = np.concatenate([np.tile([[-0.5, 0.5]], (75, 1)), np.tile([[9.0, -9.0]], (25, 1))])
    found = grid.histogram(points, extent=1.0, bins=2)
    np.testing.assert_array_equal(found, [[0, 0.75], [0.25, 0]])  # x first; what is outside counts


@pytest.mark.parametrize(("n", "m"), [(2000, 2000), (1000, 4000)])
def test_equal_clouds_have_the_bias_that_is_stated(n, m):
    # Points even over 6x6 squares, all in use: (36 - 1) / 8 (1 / N + 1 / M).
    rng = np.random.default_rng(0)
    found = [
        grid.grid_divergence(*(rng.uniform(-1, 1, (k, 2)) for k in (n, m)), extent=1.0, bins=6)
        for _ in range(200)
    ]
    assert np.mean(found) == pytest.approx(35 / 8 * (1 / n + 1 / m), rel=0.1)


def test_further_clouds_are_further():
    found = [grid.grid_divergence(cloud(5000), cloud(5000, 1, shift)) for shift in (0.0, 0.5, 1.5)]
    assert found[0] < 0.05 < found[1] < 0.2 < found[2] < math.log(2)


def test_it_is_the_number_of_lesson_01():
    cells = json.loads(LESSON.read_text())["cells"]
    code = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    wanted = [
        node
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef) and node.name in ("js", "histogram")
    ]
    assert len(wanted) == 2
    room = {"np": np, "rel_entr": rel_entr}
    exec(compile(ast.Module(wanted, []), "lesson", "exec"), room)
    real, generated = 1.5 * cloud(3000), cloud(4000, 1, 1.0)
    theirs = room["js"](room["histogram"](real), room["histogram"](generated))
    assert grid.grid_divergence(real, generated) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (cloud(99), {}, r"at least 100. Received: \(99, 2\)"),
        (np.zeros((200, 3)), {}, r"Points must be \(N, 2\)"),
        (np.full((200, 2), np.nan), {}, "must be finite"),
        (cloud(200), {"bins": 1}, "two squares"),
        (cloud(200), {"extent": 0.0}, "two squares"),
    ],
)
def test_what_cannot_be_counted_is_refused(points, options, message):
    with pytest.raises(runtime.UsageError, match=message):
        grid.grid_divergence(points, cloud(200), **options)


@pytest.mark.parametrize(
    "bad", [np.ones((2, 2)), np.array([[1.5, -0.5]]), np.full((1, 2), np.nan), np.array([[1.0]])]
)
def test_what_are_no_shares_of_one_grid_is_refused(bad):
    for divergence in (grid.jensen_shannon, grid.kullback_leibler):
        with pytest.raises(runtime.UsageError, match="shares of one grid"):
            divergence(np.array([[0.5, 0.5]]), bad)
