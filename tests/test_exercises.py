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


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ("flat because G has won", "flat"),
        ("grey before variety", "few and grey"),
        ("too much grey is a sickness", "grey"),
        ("variety before quality", "variety"),
        ("bad samples underfit", "bad samples"),
        ("names of its own", "names"),
    ],
)
def test_a_doctor_hears_of_the_mistake_that_was_made(told, key):
    (hint,) = (c.hint for c in EXERCISES["08.diagnosis"].CHECKS if c.key == key)
    for seed in SEEDS:
        with pytest.raises(checking.WrongSolution) as caught:
            checking.check("08.diagnosis", find("08.diagnosis", told), seed)
        assert str(caught.value).startswith(hint)


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
    def my_kl(*_):
        raise NotImplementedError

    with pytest.raises(checking.WrongSolution, match="Nothing is written in my_kl yet"):
        checking.check("03.kl", my_kl)


def test_the_package_s_own_function_is_no_solution():
    from ganedu import samplers

    def my_ddim(predict_noise, x, alpha_bar, times):
        return samplers.ddim(predict_noise, x, alpha_bar, times, None)

    with pytest.raises(checking.WrongSolution, match=r"ganedu\.samplers\.ddim is what you are to"):
        checking.check("16.ddim", my_ddim)
    assert (
        samplers.ddim(lambda x, t: x, np.ones(1), np.ones(2), [1], None) == 1
    )  # it is there again


def test_what_is_no_number_is_told_so():
    with pytest.raises(checking.WrongSolution, match="It should be numbers"):
        checking.check("22.info_nce", lambda u, v, temperature: "all")


def test_an_unknown_exercise_is_refused():
    with pytest.raises(UsageError, match=r"no exercise '06\.nothing'\. Exercises: 00\."):
        checking.check("06.nothing", None)
    with pytest.raises(UsageError, match="must make my_info_nce"):
        checking.compile_solution(EXERCISES["22.info_nce"], "x = 1")
    with pytest.raises(UsageError, match="does not run: division by zero"):
        checking.compile_solution(EXERCISES["22.info_nce"], "1 / 0")


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
    exec(
        compile("def f(u, v, temperature):\n    return u[99]", "<the student's cell>", "exec"),
        scope,
    )
    with pytest.raises(IndexError):
        checking.check("22.info_nce", scope["f"])


def test_a_variant_changes_what_stands_once():
    assert checking.variant("a + b", ("a", "c"), ("b", "d")) == "c + d"
    for missing in ("x", " "):
        with pytest.raises(UsageError, match="must stand once"):
            checking.variant("a + b", (missing, "y"))


# Variants

VARIED = {name: e.VARIANTS for name, e in EXERCISES.items() if hasattr(e, "VARIANTS")}


def fails(name, source, variant, seed=0):
    """The checks that a solution fails where a variant is asked for."""
    exercise = EXERCISES[name]
    inputs = exercise.inputs(np.random.default_rng(seed))
    solution = checking.compile_solution(exercise, source)
    given = checking.compared(exercise, checking.run(exercise, solution, inputs), inputs)
    told = checking.problems(exercise, given, inputs, variant)
    return [(item, problem) for item, problem in told if problem]


def test_many_exercises_have_variants():
    assert len(VARIED) >= 10
    assert all(len(variants) >= 3 for variants in VARIED.values())


@pytest.mark.parametrize("name", VARIED)
def test_a_variant_is_met_by_its_own_answer_alone(name):
    variants = VARIED[name]
    for seed in SEEDS:
        for one in variants:
            assert fails(name, one.right, one, seed) == []
            others = [*EXERCISES[name].RIGHT.values(), *(v.right for v in variants if v is not one)]
            for source in others:
                _, told = fails(name, source, one, seed)[0]
                assert told.endswith(one.task) or not told.startswith("`")
            assert fails(name, one.right, None, seed)


def value(name, i, *arguments):
    exercise = EXERCISES[name]
    return checking.compile_solution(exercise, VARIED[name][i].right)(*arguments)


def test_variants_by_hand():
    """One number for each variant, worked out on paper."""
    zero, one = np.zeros((2, 1)), np.ones((2, 1))
    assert np.isclose(value("00.discriminator_loss", 0, zero, zero), 2.0)  # bits
    assert np.isclose(value("00.discriminator_loss", 1, zero, zero), 3 * np.log(2))
    smooth = 0.9 * np.log(1 + np.exp(-1)) + 0.1 * np.log(1 + np.exp(1)) + np.log(2)
    assert np.isclose(value("00.discriminator_loss", 2, one, zero), smooth)
    point = (np.array([[1.0, 2.0]]), np.zeros(2), 1.0, np.array([3.0, -1.0]), -1.0)  # z, m, s, w, b
    for i, doubt in enumerate([0.5, 1.0, 1.0]):  # its logit is 0
        dm, ds = value("01.g_gradients", i, *point)
        assert np.allclose(dm, [-3 * doubt, doubt])
        assert np.isclose(ds, -doubt)
    code = tuple(np.array([[v]]) for v in (1.0, 0.0, 0.0, np.log(4.0)))
    forth, back = 0.5 * (np.log(4) + 0.5 - 1), 0.5 * (5 - np.log(4) - 1)
    for i, nats in enumerate([forth / np.log(2), back, forth + back]):
        assert np.allclose(value("03.kl", i, *code), [nats])
    # It listens where the new label is even, and draws a third digit, an 11, where it is odd.
    even = (
        (lambda x, y: y),
        (lambda z, y: np.stack([z, y])),
        (lambda a: np.where(a[1] % 2, 11, a[1])),
    )
    for i, shares in enumerate([(0.5, 0.0), (0.5, 0.05), (1 / 2, 1 / 2)]):
        assert np.allclose(value("04.swap_test", i, *even, np.zeros(2), np.array([0, 1])), shares)
    square = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])  # variances 4 / 3
    moved = [3.0, 4.0] + 2 * square
    for i, distance in enumerate([25 + 8 / 3, np.sqrt(25 + 8 / 3), (25 + 8 / 3) / 2]):
        assert np.isclose(value("10.frechet", i, square, moved), distance)
    pixel = np.array([[[[1.0, 2.0]]]]), np.array([[3.0, 1.0]]), np.array([[[[1.0], [2.0]]]])
    lengths = np.sqrt(32), np.sqrt(13) / 2, 5.0  # of the weights 4, 4 or 3, 2
    for i, out in enumerate(np.array([12, 7, 7]) / lengths):
        maps = value("15.modulated", i, *pixel, lambda x, kernel: x @ kernel[0, 0])
        assert np.allclose(maps, [[[[out]]]])
    # Shares 0.6 and 0.8 at t = 1; x = 2 is told to hold 1, and another step is none at t = 0.
    shares = np.array([1.0, 0.36]), np.array([1, 0])
    for i, end in enumerate([1.0, 1.0, 1.0]):
        walked = value("16.ddim", i, lambda x, t: np.ones_like(x), np.full(1, 2.0), *shares)
        assert np.allclose(walked, end)
    back = np.array([1.0, 0.36, 0.64]), np.array([1, 2])  # shares 0.8 and 0.6 at t = 2
    for i, end in enumerate([0.8 + 0.6 * 1.4 / 0.8, 0.8 + 0.6, 0.8 + 0.6 * 1.4 / 0.8]):
        walked = value("16.ddim", i, lambda x, t: np.ones_like(x), np.full(1, 2.0), *back)
        assert np.allclose(walked, end)
    leaning = np.array([[3.0, 4.0], [3.0, 4.0], [9.0, 4.0], [0.0, 0.0]]), np.zeros(4, int)
    leans = np.array([True, True, True, False])
    for i, vector in enumerate([[-5.0, -4.0], np.array([5, 4]) / np.sqrt(41), [3.0, 4.0]]):
        assert np.allclose(value("17.attribute_vector", i, *leaning, leans), vector)
    two = np.eye(2), np.array([[1.0, 0.0], [1.0, 0.0]])  # scores 1 and 1, 0 and 0
    both = np.log(2) / 2 + np.log1p(np.e) / 2 - 0.25
    for i, nats in enumerate([both, np.log(2), np.log1p(np.e) - 0.5]):
        found = value("22.info_nce", i, *two, 1.0)
        assert np.isclose(found, nats / np.log(2) if i == 0 else nats)
    row = np.array([[2.0, 5.0]]), np.array([1.0, 0.0])
    networks = (lambda x: np.full_like(x, np.log(2.0))), (lambda x: np.full_like(x, 3.0))
    for i, (moved, log_det) in enumerate([(5.5, -1), (16.0, 1), (7.0, 1)]):
        y, found = value("23.coupling", i, *row, *networks)
        assert np.allclose(y, [[2.0, moved]])
        assert np.allclose(found, [log_det * np.log(2)])
        back, _ = value("23.coupling", i, y, row[1], *networks, True)
        assert np.allclose(back, row[0])
    turns = (
        (lambda x, t: np.array([[3.0, 0.0]]) if t == 0 else np.array([[0.0, 4.0]])),
        np.zeros((1, 2)),
        2,
    )
    for i, apart in enumerate([2.5, 3.125, 6.25]):  # each is (1.5, 2) away from the way
        assert np.isclose(value("25.straightness", i, *turns), apart)


def test_a_student_has_always_the_same_variant_and_neighbours_have_others():
    name = "16.ddim"
    students = [f"s{i:03d}" for i in range(200)]
    chosen = [checking.variant_of(name, s) for s in students]
    assert chosen == [checking.variant_of(name, f" {s.upper()} ") for s in students]
    assert min(chosen.count(v) for v in VARIED[name]) > 30
    assert checking.variant_of("06.d_step", "s001") is None
    assert checking.task("06.d_step", "s001") == "Your task is the lesson's."
    with pytest.raises(UsageError, match="Write your id"):
        checking.task(name, " ")


def test_a_students_variant_is_checked(capsys):
    name, student = "16.ddim", "ada"
    mine = checking.variant_of(name, student)
    exercise = EXERCISES[name]
    checking.check(name, checking.compile_solution(exercise, mine.right), student=student)
    assert "my_ddim is right" in capsys.readouterr().out
    own = (
        find(name, "as written")
        if "as written" in exercise.RIGHT
        else find(name, next(iter(exercise.RIGHT)))
    )
    with pytest.raises(checking.WrongSolution, match="as your variant has it"):
        checking.check(name, own, student=student)
