"""A lesson in another language: its code and outputs as they are, its prose from an overlay, cell by cell.

An overlay is Markdown. `<!-- cell: ID SUM -->` begins what stands in the place of that cell's text; SUM is a checksum
of the English text that was translated. Where the English has changed since, the page says so above the cell.
"""

import hashlib
import re

MARK = re.compile(r"^<!-- cell: (\S+)(?: ([0-9a-f]{8}))? -->$", re.M)
OLDER = {"zh": "*（英文原文在此译文之后有改动。）*"}


def checksum(text):
    """Eight hexadecimal digits of a cell's text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read(text):
    """An overlay's cells: dict from a cell's id to its checksum and its text.

    Raises:
        ValueError: for a cell that is there twice, or one without text.
    """
    _, *rest = MARK.split(text)
    cells = {}
    for name, known, prose in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if name in cells:
            raise ValueError(f"The overlay has cell {name!r} twice")
        if not prose.strip():
            raise ValueError(f"The overlay has no text for cell {name!r}")
        cells[name] = known, prose.strip()
    return cells


def unwrapped(text):
    """Text whose lines of Chinese go on in the next line, as one line: a line's end would be a space there."""
    han, marks = r"\u3400-\u9fff", "，。；：、！？）（“”《》"
    return re.sub(rf"(?<=[{han}{marks}])\n(?=[{han}{marks}])", "", text)


def laid_over(notebook, overlay, language="zh"):
    """Puts an overlay's prose into a notebook, in place. Code, outputs and cells that it does not name stay.

    Args:
        notebook: `nbformat` notebook.
        overlay: str, an overlay's text.
        language: str, of which language it is. Defaults to `"zh"`.

    Returns:
        The notebook.

    Raises:
        ValueError: for a cell that the notebook does not have, or that is not prose.
    """
    cells = {cell.id: cell for cell in notebook.cells}
    for name, (known, prose) in read(overlay).items():
        if name not in cells:
            raise ValueError(f"The lesson has no cell {name!r}")
        if cells[name].cell_type != "markdown":
            raise ValueError(f"Cell {name!r} is code; an overlay holds prose alone")
        if known != checksum(cells[name].source):
            title, _, rest = prose.partition("\n")
            is_title = title.startswith("#")
            parts = (
                [title, "", OLDER[language], "", rest.strip()]
                if is_title
                else [OLDER[language], "", prose]
            )
            prose = "\n".join(parts).strip()
        cells[name].source = unwrapped(prose)
    return notebook


def outline(notebook, overlay=""):
    """The lines that begin a lesson's cells of prose, as its English is now; of a cell that the overlay has, whether it
    is up to date.

    Returns:
        List of str.
    """
    there, lines = read(overlay), []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            now = checksum(cell.source)
            known = there.get(cell.id, (None,))[0]
            state = "" if known == now else "    new" if known is None else f"    was {known}"
            lines.append(f"<!-- cell: {cell.id} {now} -->{state}")
    return lines


if __name__ == "__main__":
    import sys
    from pathlib import Path

    import nbformat

    from ganedu.course import lessons

    lesson = lessons.path(sys.argv[1])
    file = Path(__file__).parents[1] / "zh" / "overlays" / f"{lesson.stem}.md"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    print("\n".join(outline(nbformat.read(lesson, as_version=4), text)))
