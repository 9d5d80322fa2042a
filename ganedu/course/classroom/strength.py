"""Whether an exercise is strong: its right answers earn all, its wrong ones and the package's functions less."""

from dataclasses import dataclass

from ganedu.course import checking
from ganedu.course.classroom import notebooks
from ganedu.course.classroom.box import Box
from ganedu.course.classroom.grading import score, task_of

# What nobody has worked for: it earns nothing.
IDLE = {
    "returns nothing": "def {f}(*args, **kwargs):\n    return None",
    "returns 0": "def {f}(*args, **kwargs):\n    return 0.0",
    "returns 1": "def {f}(*args, **kwargs):\n    return 1.0",
    "returns what it is given first": "def {f}(*args, **kwargs):\n    return [*args, *kwargs.values()][0]",
    "returns as many ones": "def {f}(*args, **kwargs):\n    return np.ones(len([*args, *kwargs.values()][0]))",
    "returns a text": "def {f}(*args, **kwargs):\n    return 'a'",
}


@dataclass
class Strength:
    """What was found for an exercise: its name, a line, and what is weak in it."""

    exercise: str
    summary: str
    faults: list

    @property
    def strong(self):
        return not self.faults


def report(course, safe=True):
    """Yields a `Strength` for each exercise of a course."""
    with Box(safe) as box:
        for lesson in course.lessons:
            for question in notebooks.questions(lesson):
                if question.exercise:
                    yield of_exercise(question.exercise, box)


def of_exercise(name, box, seed=0):
    """The `Strength` of one exercise."""
    exercise = checking.load(name)
    variants = getattr(exercise, "VARIANTS", ())
    faults = [*_faults(exercise, box, seed), *_faults_of_package(exercise, box, seed)]
    for chosen in variants:
        faults += [
            f"{fault} (variant: {chosen.task})" for fault in _faults(exercise, box, seed, chosen)
        ]
    summary = (
        f"{len(exercise.RIGHT)} right, {len(exercise.WRONG)} wrong, {len(exercise.FORBIDDEN)} of the package"
        + (f", {len(variants)} variants" if variants else "")
        + (": weak" if faults else ": strong")
    )
    return Strength(name, summary, faults)


def _share(exercise, box, seed, source, variant=None):
    """What a solution earns: its share, the status and the reason."""
    task = task_of(exercise, source, seed=seed)
    return score(exercise, task, box.run(task), variant)[:3]


def _faults(exercise, box, seed, variant=None):
    """Right answers that do not earn everything, wrong ones that do, and those that nobody worked for."""
    right, wrong = exercise.RIGHT, exercise.WRONG
    if variant is not None:
        right, wrong = {"the variant's": variant.right}, exercise.RIGHT
    for told, source in right.items():
        got, _, reason = _share(exercise, box, seed, source, variant)
        if got < 1:
            yield f"a right answer ({told}) earns {got:.0%}: {reason}"
    for told, source in wrong.items():
        if _share(exercise, box, seed, source, variant)[0] >= 1:
            yield f"a wrong answer ({told}) earns everything"
    for told, source in IDLE.items():
        got = _share(exercise, box, seed, source.format(f=exercise.FUNCTION), variant)[0]
        if got > 0:
            yield f"an answer that {told} earns {got:.0%}"


def _faults_of_package(exercise, box, seed):
    """The package's functions that are the answer, where they are not refused."""
    for path in exercise.FORBIDDEN:
        module, _, function = path.rpartition(".")
        source = f"from {module} import {function}\n\ndef {exercise.FUNCTION}(*args, **kwargs):\n"
        source += f"    return {function}(*args, **kwargs)"
        got, status, _ = _share(exercise, box, seed, source)
        if got > 0 or status != "refused":
            yield f"{path} itself is {status} and earns {got:.0%}"
