"""What the texts of a run's folder may say: `run.json`, `history.csv` and a checkpoint's `state.json`. Whoever made
the folder wrote them; each value is looked at before it is used."""

import csv
import io
import json
import math
import reprlib

from ganedu.disk import check_format, read_text
from ganedu.runtime import PROFILES, UsageError, one_line

FORMAT = 1  # of `run.json`; a folder from before says none, and is read as it is
MAX_AMOUNT = 1e9  # epochs, seconds, steps, images in a batch
MAX_SIDE = 1024  # pixels
MAX_ARGUMENT = 1e6  # a number among the arguments of a model
MAX_CLASSES = 10_000
MAX_LETTERS = 4096
PRECISIONS = ("float32", "bfloat16")
STATUSES = ("started", "training", "interrupted", "finished", "diverged")
BACKENDS = ("tensorflow", "jax", "torch")


# What a value must be: its description, and a function of the value.


def _integer(low, high=MAX_AMOUNT):
    return f"a whole number from {low:g} to {high:g}", lambda v: type(v) is int and low <= v <= high


def _optional(kind):
    return f"{kind[0]}, or null", lambda v: v is None or kind[1](v)


def _one_of(values):
    return f"one of {', '.join(values)}", lambda v: isinstance(v, str) and v in values


def _list_of(kind, low, high):
    return (
        f"a list of {low} to {high}, each {kind[0]}",
        lambda v: isinstance(v, list) and low <= len(v) <= high and all(map(kind[1], v)),
    )


def _number(v):
    return type(v) in (int, float) and 0 <= v < MAX_AMOUNT


def _text(v):
    return isinstance(v, str) and 0 < len(v) <= MAX_LETTERS and "\0" not in v


def fits_argument(v):
    """Whether an argument of a model is plain: nothing that Keras would make an object of."""
    if isinstance(v, list):
        return len(v) <= 100 and not any(isinstance(x, list) or not fits_argument(x) for x in v)
    if type(v) in (int, float):
        return abs(v) <= MAX_ARGUMENT
    return v is None or isinstance(v, bool) or _text(v)


def fits_default(value, default):
    """Whether an argument in a file is of the kind of its default; where that is at least 1, so is it."""
    if default is None:
        return value is None or type(value) in (int, float)
    if type(default) is int:
        return type(value) is int and value >= min(default, 1)
    kinds = {float: (int, float), tuple: (list,)}.get(type(default), (type(default),))
    return type(value) in kinds


def _arguments(v):
    return isinstance(v, dict) and all(map(fits_argument, v.values()))


def _recipe(v):
    return (
        isinstance(v, dict)
        and {"batch_size", "steps_per_round", "epochs"} <= set(v) <= set(RECIPE)
        and all(RECIPE[name][1](value) for name, value in v.items())
    )


TEXT = (f"a text of at most {MAX_LETTERS} letters", _text)
AMOUNT = (f"a number above 0 and below {MAX_AMOUNT:g}", lambda v: _number(v) and v > 0)
RECIPE = {
    "name": TEXT,
    "batch_size": _integer(1),
    "steps_per_round": _integer(1),
    "epochs": (f"a number from 0 to {MAX_AMOUNT:g}", _number),
    "model": ("numbers and words by name", _arguments),
    "augment": _list_of(TEXT, 0, 100),
}
# What `run.json` says from its beginning, and what it may say later.
ASKED = {
    "model": TEXT,
    "data": TEXT,
    "seed": _integer(0, 2**31 - 1),
    "profile": _one_of(PROFILES),
    "epochs": _optional(AMOUNT),
    "seconds": _optional(AMOUNT),
    "batch_size": _optional(_integer(1)),
    "image_size": _optional(_integer(-MAX_AMOUNT, MAX_SIDE)),  # what is too small, the data say
}
TOLD = {
    "score_every": _optional(_integer(1)),
    "patience": _optional(_integer(1)),
    "devices": ("a whole number from 1, or all", lambda v: v == "all" or _integer(1, 4096)[1](v)),
    "arguments": ("numbers and words by name", _arguments),
    "precision": _one_of(PRECISIONS),
    "jit": ("true or false", lambda v: isinstance(v, bool)),
    "by_class": ("true or false", lambda v: isinstance(v, bool)),
    "status": _one_of(STATUSES),
    "backend": _one_of(BACKENDS),
    "images": _list_of(_integer(1), 4, 4),
    "recipe": (f"a recipe ({', '.join(RECIPE)})", _recipe),
    "classes": _list_of(TEXT, 0, MAX_CLASSES),
}
STATE = {
    "step": _integer(0, MAX_AMOUNT - 1),
    "seconds": (f"a number from 0 to {MAX_AMOUNT:g}", _number),
    "history": ("a list", lambda v: isinstance(v, list)),
}


def read_run_info(path):
    """What a `run.json` says, a dict.

    Raises:
        UsageError: if it is damaged, says what cannot be, or is of a newer ganedu.
    """
    run_info = _read_json(path)
    if isinstance(run_info, dict):
        check_format(path, run_info.get("format", 0), FORMAT)
    if not isinstance(run_info, dict) or not set(ASKED) <= set(run_info):
        raise UsageError(f"{path} is damaged (it must say: {', '.join(ASKED)})")
    for name, (wanted, holds) in {**ASKED, **TOLD}.items():
        if name in run_info and not holds(run_info[name]):
            raise UsageError(
                f"{path} is damaged (it says {name}: {reprlib.repr(run_info[name])}). "
                f"It must be {wanted}: mend it, or begin a new run"
            )
    return run_info


def read_state(path):
    """What a checkpoint's `state.json` says, a dict.

    Raises:
        ValueError: if it is damaged or says what cannot be.
        KeyError, TypeError: if it lacks something.
        OSError: if it cannot be read.
    """
    state = _read_json(path)
    for name, (_, holds) in STATE.items():
        if not holds(state[name]):
            raise ValueError(f"it says {name}: {reprlib.repr(state[name])}")
    for row in state["history"]:
        _check_row(row)
        if not {"round", "step", "seconds"} <= set(row):
            raise ValueError(f"a row of its history says {reprlib.repr(row)}")
    return state


def read_history(path):
    """A `history.csv` as a list of dict of float, a row a round.

    Raises:
        UsageError: if it is damaged or says what cannot be.
    """
    try:
        table = csv.DictReader(io.StringIO(read_text(path), newline=""))
        names = table.fieldnames or []
        if len(set(names)) < len(names):
            raise ValueError("two columns have one name")
        rows = [{k: float(v) for k, v in row.items()} for row in table]
        for row in rows:
            _check_row(row)
    except (TypeError, ValueError, csv.Error) as e:
        raise UsageError(f"{path} is damaged ({one_line(e, 200)})") from None
    return rows


def _check_row(row):
    """Refuses a row that could not be a round's: a dict of numbers."""
    if not isinstance(row, dict):
        raise ValueError(f"a row of its history says {reprlib.repr(row)}")
    for name, value in row.items():
        # A name that begins otherwise could be a formula for whoever opens the table.
        if not (isinstance(name, str) and name[:1].isalpha() and name.isprintable()):
            raise ValueError(f"a name in its history is {reprlib.repr(name)}")
        possible = type(value) is float or _integer(-MAX_AMOUNT)[1](value)
        if name in ("round", "step"):
            possible = possible and _number(value) and value == math.floor(value)
        if name == "seconds":
            possible = possible and _number(value)
        if not possible:
            raise ValueError(f"its history says {name}: {reprlib.repr(value)}")


def _read_json(path):
    try:
        return json.loads(read_text(path))
    except UsageError:
        raise
    except (ValueError, RecursionError) as e:
        raise UsageError(f"{path} is damaged ({one_line(e, 200)})") from None
