"""Grading: each solution runs in the box on inputs of its own, and what it gives is compared outside of it."""

import atexit
import hashlib
import inspect
import itertools
import json
import os
import threading
from concurrent.futures import FIRST_COMPLETED, wait

import numpy as np

from ganedu import __version__
from ganedu.course import checking
from ganedu.course.classroom import gradebook, notebooks
from ganedu.course.classroom.box import Box, check_box
from ganedu.course.classroom.probes import probe_source
from ganedu.devices import executors
from ganedu.disk import written
from ganedu.runtime import RunError, UsageError

FORMAT = 1  # of a result's file
STATUSES = ("graded", "ungraded", "missing", "error", "refused")
WAITING = 256  # notebooks that are sent to a cluster at once
_here = threading.local()  # the box of this thread
_boxes = []


def task_of(exercise, source, before=(), seed=0):
    """What the box is given for a solution; its inputs are drawn from `seed` (anything that NumPy takes)."""
    return {
        "probe": probe_source(exercise),
        "prelude": getattr(exercise, "PRELUDE", ""),
        "before": list(before),
        "solution": source,
        "function": exercise.FUNCTION,
        "forbidden": list(exercise.FORBIDDEN),
        "inputs": exercise.inputs(np.random.default_rng(seed)),
    }


def score(exercise, task, reply, variant=None):
    """What a solution is worth, of what the box gave, where the lesson's own task was asked for, or a variant.

    Returns:
        `(share, status, reason, checks)`: the share of the points in [0, 1]; `checks` lists for each check its `name`
        and what it `told`: `None` where it is right, a hint for the first that is wrong, and nothing for those behind.
    """
    if reply["status"] != "done":
        return 0.0, reply["status"], reply["reason"], []
    inputs = task["inputs"]
    changed = [k for k in inputs if not _same(inputs[k], reply["inputs"].get(k))]
    if changed:
        return 0.0, "graded", f"it changes the arrays that it is given (here {changed[0]})", []
    try:
        given = checking.compared(exercise, reply["outputs"], inputs)
        told = checking.problems(exercise, given, inputs, variant)
    except checking.WrongSolution as e:
        return 0.0, "graded", str(e), []
    except Exception as e:  # what anyone may send; arrays of lists of several lengths, say
        return 0.0, "error", f"what it gave cannot be compared ({type(e).__name__})", []
    checks, earned, whole = [], 0.0, sum(item.points for item, _ in told)
    for item, problem in told:
        checks.append({"name": item.key, "told": problem})
        if problem:
            return earned / whole, "graded", problem, checks
        earned += item.points
    return 1.0, "graded", "", checks


def _same(one, other):
    try:
        return bool(np.array_equal(one, other))
    except Exception:
        return False


def grade_notebook(job):
    """Grades one student's notebook of one lesson; for any executor, so plain data in and out.

    Args:
        job: dict with `student`, `lesson`, `content` (bytes), `seed` (list of int), `safe` and `variants` (bool,
            whether each student has a variant).

    Returns:
        List of dicts: `question`, `points`, `max_points`, `status`, `reason`, `checks`; and processor-seconds.
    """
    asked, spent, rows = notebooks.questions(job["lesson"]), 0.0, []
    try:
        cells = notebooks.read(job["content"])
    except notebooks.BadNotebook as e:
        return [_row(q, 0.0, "error", f"the file cannot be read: {e}") for q in asked], spent
    for question in asked:
        try:
            row, used = _graded(job, cells, question, len(rows))
        except (RunError, UsageError):
            raise
        except Exception as e:  # what nobody thought of costs its own points
            row, used = _row(question, 0.0, "error", f"it cannot be read ({type(e).__name__})"), 0.0
        rows.append(row)
        spent += used
    return rows, spent


def _graded(job, cells, question, place):
    """A question's row, and processor-seconds."""
    if question.exercise is None:
        answer = notebooks.answer_of(cells, question, job["lesson"])
        if notebooks.is_unanswered(answer, question):
            told = "its cell is not there" if answer is None else "nothing is written"
            return _row(question, 0.0, "missing", told), 0.0
        return _row(question, None, "ungraded", "to be read"), 0.0
    source, before = notebooks.solution_of(cells, question)
    if source is None:
        return _row(question, 0.0, "missing", "its cell is not there"), 0.0
    exercise = checking.load(question.exercise)
    task = task_of(exercise, source, before, [*job["seed"], place])
    reply = _box(job["safe"]).run(task)
    variant = None
    if job["variants"]:
        variant = checking.variant_of(question.exercise, job["student"])
    share, status, reason, checks = score(exercise, task, reply, variant)
    if reason == "nothing is written yet":
        status = "missing"
    row = _row(question, round(share * question.points, 2), status, reason, checks)
    return row, reply["processor_seconds"]


def _row(question, points, status, reason, checks=()):
    return {
        "question": question.name,
        "points": points,
        "max_points": question.points,
        "status": status,
        "reason": reason,
        "checks": list(checks),
    }


def _box(safe):
    if getattr(_here, "box", None) is None:
        _here.box = Box(safe).__enter__()
        if not _boxes:
            atexit.register(_close_boxes)  # of a cluster's worker
        _boxes.append(_here.box)
    return _here.box


def _close_boxes():
    while _boxes:
        _boxes.pop().__exit__()
    _here.box = None


def grade(
    course, lesson=None, jobs=1, scheduler=None, safe=True, anew=False, progress=lambda *_: None
):
    """Grades what was handed in and is not graded yet, or has changed since; what is graded stays as it is.

    Args:
        course: `Course`.
        lesson: str, or `None` for all lessons. Defaults to `None`.
        jobs: int, how many boxes work at once. Defaults to `1`.
        scheduler: str, the address of a Dask scheduler that does the work, or `None`. Defaults to `None`.
        safe: bool, `False` to run without a box. Defaults to `True`.
        anew: bool, whether what has not changed is graded again, too. Defaults to `False`.
        progress: function that is told of each result: `(student, lesson, rows)`.

    Returns:
        Dict with the numbers of notebooks `graded` and `unchanged`, and `processor_seconds` of the solutions.

    Raises:
        UsageError: for a lesson that the course has not, and where no box can be made.
        RunError: if a notebook could not be graded through no fault of its own; all others are.
    """
    names = [course.lesson(lesson)] if lesson else course.lessons
    to_do, unchanged = [], 0
    for name in names:
        for student in course.students:
            job = _job(course, student, name, safe)
            if job is None:
                continue
            if not anew and result(course, student, name, job["digest"]) is not None:
                unchanged += 1
            else:
                to_do.append((student, name))
    spent, failed = 0.0, []
    if to_do:
        if safe and scheduler is None:
            check_box()
        executor, close = executors.executor(scheduler, jobs)
        try:
            most = 2 * jobs if scheduler is None else WAITING
            for job, future in _submitted(executor, course, to_do, safe, most):
                try:
                    rows, used = future.result()
                except UsageError:
                    raise
                except Exception as e:
                    failed.append(f"{job['student']} {job['lesson']}: {e}")
                    continue
                spent += used
                _store(course, job, rows, used)
                progress(job["student"], job["lesson"], rows)
        finally:
            close()
            _close_boxes()
    for name in names:
        gradebook.store(course, name)
    if failed:
        raise RunError(f"{len(failed)} could not be graded: {'; '.join(failed[:3])}. Grade again")
    return {"graded": len(to_do), "unchanged": unchanged, "processor_seconds": spent}


def _submitted(executor, course, to_do, safe, most):
    """Yields jobs and their futures as they are done; of no more than `most` notebooks the content is held at once."""
    left, waiting = iter(to_do), {}
    while True:
        for student, name in itertools.islice(left, most - len(waiting)):
            job = _job(course, student, name, safe)
            if job is not None:
                waiting[executor.submit(grade_notebook, job)] = job
        if not waiting:
            return
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(future), future


def _job(course, student, lesson, safe):
    file = course.submitted(student, lesson)
    if not file.is_file():
        return None
    content = file.read_bytes()[: notebooks.MAX_BYTES + 1]
    # Of this notebook alone: what an error told of the inputs is of no use for the next one.
    about = f"{student} {lesson} {notebooks.digest(content)}"
    seed = hashlib.sha256(course.secret() + about.encode()).digest()
    return {
        "student": student,
        "lesson": lesson,
        "content": content,
        "digest": _digest(lesson, content, course.variants),
        "seed": list(seed[:8]),
        "safe": safe,
        "variants": course.variants,
    }


def _digest(lesson, content, variants):
    """What a result depends on: the notebook, the lesson's questions and exercises, and the formats."""
    pieces = [str(FORMAT), notebooks.digest(content), repr(notebooks.questions(lesson))]
    pieces += ["variants"] * variants
    for question in notebooks.questions(lesson):
        if question.exercise:
            pieces.append(inspect.getsource(checking.load(question.exercise)))
    return hashlib.sha256("\n".join(pieces).encode()).hexdigest()


def _store(course, job, rows, spent):
    file = course.graded(job["student"], job["lesson"])
    file.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "format": FORMAT,
        "digest": job["digest"],
        "ganedu": __version__,
        "processor_seconds": round(spent, 3),
        "rows": rows,
    }
    with written(file) as new:
        new.write(json.dumps(told, indent=1).encode())
    shown = course.path / "autograded" / job["student"] / job["lesson"] / f"{job['lesson']}.ipynb"
    shown.parent.mkdir(parents=True, exist_ok=True)
    try:
        cells = notebooks.read(job["content"])
    except notebooks.BadNotebook:
        cells = [notebooks.Cell("markdown", "(This file could not be read.)", "", {}, [])]
    with written(shown) as new:
        new.write(json.dumps(notebooks.shown(cells), indent=1).encode())


def result(course, student, lesson, digest=None):
    """The stored result of a notebook, a dict, or `None` where there is none, or none of this `digest`."""
    try:
        told = json.loads(course.graded(student, lesson).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        return None
    return told if digest in (None, told.get("digest")) else None


def default_jobs():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
