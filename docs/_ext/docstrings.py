"""The package's docstrings as reStructuredText for the API: prose, `code`, indented equations, `Args:` and the like.

They are plain text with names of the papers (`x_hat`, `||x||`, `h^`), which reStructuredText would read as its own.
"""

import itertools
import re

SECTIONS = (
    "Args",
    "Call arguments",
    "Departures",
    "Example",
    "Raises",
    "Reference",
    "Returns",
    "Yields",
)
ITEMS = ("Args", "Call arguments", "Raises")
CODE = re.compile(r"(?<!`)(`[^`\n]+`)(?!`)")


def inline(text):
    """Words of a docstring as reStructuredText: code between double ticks, all else as it stands."""
    pieces = CODE.split(" ".join(text.split()))
    shown = []
    for i, piece in enumerate(pieces):
        if i % 2:
            shown.append(f"\\ ``{piece.strip('`')}``\\ ")
        else:
            shown.append(re.sub(r"([\\*_|`<>])", r"\\\1", piece).replace("::", ":\\:"))
    joined = "".join(shown).strip()
    return re.sub(r"^([-+•.:=~^#(]|\w+(?=[.)] ))", r"\\ \1\\ ", joined)


def indent_of(line):
    return len(line) - len(line.lstrip())


def literal(lines, language="text"):
    return [f".. code-block:: {language}", "", *(f"   {line}".rstrip() for line in lines), ""]


def prose(lines):
    """Paragraphs; what is indented more than the rest stands as it is."""
    base, out, held = min((indent_of(x) for x in lines if x.strip()), default=0), [], []

    def release():
        if held:
            while not held[-1]:
                held.pop()
            is_code = held[0].lstrip().startswith(">>>")
            out.extend(literal([x[base:] for x in held], "python" if is_code else "text"))
            held.clear()

    paragraph = []
    for line in [*lines, ""]:
        inside = line.strip() and (
            indent_of(line) > base or line.lstrip().startswith((">>>", "..."))
        )
        if inside or (held and not line.strip()):
            if paragraph:
                out += [inline(" ".join(paragraph)), ""]
                paragraph = []
            held.append(line)
            continue
        release()
        starts_item = line.lstrip().startswith("- ")
        if (not line.strip() or starts_item) and paragraph:
            out += [inline(" ".join(paragraph)), ""]
            paragraph = []
        if line.strip():
            paragraph.append(line.strip())
    release()
    return out


def items(lines):
    """`name: what it is`, with what follows indented, as a list; other lines as paragraphs."""
    base, out, item = min(indent_of(x) for x in lines if x.strip()), [], []

    def release():
        if item:
            text = " ".join(x.strip() for x in item)
            named = re.match(r"([\w*., ]+?): (.*)", text)
            out.append(
                f"* **{inline(named[1])}**: {inline(named[2])}" if named else f"* {inline(text)}"
            )
            item.clear()

    for line in lines:
        if line.strip() and indent_of(line) == base:
            release()
        if line.strip():
            item.append(line)
    release()
    return [*out, ""]


def to_rst(lines):
    """A docstring as Sphinx gets it, lines of str, as lines of reStructuredText."""
    heads = [i for i, line in enumerate(lines) if re.fullmatch(rf"({'|'.join(SECTIONS)}):", line)]
    out = prose(lines[: heads[0]] if heads else lines)
    for start, end in itertools.pairwise([*heads, len(lines)]):
        name = lines[start].rstrip(":")
        last = end
        # A section ends where a line stands at the margin again.
        for i in range(start + 1, end):
            if lines[i].strip() and not lines[i].startswith(" "):
                last = i
                break
        body = lines[start + 1 : last]
        if any(x.strip() for x in body):
            out += [f".. rubric:: {name}", "", *(items if name in ITEMS else prose)(body)]
        out += prose(lines[last:end]) if last < end else []
    return out


def _process(app, what, name, obj, options, lines):
    lines[:] = to_rst(lines)
    parts = name.split(".")
    if what in ("module", "package") and parts[:2] == ["ganedu", "models"] and len(parts) == 3:
        lines.append(f"Beside its paper's equations: :doc:`/annotated/{parts[2]}`.")


def setup(app):
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}
