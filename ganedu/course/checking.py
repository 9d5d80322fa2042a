"""Checks of what a student wrote: an exercise's inputs go through it, and the arrays that come out are compared.

An exercise is one file, `ganedu/course/exercises/NN_NAME.py`, the one definition that a lesson, its copies and the
tests use:

    FUNCTION                   what the student writes: a function's or a class's name
    inputs(rng)                dict of arrays, drawn anew each time
    probe(solution, inputs)    runs what the student wrote: a dict of arrays, all that is looked at
    compared(outputs, inputs)  what is compared, made of the probe's outputs, where that is not the same: shapes, say,
                               and whether things differ
    reference(inputs)          the dict that what is compared should be
    CHECKS                     tuple of `Check`, in the order in which they are told
    FORBIDDEN                  tuple of functions of the package that are the solution, as "ganedu.latent.slerp"
    RIGHT, WRONG               dicts of solutions as source, by what they do: at least two, and at least four; the first
                               right one is the lesson's
    PRELUDE                    what the lesson imports for it, if that is more than NumPy
    VARIANTS                   tuple of `Variant`, of which a class's students have one each, if there are any

What is compared is made of random numbers, so it says the same of a right solution each time.
"""

import ast
import contextlib
import copy
import dataclasses
import hashlib
import importlib
import pkgutil
import traceback
import unicodedata
from unittest import mock

import numpy as np

from ganedu.course.copies import SOLVED
from ganedu.runtime import UsageError, one_line

_predictions = {}  # of this kernel, by question
TOLERANCE = 1e-4  # relative and absolute: solutions may compute in float32


class WrongSolution(AssertionError):
    """What is wrong with a solution, told in a notebook as one paragraph and no traceback."""

    def _render_traceback_(self):
        return [f"Not yet: {self}"]


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing that is compared.

    Args:
        key: str, which array of the probe's.
        hint: str, what to look at where it is wrong.
        points: int, of those that all checks give; 0 for what comes out by itself. Defaults to `1`.
    """

    key: str
    hint: str
    points: int = 1

    def problem(self, given, expected):
        """What is wrong with one array: `None`, or a sentence."""
        given, expected = (np.asarray(a) for a in (given, expected))
        if given.shape != expected.shape:
            return f"{self.hint} (Its shape is {given.shape}; it should be {expected.shape}.)"
        if given.dtype.kind not in "biuf":
            return f"{self.hint} (It should be numbers. It is {given.dtype}.)"
        if not np.all(np.isfinite(given)):
            return f"{self.hint} (It holds numbers that are not finite.)"
        near = np.allclose(given, expected, rtol=TOLERANCE, atol=TOLERANCE)
        return None if near else self.hint


@dataclasses.dataclass(frozen=True)
class Variant:
    """The same question with another answer, so that neighbours have different ones.

    Args:
        task: str, what is asked for in the place of what the lesson asks, as a sentence.
        right: str, the source of a right solution; what should come out is what this gives.
    """

    task: str
    right: str


def names():
    """The names of all exercises, as `"06.d_step"`, in order."""
    from ganedu.course import exercises

    found = [m.name for m in pkgutil.iter_modules(exercises.__path__)]
    return sorted(f"{name[:2]}.{name[3:]}" for name in found)


def load(name):
    """The file of an exercise.

    Args:
        name: str, as `"06.d_step"`.

    Raises:
        UsageError: for a name that no exercise has.
    """
    if name not in names():
        raise UsageError(f"There is no exercise {name!r}. Exercises: {', '.join(names())}")
    return importlib.import_module(f"ganedu.course.exercises.{name.replace('.', '_', 1)}")


def variant_of(name, student):
    """The variant of an exercise that a student has: always the same one, drawn from the student's id.

    Args:
        name: str, as `"06.d_step"`.
        student: str, the id; capitals and small letters are the same.

    Returns:
        `Variant`, or `None` for an exercise that has none.

    Raises:
        UsageError: for a name that no exercise has, and for no id.
    """
    variants = getattr(load(name), "VARIANTS", ())
    student = unicodedata.normalize("NFC", student.strip()).casefold()
    if not student:
        raise UsageError("Write your id, as your class has it, into `student`")
    digest = hashlib.sha256(f"{name} {student}".encode()).digest()
    return variants[int.from_bytes(digest[:4], "big") % len(variants)] if variants else None


def task(name, student):
    """What a student's variant asks for, as a sentence.

    Raises:
        UsageError: as `variant_of`.
    """
    chosen = variant_of(name, student)
    return "Your task is the lesson's." if chosen is None else f"Your variant: {chosen.task}"


def check(name, solution, seed=None, student=None):
    """Prints that a solution is right.

    Args:
        name: str, as `"06.d_step"`.
        solution: the student's function or class.
        seed: int, of the inputs. Defaults to `None`: other ones each time.
        student: str, whose variant is asked for. Defaults to `None`: the lesson's own task.

    Raises:
        WrongSolution: says what to look at.
        UsageError: for a name that no exercise has.
    """
    exercise = load(name)
    chosen = None if student is None else variant_of(name, student)
    inputs = exercise.inputs(np.random.default_rng(seed))
    given = compared(exercise, run(exercise, solution, inputs), inputs)
    for _, problem in problems(exercise, given, inputs, chosen):
        if problem:
            raise WrongSolution(problem)
    print(f"{exercise.FUNCTION} is right")


def predict(question, text):
    """Keeps a prediction. The first one stays until the kernel is started anew.

    Args:
        question: str, a lesson's name.
        text: str, what you expect, and why.

    Raises:
        WrongSolution: if nothing is written, or something else was predicted before.
    """
    if not text.strip():
        raise WrongSolution("Write what you expect between the quotes; then the result shows.")
    if _predictions.setdefault(question, text) != text:
        raise WrongSolution(f"You have predicted: {_predictions[question]} That stays.")
    print(f"Kept: {text}")


def predicted(question):
    """Lets a result show only to those who have predicted it.

    Raises:
        WrongSolution: if nothing was predicted.
    """
    if question not in _predictions:
        raise WrongSolution("Predict first, in the cell with `predict`.")


def compared(exercise, outputs, inputs):
    """What is compared, of what a probe found.

    Raises:
        WrongSolution: if that cannot be read.
    """
    try:
        given = getattr(exercise, "compared", lambda outputs, _: outputs)(outputs, inputs)
        return {item.key: given[item.key] for item in exercise.CHECKS}
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
        raise _unreadable(exercise, e) from None


def problems(exercise, given, inputs, variant=None):
    """Each check of an exercise, in order, and what is wrong: `None`, or a sentence. Where a `Variant` asks for
    something else than the lesson, a hint on the lesson's answer would mislead: the task is told again."""
    expected = own = exercise.reference(inputs)
    if variant is not None:
        right = compile_solution(exercise, variant.right)
        with np.errstate(all="ignore"):
            expected = compared(exercise, exercise.probe(right, copy.deepcopy(inputs)), inputs)
    found = []
    for item in exercise.CHECKS:
        problem = item.problem(given[item.key], expected[item.key])
        if problem and item.problem(expected[item.key], own[item.key]):
            problem = f"`{item.key}` is not as your variant has it. {variant.task}"
        found.append((item, problem))
    return found


def run(exercise, solution, inputs):
    """What the probe finds, where nothing that is the solution can be called. The inputs stay as they are.

    Raises:
        WrongSolution: if nothing is written yet, what is forbidden was called, the inputs were changed, or what came
            back cannot be read. What goes wrong in the solution itself is raised as it is.
    """
    copies = copy.deepcopy(inputs)
    with contextlib.ExitStack() as stack, np.errstate(all="ignore"):
        for path in exercise.FORBIDDEN:
            stack.enter_context(mock.patch(path, _refused(path)))
        try:
            given = exercise.probe(solution, copies)
        except NotImplementedError:
            raise WrongSolution(f"Nothing is written in {exercise.FUNCTION} yet.") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
            if _raised_in(solution, exercise, e):
                raise
            raise _unreadable(exercise, e) from None
    for name, array in inputs.items():
        if not np.array_equal(array, copies[name]):
            raise WrongSolution(
                f"{exercise.FUNCTION} changes the arrays that it is given (here `{name}`). Make new ones."
            )
    return given


def _unreadable(exercise, error):
    return WrongSolution(
        f"{exercise.FUNCTION} does not return what the question asks for ({one_line(error)})."
    )


def _raised_in(solution, exercise, error):
    """Whether an error was raised by what the student wrote, or below it, and not by the probe."""
    theirs = getattr(getattr(solution, "__code__", None), "co_filename", None)
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    known = [file for file in files if file in (theirs, exercise.__file__)]
    return known[-1:] == [theirs]


def _refused(path):
    def refuse(*_, **__):
        raise WrongSolution(f"{path} is what you are to write here.")

    return refuse


def variant(source, *changes):
    """A solution with pieces of another: most plausible wrong ones are the right one with a slip.

    Args:
        source: str.
        *changes: pairs of str, what stands once in the source and what shall stand there.

    Raises:
        UsageError: for a piece that does not stand there once.
    """
    for old, new in changes:
        if source.count(old) != 1:
            raise UsageError(f"The piece must stand once in the source. Received: {old!r}")
        source = source.replace(old, new)
    return source


def compile_solution(exercise, source):
    """A solution from its source, as a lesson's cell would make it.

    Raises:
        UsageError: for source that does not run, or makes no such function.
    """
    scope = {"np": np}
    try:
        exec(f"{getattr(exercise, 'PRELUDE', '')}\n{source}", scope)
    except Exception as e:
        raise UsageError(f"The source does not run: {one_line(e)}") from None
    if exercise.FUNCTION not in scope:
        raise UsageError(f"The source must make {exercise.FUNCTION}")
    return scope[exercise.FUNCTION]


def lesson_cell(exercise):
    """The cell of a lesson in which its solution stands, between the marks that a student's copy is cut at."""
    source = next(iter(exercise.RIGHT.values())).strip("\n")
    (function,) = (n for n in ast.parse(source).body if getattr(n, "name", "") == exercise.FUNCTION)
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        first = function.body[1]
    lines = source.splitlines()
    start = first.lineno - 1
    marked = [
        *lines[:start],
        f"    {SOLVED}",
        *lines[start:],
        f"    {SOLVED.replace('BEGIN', 'END')}",
    ]
    return "\n".join(marked)
