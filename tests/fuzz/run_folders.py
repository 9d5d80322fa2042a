"""Folders of runs in which something was changed: `run.json`, the history, a checkpoint, the model."""

import functools
import json
import shutil
import tempfile
from pathlib import Path

from fuzz.flags import told

COMMANDS = ("sample", "evaluate", "resume", "diagnose", "interpolate")
VALUES = (
    *(None, True, False, 0, -1, 1, 2**31, 2**70, 1e300, float("nan"), float("inf"), 0.5, "", "gan"),
    *("../../etc", "x" * 5000, "\0", "é", [], {}, [1], [[]], {"a": 1}, [None, 28, 28, 1], "NaN"),
)


@functools.cache
def trained():
    """A run of two steps, and its folder."""
    folder = Path(tempfile.mkdtemp(), "run")
    asked = ("--profile", "smoke", "--image-size", 8, "--out", folder)
    told("train", "cgan", "--data", "digits", *asked)
    return folder


def _changed(rng, value):
    """JSON in which one thing, at any depth, is another."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = str(rng.choice(list(value)))
        if rng.random() < 0.15:
            return {k: v for k, v in value.items() if k != key}
        if rng.random() < 0.05:
            return {**value, "unheard_of": VALUES[rng.integers(len(VALUES))]}
        return {**value, key: _changed(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.5:
        i = int(rng.integers(len(value)))
        return [*value[:i], _changed(rng, value[i]), *value[i + 1 :]]
    return VALUES[rng.integers(len(VALUES))]


def _bytes_changed(rng, content):
    content = bytearray(content)
    how = rng.integers(4)
    if how == 0:
        return bytes(content[: rng.integers(0, len(content) + 1)])
    if how == 1:
        return bytes(rng.integers(0, 256, 50, "uint8"))
    for place in rng.integers(0, max(1, len(content)), 3):
        if content:
            content[place] = int(rng.integers(256))
    return bytes(content)


def run_folder(rng, path):
    """A copy of a run with one file changed, under each command."""
    folder, command = path / "run", str(rng.choice(COMMANDS))
    shutil.copytree(trained(), folder)
    files = [folder / "run.json"] * 6 + [folder / "history.csv", folder / "model.keras"]
    files += sorted(folder.glob("checkpoint/step-*/*"))
    file = files[rng.integers(len(files))]
    content = file.read_bytes()
    if file.suffix == ".json" and rng.random() < 0.8:
        changed = json.dumps(_changed(rng, json.loads(content))).encode()
    else:
        changed = _bytes_changed(rng, content)
    file.write_bytes(changed)
    options = {
        "sample": ["--count", 4, "--out", path / "x.png"],
        "interpolate": ["--steps", 2, "--out", path / "x.png"],
        "evaluate": ["--count", 20],
    }
    text = f"{command} of {file.relative_to(folder)}"
    if file.suffix == ".json":
        text += f" {changed[:1500]!r}"
    return text, lambda: told(command, folder, *options.get(command, []))


KINDS = [run_folder]
