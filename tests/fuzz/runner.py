"""Feeds inputs of each kind in turn, and sorts what comes of them."""

import collections
import contextlib
import dataclasses
import io
import signal
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np

from ganedu import runtime
from ganedu.runtime import RunError, UsageError

PATIENCE = 60  # seconds, after which an input hangs
LONGEST = 700  # letters of one line that says what is wrong


class NonsenseError(Exception):
    """What came out is not what went in, and nobody said so."""


class HangError(BaseException):
    """An input took too long. (Not an `Exception`: what catches all must not catch this.)"""


@dataclasses.dataclass
class Found:
    """
    Attributes:
        counts: `collections.Counter` by outcome: "understood", "refused", "traceback", "hang", "nonsense".
        faults: list of str, a paragraph for each of the last three.
    """

    counts: collections.Counter
    faults: list


def run(count, seed=0, kinds=None, report=None):
    """Feeds `count` inputs, each a function of `seed` and its number.

    Args:
        count, seed: int.
        kinds: list of functions `(rng, folder) -> (text, action)`, of which each in turn makes an input: what it
            is, and a function that gives it to the package. Defaults to all.
        report: function of a str, called for each fault as it is found, or `None`.

    Returns:
        `Found`.
    """
    runtime.setup(0)
    from fuzz import arrays, flags, own_networks, run_folders, sources

    rooms = (sources, arrays, own_networks, run_folders, flags)
    kinds = kinds or [kind for room in rooms for kind in room.KINDS]
    found = Found(collections.Counter(), [])
    with tempfile.TemporaryDirectory() as scratch:
        for i in range(count):
            kind = kinds[i % len(kinds)]
            folder = Path(scratch, str(i))
            folder.mkdir()
            text, action = kind(np.random.default_rng([seed, i]), folder)
            outcome, reason = _outcome(action)
            found.counts[outcome] += 1
            if reason:
                found.faults.append(f"{i} {kind.__name__}: {text}: {outcome}: {reason}")
                if report is not None:
                    report(found.faults[-1])
    return found


def _outcome(action):
    """What came of an input, and what is wrong with that."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(PATIENCE)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            action()
        return "understood", ""
    except (UsageError, RunError, ValueError, TypeError) as e:
        return _refused(e)
    except HangError:
        return "hang", f"over {PATIENCE} s"
    except NonsenseError as e:
        return "nonsense", str(e)
    except Exception:
        return "traceback", traceback.format_exc()[-1500:]
    finally:
        signal.alarm(0)


def _refused(error):
    """A refusal is one line of this package; what Keras or NumPy say of their own insides is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = "ganedu" in Path(frames[-1].filename).parts and "site-packages" not in frames[-1].filename
    if not isinstance(error, (UsageError, RunError)) and not own:
        return "traceback", "".join(traceback.format_exception(error))[-1500:]
    line = " ".join(str(error).split())
    if len(line) > LONGEST or "\n" in str(error).strip():
        return "traceback", f"not one line: {line[:LONGEST]}"
    return "refused", ""


def _hangs(number, frame):
    raise HangError
