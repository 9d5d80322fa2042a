"""Solutions that cheat, harm and hang, one after the other in one box: none earns, harms, stays, or stops the next."""

import os
import socket
import subprocess
import sys
import time

import pytest
import solutions

from ganedu.course import checking
from ganedu.course.classroom import box
from ganedu.course.classroom.box import Box
from ganedu.course.classroom.grading import score, task_of

EXERCISE = checking.load("00.discriminator_loss")
RIGHT = next(iter(EXERCISE.RIGHT.values()))


@pytest.fixture(scope="module")
def warm():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANEDU_CANARY", "a secret of the teacher's")
        with Box(seconds=6.0, processor_seconds=3.0) as box:
            yield box


def outcome(box, source, before=()):
    task = task_of(EXERCISE, source, before)
    answer = box.run(task)
    return (*score(EXERCISE, task, answer)[:3], answer)


def below(pid):
    """The processes below one, as `ps` lists them."""
    told = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in told.stdout.splitlines()]
    found, wanted = [], {str(pid)}
    for _ in range(8):
        new = [r for r in rows if r[1] in wanted and r not in found]
        found += new
        wanted |= {r[0] for r in new}
    return sorted(r[0] for r in found)


def rest(pid):
    """The processes below one once the last task's watcher, which replies before it ends, is gone."""
    time.sleep(0.1)
    return set(below(pid))


def test_what_is_right_earns_all(warm):
    for source in EXERCISE.RIGHT.values():
        assert outcome(warm, source)[:3] == (1.0, "graded", "")


@pytest.mark.parametrize("name", solutions.CHEATS)
def test_a_cheat_earns_nothing(warm, name):
    share, status, reason, _ = outcome(warm, solutions.CHEATS[name])
    assert share == 0.0
    assert reason
    assert status == ("refused" if "the package's loss" in name else status)
    assert outcome(warm, RIGHT)[0] == 1.0


@pytest.mark.parametrize("name", solutions.HARM)
def test_harm_reaches_nobody_and_nothing_stays(warm, name, tmp_path):
    canary = tmp_path / "gradebook.db"
    canary.write_text("as it was")
    processes = below(warm._process.pid)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        source = solutions.HARM[name].replace("CANARY", str(canary))
        source = source.replace("OUTSIDE", str(tmp_path)).replace(
            "PORT", str(server.getsockname()[1])
        )
        share, _, reason, _ = outcome(warm, source + solutions.LIE)
        with pytest.raises(TimeoutError):
            server.accept()
    assert share == 0.0
    assert "a secret" not in reason
    assert "root:" not in reason
    assert canary.read_text() == "as it was"
    assert os.listdir(tmp_path) == ["gradebook.db"]
    assert rest(warm._process.pid) <= set(processes)
    assert not subprocess.run(
        ["pgrep", "-f", "^sleep 1000"], capture_output=True, check=False
    ).stdout
    assert outcome(warm, RIGHT)[0] == 1.0


@pytest.mark.parametrize("name", solutions.ENDS)
def test_the_grading_goes_on(warm, name):
    processes = below(warm._process.pid)
    share, status, reason, answer = outcome(warm, solutions.ENDS[name])
    assert share == 0.0
    assert (status, bool(reason)) == ("error", True)
    assert len(reason) < 600
    assert answer["processor_seconds"] < 6.0
    assert rest(warm._process.pid) <= set(processes)
    assert outcome(warm, RIGHT)[0] == 1.0


def test_what_is_told_of_an_end():
    with Box(seconds=3.0) as box:
        told = {name: outcome(box, solutions.ENDS[name])[2] for name in ("sleeps", "exits")}
    with Box(processor_seconds=2.0, memory=1 << 28) as box:
        told |= {
            name: outcome(box, solutions.ENDS[name])[2] for name in ("a pattern", "all memory")
        }
    assert told == {
        "sleeps": "it took more than 3 s",
        "exits": "its process ended before it was done",
        "a pattern": "it took more than 2 s of the processor",
        "all memory": "it needs too much memory",
    }


def test_nothing_is_left_for_the_next(warm):
    begin = "import builtins, numpy as np, os\nhome = os.environ['HOME']\n"
    leave = begin + "open(home + '/left', 'w').close()\nbuiltins.left = np.left = 1\n"
    assert outcome(warm, leave + RIGHT)[0] == 1.0
    find = begin + "assert not os.listdir(home)\nassert not hasattr(np, 'left')\n"
    assert outcome(warm, find + RIGHT)[0] == 1.0


def test_it_can_start_and_reach_nothing(warm):
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for start in (os.fork, lambda: os.execv("/usr/bin/env", ["env"]), lambda: os.posix_spawn("/usr/bin/env", ["env"], {})):
    try:
        start()
    except PermissionError:
        continue
    raise RuntimeError("it started")
calls = {"unshare": (0x10000000,), "setns": (0, 0), "ptrace": (0, 0, 0, 0), "chroot": (b"/tmp",)}
calls |= {"mount": (b"none", b"/usr", b"tmpfs", 0, None), "umount2": (os.environ["HOME"].encode(), 2)}
for name, arguments in calls.items():
    assert getattr(libc, name)(*arguments) == -1, name
    assert ctypes.get_errno() == 1, name
"""
    assert outcome(warm, source + RIGHT)[:3] == (1.0, "graded", "")


def test_it_has_no_rights_left(warm):
    """No capability, now or by a program that would give one, and no call in another architecture's numbers."""
    source = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(39, 0, 0, 0, 0) == 1  # no new privileges
assert libc.prctl(21, 0, 0, 0, 0) == 2  # calls are filtered
assert all(libc.prctl(23, capability, 0, 0, 0) < 1 for capability in range(64))
found = ctypes.create_string_buffer(24)
assert libc.capget(struct.pack("<Ii", 0x20080522, 0), found) == 0
assert found.raw == bytes(24)
"""
    assert outcome(warm, source + RIGHT)[:3] == (1.0, "graded", "")
    if os.uname().machine == "x86_64":
        source = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("b814000000cd80c3"))  # getpid, as a 32-bit program asks for it
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
"""
        assert outcome(warm, source + RIGHT)[2] == "its process ended before it was done"


def test_it_can_write_in_its_own_folder_alone_and_little(warm):
    source = """
import os
import ganedu.course as course
places = ["/", "/dev", "/dev/shm", "/proc", "/proc/self", "/usr", os.path.dirname(course.__file__)]
places += [os.path.dirname(course.__file__) + "/exercises"]
for place in places:
    try:
        open(place + "/left", "w").close()
    except OSError:
        continue
    raise RuntimeError(place)
"""
    assert outcome(warm, source + RIGHT)[:3] == (1.0, "graded", "")
    files = """
import os
for i in range(COUNT):
    with open(os.environ["HOME"] + f"/{i}", "wb") as file:
        file.write(bytes(SIZE))
"""
    for count, size in ((20, 1 << 20), (5000, 0)):
        many = files.replace("COUNT", str(count)).replace("SIZE", str(size))
        assert "No space left" in outcome(warm, many + RIGHT)[2]


def test_the_box_itself_reaches_no_network_and_ends_with_its_owner():
    """Whatever a child may call: the box has a network of its own, and none stays when the grading is killed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        reach = (
            f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)"
        )
        command = [*box._bubblewrap(), sys.executable, "-c", reach]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 1
        with pytest.raises(TimeoutError):
            server.accept()
    mark = f"987.{os.getpid()}"
    owner = "import subprocess, sys\nsubprocess.Popen(sys.argv[1:])\nprint(flush=True)\ninput()"
    command = [sys.executable, "-c", owner, *box._bubblewrap(), "/usr/bin/env", "sleep", mark]

    def sleeping():
        # Its whole command line: the owner's and the box's own end with the same words, before the box stands.
        found = subprocess.run(["pgrep", "-xf", f"sleep {mark}"], capture_output=True, check=False)
        return found.stdout != b""

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        until = time.monotonic() + 20
        while not sleeping() and time.monotonic() < until:
            time.sleep(0.05)
        assert sleeping()
        process.kill()
    until = time.monotonic() + 20
    while sleeping() and time.monotonic() < until:
        time.sleep(0.05)
    assert not sleeping()


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.1, 2.0])
def test_no_box_stays_of_a_grading_that_is_killed_while_it_starts(moment):
    """Before the box has asked to end with its owner, an owner can be gone: the end of its input ends it then."""
    mark = f"{os.getpid()}-{moment}"
    owner = (
        "import sys\nfrom ganedu.course.classroom import box\nplain = box._bubblewrap\n"
        "box._bubblewrap = lambda: [*plain(), '--setenv', 'GRADING', sys.argv[1]]\n"
        "print(flush=True)\nbox.Box()._start()\ninput()"
    )

    def stays():
        command = ["pgrep", "-f", f"setenv GRADING {mark}"]
        return subprocess.run(command, capture_output=True, check=False).stdout != b""

    command = [sys.executable, "-c", owner, mark]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        until = time.monotonic() + 20
        while not stays() and time.monotonic() < until:
            pass
        assert stays()
        time.sleep(moment)
        process.kill()
    until = time.monotonic() + 60
    while stays() and time.monotonic() < until:
        time.sleep(0.05)
    assert not stays()


def test_a_right_solution_leaves_its_inputs_alone(warm):
    late = f"{RIGHT}\nright = my_discriminator_loss\ndef my_discriminator_loss(real, fake):\n"
    late += "    told = right(real, fake)\n    real[...] = 0\n    return told"
    share, status, reason, _ = outcome(warm, late)
    assert (share, status) == (0.0, "graded")
    assert reason.startswith("it changes the arrays")


@pytest.mark.parametrize(
    "body",
    [
        "    return [[1.0], [1.0, 2.0]]",
        "    return ['a' * 8_000_000] + [''] * 1_000_000",
        "    return [[]] * 1_000_000",
        "    import numpy as np\n    return [np.zeros(100_000)] * 300",
        "    raise ValueError('\\ud800')",
    ],
    ids=["ragged", "texts", "lists", "arrays", "half a letter"],
)
def test_whatever_is_sent_is_one_row(warm, body):
    share, status, reason, _ = outcome(warm, f"def {solutions.FUNCTION}(real, fake):\n{body}")
    assert (share, status) == (0.0, "error") or (share == 0.0 and reason)
    assert reason.encode("utf-8", "replace").decode() == reason.replace("\ud800", "?")


def test_of_the_solution_before_nothing_is_there(warm):
    mark = "a mark that no other solution has"
    assert outcome(warm, f"{RIGHT}\n# {mark} {'x' * 5000}")[0] == 1.0
    look = f"""
import ctypes, sys
frame, told = sys._getframe(), set()
while frame:
    told |= set(frame.f_locals)
    for value in list(frame.f_locals.values()):
        if type(value).__name__ in ("BufferedReader", "BufferedWriter"):
            place = ctypes.c_uint64.from_address(id(value) + 56).value
            assert b"{mark[2:12]}" + b"{mark[12:]}" not in ctypes.string_at(place, 8192)
    frame = frame.f_back
"""
    assert outcome(warm, look + RIGHT)[:3] == (1.0, "graded", "")


def test_shared_memory_is_not_left(warm):
    source = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
assert libc.shmget(4711, 4096, 0) == -1
libc.shmget(4711, 4096, 0o1666)
"""
    assert outcome(warm, source + RIGHT)[0] == 1.0
    assert outcome(warm, source + RIGHT)[0] == 1.0


def test_memory_that_is_shared_counts(warm):
    source = "import mmap\nroom = mmap.mmap(-1, 4 << 30)\n"
    assert outcome(warm, source + RIGHT)[1] == "error"


def test_warnings_and_prints_cost_nothing(warm):
    noisy = "import sys, warnings\nwarnings.warn('a')\nprint('b')\nprint('c', file=sys.stderr)\n"
    assert outcome(warm, noisy + RIGHT)[0] == 1.0


def test_what_fails_behind_the_function_does_not_count(warm):
    assert outcome(warm, RIGHT + "\nprint(of_the_notebook)")[:3] == (1.0, "graded", "")
    assert outcome(warm, "print(of_the_notebook)\n" + RIGHT)[1] == "error"


def test_what_a_student_wrote_elsewhere_helps(warm):
    source = "def my_discriminator_loss(real, fake):\n    return softplus(-real).mean() + softplus(fake).mean()"
    helper = "def softplus(x):\n    return np.logaddexp(0, x)"
    assert outcome(warm, source, ["import nowhere", helper])[0] == 1.0
    assert (
        outcome(warm, source)[2] == "NameError: name 'softplus' is not defined (line 2 of its cell)"
    )


def test_the_libraries_are_there_and_solutions_are_not(warm):
    look = """
import os, sys
import ganedu.course, ganedu.models.vae, tensorflow, keras, scipy
places = [os.path.join(f, n) for f, _, names in os.walk(os.path.dirname(ganedu.__file__)) for n in names]
assert not [p for p in places if "exercises" in p or p.endswith(".ipynb")]
assert sorted(os.listdir("/proc")) == ["1", "cpuinfo", "meminfo", "self"]
assert not [n for n in sys.modules if "exercises" in n]
"""
    assert outcome(warm, look + RIGHT)[:3] == (1.0, "graded", "")
