"""The lessons: where they are, and how their outputs are made anew."""

import json
import os
import re
import textwrap
from pathlib import Path

from ganedu.course import claims
from ganedu.runtime import RunError, UsageError

# Run before a lesson: all that it draws comes from other seeds, the initial weights and latents, the models' own
# draws, the order of batches.
OTHER_SEEDS = """
def _shifted(shift):
    from ganedu import runtime

    setup = runtime.setup
    setup(0)
    from ganedu import latent, models
    from ganedu.data.images import BatchSampler

    draw, build, order = latent.sample_prior, models.build, BatchSampler.__init__
    runtime.setup = lambda seed=0: setup(seed + shift)
    latent.sample_prior = lambda count, dim, seed=0: draw(count, dim, seed + shift)
    models.build = lambda name, image_shape, **more: build(
        name, image_shape, **{{"seed": shift, **more}}
    )
    BatchSampler.__init__ = lambda self, count, size, seed, start=0: order(self, count, size, seed + shift, start)

_shifted({shift})
"""

# Run before a lesson: it has the data that come with the package, also where MNIST is at hand, and trains briefly.
BUILT_IN = """
def _built_in():
    import os

    from ganedu import data

    os.environ["GANEDU_PROFILE"], load = "quick", data.load
    data.load = lambda name, *more, fallback=None, **others: load(fallback or name, *more, **others)

_built_in()
"""


def data_and_recipe(model, data_set="mnist", sizes_of=None, **options):
    """What a lesson begins with: its images, and the recipe of a model for them in the profile that is wanted.

    >>> digits, recipe = data_and_recipe("dcgan")  # MNIST, or what the package has in its place

    Args:
        model: str, a model's name.
        data_set: str, a data set's name. Defaults to `"mnist"`.
        sizes_of: str, the data set whose recipe is wanted whichever is at hand. Defaults to the one that was loaded.
        **options: for `ganedu.data.load`.

    Returns:
        `ImageDataset`, and `Recipe`.
    """
    from ganedu import data, recipes, runtime

    options = {"fallback": {"mnist": "digits", "cifar10": "photos"}.get(data_set), **options}
    images = data.load(data_set, **options)
    name = sizes_of or images.name
    return images, recipes.find(model, name, images.image_shape, runtime.profile())[0]


def folder():
    """The folder of the lessons: beside the package in a checkout, inside it in an installed wheel."""
    here = Path(__file__).parents[1]
    for place in (here / "notebooks", here.parent / "notebooks"):
        if any(place.glob("[0-9][0-9]_*.ipynb")):
            return place
    raise RunError(f"The lessons are missing from this installation ({here})")


def names():
    """The lessons' names, in order: `["00_start", ...]`."""
    return sorted(path.stem for path in folder().glob("[0-9][0-9]_*.ipynb"))


def path(name):
    """The notebook of a lesson, given its name or its number.

    Raises:
        UsageError: for a name or number that no lesson has.
    """
    found = [n for n in names() if name in (n, n[:2])]
    if not found:
        raise UsageError(f"There is no lesson {name!r}. Lessons: {', '.join(names())}")
    return folder() / f"{found[0]}.ipynb"


def title(name):
    """A lesson's title: the first heading of its notebook."""
    # The file is read without nbformat, which takes seconds to import and to check all lessons.
    first = "".join(json.loads(path(name).read_text(encoding="utf-8"))["cells"][0]["source"])
    return first.splitlines()[0].lstrip("# ").strip()


def table():
    """The README's table of lessons, in Markdown, from what each notebook says of itself under `ganedu` in its
    metadata: `modules`, `paper`, `claim`, and the `processor_seconds` that `execute` measured."""
    import nbformat

    lines = [
        "| lesson | module | paper | what it claims, checked by nbval | time |",
        "|---|---|---|---|---|",
    ]
    for name in names():
        facts = nbformat.read(path(name), as_version=4).metadata.ganedu
        modules = ", ".join(f"[`{m}`](ganedu/models/{m}.py)" for m in facts.modules)
        took = f"{5 * round(facts.processor_seconds / 5)} s"
        lesson = f"[{name[:2]} {title(name)}](notebooks/{name}.ipynb)"
        lines.append(f"| {lesson} | {modules} | {facts.paper} | {facts.claim} | {took} |")
    return "\n".join(lines)


def teaching():
    """What `docs/teaching.md` says lesson by lesson, in Markdown: from a lesson's first cell what it builds on and how
    long it takes; from its metadata under `ganedu` the `mistakes` that students make, and `questions` to ask in class.
    """
    import nbformat

    lines = []
    for name in names():
        notebook = nbformat.read(path(name), as_version=4)
        opening = " ".join(notebook.cells[0].source.split())
        (before,) = re.findall(r"\*\*Builds on\*\* (.*?)\.? \*\*Takes\*\*", opening)
        (minutes,) = re.findall(r"\*\*Takes\*\* .*?; (.*?) with the exercises", opening)
        facts = notebook.metadata.ganedu
        lines += [
            f"### [{name[:2]} {title(name)}](../notebooks/{name}.ipynb)\n",
            _paragraph(
                f"{minutes[0].upper()}{minutes[1:]} with the exercises. Builds on {before}."
            ),
            _paragraph(f"**What goes wrong.** {facts.mistakes}"),
            "**To ask in class.**\n",
            *(f"- {question}" for question in facts.questions),
            "",
        ]
    return "\n".join(lines).rstrip()


def _paragraph(text):
    return "\n".join([*textwrap.wrap(text, 100, break_on_hyphens=False), ""])


def update_colab():
    """Gives each lesson what it needs on Colab, as the package's metadata say now; nothing is executed.

    Returns:
        The names of the lessons that changed.
    """
    import nbformat

    from ganedu.course import colab

    changed, repository = [], colab.repository()
    for name in names():
        before = path(name).read_text(encoding="utf-8")
        notebook = colab.format_lesson(nbformat.reads(before, as_version=4), name, repository)
        if nbformat.writes(notebook) + "\n" != before:
            nbformat.write(notebook, path(name))
            changed.append(name)
    return changed


def execute(name, setup="", save=True):
    """Runs a lesson in a fresh kernel, and stores its outputs as the reference that nbval compares with.

    Args:
        name: str, a lesson's name or number.
        setup: str, code to run in the kernel first. Defaults to none.
        save: bool, whether the notebook's file is written. Defaults to `True`.

    Returns:
        The executed notebook.

    Raises:
        RunError: if a cell fails, or writes on stderr.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    file = path(name)
    notebook = nbformat.read(file, as_version=4)
    # nbval runs inside pytest, where ipykernel leaves file descriptor 2 alone: the references are made alike.
    os.environ.setdefault("PYTEST_CURRENT_TEST", "lessons")
    before = [nbformat.v4.new_code_cell(setup)] if setup else []
    lesson, notebook.cells = notebook.cells, [*before, *notebook.cells]
    client = NotebookClient(
        notebook, timeout=1800, resources={"metadata": {"path": str(file.parent)}}
    )
    before_it = _of_processes()
    try:
        with client.setup_kernel():
            for i, cell in enumerate(notebook.cells):
                client.execute_cell(cell, i, store_history=i >= len(before))
    except CellExecutionError as e:
        raise RunError(f"{file.name} failed: {e}") from None
    notebook.cells = lesson
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise RunError(f"{file.name} wrote on stderr: {output.text}")
            if "data" in output:  # of a widget that is gone; its still picture stays
                output.data.pop("application/vnd.jupyter.widget-view+json", None)
        cell.metadata.pop("execution", None)  # time stamps
    notebook.metadata.pop("widgets", None)
    if save:
        spent = round(_of_processes() - before_it)
        notebook.metadata.setdefault("ganedu", {})["processor_seconds"] = spent
        nbformat.write(notebook, file)
    return notebook


def _of_processes():
    """The processor's seconds (user + sys) of the processes that this one started and that have ended."""
    import resource  # not there on Windows

    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def check(name, seeds=3, record=False):
    """Runs a lesson under several seeds; its claims must come out under each as they are stored.

    Args:
        name: str, a lesson's name or number.
        seeds: int, how many. Defaults to `3`.
        record: bool, whether the lesson is run on the data that come with the package, and the numbers of claims that
            all came out so are noted, for `claim` to print, and written into the stored outputs. Defaults to `False`.

    Returns:
        List of str, what came out otherwise and under which seed, claims with their numbers; empty for a good lesson.

    Raises:
        RunError: if a cell fails, or writes on stderr.
    """
    import nbformat

    wanted, found, trainings = _told(nbformat.read(path(name), as_version=4)), [], []
    for shift in range(1, seeds + 1):
        setup = OTHER_SEEDS.format(shift=shift) + (BUILT_IN if record else "")
        told = _told(execute(name, setup, save=False))
        for want, got in zip(wanted, told, strict=True):
            found += [f"seed {shift}: {other}" for other in _differences(want, got)]
        trainings.append(claims.told("".join(told)))
    if record and not found:
        claims.record(path(name).stem, trainings)
        _write_others(path(name))
    return found


def _write_others(file):
    """Writes into a lesson's stored outputs what is noted of other trainings."""
    import nbformat

    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = claims.with_others(output.text)
    nbformat.write(notebook, file)


def _differences(want, got):
    """What a cell printed otherwise than it is stored: each claim that turned out so, with its numbers; of other text
    all of it."""
    if claims.compared(want) == claims.compared(got):
        return []
    stored, lines = claims.compared(want).splitlines(), claims.compared(got).splitlines()
    if len(lines) != len(stored) or not all(line.endswith(claims.HOLDS) for line in lines):
        return [f"{' '.join(got.split())!r} in the place of {' '.join(want.split())!r}"]
    numbers = [numbers for _, numbers in claims.told(got).values()]
    return [
        f"{line} ({', '.join(map(' '.join, numbers.items()))})" if numbers else line
        for line, before, numbers in zip(lines, stored, numbers, strict=True)
        if line != before
    ]


def _told(notebook):
    """What each code cell prints, where nbval compares it; the lines of claims' numbers too."""
    return [
        "".join(o.text for o in c.outputs if o.output_type == "stream")
        for c in notebook.cells
        if c.cell_type == "code" and "NBVAL" not in c.source
    ]
