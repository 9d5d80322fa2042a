"""Pictures of what a model does: arrays and histories in, figures and GIFs out.

Every function returns a `Figure` of its own, outside of pyplot: nothing is shown by itself and
nothing piles up. In a notebook, a figure that ends a cell is drawn; elsewhere call
`figure.savefig(path)`.
"""

from ganedu.figures.base import COLOURS, GRID, INK, Figure
from ganedu.figures.pictures import (
    attention,
    captioned,
    grid,
    manifold,
    reconstructions,
    rows,
    save_gif,
    save_png,
    side_by_side,
    similarity,
    strip,
    tile,
)
from ganedu.figures.plots import (
    bars,
    compared,
    curves,
    histograms,
    histories,
    plane,
    rate_distortion,
    scatter,
    signals,
    table,
)

__all__ = [
    "COLOURS",
    "GRID",
    "INK",
    "Figure",
    "attention",
    "bars",
    "captioned",
    "compared",
    "curves",
    "grid",
    "histograms",
    "histories",
    "manifold",
    "plane",
    "rate_distortion",
    "reconstructions",
    "rows",
    "save_gif",
    "save_png",
    "scatter",
    "side_by_side",
    "signals",
    "similarity",
    "strip",
    "table",
    "tile",
]
