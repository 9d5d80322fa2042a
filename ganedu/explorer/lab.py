"""Pages in which small networks are trained in the plane by hand: a GAN, and diffusion or a flow."""

from ganedu.disk import written
from ganedu.explorer import document
from ganedu.runtime import UsageError

# Which scripts of `page/` make each page, after those that both have.
LABS = {"gan": ("gan_lab",), "flow": ("flows", "flow_lab")}
COMMON = ("random", "dom", "controls", "distributions", "learning", "plane", "chart", "lab")
STYLES = ("page.css", "lab.css")


def scripts(name):
    """The names of the files of `page/` of a lab, one of `LABS`, in their order."""
    return (*COMMON, *LABS[name])


def write_lab(name, out, *, language="en"):
    """Writes a lab as one HTML file that needs no network.

    Args:
        name: str, one of `LABS`.
        out: `pathlib.Path`, the file.
        language: `"en"` or `"zh"`. Defaults to `"en"`.

    Raises:
        UsageError: for another lab or language.
    """
    if name not in LABS:
        raise UsageError(f"The labs are {', '.join(LABS)}. Received: {name!r}")
    told = document.strings(language) | document.strings(language, "lab")
    style = "\n".join((document.FOLDER / "page" / file).read_text("utf-8") for file in STYLES)
    text = document.page(told[f"{name}_title"], language, {"strings": told}, scripts(name), style)
    with written(out) as file:
        file.write(text.encode())
