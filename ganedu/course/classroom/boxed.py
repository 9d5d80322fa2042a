"""The program inside the box: loads the libraries once, and then runs each student's solution in a child of its own.

It reads tasks from its standard input and writes what came out on its standard output (`wire`). A child is in
namespaces of its own, with an empty folder to write in and nothing else, without any capability; it cannot start a
process, see or signal another one, and is ended when its time is over. Whatever it says is only ever read as numbers.
Linux alone has namespaces; elsewhere (`unsafe`) a child is a process with limits.
"""

import ast
import ctypes
import glob
import importlib
import inspect
import os
import resource
import select
import signal
import struct
import sys
import time
import traceback
from pathlib import Path

from ganedu.course.classroom import wire

NEW_MOUNTS, NEW_USER, NEW_PROCESSES, NEW_IPC = 0x20000, 0x10000000, 0x20000000, 0x8000000
READ_ONLY, NO_SUID, NO_DEVICES, REMOUNT, BIND, PRIVATE, RECURSIVE = (
    1,
    2,
    4,
    32,
    4096,
    1 << 18,
    16384,
)
DROP_BOUND, NOT_DUMPABLE, NO_NEW_PRIVILEGES, SECCOMP = 24, 4, 38, 22
# Loaded once, before any student's code. None of them may start a thread or compute with TensorFlow.
LIBRARIES = (
    "numpy",
    "tensorflow",
    "keras",
    "scipy.spatial.distance",
    "ganedu.models",
    "ganedu.figures",
)
ANSWER = 3  # the child's only file, but for the three that lead nowhere
MAX_FILES = 1 << 16
MAX_OPEN = 128  # files of a child at once: pipes hold memory that no limit counts
MAX_THREADS = 256  # of a child at once: so do threads, and numbers of processes are few
GLANCE = 0.05  # seconds between two looks at a child
MAX_TEXT = 300  # letters of what a student is told of an error

# What a child may not call, by architecture: (audit's number, clone, the others). No processes, programs, mounts,
# namespaces, keys, traces; no sockets; nothing that holds memory which no limit of a process counts (System V's
# shared memory and messages, files of memory alone), or what all of a machine share (aio, inotify).
SYSTEM_CALLS = {
    "x86_64": (
        *(0xC000003E, 56),
        (
            *(29, 41, 53, 57, 58, 59, 64, 68, 101, 155, 161, 165, 166, 175, 176, 206, 240, 246),
            *(248, 249, 250, 253, 272, 279, 294, 298, 300, 303, 304, 308, 310, 311, 312, 313),
            *(319, 320, 321, 322, 323),
        ),
    ),
    "aarch64": (
        *(0xC00000B7, 220),
        (
            *(0, 26, 39, 40, 41, 51, 97, 104, 105, 106, 117, 180, 186, 190, 194, 198, 199, 217),
            *(218, 219, 221, 239, 241, 262, 264, 265, 268, 270, 271, 272, 273, 279, 280, 281),
            *(282, 294),
        ),
    ),
}
# From here on the numbers are the same everywhere, and of these alone a child needs any. All others, and all that
# kernels will have, are answered as by an old kernel, so that a library falls back on what it did before.
NEW_CALLS, KNOWN_NEW_CALLS = 424, (436, 437, 439, 441, 449, 452)
THREAD = 0x10000  # clone's flag for a thread


def _call(function, *arguments):
    if function(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


class Refused(BaseException):
    """What is the solution was called. (No `Exception`, so that `except Exception` does not hide it.)"""


# The parent


def serve(safe):
    """Answers tasks until the stream ends."""
    tasks, replies = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2 if not safe else 0, 1)
    for name in LIBRARIES:
        importlib.import_module(name)
    sys.dont_write_bytecode = True
    if safe:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(NOT_DUMPABLE, 0, 0, 0, 0)
    with os.fdopen(os.dup(replies), "wb") as file:
        wire.send(file, wire.pack("ready"))
    while _answered(tasks, replies, safe):
        pass


def _answered(tasks, replies, safe):
    """Answers the next task, in a child that reads it: nothing of a solution is ever in this process. `False` at the
    stream's end."""
    select.select([tasks], [], [])
    watcher = os.fork()
    if watcher:
        return os.waitstatus_to_exitcode(os.waitpid(watcher, 0)[1]) == 0
    status = 1
    try:
        with os.fdopen(tasks, "rb") as file:
            message = wire.receive(file)
        if message is not None:
            about, reply = _watched(wire.unpack(message, stranger=False), safe)
            with os.fdopen(replies, "wb") as file:
                wire.send(file, wire.pack(about))
                wire.send(file, reply)
            status = 0
    finally:
        os._exit(status)


def _watched(task, safe):
    """Runs a task in a child that has its own namespaces, and ends it: a dict about it, and its reply, unread."""
    limits = task["limits"]
    processes = None
    if safe:
        _enter_namespaces()
        processes = os.open("/proc", os.O_RDONLY)  # the child puts another in its place
    mine, theirs = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setsid()  # a signal to its group goes to nobody else
            os.dup2(theirs, ANSWER)
            os.closerange(ANSWER + 1, MAX_FILES)
            answer = _child(task, limits, safe)
            with os.fdopen(ANSWER, "wb") as file:
                file.write(answer)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(theirs)
    until = time.monotonic() + limits["seconds"]
    message, why_not = _read(mine, limits["bytes"], until, _look(processes, child))
    os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    spent = {"processor_seconds": used.ru_utime + used.ru_stime}
    if message:
        return spent, message
    if why_not == "late":
        reason = f"it took more than {limits['seconds']:.0f} s"
    elif spent["processor_seconds"] > limits["processor_seconds"] - 0.5:
        reason = f"it took more than {limits['processor_seconds']:.0f} s of the processor"
    elif why_not:
        reason = why_not
    else:
        reason = "its process ended before it was done"
    return {"reason": reason, **spent}, b""


def _look(processes, child):
    """A function that says what is wrong with a child that still runs, or `None`."""
    if processes is None:
        return lambda: None
    status = os.open(f"{child}/stat", os.O_RDONLY, dir_fd=processes)

    def look():
        try:
            told = os.pread(status, 4096, 0).rpartition(b")")[2].split()
        except ProcessLookupError:
            return None
        return "it started too many threads" if int(told[17]) > MAX_THREADS else None

    return look


def _read(descriptor, most, until, look):
    """All that comes until a stream's end: `(bytes, None)`, or no bytes and why: `late`, or a few words."""
    pieces, size = [], 0
    while True:
        left = until - time.monotonic()
        ready, _, _ = select.select([descriptor], [], [], min(max(left, 0), GLANCE))
        problem = "late" if left <= 0 else look()
        if problem:
            return b"", problem
        if not ready:
            continue
        piece = os.read(descriptor, 1 << 16)
        if not piece:
            return b"".join(pieces), None
        size += len(piece)
        if size > most:
            return b"", "it gave back too much"
        pieces.append(piece)


def _enter_namespaces():
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _call(libc.unshare, NEW_USER | NEW_MOUNTS | NEW_PROCESSES | NEW_IPC)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


# The child


def _child(task, limits, safe):
    refused = []
    try:
        sources = _forbid(task["forbidden"], refused)
    except Exception as e:  # an exercise that names what is not there
        return wire.pack({"status": "error", "reason": _told(e)})
    _limit(limits, safe)
    if safe:
        _shut_in(limits, sources)
    return wire.pack(_outcome(task, refused))


def _shut_in(limits, sources):
    """An empty folder, at `$HOME`, a picture of /proc in the place of /proc, nothing in the files `sources`, no
    capability, few system calls, and no file but the one for the answer."""
    libc = ctypes.CDLL(None, use_errno=True)
    _call(libc.mount, b"none", b"/", None, RECURSIVE | PRIVATE, None)
    for source in sources:
        _call(libc.mount, b"/dev/null", os.fsencode(source), None, BIND, None)
    room = f"size={limits['disk']},nr_inodes=4096".encode()
    scratch = os.environ["HOME"]
    _call(libc.mount, b"none", scratch.encode(), b"tmpfs", NO_SUID | NO_DEVICES, room)
    told = {}
    for name in ("cpuinfo", "meminfo"):
        with open(f"/proc/{name}", "rb") as file:
            told[name] = file.read()
    told["self/cmdline"] = f"{sys.executable}\0solution\0".encode()
    _call(libc.mount, b"none", b"/proc", b"tmpfs", NO_SUID | NO_DEVICES, b"size=1m")
    os.mkdir("/proc/self")
    os.symlink("self", f"/proc/{os.getpid()}")
    os.symlink(sys.executable, "/proc/self/exe")
    for name, content in told.items():
        with open(f"/proc/{name}", "wb") as file:
            file.write(content)
    _call(
        libc.mount, b"none", b"/proc", None, REMOUNT | READ_ONLY | NO_SUID | NO_DEVICES, b"size=1m"
    )
    os.chdir(scratch)
    for capability in range(64):
        libc.prctl(DROP_BOUND, capability, 0, 0, 0)
    header, none = struct.pack("<Ii", 0x20080522, 0), struct.pack("<6I", *[0] * 6)
    _call(libc.capset, header, none)
    _call(libc.prctl, NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _filter_system_calls(libc)


def _filter_system_calls(libc):
    machine = os.uname().machine
    if machine not in SYSTEM_CALLS:
        return
    audit, clone, others = SYSTEM_CALLS[machine]
    load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    new = len(KNOWN_NEW_CALLS)
    allow, deny, unknown, kill = 0x7FFF0000, 0x50000 | 1, 0x50000 | 38, 0x80000000
    code = [
        (load, 0, 0, 4),
        (equal, 1, 0, audit),
        (give, 0, 0, kill),
        (load, 0, 0, 0),
        (at_least, 0, 1, 0x40000000),  # another numbering of the same calls
        (give, 0, 0, deny),
        (at_least, 0, new + 2, NEW_CALLS),
        *((equal, new - i, 0, number) for i, number in enumerate(KNOWN_NEW_CALLS)),
        (give, 0, 0, unknown),
        (give, 0, 0, allow),
    ]
    for number in others:
        code += [(equal, 0, 1, number), (give, 0, 0, deny)]
    code += [
        (equal, 0, 3, clone),
        (load, 0, 0, 16),
        (any_bit, 1, 0, THREAD),
        (give, 0, 0, deny),
        (give, 0, 0, allow),
    ]
    program = b"".join(struct.pack("<HBBI", *line) for line in code)
    held = ctypes.create_string_buffer(program, len(program))
    known = struct.pack("@HxxxxxxQ", len(code), ctypes.addressof(held))
    _call(libc.prctl, SECCOMP, 2, ctypes.c_char_p(known), 0, 0)


def _limit(limits, safe):
    wanted = {
        resource.RLIMIT_CPU: int(limits["processor_seconds"]) + 1,
        resource.RLIMIT_FSIZE: limits["disk"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: MAX_OPEN,
    }
    if safe:
        with open("/proc/self/statm") as file:
            in_use = int(file.read().split()[0]) * resource.getpagesize()
        wanted[resource.RLIMIT_AS] = in_use + limits["memory"]
    for what, most in wanted.items():
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _outcome(task, refused):
    """What the student's solution gives: status `done` with arrays, `error` or `refused` with a reason."""
    try:
        scope = {"__name__": "__main__"}
        exec("import numpy as np\n" + task["prelude"], scope)
        for source in task["before"]:
            try:
                exec(compile(source, "<a cell>", "exec"), scope)
            except Exception:  # an import that is missing here; the solution may do without
                continue
        _execute(task["solution"], task["function"], scope)
        if task["function"] not in scope:
            return {"status": "error", "reason": f"there is no {task['function']} in its cell"}
        probe = {"__name__": "probe"}
        exec(compile(task["probe"], "<the probe>", "exec"), probe)
        inputs = task["inputs"]
        outputs = probe["probe"](scope[task["function"]], inputs)
        answer = {"status": "done", "outputs": outputs, "inputs": inputs}
    except Refused as e:
        answer = {"status": "refused", "reason": str(e)}
    except NotImplementedError:
        answer = {"status": "error", "reason": "nothing is written yet"}
    except MemoryError:
        answer = {"status": "error", "reason": "it needs too much memory"}
    except BaseException as e:
        answer = {"status": "error", "reason": _told(e)}
    if refused:
        answer = {"status": "refused", "reason": refused[0]}
    return answer


def _execute(source, function, scope):
    """Runs a cell statement by statement. What fails once the function is there (a trial, a print of what only the
    notebook has) does not count."""
    for node in ast.parse(source, "<the solution>").body:
        try:
            exec(compile(ast.Module([node], []), "<the solution>", "exec"), scope)
        except Exception:
            if function not in scope:
                raise
            return


def _told(error):
    """An error in one line, with the line of the student's cell where there is one."""
    lines = [
        f.lineno
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename == "<the solution>"
    ]
    if isinstance(error, SyntaxError) and error.filename == "<the solution>":
        lines = [error.lineno]
    text = " ".join(str(error)[:MAX_TEXT].split())
    where = f" (line {lines[-1]} of its cell)" if lines else ""
    return f"{type(error).__name__}: {text}{where}"


def _forbid(paths, refused):
    """Takes the code out of functions that are the solution: each reference to one, old or new, then refuses.

    Returns:
        The files in which their text stands, and the compiled ones.
    """
    sources = set()
    for path in paths:
        parts = path.split(".")
        owner, told = importlib.import_module(parts[0]), f"{path} is what is to be written here"
        for i, part in enumerate(parts[1:], 2):
            try:
                owner, here = getattr(owner, part), owner
            except AttributeError:
                owner, here = importlib.import_module(".".join(parts[:i])), owner

        def refuse(*_, _told=told, **__):
            refused.append(_told)
            raise Refused(_told)

        sources |= _files_of(owner)
        if hasattr(owner, "__code__") and not owner.__code__.co_freevars:
            owner.__code__ = _calling(refuse, owner)
        else:
            setattr(here, parts[-1], refuse)
    return sources


def _files_of(function):
    """The file in which a function stands, and what Python has compiled of it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return set()
    file = Path(code.co_filename)
    compiled = file.parent.glob(f"__pycache__/{glob.escape(file.stem)}.*.pyc")
    return {str(place) for place in (file, *compiled) if place.is_file()}


def _calling(refuse, function):
    """Code without free variables, of a function that calls `refuse`."""
    name = f"_refuse_{id(function)}"
    function.__globals__[name] = refuse
    function.__defaults__ = function.__kwdefaults__ = None
    made = ast.parse(f"def f(*a, **k):\n    return {name}(*a, **k)")
    scope = {}
    exec(compile(made, "<refused>", "exec"), scope)
    return scope["f"].__code__


if __name__ == "__main__":
    serve(safe=sys.argv[1:] == ["safe"])
