"""A trained model of the package as a page, to stand within another: a text-to-image model that one writes to."""

from ganedu.disk import written
from ganedu.explorer import document
from ganedu.explorer.page import SCRIPTS
from ganedu.explorer.programs import program
from ganedu.runs import pretrained

MODEL = "text_flow"


def write_live(files):
    """Writes the trained `text_flow` as HTML files that need no network. Within an `iframe` a page shows the model
    alone, and tells the page around it how high it is: a message `{"ganedu": "height", "height": pixels}`.

    Args:
        files: dict from a language, `"en"` or `"zh"`, to a `pathlib.Path`. The model is loaded once for all of them.

    Raises:
        UsageError: for another language.
    """
    told = {language: document.strings(language) for language in files}
    style = (document.FOLDER / "page" / "page.css").read_text(encoding="utf-8")
    played, weights = program(pretrained.load(MODEL))
    for language, out in files.items():
        words = told[language]
        title = words["live_title"]
        shown = {"title": title, "summary": words["live_summary"], "classes": []}
        shown |= {"program": played, "weights": weights, "strings": words}
        text = document.page(title, language, shown, SCRIPTS, style)
        with written(out) as file:
            file.write(text.encode())
