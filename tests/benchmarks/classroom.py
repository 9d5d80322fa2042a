"""What it costs to grade a class: invented students, each with a right or a wrong answer, through the whole way.

    python tests/benchmarks/classroom.py [--students 200] [--lessons 00] [--jobs 2]

Prints what each command took, of the clock and of the processor (user and system; what runs in the boxes apart), what
the notebooks' code took in the boxes, and the most memory that all processes had at once.
"""

import argparse
import contextlib
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from ganedu.course import checking, copies, lessons
from ganedu.course.classroom import notebooks


def of_all_processes():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def memory_of(pid):
    """Bytes that a process and those below it have; what they share counts once (Linux)."""
    told = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs, wanted, total = (
        [tuple(map(int, line.split())) for line in told.stdout.splitlines()],
        {pid},
        0,
    )
    for _ in range(6):
        wanted |= {child for child, parent in pairs if parent in wanted}
    for one in wanted:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def command(*arguments):
    """Runs `ganedu classroom ...`, and tells what it took."""
    began, before, memory = time.monotonic(), of_all_processes(), 0
    process = subprocess.Popen(
        [sys.executable, "-m", "ganedu", "classroom", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None:
        memory = max(memory, memory_of(process.pid))
        time.sleep(0.5)
    if process.returncode:
        sys.exit(process.returncode)
    clock, processor = time.monotonic() - began, of_all_processes() - before
    print(
        f"{arguments[0]:10} {clock:7.1f} s of the clock {processor:7.1f} s of the processor "
        f"{memory / 2**30:5.2f} GiB",
        flush=True,
    )


def hand_in(name, students, place, draw):
    """Writes each student's copy of a lesson, its exercise answered."""
    copy = copies.unsolved(nbformat.read(lessons.path(name), as_version=4))
    (question,) = (q for q in notebooks.questions(name) if q.exercise)
    exercise = checking.load(question.exercise)
    answers = [*exercise.RIGHT.values()] * 3 + [*exercise.WRONG.values()]
    for student in students:
        for cell in copy.cells:
            graded = cell.metadata.get("nbgrader", {})
            if graded.get("grade_id") == question.solution:
                cell.source = draw.choice(answers).strip()
            elif cell.cell_type == "markdown" and graded.get("grade"):
                cell.source = f"It will grow, I think: {draw.random()}."
        file = place / student / f"{name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(nbformat.writes(copy), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--lessons", default="00")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    names = lessons.names() if options.lessons == "all" else options.lessons.split(",")
    names = [lessons.path(name).stem for name in names]
    students = [f"s{i:03d}" for i in range(options.students)]
    with tempfile.TemporaryDirectory() as folder:
        root, draw = Path(folder), random.Random(0)
        rows = [f"{s},First {s},Last,{s}@example.org" for s in students]
        (root / "students.csv").write_text("\n".join(["id,first_name,last_name,email", *rows]))
        course = root / "course"
        command("new", course, "--lessons", ",".join(names), "--roster", root / "students.csv")
        for name in names:
            hand_in(name, students, root / name, draw)
            command("collect", course, name, root / name)
        command("grade", course, "--jobs", options.jobs)
        command("feedback", course, names[0])
        command("grades", course, "--out", root / "grades.csv")
        command("similar", course, names[0])
        told = [json.loads(f.read_text()) for f in (course / "graded").glob("*/*.json")]
        spent = [t["processor_seconds"] for t in told]
        pages = [f.stat().st_size for f in (course / "feedback").rglob("*.html")]
        print(
            f"{len(told)} notebooks; their code {sum(spent):.0f} s of the processor, of one: "
            f"median {statistics.median(spent):.2f} s, most {max(spent):.2f} s"
        )
        print(f"pages of feedback: at most {max(pages) / 1000:.1f} kB")


if __name__ == "__main__":
    main()
