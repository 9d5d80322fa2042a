"""What figures share: a figure that a notebook draws without pyplot, and the colours."""

import io

from matplotlib.figure import Figure as MatplotlibFigure
from PIL import Image

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
