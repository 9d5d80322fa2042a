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
    exercise, faults = checking.load(name), []

    def share(source):
        task = task_of(exercise, source, seed=seed)
        got, status, reason, _ = score(exercise, task, box.run(task))
        return got, status, reason

    for told, source in exercise.RIGHT.items():
        got, _, reason = share(source)
        if got < 1:
            faults.append(f"a right answer ({told}) earns {got:.0%}: {reason}")
    for told, source in exercise.WRONG.items():
        if share(source)[0] >= 1:
            faults.append(f"a wrong answer ({told}) earns everything")
    for told, source in IDLE.items():
        got = share(source.format(f=exercise.FUNCTION))[0]
        if got > 0:
            faults.append(f"an answer that {told} earns {got:.0%}")
    for path in exercise.FORBIDDEN:
        module, _, function = path.rpartition(".")
        source = f"from {module} import {function}\n\ndef {exercise.FUNCTION}(*args, **kwargs):\n"
        source += f"    return {function}(*args, **kwargs)"
        got, status, _ = share(source)
        if got > 0 or status != "refused":
            faults.append(f"{path} itself is {status} and earns {got:.0%}")
    summary = (
        f"{len(exercise.RIGHT)} right, {len(exercise.WRONG)} wrong, {len(exercise.FORBIDDEN)} of the package: "
        + ("strong" if not faults else "weak")
    )
    return Strength(name, summary, faults)
