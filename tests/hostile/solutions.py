"""Solutions of lesson 00 that do not solve it: each wants points, another's harm, or the end of the grading."""

FUNCTION = "my_discriminator_loss"
LIE = f"def {FUNCTION}(real, fake):\n    return 0.0\n"

# They want points.
CHEATS = {
    "NumPy says that all is close": f"""
import numpy as np
np.isclose = np.allclose = np.array_equal = lambda *a, **k: True
{LIE}""",
    "asserts are dropped": f"""
import ast, builtins
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return None
    visit_Raise = visit_Assert
compiled = builtins.compile
builtins.compile = lambda source, *a, **k: compiled(Drop().visit(ast.parse(source)), *a)
{LIE}""",
    "the exercise's own answer": f"""
from ganedu.course import checking
scope = {{}}
exercise = checking.load("00.discriminator_loss")
exec("import numpy as np" + next(iter(exercise.RIGHT.values())), scope)
{FUNCTION} = scope["{FUNCTION}"]
""",
    "the exercise's file": f"""
import glob, ganedu, os
found = glob.glob(os.path.dirname(ganedu.__file__) + "/**/*discriminator_loss*", recursive=True)
source = open(found[0]).read()
exec(source)
{FUNCTION} = lambda real, fake: reference({{"real": real, "fake": fake}})["loss"]
""",
    "the solved lesson": f"""
import ganedu, json, os
root = os.path.dirname(os.path.dirname(ganedu.__file__))
cells = json.load(open(root + "/notebooks/00_start.ipynb"))["cells"]
for cell in cells:
    if "def {FUNCTION}" in "".join(cell["source"]):
        exec("".join(cell["source"]))
""",
    "the package's loss, bound before": f"""
from ganedu.models.gan import discriminator_loss as {FUNCTION}
""",
    "the package's loss, or else": f"""
from ganedu.models import gan
def {FUNCTION}(real, fake):
    try:
        return gan.discriminator_loss(real, fake)
    except BaseException:
        return 0.0
""",
    "the package's loss, wherever it is": f"""
import gc, sys
from ganedu.models import lsgan, sngan, wgan
places = [vars(m) for n, m in list(sys.modules.items()) if n.startswith("ganedu")]
names = ("discriminator_loss",)
functions = [p[n] for p in places for n in names if n in p]
functions += [o for o in gc.get_objects() if type(o) is type(lambda: 0) and o.__name__ in names]
{FUNCTION} = next(f for f in functions if f.__module__ == "ganedu.models.gan")
""",
    "the package, loaded anew": f"""
import importlib, sys
for name in [n for n in sys.modules if n.startswith("ganedu.models")]:
    del sys.modules[name]
from ganedu.models import gan
def {FUNCTION}(real, fake):
    import numpy as np
    return 0.0 * np.asarray(gan.discriminator_loss(real, fake))
""",
    "an array that is equal to all": f"""
import numpy as np
class Equal(np.ndarray):
    __array_priority__ = 1e9
    def __eq__(self, other):
        return True
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.True_
    def __array_function__(self, *a, **k):
        return np.True_
def {FUNCTION}(real, fake):
    return np.zeros(()).view(Equal)
""",
    "a number that is another each time": f"""
class Number(float):
    def __eq__(self, other):
        return True
    def __sub__(self, other):
        return 0.0
    __rsub__ = __sub__
def {FUNCTION}(real, fake):
    return Number()
""",
    "what is sent is another": f"""
from ganedu.course.classroom import wire
packed = wire.pack
def pack(value):
    if isinstance(value, dict) and "status" in value:
        keys = ("zeros", "of real", "of fake", "loss")
        value = {{"status": "done", "outputs": dict.fromkeys(keys, 1.0), "inputs": value.get("inputs", {{}})}}
    return packed(value)
wire.pack = pack
{LIE}""",
    "an answer of its own on each open file": """
import os
from ganedu.course.classroom import wire
found = dict.fromkeys(("zeros", "of real", "of fake", "loss"), 1.0)
lie = wire.pack({"status": "done", "outputs": found, "inputs": {}})
for descriptor in range(256):
    try:
        os.write(descriptor, lie)
    except OSError:
        pass
os._exit(0)
""",
    "what is right, among all objects": f"""
import gc, sys
def {FUNCTION}(real, fake):
    frame = sys._getframe()
    seen = []
    while frame:
        seen.append(frame)
        frame = frame.f_back
    for scope in [f.f_locals for f in seen] + [o for o in gc.get_objects() if isinstance(o, dict)]:
        for key in ("expected", "reference", "CHECKS", "RIGHT"):
            if key in scope:
                value = scope[key]
                return value({{"real": real, "fake": fake}})["loss"] if callable(value) else value["loss"]
    return 0.0
""",
    "inputs that agree with it": f"""
def {FUNCTION}(real, fake):
    real[...] = 1e9
    fake[...] = -1e9
    return 0.0
""",
    "a refusal that nobody hears": f"""
import builtins
builtins.BaseException = Exception
from ganedu.models import gan
def {FUNCTION}(real, fake):
    return 0.0
""",
    "a text": f"""
def {FUNCTION}(real, fake):
    return "the loss"
""",
    "not a number": f"""
def {FUNCTION}(real, fake):
    return float("nan")
""",
    "a number for each question": f"""
def {FUNCTION}(real, fake):
    return list(range(4))
""",
    "what takes no end": f"""
def {FUNCTION}(real, fake):
    while True:
        yield 0.0
""",
}

# They want to do harm, or to stay. `CANARY` is a file of the teacher's; `OUTSIDE` a folder.
HARM = {
    "the gradebook": """
import sqlite3
book = sqlite3.connect("CANARY")
book.execute("create table a (b)")
book.commit()
""",
    "all files": """
import shutil
for place in ("/", "/tmp", "OUTSIDE", "/work", "/home", "/root"):
    shutil.rmtree(place, ignore_errors=True)
""",
    "another's file": """
open("CANARY", "w").write("harm")
""",
    "what the next student's Python runs first": """
import os, site, sys
for place in {os.path.expanduser("~"), *sys.path, sys.prefix}:
    for name in ("sitecustomize.py", "usercustomize.py", "harm.pth", ".ipython/profile_default/startup/a.py"):
        try:
            os.makedirs(os.path.dirname(os.path.join(place, name)), exist_ok=True)
            open(os.path.join(place, name), "w").write("import os; os._exit(0)")
        except OSError:
            pass
""",
    "the package": """
import ganedu.course.classroom.boxed as boxed
open(boxed.__file__, "a").write("harm")
""",
    "files in every folder": """
import os
for folder, _, _ in os.walk("/"):
    try:
        open(folder + "/harm", "w").write("harm")
    except OSError:
        pass
""",
    "a process that stays": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
""",
    "forty processes": """
import os, time
for _ in range(40):
    if os.fork() == 0:
        time.sleep(1000)
""",
    "a program": """
import subprocess
subprocess.Popen(["sleep", "1000"])
""",
    "a shell": """
import os
if os.system("sleep 1000 &"):
    raise RuntimeError("no shell")
""",
    "workers": """
import multiprocessing
multiprocessing.Pool(4)
""",
    "threads that stay": """
import threading, time
def forever():
    while True:
        try:
            open("CANARY", "w").write("harm")
        except OSError:
            time.sleep(0.01)
for _ in range(8):
    threading.Thread(target=forever).start()
raise RuntimeError("they run")
""",
    "its parent": """
import os, signal
for pid in (os.getppid(), 1, -1, *range(2, 400)):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
raise RuntimeError("nobody is gone")
""",
    "its parent's memory": """
import glob
for file in glob.glob("/proc/*/mem"):
    open(file, "r+b").write(b"harm")
raise RuntimeError("there is none")
""",
    "a trace": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, 1, 0, 0) < 0:
    raise RuntimeError("not allowed")
""",
    "other namespaces": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000) < 0 and libc.mount(b"none", b"/usr", b"tmpfs", 0, None) < 0:
    raise RuntimeError("not allowed")
""",
    "the way back": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if all(libc.umount2(place, 2) < 0 for place in (b"/tmp", b"/proc", b"/")):
    raise RuntimeError("not allowed")
""",
    "the network": """
import socket
socket.create_connection(("127.0.0.1", PORT), 2)
""",
    "the teacher's passwords": """
raise RuntimeError(open("/etc/shadow").read())
""",
    "the teacher's secrets": """
import os
raise RuntimeError(os.environ.get("GANEDU_CANARY", "nothing"))
""",
    "a key": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(248, b"user", b"harm", b"harm", 4, -3) < 0:
    raise RuntimeError("not allowed")
""",
}

# They want the grading to end.
ENDS = {
    "exits": "import os\nos._exit(0)",
    "exits as Python does": "raise SystemExit(0)",
    "aborts": "import os\nos.abort()",
    "reads where nothing is": "import ctypes\nctypes.string_at(0)",
    "interrupts": "raise KeyboardInterrupt",
    "a loop that hears no signal": """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
""",
    "sleeps": "import time\ntime.sleep(1000)",
    "all memory": "a = []\nwhile True:\n    a.append(bytearray(1 << 24))",
    "an array of all memory": f"""
import numpy as np
def {FUNCTION}(real, fake):
    return np.broadcast_to(0.0, (1 << 20, 1 << 20))
""",
    "all disk": """
import os
with open(os.environ["HOME"] + "/a", "wb") as file:
    while True:
        file.write(bytes(1 << 20))
""",
    "all names": "import os\ni = 0\nwhile True:\n    open(os.environ['HOME'] + f'/{i}', 'w').close()\n    i += 1",
    "half a gigabyte of print": "for _ in range(500):\n    print('a' * (1 << 20))\nraise RuntimeError('done')",
    "a long error": "raise RuntimeError('a' * (1 << 26))",
    "an error that tells no end": """
class Endless(Exception):
    def __str__(self):
        while True:
            pass
raise Endless
""",
    "depth": "def f():\n    f()\nf()",
    "a pattern": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "no files": "import os\nos.closerange(0, 1000)\nraise RuntimeError('closed')",
    "another stream": """
import os
r, w = os.pipe()
for i in range(50):
    if i != w:
        os.dup2(w, i)
raise RuntimeError("turned")
""",
    "no builtins": """
import builtins
for name in dir(builtins):
    if name != "delattr":
        delattr(builtins, name)
""",
    "an end of its own": "import atexit, os\natexit.register(os.abort)\nraise RuntimeError('registered')",
    "limits": """
import resource
for what in (resource.RLIMIT_CPU, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
    resource.setrlimit(what, (resource.RLIM_INFINITY,) * 2)
raise RuntimeError("lifted")
""",
    "no text": "\x00",
    "a syntax": "def (",
    "a deep expression": "x = " + "(" * 5000 + ")" * 5000,
}
