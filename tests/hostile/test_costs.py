"""What a submission may cost those who grade it, and what it may say to them: little, whatever is handed in."""

import contextlib
import importlib
import json
import os
import resource
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import solutions

pytest.importorskip("nbgrader", reason="needs ganedu[classroom]")

import test_handed_in
from test_handed_in import LESSON, RIGHT, lesson, text, zipped

from ganedu.course import checking, lessons
from ganedu.course.classroom import (
    box,
    boxed,
    collecting,
    export,
    folder,
    gradebook,
    grading,
    notebooks,
    pages,
    probes,
    similarity,
    strength,
    wire,
)
from ganedu.runtime import UsageError

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader and its database warn of themselves
EXERCISE = checking.load("00.discriminator_loss")
(QUESTION,) = (q for q in notebooks.questions(LESSON) if q.exercise)


@pytest.fixture(scope="module")
def warm():
    with box.Box(seconds=20.0, processor_seconds=10.0) as made:
        yield made


@pytest.fixture
def course_of(monkeypatch, tmp_path):
    """Makes a course without a gradebook, which takes a second."""
    monkeypatch.setattr(gradebook, "begin", lambda course: None)
    return lambda *students: test_handed_in.course_of(tmp_path, students)


def outcome(warm, source):
    task = grading.task_of(EXERCISE, source)
    return grading.score(EXERCISE, task, warm.run(task))[:3]


# In the box


FROM_SOURCE = {
    "read": "exec(compile(open(gan.__file__).read(), 'gan', 'exec'), scope)",
    "compiled": """
import glob, importlib.util, marshal
for file in glob.glob(importlib.util.cache_from_source(gan.__file__).rpartition('.cpython')[0] + '*'):
    exec(marshal.loads(open(file, 'rb').read()[16:]), scope)
""",
    "asked for": "import inspect\nexec(inspect.getsource(gan), scope)",
    "loaded anew": """
import importlib, keras, sys
keras.saving.register_keras_serializable = lambda *a, **k: lambda c: c
del sys.modules["ganedu.models.gan"]
scope = vars(importlib.import_module("ganedu.models.gan"))
""",
}


@pytest.mark.parametrize("name", FROM_SOURCE)
def test_the_package_s_text_is_not_in_the_box(warm, name):
    """Run from its text a function would be a new one, that nothing refuses and that `similar` does not see."""
    begin = "from ganedu.models import gan\nscope = {}\n"
    end = f"\n{solutions.FUNCTION} = scope['discriminator_loss']"
    assert outcome(warm, begin + FROM_SOURCE[name] + end)[0] == 0.0


def test_what_is_forbidden_is_hidden_with_what_was_compiled_of_it(tmp_path):
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    (tmp_path / "__pycache__").mkdir()
    for name in ("a.cpython-311.opt-1.pyc", "a.cpython-311.pyc", "ab.cpython-311.pyc"):
        (tmp_path / "__pycache__" / name).write_bytes(b"")
    scope = {}
    exec(compile((tmp_path / "a.py").read_text(), str(tmp_path / "a.py"), "exec"), scope)
    found = {os.path.relpath(f, tmp_path) for f in boxed._files_of(scope["f"])}
    compiled = {f"__pycache__/a.cpython-311{end}.pyc" for end in ("", ".opt-1")}
    assert found == {"a.py", *compiled}


def test_an_exercise_that_forbids_what_is_not_there_says_so(warm):
    task = grading.task_of(EXERCISE, RIGHT) | {"forbidden": ["ganedu.models.gan.nowhere"]}
    assert "nowhere" in warm.run(task)["reason"]


CALLS = {
    "x86_64": {"socket": 41, "socketpair": 53, "shmget": 29, "semget": 64, "msgget": 68}
    | {"mq_open": 240, "memfd_create": 319, "io_setup": 206, "inotify_init1": 294, "kcmp": 312}
    | {"move_pages": 279, "add_key": 248, "bpf": 321, "userfaultfd": 323, "perf_event_open": 298},
    "aarch64": {"socket": 198, "socketpair": 199, "shmget": 194, "semget": 190, "msgget": 186}
    | {"mq_open": 180, "memfd_create": 279, "io_setup": 0, "inotify_init1": 26, "kcmp": 272}
    | {"move_pages": 239, "add_key": 217, "bpf": 280, "userfaultfd": 282, "perf_event_open": 241},
}


def test_calls_that_no_solution_needs_are_refused(warm):
    """Sockets of every family; memory that no limit of a process counts; and all that newer kernels have."""
    source = f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def error(number):
    ctypes.set_errno(0)
    return libc.syscall(number, -1, -1, -1, -1, -1, -1), ctypes.get_errno()
for name, number in {CALLS}[os.uname().machine].items():
    assert error(number) == (-1, 1), name
for number in (424, 425, 426, 428, 429, 430, 431, 432, 434, 435, 438, 442, 443, 447, 448, 460, 500, 4000):
    assert error(number) == (-1, 38), number
for number in (436, 437, 439, 441, 449, 452):
    assert error(number)[1] != 38 or number > 439, number
"""
    assert outcome(warm, source + RIGHT) == (1.0, "graded", "")


def test_threads_and_open_files_are_few(warm):
    many = """
import threading, time
threading.stack_size(1 << 16)
for _ in range(8000):
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
"""
    started = time.monotonic()
    assert outcome(warm, many + RIGHT) == (0.0, "error", "it started too many threads")
    assert time.monotonic() - started < 10
    few = many.replace("8000", "100")
    assert outcome(warm, few + RIGHT)[0] == 1.0
    files = "import os\nheld = [os.pipe() for _ in range(200)]\n"
    assert "Too many open files" in outcome(warm, files + RIGHT)[2]


# What comes out of it


def sent(outputs):
    """A reply as a child might write it by itself, and what is made of it."""
    task = grading.task_of(EXERCISE, RIGHT)
    message = wire.pack({"status": "done", "outputs": outputs, "inputs": task["inputs"]})
    answer = box._checked({"processor_seconds": 0.0}, message)
    return grading.score(EXERCISE, task, answer)[:3]


def test_texts_that_numpy_would_make_equally_long_are_not_read():
    """A thousand of a million letters each: gigabytes."""
    with few_bytes(1 << 30):
        told = sent({"zeros": ["a" * 1_000_000] + [""] * 1000})
    assert told == (0.0, "error", "it gave back nothing that can be read")


def test_a_reply_of_many_small_things_is_not_read():
    head = b'{"dict": [["status", "done"], ["outputs", [' + b"[[]]," * (6 << 20) + b"0]]]}"
    with few_bytes(1 << 28):
        answer = box._checked({"processor_seconds": 0.0}, wire._LENGTH.pack(len(head)) + head)
    assert answer["status"] == "error"


class few_bytes:
    """Within it no more than so many bytes can be had."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        self.before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + self.count, self.before[1]))

    def __exit__(self, *exception):
        resource.setrlimit(resource.RLIMIT_AS, self.before)


@pytest.mark.parametrize("dtype", ["<f16", "<c16", "|O8", "|V8", "|S8", "<M8", "<U2", "<b4"])
def test_arrays_of_other_than_plain_numbers_are_not_read(dtype):
    head = json.dumps({"array": dtype, "shape": [1], "start": 0}).encode()
    with pytest.raises(wire.Unreadable):
        wire.unpack(wire._LENGTH.pack(len(head)) + head + bytes(64))


def test_what_is_true_is_one():
    head = json.dumps({"array": "|b1", "shape": [3], "start": 0}).encode()
    found = wire.unpack(wire._LENGTH.pack(len(head)) + head + b"\x00\x02\xff")
    assert found.view(np.uint8).tolist() == [0, 1, 1]


def test_an_array_has_few_axes():
    head = json.dumps({"array": "<f8", "shape": [1] * 9, "start": 0}).encode()
    with pytest.raises(wire.Unreadable):
        wire.unpack(wire._LENGTH.pack(len(head)) + head + bytes(8))


def test_a_probe_that_holds_the_answer_is_not_sent(tmp_path, monkeypatch):
    source = "def reference(inputs):\n    return 1\n\n\ndef probe(solution, inputs):\n    return reference(inputs)\n"
    (tmp_path / "telling.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="uses `reference`"):
        probes.probe_source(importlib.import_module("telling"))


@pytest.mark.parametrize("shape", [[0, 1 << 40], [0, 1 << 70], [1 << 70], [0] * 9, [True]])
def test_shapes_of_nothing_are_no_harm(shape):
    head = json.dumps({"array": "<f8", "shape": shape, "start": 0}).encode()
    message = wire._LENGTH.pack(len(head)) + head
    with contextlib.suppress(wire.Unreadable):
        assert wire.unpack(message).size == 0


# Notebooks


def cell(source, kind="code", **grading):
    return notebooks.Cell(kind, source, "", grading, [])


def as_file(sources):
    cells = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": []} for s in sources]
    return json.dumps({"cells": cells}).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"cells": [' + b"[[]]," * (2 << 20) + b"0]}", "too many parts"),
        (b'{"cells": [' + b"1e9," * (5 << 20) + b"0]}", "too many parts"),
        (b'{"cells": [' + b"{}," * (2 << 20) + b"0]}", "too many parts"),
        (as_file(["a=1\n" * 50_000] * 10 + [RIGHT]), "letters of code"),
        (b'{"cells": [' + b" " * (65 << 20) + b"]}", "65 MB"),
    ],
    ids=["lists", "numbers", "dicts", "code", "bytes"],
)
def test_what_would_take_long_to_read_is_not_read(content, told):
    started = time.process_time()
    with few_bytes(1 << 29), pytest.raises(notebooks.BadNotebook, match=told):
        notebooks.read(content)
    assert time.process_time() - started < 3


ODD = {
    "a number of ten thousand digits": "x = 0x" + "f" * 10_000,
    "a long sum": "x = " + "+".join(["1"] * 1500),
    "a long chain": "x = np" + ".b()" * 1500,
    "many minuses": "x = " + "-" * 1500 + "1",
    "many branches": "def f():\n if a: pass\n" + " elif b: pass\n" * 1500,
    "no text": "x = '\0'",
    "depth": "x = " + "[" * 5000,
    "infinity": "x = 1e999",
}


@pytest.mark.parametrize("name", ODD)
def test_code_that_cannot_be_taken_apart_stops_nobody(name):
    assert notebooks.solution_of([cell(ODD[name]), cell(RIGHT)], QUESTION)[0].strip() == RIGHT
    assert notebooks.solution_of([cell(RIGHT), cell(ODD[name])], QUESTION)[0].strip() == RIGHT
    assert similarity._pieces(f"{RIGHT}\n{ODD[name]}")


def test_similar_goes_on_with_what_is_long():
    started = time.process_time()
    long = f"def {solutions.FUNCTION}(real, fake):\n" + " a=lambda:0\n" * 80_000
    pieces = similarity._pieces(long)
    assert similarity._share(pieces, pieces) == 1.0
    assert similarity._share(pieces, similarity._pieces(RIGHT)) < 0.5
    assert time.process_time() - started < 3


def test_what_nobody_thought_of_costs_its_own_points(monkeypatch):
    monkeypatch.setattr(notebooks, "solution_of", lambda *_: 1 / 0)
    job = {"student": "a", "lesson": LESSON, "content": text(lesson()), "seed": [1], "safe": True}
    rows, _ = grading.grade_notebook(job | {"variants": False})
    by_name = {row["question"]: row for row in rows}
    assert by_name[QUESTION.name]["status"] == "error"
    assert "ZeroDivisionError" in by_name[QUESTION.name]["reason"]
    assert by_name["predict"]["status"] == "missing"


def test_code_that_is_too_long_to_send_is_one_row(warm, monkeypatch):
    monkeypatch.setattr(wire, "MAX_MESSAGE", 2000)
    assert outcome(warm, RIGHT + "#" * 3000) == (0.0, "error", "its code is too long")


def test_another_notebook_meets_other_inputs(course_of, tmp_path):
    """What an error told of the inputs is of no use the next time; the same notebook meets the same ones."""
    course = course_of("a")
    place = course.submitted("a", LESSON)
    place.parent.mkdir(parents=True)
    seeds = []
    for content in (b"1", b"1", b"2"):
        place.write_bytes(content)
        seeds.append(grading._job(course, "a", LESSON, True)["seed"])
    assert seeds[0] == seeds[1] != seeds[2]


def test_of_a_class_few_notebooks_are_held_at_once(course_of, monkeypatch):
    """Two hundred of sixty megabytes would not fit."""
    course = course_of(*(f"s{i}" for i in range(30)))
    for student in course.students:
        place = course.submitted(student, LESSON)
        place.parent.mkdir(parents=True)
        place.write_bytes(text(lesson()))
    submitted, graded, held = [], [], []

    class Counting(ThreadPoolExecutor):
        def submit(self, function, job):
            submitted.append(job["student"])
            return super().submit(function, job)

    def grade(job):
        held.append(len(submitted) - len(graded))
        return [], 0.0

    monkeypatch.setattr(grading.executors, "executor", lambda *_: (Counting(1), lambda: None))
    monkeypatch.setattr(grading, "grade_notebook", grade)
    monkeypatch.setattr(grading, "_store", lambda course, job, *_: graded.append(job["student"]))
    monkeypatch.setattr(gradebook, "store", lambda *_: None)
    assert grading.grade(course)["graded"] == 30
    assert sorted(graded) == sorted(course.students)
    assert max(held) <= 3


def test_numbers_of_the_right_shape_alone_earn_nothing():
    exercise = checking.load("03.kl")
    assert "as many ones" in " ".join(strength.IDLE)
    inputs = exercise.inputs(np.random.default_rng(0))
    ones = checking.compile_solution(
        exercise, f"def {exercise.FUNCTION}(*a):\n    return np.ones(np.shape(a[0]))"
    )
    answer = {"status": "done", "outputs": exercise.probe(ones, inputs), "inputs": inputs}
    assert grading.score(exercise, {"inputs": inputs}, answer)[0] == 0.0


# What a teacher sees


def test_what_is_shown_to_a_teacher_runs_nothing():
    links = [
        "[a](javascript:alert(1))",
        "[b](&#106;avascript:alert(1))",
        "[c][r]\n\n[r]: javascript:alert(1)",
        "![d](javascript:alert(1))",
        "[e](java\tscript:alert(1))",
        "[f](vbscript:alert(1))",
        "\\[g](javascript:alert(1))",
        "[h](<javascript:alert(1)>)",
    ]
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    name = '"><script>alert(1)</script>'
    cells = [cell(link, "markdown") for link in links]
    cells += [cell("<script>alert(1)</script>", "raw"), cell("1", grade_id=name, points=1)]
    shown = notebooks.shown(cells)["cells"]
    assert {c["cell_type"] for c in shown} == {"markdown", "code"}
    for made in shown[:-1]:
        page = markdown2html_mistune(made["source"])
        assert "<script" not in page
        assert not [word for word in ("href=", "src=") if word in page], page
    assert set('"<>') & set(shown[-1]["metadata"]["nbgrader"]["grade_id"]) == set()
    kept = "[a](https://a.b) ![c](attachment:d.png) $f[x]$"
    assert notebooks.shown([cell(kept, "markdown")])["cells"][0]["source"] == kept


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "@a", "\t=1", "a;=1+1", "a; =1+1", "＝1+1", "a\n=1"]
)
def test_a_spreadsheet_finds_no_formula(text):
    safe = export._safe(text)
    pieces = [p.strip() for line in safe.split("\n") for p in line.split(";")]
    assert not any(p[:1] in ("=", "+", "-", "@", "＝") for p in pieces), safe
    assert export._safe("a = b; c - d, 3.5") == "a = b; c - d, 3.5"


def test_a_page_of_feedback_runs_nothing():
    evil = "<script>alert(1)</script>"
    row = export.Row("a", LESSON, evil, 0.0, 1.0, "error", evil)
    assert "<script" not in pages._question(row, [{"name": evil, "told": evil}], evil)


# Collecting


def collected(course, place):
    ids, mails = collecting.collect(course, "00", place)
    return ids, dict(mails)


OTHERS = {
    "a file of another's name": "B B1_12_assignsubmission_file_/a.ipynb",
    "a folder of another's name": "B B1_12_assignsubmission_file_/a/x.ipynb",
    "another's name in Moodle's form": "b/A B0_12_assignsubmission_file_/x.ipynb",
    "of Canvas": "b1b_12_13_a.ipynb",
    "of an id": "b/a.ipynb",
    "of an id, deeper": "class/b/a/a.ipynb",
}


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_hands_in_for_another(course_of, tmp_path, name):
    course = course_of("a", "b")
    roster = (course.path / "students.csv").read_text().replace(",A,B1,", ",B,B1,")
    (course.path / "students.csv").write_text(roster)
    place = zipped(tmp_path / "in.zip", [(OTHERS[name], text(lesson()))])
    ids, mails = collected(folder.read(course.path), place)
    assert ids == ["b"]
    assert mails == {"a": "handed in nothing"}


def test_who_takes_another_s_name_is_told(course_of, tmp_path):
    course = course_of("a", "b")
    form = "A B0_{}_assignsubmission_file_/{}.ipynb"
    own = [(form.format(12, name), text(lesson())) for name in ("x", "y")]
    assert collected(course, zipped(tmp_path / "own.zip", own))[0] == ["a"]
    both = [(form.format(number, "x"), text(lesson())) for number in (12, 13)]
    ids, mails = collected(course, zipped(tmp_path / "both.zip", both))
    assert ids == []
    assert mails["a"].startswith("shares a name with somebody else")


@pytest.mark.parametrize(
    "told", ["2000-01-01 00:00:00 UTC", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_time_that_a_student_wrote_is_not_believed(course_of, tmp_path, told):
    course = course_of("a", "b")
    for place in (tmp_path / "in" / "a", tmp_path / "in" / "b" / LESSON):
        place.mkdir(parents=True)
        (place / "x.ipynb").write_bytes(text(lesson()))
        os.utime(place / "x.ipynb", (1_800_000_000,) * 2)
        (place / "timestamp.txt").write_text(told)
    assert collected(course, tmp_path / "in")[0] == ["a", "b"]
    assert course.handed_in("a", LESSON).timestamp() == 1_800_000_000
    year = course.handed_in("b", LESSON).year  # where nbgrader writes it
    assert year == (2000 if told.startswith("2000") else 2027)


def test_what_a_folder_hides_stops_nobody(course_of, tmp_path):
    """A pipe in the place of the time, folders too deep for a path, a file that becomes a pipe."""
    course = course_of("a", "b")
    place = tmp_path / "in"
    (place / "a" / LESSON).mkdir(parents=True)
    (place / "a" / LESSON / "x.ipynb").write_bytes(text(lesson()))
    os.mkfifo(place / "a" / LESSON / "timestamp.txt")
    (place / "b").mkdir()
    here = os.open(place / "b", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        here, before = os.open("d" * 250, os.O_RDONLY, dir_fd=here), here
        os.close(before)
    os.close(here)
    assert collected(course, place)[0] == ["a"]
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(place / "a" / LESSON / "x.ipynb")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match=r"no file|symbolic links"):
            collecting._content(tmp_path / name)


def test_names_say_nothing_to_a_terminal(course_of, tmp_path):
    course = course_of("a")
    (tmp_path / "in" / "a").mkdir(parents=True)
    for place in (tmp_path / "in", tmp_path / "in" / "a"):
        with open(os.fsencode(place) + b"/\xff\x1b[2J\n9 collected.ipynb", "wb") as file:
            file.write(b"{")
    _, mails = collecting.collect(course, "00", tmp_path / "in")
    told = " ".join(f"{who} {why}" for who, why in mails)
    assert "9 collected.ipynb" in told
    assert told.isprintable()


def test_a_zip_that_is_damaged_costs_what_is_damaged(course_of, tmp_path):
    course = course_of("a", "b")
    entries = [("a/x.ipynb", text(lesson())), ("b/x.ipynb", text(lesson()))]
    place = zipped(tmp_path / "in.zip", entries)
    whole = place.read_bytes()
    start = whole.index(b"a/x.ipynb") + len(b"a/x.ipynb")
    place.write_bytes(whole[:start] + b"\xff" * 20 + whole[start + 20 :])
    with pytest.raises(zlib.error):
        zipfile.ZipFile(place).read("a/x.ipynb")
    ids, mails = collected(course, place)
    assert ids == ["b"]
    assert "x.ipynb cannot be read" in mails["a"]
    end = whole.rindex(b"PK\x01\x02")
    place.write_bytes(whole[:end] + b"\x00" + whole[end + 1 :])
    with pytest.raises(UsageError, match="damaged zip"):
        collected(course, place)
    assert "unusual way" in collected(
        course, zipped(tmp_path / "lzma.zip", entries[:1], zipfile.ZIP_LZMA)
    )[1].get("a", "")


def test_names_that_take_long_to_match_do_not(course_of, tmp_path):
    course = course_of("a")
    started = time.process_time()
    for part in (
        "_1_assignsubmission_" * 3000 + " ",
        "a" + "_1" * 30_000 + " ",
        "a_" + "1" * 60_000,
    ):
        assert collecting._owner(course, f"{part}/x.ipynb")[0] is None
        assert collecting._account(f"{part}/x.ipynb") is None
    assert time.process_time() - started < 1


def test_of_many_files_the_latest_are_tried(course_of, tmp_path):
    course = course_of("a")
    (tmp_path / "in" / "a").mkdir(parents=True)
    for i in range(collecting.MAX_TRIED + 5):
        file = tmp_path / "in" / "a" / f"{i}.ipynb"
        file.write_bytes(b"{" if i else text(lesson()))
        os.utime(file, (1_800_000_000 + i,) * 2)
    ids, mails = collected(course, tmp_path / "in")
    assert ids == []
    assert "is no JSON" in mails["a"]


def test_lessons_are_read():
    """No limit is one that a lesson of the course comes near to."""
    for name in lessons.names():
        content = lessons.path(name).read_bytes()
        letters = sum(len(c.source) for c in notebooks.read(content) if c.kind == "code")
        assert letters < notebooks.MAX_CODE / 10
        assert all(content.count(m) < most / 10 for m, most in notebooks.MAX_PARTS.items())
