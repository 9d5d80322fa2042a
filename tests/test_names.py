"""The field's words: the private names that the package once had are found nowhere again."""

import ast
import json
import re
from pathlib import Path

import keras
import pytest

import ganedu
from ganedu import catalogue, engine, models

PACKAGE = Path(ganedu.__file__).parent
ROOT = PACKAGE.parent

TABLE = """
artist sheet served averaged_copy average averaged_generator averaged_network averaged_encoder
averaged_decoder averaged_mapping averaged_synthesis averaged_image_tower averaged_text_tower
follow_generator answer answers judge seen verdict verdicts undecided follow_verdicts
follow_styles follow_codes follow ask draw draw_latents steps_of StyledModel styles paint mix
WordModel words word_encoder word_decoder word_prior map_shape coder_optimizer Reconstructing
DrawingTextModel DescribingModel ComparingModel read nothing looked_at drawn lit scores describe
learn_to_read reader_of meanings read_first falling hand_out purified noised denoise chance
times early guided missed unsaid omit omitted beside FLAT inpainted flatness penalty_of slopes
distance penalty parts parts_of_a_batch game mixing unread numbers categories numbers_loss found
D(wrong) images_of labelled_generator reads_texts SlowDense LearntConstant PatchWriter codes
least nearest halvings cell cells with_labels image_reader said last _whole _at unit
moved_centres earth_movers_of_histograms walk at_most_a_hundred copied to_nearest reach Manifold
rates sharpness greys labels_right words_right drawings distance_to model_bits doctor Sickness
SICKNESSES sickness Sign SIGNS signs examine shown_by remedy follows told_apart slope swing
active Stretch go_on prepare known_facts facts loaded forget_after published newest
newest_checkpoint SAID READ STEPS SMOOTH LIKELY LEAST MOST MANY Score tell RoundEnd do Frames
take first once stream Order labelled WordedImages shortened encoded changed edits --label
"""
OLD = frozenset(TABLE.split())
# Old names that are also plain words, the field's in another sense, or those of other packages; and where they may
# stand: "anywhere", or in tests and lessons alone.
ORDINARY = {
    "anywhere": {
        "cell": "a notebook's (nbformat)",
        "cells": "a notebook's (nbformat)",
        "codes": "of an autoencoder, and of a codebook",
        "first": "of two, before `second`",
        "nearest": "neighbours",
        "parts": "of a path (pathlib)",
        "read": "of a file",
        "scores": "of samples",
        "styles": "w of StyleGAN, as an argument",
        "take": "NumPy's and Keras's",
        "walk": "ast's",
    },
    "tests and lessons": {
        "answer": "to a question of docs/questions.md",
        "average": "a mean",
        "chance": "what guessing gives",
        "before": "and after",
        "distance": "SciPy's, and a lesson's own functions",
        "draw": "matplotlib's, and to make a test's pictures",
        "found": "what a function found",
        "numbers": "several of them",
        "seen": "what a spy saw",
        "stream": "of batches",
        "times": "the operating system's",
        "unit": "of a figure",
        "words": "of a sentence",
    },
}


def names_in(tree):
    """Each name of a definition, parameter, attribute, keyword argument, field or key."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Dict):
            yield from (key.value for key in node.keys if isinstance(key, ast.Constant))
        elif isinstance(node, ast.Assign):
            yield from assigned(node)
        elif isinstance(node, ast.AnnAssign):
            yield getattr(node.target, "id", "")


def assigned(node):
    """Constants and class attributes by name; of `log_names` and of click's options the strings, too."""
    names = [t.id for t in node.targets if isinstance(t, ast.Name)]
    yield from (name for name in names if name.isupper())
    if "log_names" in names:
        yield from (c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant))


def old_names(source, allowed):
    return sorted({n for n in names_in(ast.parse(source)) if n in OLD} - set(allowed))


def code_of(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


@pytest.mark.parametrize(
    "file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_the_package_speaks_the_field_s_words(file):
    assert old_names(file.read_text(), ORDINARY["anywhere"]) == []


@pytest.mark.parametrize(
    "file",
    [
        *sorted((ROOT / "tests").rglob("*.py")),
        *sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")),
    ],
    ids=lambda f: f.name,
)
def test_tests_and_lessons_follow(file):
    if file == Path(__file__):
        pytest.skip("it holds the list itself")
    source = code_of(file) if file.suffix == ".ipynb" else file.read_text()
    allowed = {*ORDINARY["anywhere"], *ORDINARY["tests and lessons"]}
    assert old_names(source, allowed) == []


PAGES = [
    *sorted(PACKAGE.rglob("*.py")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "README.md",
    *sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")),
]
QUOTED = re.compile(r"(?<!`)`([^`]{1,99})`(?!`)")


def prose_of(file):
    """What explains: a lesson's cells of text, a module's docstrings and comments (here all of it), a page."""
    if file.suffix != ".ipynb":
        return file.read_text()
    cells = json.loads(file.read_text())["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def quoted_old_names(text, allowed):
    quoted = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    words = {w for code in QUOTED.findall(quoted) for w in re.findall(r"(?:--)?[A-Za-z_]\w*", code)}
    return sorted((words & OLD) - set(allowed))


@pytest.mark.parametrize("file", PAGES, ids=lambda f: f.name)
def test_pages_and_lessons_quote_no_old_name(file):
    """Between backticks stands code; what it names must be there."""
    allowed = {*ORDINARY["anywhere"], *ORDINARY["tests and lessons"]}
    allowed |= {"drawn", "do"} if file.suffix == ".md" else set()  # of a claim's sentence
    assert quoted_old_names(prose_of(file), allowed) == []


def test_an_old_name_is_seen_between_backticks():
    for text in ("by which network, `artist`.", "`(text,\nomit)`", "`x = runs.loaded(3)`"):
        assert len(quoted_old_names(text, ())) == 1, text
    assert quoted_old_names("an artist, `y`, omitted, `z`", ()) == []


def test_an_old_name_is_seen_wherever_it_stands():
    for source in (
        "def artist(): pass",
        "class Stretch: pass",
        "x.sheet",
        "f(omit=1)",
        "def f(omit): pass",
        "lambda omit: 0",
        'd = {"told_apart": 1}',
        "SAID = 500",
        'class A:\n    log_names = ("loss", "D(wrong)")',
        "class A:\n    remedy: str",
    ):
        assert len(old_names(source, ())) == 1, source


def test_each_ordinary_word_is_one_that_is_used():
    """A list of exceptions that is longer than it must be would hide what it should not."""
    package = {str(n) for f in PACKAGE.rglob("*.py") for n in names_in(ast.parse(f.read_text()))}
    assert set(ORDINARY["anywhere"]) <= package
    assert not set(ORDINARY["tests and lessons"]) & set(ORDINARY["anywhere"])


@pytest.mark.parametrize("name", catalogue.names())
def test_no_method_hides_one_of_keras(name):
    """But those that a model is there to override."""
    meant = {
        "call",
        "compile",
        "compile_from_config",
        "evaluate",
        "export",
        "fit",
        "from_config",
        "get_config",
        "predict",
    }
    meant |= {"get_compile_config", "load_own_variables", "make_test_function", "metrics"}
    meant |= {"make_train_function", "save_own_variables", "test_step", "train_step"}
    meant |= {"save", "save_weights"}
    kinds = [k for k in vars(models.module(name)).values() if isinstance(k, type)]
    for kind in kinds:
        if not issubclass(kind, engine.GenerativeModel):
            continue
        own = {
            n for base in kind.__mro__ if base.__module__.startswith("ganedu") for n in vars(base)
        }
        assert {n for n in own & set(dir(keras.Model)) if not n.startswith("_")} <= meant


@pytest.mark.parametrize("name", catalogue.names())
def test_a_model_is_told_as_by_its_abstract(name):
    """Who and when, on a line that a terminal of 120 columns holds; its family is a known one."""
    family, line = catalogue.summary(name)
    assert family in catalogue.FAMILIES
    assert re.search(r"\([^()]* (19|20)\d\d[^()]*\)\.$", line)
    assert len(line) <= 100


@pytest.mark.parametrize("name", catalogue.names())
def test_a_model_says_what_departs_from_its_paper(name):
    text = models.module(name).__doc__
    departures, reference = text.index("\nDepartures:\n"), text.index("\nReference:\n")
    assert 0 < departures < reference
    assert len(text[departures:reference].split()) > 15
