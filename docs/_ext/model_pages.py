"""A page for each model, made from its file: equations beside the lines that compute them, the picture and score after
two minutes, what departs from the paper, its tests; and the gallery."""

import ast
import base64
import functools
import json
import re
import textwrap
import tomllib
from pathlib import Path

import nbformat
from equations import is_prose, split_reference, tex

from ganedu import catalogue
from ganedu.course import lessons

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ganedu"
DOCS = ROOT / "docs"
# Models whose samples a lesson shows: its number, and its cell.
OF_LESSONS = dict.fromkeys(("iwae", "pixelcnn", "realnvp"), ("23", "pictures"))
LONGEST = 24  # lines of a function that stand beside an equation


@functools.cache
def beginnings():
    """`docs/annotated.toml`: for each model, pieces of code by the beginning of an equation's line."""
    return tomllib.loads((DOCS / "annotated.toml").read_text(encoding="utf-8"))


class Source:
    """A file of the package, whose statements can be found by a piece of them."""

    def __init__(self, path):
        self.path = path
        self.text = (PACKAGE / path).read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        self.tree = ast.parse(self.text)

    def find(self, piece):
        """The smallest statement that a piece of code is of, of a `def` the whole function: the numbers of its first
        and last line, and the name of what it stands in.

        Raises:
            ValueError: if the piece is not there, or more than once.
        """
        at = [i for i, line in enumerate(self.lines, 1) if self._begins(line, piece)]
        if len(at) != 1:
            raise ValueError(f"{self.path} has {piece!r} {len(at)} times, not once")
        around = [
            n for n in ast.walk(self.tree) if isinstance(n, ast.stmt) and self._covers(n, at[0])
        ]
        inner = min(around, key=lambda n: n.end_lineno - n.lineno)
        kinds = (ast.FunctionDef, ast.ClassDef)
        scopes = [n for n in sorted(around, key=lambda n: n.lineno) if isinstance(n, kinds)]
        return inner.lineno, inner.end_lineno, ".".join(n.name for n in scopes)

    @staticmethod
    def _begins(line, piece):
        if piece.startswith("def "):
            return re.match(rf"\s*{re.escape(piece)}\b", line) is not None
        return piece in line

    @staticmethod
    def _covers(node, line):
        return node.lineno <= line <= node.end_lineno

    def code(self, first, last):
        """Those lines without a docstring, at the margin."""
        lines = self.lines[first - 1 : last]
        function = next(
            (
                n
                for n in ast.walk(self.tree)
                if isinstance(n, ast.FunctionDef) and n.lineno == first
            ),
            None,
        )
        if function and ast.get_docstring(function):
            doc = function.body[0]
            lines = lines[: doc.lineno - first] + lines[doc.end_lineno - first + 1 :]
        return textwrap.dedent("\n".join(lines))


@functools.cache
def source_of(path):
    return Source(path)


def pieces_of(name, line, used=None):
    """The pieces of code of an equation's line: `(Source's path, piece)`; none for one that has none."""
    for beginning, pieces in beginnings().get(name, {}).items():
        if line.strip().startswith(beginning.strip()):
            if used is not None:
                used.add(beginning)
            for piece in [pieces] if isinstance(pieces, str) else pieces:
                path, colon, rest = piece.partition(".py: ")
                yield (f"{path}.py", rest) if colon else (f"models/{name}.py", piece)
            return


def parts(name):
    """A model's docstring in its parts: the first line, the body, what departs, the reference."""
    text = ast.get_docstring(source_of(f"models/{name}.py").tree)
    summary, _, rest = text.partition("\n")
    body, _, rest = rest.partition("\nDepartures:\n")
    departures, _, reference = rest.partition("\nReference:\n")
    return summary, body.strip("\n"), textwrap.dedent(departures), textwrap.dedent(reference)


def markdown(text):
    """Plain text with `code` as Markdown: what Markdown would read otherwise is escaped; arXiv numbers are links."""
    pieces = re.split(r"(`[^`]+`)", " ".join(text.split()))
    for i in range(0, len(pieces), 2):
        plain = re.sub(r"([\\*_|<>\[\]$#~^])", r"\\\1", pieces[i])
        pieces[i] = re.sub(
            r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", plain
        )
    return "".join(pieces)


def snippet(path, piece, own):
    """A statement as a block of code, under the name of what it stands in; `own` is the page's own file."""
    source = source_of(path)
    first, last, scope = source.find(piece)
    code = source.code(first, last)
    if len(code.splitlines()) > LONGEST:
        raise ValueError(f"{piece!r} of {path} is too long to stand beside an equation")
    module = Path(path)
    page = (
        f"/annotated/{module.stem}.md"
        if path.startswith("models/")
        else f"/api/ganedu/{path[:-3]}/index.rst"
    )
    where = "" if path == own else f"[`{path}`]({page}), "
    return f"{where}{f'`{scope}`, ' if scope else ''}line {first}\n\n```python\n{code}\n```\n"


def equation_lines(name):
    """The indented lines of a docstring's body: a line that begins far to the right goes on with the one above."""
    lines = []
    for line in parts(name)[1].splitlines():
        if line.startswith(" " * 16) and lines:
            lines[-1] += f" {line.strip()}"
        elif line.startswith("    "):
            lines.append(line)
    return lines


def row(name, line):
    """An equation beside the lines that compute it; a sentence that nothing computes, as an item of a list."""
    equation, reference = split_reference(line)
    note = f"*{markdown(reference)}*" if reference else ""
    code = "\n".join(snippet(*found, f"models/{name}.py") for found in pieces_of(name, line))
    if is_prose(equation):
        shown = markdown(re.sub(r" {2,}", ": ", equation, count=1))
        if not code:
            return f"- {shown} {note}"
    else:
        shown = "\n".join(["$$", split_at_gaps(equation), "$$"])
    kind = "equation-row" if code else "equation-row alone"
    right = f":::{{div}} lines\n{code}\n:::\n" if code else ""
    return f"\n::::{{div}} {kind}\n:::{{div}} equation\n{shown}\n\n{note}\n:::\n{right}::::\n"


def split_at_gaps(equation):
    """TeX of an equation's line: its parts, which a comma and a gap divide, below each other if there are several."""
    several = re.split(r"(?<=[,;]) {2,}", equation)
    if len(several) == 1:
        return tex(equation)
    return r"\begin{gathered}" + r" \\ ".join(tex(part) for part in several) + r"\end{gathered}"


def body_of(name):
    """The docstring's own words, with its equations in rows."""
    out, prose, rows = [], [], equation_lines(name)
    for line in [*parts(name)[1].splitlines(), ""]:
        indented = line.startswith("    ")
        if (indented or not line.strip()) and prose:
            out.append(f"\n{markdown(' '.join(prose))}\n")
            prose = []
        if indented and not line.startswith(" " * 16):
            out.append(row(name, rows.pop(0)))
        elif line.strip() and not indented:
            prose.append(line)
    return "\n".join(out)


@functools.cache
def scores():
    """The rows of the table of `docs/models.md`: for each model a dict of its columns."""
    table = (DOCS / "models.md").read_text(encoding="utf-8").split("<!-- end -->")[0]
    rows = [
        [c.strip() for c in x.strip("|").split("|")] for x in table.splitlines() if x[:1] == "|"
    ]
    return {
        re.search(r"`(\w+)`", cells[0])[1]: dict(zip(rows[0], cells, strict=True))
        for cells in rows[2:]
    }


def picture(name):
    """The picture of a model's samples, a path from `docs/`, and what it is; `None` if there is none."""
    for path, what in (
        (f"pictures/models/{name}.png", "after two minutes"),
        (f"pictures/words/{name}_1.png", "after 200,000 training images"),
    ):
        if (DOCS / path).exists():
            return path, what
    stored = beginnings()["samples"].get(name)
    return (stored_at(stored), f"in lesson {stored[:2]}, after some seconds") if stored else None


def stored_at(place):
    """Where a picture of a lesson's outputs lies, a path from `docs/`: of `"23 pictures"`, its number and cell."""
    return f"gallery/lesson_{place.replace(' ', '_')}.png"


def diagram(name):
    """Who feeds whom in a model, as a lesson draws it; nothing where none does."""
    place = beginnings()["diagrams"].get(name)
    if not place:
        return ""
    (lesson,) = (n for n in lessons.names() if n[:2] == place[:2])
    link = f"[{lesson[:2]} {markdown(lessons.title(lesson))}](/lessons/{lesson}.ipynb)"
    return f"## Who feeds whom\n\n![boxes and arrows](/{stored_at(place)})\n\n*From {link}.*\n"


def lesson_pictures():
    """The pictures that pages take from the lessons' stored outputs: bytes by their path below `docs/`.

    Raises:
        ValueError: if a lesson has no such picture.
    """
    made = {}
    for place in {*beginnings()["samples"].values(), *beginnings()["diagrams"].values()}:
        lesson, cell_id = place.split()
        text = lessons.path(lesson).read_text(encoding="utf-8")
        cells = [cell for cell in nbformat.v4.reads(text).cells if cell.id == cell_id]
        pictures = [
            output.data["image/png"]
            for cell in cells
            for output in cell.outputs
            if "image/png" in output.get("data", {})
        ]
        if len(pictures) != 1:
            raise ValueError(f"{place!r} has {len(pictures)} pictures, not 1")
        made[stored_at(place)] = base64.b64decode(pictures[0])
    return made


@functools.cache
def modules_of_lessons():
    """Which models each lesson trains."""
    texts = {n: json.loads(lessons.path(n).read_text(encoding="utf-8")) for n in lessons.names()}
    return {n: text["metadata"]["ganedu"]["modules"] for n, text in texts.items()}


@functools.cache
def tests():
    """All tests: `(file, name, names of which attributes are asked)`."""
    found = []
    for file in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                asked = (n.value for n in ast.walk(node) if isinstance(n, ast.Attribute))
                names = {n.id for n in asked if isinstance(n, ast.Name)}
                found.append((file.name, node.name, names))
    return found


def tests_of(name):
    """The tests that have a model in their name, or use its module: `(file, test)`."""
    others = [n for n in catalogue.names() if n != name and name in n]
    for file, test, asked in tests():
        named = re.search(rf"(?<![a-z]){name}(?![a-z])", test) and not any(
            o in test for o in others
        )
        if name in asked or named:
            yield file, test


def facts(name):
    """A table of what is known of a model."""
    score = scores().get(name, {})
    rows = [("Family", catalogue.summary(name)[0])]
    rows += [
        (title, score[column])
        for title, column in (
            ("Trained weights", "trained weights"),
            ("Images seen in training", "images seen"),
            ("[Fréchet distance](/models.md)", "distance"),
            ("Labels right", "labels right"),
        )
        if score.get(column)
    ]
    taught = [
        f"[{n[:2]} {markdown(lessons.title(n))}](/lessons/{n}.ipynb)"
        for n, modules in modules_of_lessons().items()
        if name in modules
    ]
    rows += [("Lessons", "<br>".join(taught))] if taught else []
    rows.append(("API", f"[`ganedu.models.{name}`](/api/ganedu/models/{name}/index.rst)"))
    rows.append(("Recipe", f"[`ganedu.recipes.{name}`](/api/ganedu/recipes/{name}/index.rst)"))
    return "\n".join(["| | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])


def page(name):
    """A model's page, Markdown."""
    summary, _, departures, reference = parts(name)
    shown = picture(name)
    image = f"![samples of {name}](/{shown[0]})\n\n*{shown[1].capitalize()}.*" if shown else ""
    source = source_of(f"models/{name}.py")
    marked = sorted(
        {
            source.find(piece)[:2]
            for line in equation_lines(name)
            for path, piece in pieces_of(name, line)
            if path == source.path
        }
    )
    lines = ",".join(f"{a}-{b}" for a, b in marked)
    tests = [f"- `{test}` in `tests/{file}`" for file, test in tests_of(name)]
    hidden = ":::{div} card-row\n:::\n" if not image else ""
    numbers = sorted(set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", reference)))
    cited = [key for number in numbers for key in keys().get(number, ())]
    return "\n".join(
        [
            "---\nhtml_theme.sidebar_secondary.remove: true\n---\n",
            f"# {name}\n",
            f"{markdown(summary)}\n",
            "::::{div} facts-row",
            f":::{{div}} samples\n{image}\n:::" if image else hidden,
            f":::{{div}} facts\n{facts(name)}\n:::\n::::\n",
            "## The equations, and the lines that compute them\n",
            body_of(name),
            diagram(name),
            "## What departs from the paper\n",
            f"{markdown(departures)}\n",
            "## The file\n",
            f"```{{literalinclude}} ../../ganedu/models/{name}.py",
            ":language: python\n:lineno-match:",
            f":emphasize-lines: {lines}" if lines else "",
            "```\n",
            "## Its tests\n",
            "The contract that each model keeps, on three backends:\n",
            f"```bash\npytest tests/test_models.py -k {name}\n```\n",
            "\n".join(["Its own:\n", *tests, ""]) if tests else "",
            "## Reference\n",
            f"{markdown(reference)}\n",
            f"In the [bibliography](/bibliography.md): {{cite:t}}`{','.join(cited)}`.\n"
            if cited
            else "",
        ]
    )


@functools.cache
def keys():
    """The keys of `references.bib` by arXiv number."""
    text = (DOCS / "references.bib").read_text(encoding="utf-8")
    found = {}
    for entry in re.findall(r"^@\w+\{(\w+),(.*?)^\}", text, re.M | re.S):
        number = re.search(r"eprint\s*=\s*\{([\d.]+)\}", entry[1])
        if number:
            found.setdefault(number[1], []).append(entry[0])
    return found


def told_of(line):
    """A model's line without its name."""
    text = line.split(": ", 1)[-1]
    return markdown(text[0].upper() + text[1:])


def index():
    """The models by family."""
    out = [
        "# Annotated models\n",
        "Each file of `ganedu/models/` beside the equations of its paper: which line computes which, what "
        "departs, what two minutes of training give. The pages are made from the files.\n",
    ]
    toctree = ["```{toctree}\n:hidden:\n"]
    for family, told in catalogue.by_family().items():
        out += [f"## {family[0].upper()}{family[1:]}\n", "| model | what it is |", "|---|---|"]
        for name, line in told.items():
            out.append(f"| [`{name}`]({name}.md) | {told_of(line)} |")
            toctree.append(name)
        out.append("")
    return "\n".join([*out, *toctree, "```\n"])


def gallery():
    """Every model's samples."""
    table = scores()
    out = [
        "---\nhtml_theme.sidebar_secondary.remove: true\n---\n",
        "# Gallery\n",
        "What each model makes after two minutes on two processor cores; where a picture is of another training, "
        "its caption says so. A lower Fréchet distance is better. What its rows show, and how the scores were "
        "measured: [the models](/models.md).\n",
    ]
    for family, told in catalogue.by_family().items():
        out += [f"## {family[0].upper()}{family[1:]}\n", "::::{grid} 1 2 3 3", ":gutter: 3\n"]
        for name, line in told.items():
            shown = picture(name)
            score = table.get(name, {}).get("distance")
            note = f"Fréchet distance {score}" if score else (shown or ("", ""))[1].capitalize()
            out += [
                f":::{{grid-item-card}} {name}",
                f":link: /annotated/{name}\n:link-type: doc",
                f":img-bottom: /{shown[0]}\n:img-alt: samples of {name}" if shown else "",
                f"\n{told_of(line)}\n",
                f"*{note}*" if note else "",
                ":::\n",
            ]
        out.append("::::\n")
    return "\n".join(out)


def pages():
    """All pages of models, and pictures for them: text or bytes by their path below `docs/`."""
    made = {f"annotated/{name}.md": page(name) for name in catalogue.names()}
    return {
        **made,
        **lesson_pictures(),
        "annotated/index.md": index(),
        "gallery/index.md": gallery(),
    }
