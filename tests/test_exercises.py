"""The exercises: what is right passes, what is plausible and wrong is caught with a word on what to look at."""

import importlib

import nbformat
import numpy as np
import pytest

from ganedu.course import checking, lessons
from ganedu.runtime import UsageError

EXERCISES = {name: checking.load(name) for name in checking.names()}
SEEDS = range(5)


def solutions(kind):
    return [(name, told) for name, e in EXERCISES.items() for told in getattr(e, kind)]


def find(name, told):
    exercise = EXERCISES[name]
    source = (exercise.RIGHT | exercise.WRONG)[told]
    return checking.compile_solution(exercise, source)


@pytest.mark.parametrize(("name", "told"), solutions("RIGHT"))
def test_a_right_solution_is_right(name, told, capsys):
    for seed in SEEDS:
        checking.check(name, find(name, told), seed)
    assert set(capsys.readouterr().out.splitlines()) == {f"{EXERCISES[name].FUNCTION} is right"}


@pytest.mark.parametrize(("name", "told"), solutions("WRONG"))
def test_a_wrong_solution_is_told_what_to_look_at(name, told, capsys):
    hints = [c.hint for c in EXERCISES[name].CHECKS]
    for seed in SEEDS:
        with pytest.raises(checking.WrongSolution) as caught:
            checking.check(name, find(name, told), seed)
        assert any(str(caught.value).startswith(hint) for hint in hints)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_has_all_that_it_needs(name):
    exercise = EXERCISES[name]
    assert len(exercise.RIGHT) >= 2
    assert len(exercise.WRONG) >= 4
    inputs = exercise.inputs(np.random.default_rng(0))
    others = exercise.inputs(np.random.default_rng(1))
    assert any(not np.array_equal(inputs[key], others[key]) for key in inputs)
    keys = [c.key for c in exercise.CHECKS]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= set(exercise.reference(inputs))
    for path in exercise.FORBIDDEN:
        module, attribute = path.rsplit(".", 1)
        assert hasattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("name", EXERCISES)
def test_each_check_is_the_first_that_some_array_misses(name):
    """Whatever else is right, an array that is off is told by its own check."""
    exercise = EXERCISES[name]
    inputs = exercise.inputs(np.random.default_rng(0))
    right = find(name, next(iter(exercise.RIGHT)))
    given = checking.compared(exercise, checking.run(exercise, right, inputs), inputs)
    expected = exercise.reference(inputs)
    for item in exercise.CHECKS:
        array = np.asarray(given[item.key], float)
        assert item.problem(array, expected[item.key]) is None
        assert item.problem(array + 1.5, expected[item.key]).startswith(item.hint)
        assert "shape" in item.problem(np.append(array, 0.0), expected[item.key])
        assert "not finite" in item.problem(array + np.nan, expected[item.key])


@pytest.mark.parametrize("name", EXERCISES)
def test_a_lesson_has_the_exercise_and_its_check(name):
    exercise = EXERCISES[name]
    cells = nbformat.read(lessons.path(name[:2]), as_version=4).cells
    (place,) = (i for i, c in enumerate(cells) if c.source == checking.lesson_cell(exercise))
    assert cells[place].metadata.nbgrader.solution
    assert cells[place + 1].source == f'check("{name}", {exercise.FUNCTION})'
    assert cells[place + 1].metadata.nbgrader.grade


def test_a_docstring_stays_with_the_question():
    class Exercise:
        FUNCTION = "f"
        RIGHT = {"a": '\ndef f(x):\n    """Doubles x."""\n    y = x + x\n    return y\n'}

    told = checking.lesson_cell(Exercise).splitlines()
    assert told[:3] == ["def f(x):", '    """Doubles x."""', "    ### BEGIN SOLUTION"]
    assert told[-2:] == ["    return y", "    ### END SOLUTION"]


def test_an_unwritten_solution_is_told_so():
    def my_kl_between(*_):
        raise NotImplementedError

    with pytest.raises(checking.WrongSolution, match="Nothing is written in my_kl_between yet"):
        checking.check("03.kl", my_kl_between)


def test_the_package_s_own_function_is_no_solution():
    from ganedu import samplers

    def my_heun(velocity, x, steps):
        return samplers.heun(velocity, x, steps)

    with pytest.raises(checking.WrongSolution, match=r"ganedu\.samplers\.heun is what you are to"):
        checking.check("16.heun", my_heun)
    assert samplers.heun(lambda x, t: x, np.ones(1), 1) > 1  # it is there again


def test_what_is_no_number_is_told_so():
    with pytest.raises(checking.WrongSolution, match="It should be numbers"):
        checking.check("22.recall_at", lambda scores, k: "all")


def test_an_unknown_exercise_is_refused():
    with pytest.raises(UsageError, match=r"no exercise '06\.nothing'\. Exercises: 00\."):
        checking.check("06.nothing", None)
    with pytest.raises(UsageError, match="must make recall_at"):
        checking.compile_solution(EXERCISES["22.recall_at"], "x = 1")
    with pytest.raises(UsageError, match="does not run: division by zero"):
        checking.compile_solution(EXERCISES["22.recall_at"], "1 / 0")


def test_in_a_notebook_a_hint_is_one_paragraph():
    assert checking.WrongSolution("Look.")._render_traceback_() == ["Not yet: Look."]


def test_what_changes_its_inputs_is_told_so():
    def my_guided(network, x, t, tokens, null_tokens, scale):
        told = network(x, t, tokens)
        tokens[:] = null_tokens
        return told + scale * (told - network(x, t, tokens))

    with pytest.raises(checking.WrongSolution, match=r"changes the arrays .* `tokens`"):
        checking.check("19.guidance", my_guided)


@pytest.mark.parametrize("name", EXERCISES)
def test_what_returns_nothing_is_told_so(name):
    with pytest.raises(checking.WrongSolution):
        checking.check(name, lambda *_, **__: None)


def test_a_mistake_in_the_solution_itself_keeps_its_traceback():
    source = "def my_cycle(G, F, x, y):\n    return np.mean(x) / len(unknown)"
    scope = {"np": np}
    exec(compile(source, "<the student's cell>", "exec"), scope)
    with pytest.raises(NameError, match="unknown"):
        checking.check("14.cycle_loss", scope["my_cycle"])
    scope = {"np": np}
    exec(compile("def f(s, k):\n    return s[99, 99]", "<the student's cell>", "exec"), scope)
    with pytest.raises(IndexError):
        checking.check("22.recall_at", scope["f"])


def test_a_variant_changes_what_stands_once():
    assert checking.variant("a + b", ("a", "c"), ("b", "d")) == "c + d"
    for missing in ("x", " "):
        with pytest.raises(UsageError, match="must stand once"):
            checking.variant("a + b", (missing, "y"))
