"""The lessons as pages, with the outputs that they have; nothing is executed. The notebooks themselves, solved and to
work in, lie beside them."""

import copy
import functools
import io
import json
import re
from pathlib import Path

import nbformat
from links import rewritten
from nbformat.v4 import new_markdown_cell
from overlays import laid_over
from wheel_file import name as wheel_name

from ganedu.course import colab, copies, lessons

DOCS = Path(__file__).parents[1]
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
# What `ganedu.data.load` says where it takes other images.
FALLBACK = re.compile(r"^Using (\w+) in the place of (\w+): .*\n?", re.M)
DATA_SETS = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
WORDS = {
    "en": {
        "work": "Download to work in",
        "solved": "Download, solved",
        "colab": "Open in Colab",
        "on_colab": "On Colab and Kaggle",
        "trains": "Trains",
        "seconds": "about {} s of a processor",
        "show": "Show the solution",
        "hide": "Hide the solution",
        "marking": "How it is marked",
        "live": "Play in the page",
        "open": "How to open a download",
        "other": "中文",
        "digits": "the 1,797 handwritten digits, of 8 by 8 pixels, that come with scikit-learn",
        "photos": "patches of the two photographs that come with scikit-learn",
        "taken": "*The outputs on this page were made with {}. Your copy takes {} itself: it downloads it once, or "
        "finds it in the folder that `GANEDU_DATA` names, as `{}.npz`; where it can do neither, it takes what "
        "this page has.*",
    },
    "zh": {
        "work": "下载练习版",
        "solved": "下载解答版",
        "colab": "在 Colab 中打开",
        "on_colab": "在 Colab 与 Kaggle 上",
        "trains": "训练",
        "seconds": "约 {} 秒处理器时间",
        "show": "显示解答",
        "hide": "隐藏解答",
        "marking": "评分方式",
        "live": "在网页中操作",
        "open": "怎样打开下载的课程",
        "other": "English",
        "digits": "scikit-learn 自带的 1,797 个手写数字（8 乘 8 像素）",
        "photos": "scikit-learn 自带的两张照片的小块",
        "taken": "*本页的输出来自{}。你的练习版使用 {} 本身：下载一次，或者在 `GANEDU_DATA` 所指的文件夹中"
        "找到 `{}.npz`；两者都不行时，就用本页所用的图像。*",
    },
}


@functools.cache
def text_of(name):
    return lessons.path(name).read_text(encoding="utf-8")


def read(name):
    """A lesson as a notebook; what tests look at need not be looked at here."""
    return nbformat.v4.reads(text_of(name))


def written(notebook):
    return nbformat.v4.writes(notebook) + "\n"


def of_this_site(name):
    """A lesson whose first cell takes ganedu from where it can be had: from the repository, or else from the wheel that
    the site has, and that lies beside the lesson. The text of a notebook."""
    notebook = read(name)
    if not colab.repository():
        (cell,) = (cell for cell in notebook.cells if cell.id == "install")
        cell.source = colab.INSTALL.format(wheel_name())
    return written(notebook)


def unsolved(name):
    """A lesson as a student gets it: the text of a notebook."""
    return written(copies.fresh(io.StringIO(of_this_site(name))))


def overlay_of(name):
    """The file of a lesson's Chinese overlay, or `None`."""
    file = DOCS / "zh" / "overlays" / f"{name}.md"
    return file if file.exists() else None


def links_bar(name, notebook, language):
    """What stands under a lesson's title: downloads, Colab, models, time, the other language."""
    words = WORDS[language]
    up = "../../" if language == "zh" else "../"
    repository = colab.repository()
    address = f"{colab.COLAB}github/{repository}/blob/{colab.BRANCH}/notebooks/{name}.ipynb"
    open_there = (words["colab"], address) if repository else (words["on_colab"], f"{up}colab.html")
    buttons = [
        (words["work"], f"{up}notebooks/{name}.ipynb"),
        (words["solved"], f"{up}notebooks/solved/{name}.ipynb"),
        open_there,
    ]
    places = [f"{name}.html", f"{name}/index.html"]
    places = [f"zh/{x}" for x in places if language == "zh"] + places
    live = next((x for x in places if (DOCS / "live" / x).exists()), None)
    if live:
        buttons.append((words["live"], f"{up}live/{live}"))
    if overlay_of(name):
        there = f"{up}zh/lessons/{name}.html" if language == "en" else f"{up}lessons/{name}.html"
        buttons.append((words["other"], there))
    shown = " ".join(
        f'<a class="button" href="{to}"{" download" if "/notebooks/" in to and "//" not in to else ""}>{text}</a>'
        for text, to in buttons
    )
    facts = notebook.metadata.ganedu
    models = ", ".join(
        f'<a href="{up}annotated/{m}.html"><code>{m}</code></a>' for m in facts.modules
    )
    seconds = words["seconds"].format(5 * round(facts.processor_seconds / 5))
    start = f"{up}{'zh/' if language == 'zh' else ''}index.html#start"
    how = f'<a href="{start}">{words["open"]}</a>'
    return (
        f'<div class="lesson-bar">{shown}<span>{how}</span>'
        f"<span>{words['trains']} {models}; {seconds}</span></div>"
    )


def with_lessons_linked(text, folder):
    """The first cell with a link at each number of a lesson that it builds on."""
    numbered = {name[:2]: name for name in lessons.names()}

    def linked(found):
        return re.sub(
            r"\b\d\d\b",
            lambda m: f"[{m[0]}]({folder}{numbered[m[0]]}.ipynb)" if m[0] in numbered else m[0],
            found[0],
        )

    return re.sub(r"\*\*(?:Builds on|基于).*?(?=\*\*(?:Takes|用时))", linked, text, flags=re.S)


def solution_cells(cell, words):
    """A cell with a solution as pages show it: the blank first, and the solution folded beneath it."""
    if cell.cell_type == "markdown":
        before, _, rest = cell.source.partition(BEGIN)
        solution, _, after = rest.partition(END)
        folded = (
            f"<details><summary>{words['marking']}</summary>\n\n{solution.strip()}\n\n</details>"
        )
        cell.source = "\n\n".join(x for x in (before.strip(), folded, after.strip()) if x)
        return [cell]
    blank = copy.deepcopy(cell)
    copies.unsolved(nbformat.v4.new_notebook(cells=[blank]))
    cell.source = re.sub(rf"^ *({BEGIN}|{END})\n?", "", cell.source, flags=re.M).rstrip()
    cell.metadata = {
        "tags": ["hide-input"],
        "mystnb": {"code_prompt_show": words["show"], "code_prompt_hide": words["hide"]},
    }
    return [new_markdown_cell(f"```python\n{blank.source}\n```", id=f"{cell.id}-blank"), cell]


def without_fallback(cell, words):
    """A cell of code without the lines that say which images were at hand where its outputs were made; behind it what
    that means for a reader: a list of cells."""
    found = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            found += FALLBACK.findall(output.text)
            output.text = FALLBACK.sub("", output.text)
    if not found:
        return [cell]
    cell.outputs = [o for o in cell.outputs if o.output_type != "stream" or o.text]
    taken, wanted = found[0]
    told = words["taken"].format(words[taken], DATA_SETS[wanted], wanted)
    return [cell, new_markdown_cell(told, id=f"{cell.id}-images")]


def page(name, language="en"):
    """A lesson as a notebook for the site: the text of its file."""
    words, notebook = WORDS[language], read(name)
    overlay = overlay_of(name) if language == "zh" else None
    if overlay:
        laid_over(notebook, overlay.read_text(encoding="utf-8"), language)
    folder = "/lessons/" if language == "zh" else ""
    cells = []
    for cell in notebook.cells:
        if cell.id == "install":
            continue
        if cell.cell_type == "markdown":
            cell.source = rewritten(cell.source, "notebooks")
        cell.source = cell.source.removeprefix("# NBVAL_IGNORE_OUTPUT\n")
        made = solution_cells(cell, words) if BEGIN in cell.source else [cell]
        cells += [part for each in made for part in without_fallback(each, words)]
    notebook.cells = cells
    first = notebook.cells[0]
    title, _, rest = first.source.partition("\n")
    # The site has a button of its own, which asks nothing of the net.
    rest = re.sub(r"\[!\[Open in Colab\].*\n", "", with_lessons_linked(rest, folder))
    first.source = f"{title}\n\n{links_bar(name, notebook, language)}\n{rest}"
    number = re.sub(r"^# ", f"# {name[:2]} ", first.source)
    first.source = number
    return written(notebook)


def index():
    """The page of all lessons."""
    out = [
        "# Lessons\n",
        "Each trains a file of the package in about a minute, on real images, and proves its claim. You write the key "
        "lines yourself. The pages show the solved lessons with their outputs; solutions are folded. "
        "`ganedu lessons copy my-lessons` gives you copies to work in, once ganedu is [installed](/index.md#start). "
        "Each page has one to download, too, which is opened in the same Jupyter; its first cell installs ganedu from "
        "the first page's file, beside it, where it is missing.\n",
        "<!-- table -->\n",
        ":::{div} lesson-table",
        "| | lesson | what it claims | trains |",
        "|---|---|---|---|",
    ]
    for name in lessons.names():
        facts = read(name).metadata.ganedu
        models = ", ".join(f"[`{m}`](/annotated/{m}.md)" for m in facts.modules)
        title = lessons.title(name)
        out.append(f"| {name[:2]} | [{title}](/lessons/{name}.ipynb) | {facts.claim} | {models} |")
    listed = [":::\n\n<!-- end of table -->\n\n```{toctree}\n:hidden:\n", *lessons.names(), "```\n"]
    return "\n".join([*out, *listed])


def pages():
    """All pages of lessons: their text by their path below `docs/`."""
    made = {"lessons/index.md": index()}
    for name in lessons.names():
        made[f"lessons/{name}.ipynb"] = page(name)
        if overlay_of(name):
            made[f"zh/lessons/{name}.ipynb"] = page(name, "zh")
    return made


def downloads():
    """The notebooks that can be downloaded, and each as a script for pages that are opened as files: their text by
    their path in the site."""
    made = {}
    for name in lessons.names():
        for folder, text in (("", unsolved(name)), ("solved/", of_this_site(name))):
            path = f"notebooks/{folder}{name}.ipynb"
            made[path] = text
            made[f"{path}.js"] = (
                f"saveNotebook({json.dumps(f'{name}.ipynb')}, {json.dumps(text)});\n"
            )
    return made
