"""Pictures that change under a hand, in a notebook: a latent, a strength, the number of steps, a sentence."""

import base64
import contextlib
import time

from ganedu.callbacks import in_notebook

MAX_LIVE_SECONDS = 0.2  # a picture that takes no longer follows while the hand moves


def sliders(figure_of, **controls):
    """Shows a picture, with a control for each value that it depends on; it is made anew when one moves.

    Where no widget can run (a page, an editor without a kernel), the picture of the first values stands in its place.
    Each picture is `figure_of(**values)`; so it must not depend on what was shown before.

    >>> sliders(lambda psi: figures.grid(model.generate(24, psi=psi)), psi=(0.0, 1.2, 0.7))

    Args:
        figure_of: function of the controls' values, by name. Returns a figure, as those of `ganedu.figures`.
        **controls: by name; `(low, high, first)` of floats or of ints is a slider, a list a menu, a str a line of
            text.

    Raises:
        ValueError: for a control that is none of these, and where there is none.
    """
    if not controls:
        raise ValueError("`sliders` needs a control, as `psi=(0.0, 1.2, 0.7)`. Received: none")
    values = {name: first_value(name, control) for name, control in controls.items()}
    began = time.perf_counter()
    still = figure_of(**values)._repr_png_()
    if not in_notebook():
        return
    from IPython.display import display

    shown = {
        "text/plain": f"[a picture by {', '.join(controls)}]",
        "image/png": base64.b64encode(still).decode(),
    }
    smooth = time.perf_counter() - began < MAX_LIVE_SECONDS
    with contextlib.suppress(ImportError):  # a kernel alone, without Jupyter's widgets
        view = _box(figure_of, controls, still, smooth)._repr_mimebundle_()
        shown |= {kind: v for kind, v in view.items() if kind.endswith("view+json")}
    display(shown, raw=True)


def first_value(name, control):
    """The value that a control begins with.

    Raises:
        ValueError: for what is no control.
    """
    match control:
        case str():
            return control
        case [first, *_] if isinstance(control, list):
            return first
        case (int() | float(), int() | float(), int() | float()) if (
            control[0] <= control[2] <= control[1] and control[0] < control[1]
        ):
            return control[2]
    raise ValueError(
        f"`{name}` must be (low, high, first), a list or a str. Received: {control!r:.80}"
    )


def _box(figure_of, controls, still, smooth):
    import ipywidgets

    picture = ipywidgets.Image(value=still, format="png")
    widgets = {name: _widget(ipywidgets, name, c, smooth) for name, c in controls.items()}

    def change(_):
        picture.value = figure_of(**{name: w.value for name, w in widgets.items()})._repr_png_()

    for widget in widgets.values():
        widget.observe(change, "value")
    unstretched = ipywidgets.Layout(align_items="flex-start")
    return ipywidgets.VBox([*widgets.values(), picture], layout=unstretched)


def _widget(ipywidgets, name, control, smooth):
    label = {"description": name.replace("_", " "), "style": {"description_width": "initial"}}
    if isinstance(control, str):
        wide = ipywidgets.Layout(width="32em")
        return ipywidgets.Text(value=control, continuous_update=False, layout=wide, **label)
    if isinstance(control, list):
        return ipywidgets.Dropdown(options=control, value=control[0], **label)
    low, high, first = control
    whole = all(isinstance(v, int) for v in control)
    kind, step = (
        (ipywidgets.IntSlider, 1) if whole else (ipywidgets.FloatSlider, (high - low) / 100)
    )
    return kind(value=first, min=low, max=high, step=step, continuous_update=smooth, **label)
