"""A box in which students' code runs: no network, no other student, no gradebook, no solutions.

bubblewrap builds it; `boxed` is the program inside. The libraries are loaded once in it, and each solution runs in a
process of its own that shares them: some hundredths of a second, where a kernel takes seconds.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import ganedu
from ganedu.course.classroom import wire
from ganedu.runtime import RunError, UsageError

LIMITS = {
    "seconds": 60.0,  # of the clock
    "processor_seconds": 20.0,
    "memory": 2 << 30,  # bytes, beside what the libraries take
    "disk": 16 << 20,  # bytes, of files that it writes
    "bytes": 32 << 20,  # of what it gives back
}
MISSING = (
    "Grading runs students' code in a box that bubblewrap makes, and there is no `bwrap` that works here ({}). "
    "Install bubblewrap (Linux), or say --unsafe to run it without a box: it can then read and change all that you can"
)


def why_not():
    """Why no box can be made here: `None` if one can, else a few words."""
    if not sys.platform.startswith("linux"):
        return f"this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "it is not installed"
    done = subprocess.run(
        [*_bubblewrap(), "/usr/bin/env", "true"], capture_output=True, text=True, check=False
    )
    return None if done.returncode == 0 else " ".join(done.stderr.split())[:200] or "it fails"


def check_box():
    """Refuses where no box can be made.

    Raises:
        UsageError: says what to install.
    """
    reason = why_not()
    if reason:
        raise UsageError(MISSING.format(reason))


class Box:
    """The box, warm: a context manager.

    Args:
        safe: bool, `False` for no box but a process with limits. Defaults to `True`.
        **limits: of one solution, in the place of those of `LIMITS`.

    Raises:
        UsageError: where no box can be made.
    """

    def __init__(self, safe=True, **limits):
        self.safe, self.limits, self._process = safe, LIMITS | limits, None

    def __enter__(self):
        if self.safe:
            check_box()
        self._start()
        return self

    def __exit__(self, *exception):
        self._stop()

    def run(self, task):
        """What a solution gives.

        Args:
            task: dict with `probe`, `prelude`, `solution` and `function` (str), `before` (list of str), `forbidden`
                (list of str), and `inputs`.

        Returns:
            Dict with `status` (`done`, `error` or `refused`), `processor_seconds`, and the `outputs` and, as they were
            afterwards, the `inputs`; or a `reason`.

        Raises:
            RunError: if the box itself fails twice.
        """
        message = wire.pack({**task, "limits": self.limits})
        if len(message) > wire.MAX_MESSAGE:
            return {"status": "error", "reason": "its code is too long", "processor_seconds": 0.0}
        for _ in range(2):
            try:
                wire.send(self._process.stdin, message)
                about = wire.receive(self._process.stdout)
                reply = wire.receive(self._process.stdout)
                if reply is not None:
                    return _checked(wire.unpack(about), reply)
            except (OSError, wire.Unreadable):
                pass  # it is made anew
            self._stop()
            self._start()
        raise RunError("The box in which solutions run has failed twice")

    def _start(self):
        command = [sys.executable, "-s", "-P", "-m", "ganedu.course.classroom.boxed"]
        if self.safe:
            command = [*_bubblewrap(), *command, "safe"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=None if self.safe else os.environ | _environment(),
            cwd="/" if self.safe else None,
            start_new_session=True,
        )
        if wire.receive(self._process.stdout) is None:
            self._stop()
            raise RunError("The box in which solutions run does not start")

    def _stop(self):
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for file in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    file.close()
            process.wait()


def _checked(about, reply):
    """What a child replied, in whose fields a caller can trust, though not in what they say."""
    spent = {"processor_seconds": about["processor_seconds"]}
    if "reason" in about:
        return spent | {"status": "error", "reason": about["reason"]}
    try:
        reply = wire.unpack(reply)
        status, reason = reply["status"], reply.get("reason", "")
        if status == "done" and all(isinstance(reply[key], dict) for key in ("outputs", "inputs")):
            return spent | {key: reply[key] for key in ("status", "outputs", "inputs")}
        if status in ("error", "refused") and isinstance(reason, str):
            told = "".join(c if c.isprintable() else " " for c in reason[:500])
            return spent | {"status": status, "reason": " ".join(told.split()) or status}
    except (wire.Unreadable, LookupError, TypeError, ValueError, AttributeError):
        pass
    return spent | {"status": "error", "reason": "it gave back nothing that can be read"}


def _environment(scratch="/tmp"):
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "MPLCONFIGDIR": scratch,
        "PYTHONPATH": str(Path(ganedu.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "KERAS_BACKEND": "tensorflow",
        "GANEDU_PROFILE": "smoke",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _bubblewrap():
    """The command that makes the box: the system's and Python's files to read, of the package all but exercises and
    lessons, and an empty folder: /tmp, or another where something of these lies in /tmp."""
    package = Path(ganedu.__file__).parent
    readable = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/ssl", "/etc/fonts"]
    readable = [*map(str, (*readable, sys.base_prefix, sys.prefix, *_paths()))]
    in_tmp = any(place.startswith("/tmp/") for place in (*readable, str(package)))
    scratch = "/box" if in_tmp else "/tmp"
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in _environment(scratch).items():
        command += ["--setenv", name, value]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    command += ["--tmpfs", scratch] if in_tmp else []
    for place in dict.fromkeys(readable):
        if os.path.islink(place):
            command += ["--symlink", os.readlink(place), place]
        elif os.path.exists(place):
            command += ["--ro-bind", place, place]
    command += ["--ro-bind", str(package), str(package)]
    hidden = [package / "course" / "exercises", package / "notebooks"]
    hidden += [Path(place) / "ganedu" for place in _paths() if Path(place) / "ganedu" != package]
    hidden = [str(place) for place in dict.fromkeys(hidden) if place.is_dir()]
    for place in hidden:
        command += ["--tmpfs", place]
    for place in (*hidden, "/dev", *(["/tmp"] if in_tmp else []), "/"):
        command += ["--remount-ro", place]
    return [*command, "--chdir", scratch]


def _paths():
    """Where installed packages are."""
    return [sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")]
