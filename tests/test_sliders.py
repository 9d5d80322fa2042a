"""Controls of a picture. In a browser: `tests/browser`."""

import base64
import importlib.util
import io

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from ganedu import figures
from ganedu.course import sliders


def grey(level=0.0):
    return figures.grid(np.full((1, 8, 8, 1), level, "float32"))


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ((0.0, 1.2, 0.7), 0.7),
        ((1, 9, 4), 4),
        (["a", "b"], "a"),
        ([3], 3),
        ("a red three", "a red three"),
        ((0.0, 1.0, 1.0), 1.0),
    ],
)
def test_the_first_value_of_a_control(control, value):
    assert sliders.first_value("x", control) == value


@pytest.mark.parametrize(
    "control", [(0, 1), (0.0, 1.0, 2.0), (1.0, 1.0, 1.0), [], 3.0, None, ("a", "b", "c"), (2, 1, 1)]
)
def test_what_is_no_control_is_refused(control):
    with pytest.raises(ValueError, match="`psi` must be"):
        sliders.sliders(lambda psi: grey(), psi=control)


def test_a_picture_without_controls_is_refused():
    with pytest.raises(ValueError, match="needs a control"):
        sliders.sliders(grey)


def test_outside_of_a_notebook_the_picture_is_made_once_and_nothing_shown(capsys):
    told = []
    sliders.sliders(lambda level: told.append(level) or grey(level), level=(-1.0, 1.0, 0.25))
    assert told == [0.25]
    assert capsys.readouterr().out == ""


@pytest.fixture
def widgets():
    return pytest.importorskip("ipywidgets")


def test_each_control_changes_the_picture(widgets):
    seen = []

    def figure_of(**values):
        seen.append(values)
        return grey(values["level"])

    controls = {"level": (-1.0, 1.0, 0.5), "steps": (1, 4, 2), "which": ["a", "b"], "text": "x"}
    box = sliders._box(figure_of, controls, grey(0.5)._repr_png_(), smooth=True)
    *hands, picture = box.children
    kinds = [widgets.FloatSlider, widgets.IntSlider, widgets.Dropdown, widgets.Text]
    assert [type(h) for h in hands] == kinds
    before = picture.value
    for hand, value in zip(hands, (-1.0, 3, "b", "y"), strict=True):
        hand.value = value
    assert seen[-1] == {"level": -1.0, "steps": 3, "which": "b", "text": "y"}
    assert len(seen) == 4
    assert picture.value != before


def test_a_slow_picture_waits_for_the_hand_to_rest(widgets):
    for smooth in (True, False):
        box = sliders._box(grey, {"level": (0.0, 1.0, 0.5)}, b"", smooth)
        assert box.children[0].continuous_update == smooth


def test_a_notebook_keeps_the_still_picture():
    """With ipywidgets, where they are installed, and without."""
    shown = "sliders(lambda v: figures.grid(np.full((1, 8, 8, 1), v)), v=(-1.0, 1.0, 1.0))"
    cells = [
        "import numpy as np\nfrom ganedu import figures, runtime\nruntime.setup(0)\n"
        "from ganedu.course.sliders import sliders",
        shown,
        f"import sys\nsys.modules['ipywidgets'] = None\n{shown}",
    ]
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
    NotebookClient(notebook).execute()
    installed = importlib.util.find_spec("ipywidgets") is not None
    for cell, with_widgets in zip(notebook.cells[1:], (installed, False), strict=True):
        (output,) = cell.outputs
        assert output.data["text/plain"] == "[a picture by v]"
        picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")
        assert np.asarray(picture).max() == 255
        assert ("application/vnd.jupyter.widget-view+json" in output.data) == with_widgets
