"""Many runs that differ in their model, seed or arguments: each a folder like any other, a table and a plot at the end.

    DIR/sweep.json     what was asked
    DIR/RUN/           a run's folder, as `gan-seed1-latent_dim=32`
    DIR/sweep.csv      a row a run: what it was, its status, its last numbers
    DIR/sweep.png      its score, or its first loss, round by round

The same command goes on with what is not finished. Each run is `ganedu resume` in a process of its own.
"""

import csv
import io
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import as_completed
from pathlib import Path

from ganedu import catalogue, runtime
from ganedu.devices.executors import executor
from ganedu.disk import read_text, written
from ganedu.runs.folder import RunFolder, begin
from ganedu.runs.records import fits_argument
from ganedu.runtime import RunError, UsageError

MAX_RUNS = 1000
SCORE = "frechet_distance"


def parse_values(settings):
    """What a user says as `--set NAME=V1,V2`, a dict from name to a list of values: numbers, true, false, null, words.

    Raises:
        UsageError: for anything else.
    """
    found = {}
    for word in settings:
        name, equals, values = word.partition("=")
        if not name.isidentifier() or not equals or not values or name in found:
            raise UsageError(f"--set takes NAME=V1,V2, each name once. Received: {word[:80]!r}")
        found[name] = [_value(v) for v in values.split(",")]
        if not all(map(fits_argument, found[name])):
            raise UsageError(f"--set takes numbers and words. Received: {word[:80]!r}")
    return found


def _value(word):
    try:
        return json.loads(word)
    except ValueError:
        return word


def plan(models, seeds, values):
    """The runs of a sweep: a dict from a run's name to what is its own, `model`, `seed` and `arguments`.

    Args:
        models: list of str.
        seeds: list of int.
        values: dict from an argument of the models' `build` to a list of values.

    Raises:
        UsageError: for none or more than `MAX_RUNS` runs, or two of one name.
    """
    runs = {}
    for model, seed, *chosen in itertools.product(models, seeds, *values.values()):
        catalogue.check(model)
        arguments = dict(zip(values, chosen, strict=True))
        told = [f"{name}={_shown(value)}" for name, value in arguments.items()]
        name = "-".join([model, f"seed{seed}", *told])
        if name in runs:
            raise UsageError(f"A sweep has each run once. Received: {name} twice")
        runs[name] = {"model": model, "seed": seed, "arguments": arguments}
    if not 1 <= len(runs) <= MAX_RUNS:
        raise UsageError(f"A sweep has 1 to {MAX_RUNS} runs. Received: {len(runs)}")
    return runs


def _shown(value):
    """A value as a part of a folder's name."""
    return "".join(c if c.isalnum() or c in ".+_" else "_" for c in str(value))[:60]


def sweep(out, runs, jobs=1, scheduler=None, report=print, **asked):
    """Trains all runs that are not finished.

    Args:
        out: the sweep's folder.
        runs: dict, as `plan` makes it.
        jobs: int, how many at a time. Defaults to `1`.
        scheduler: the address of a Dask scheduler, whose workers see `out`. Defaults to `None`.
        report: function of a str. Defaults to `print`.
        **asked: arguments of `begin` that all have in common, as `data` and `epochs`.

    Returns:
        List of dict, the rows of `sweep.csv`.

    Raises:
        UsageError: for another sweep in the folder, and as `begin`.
        RunError: if runs failed; the table is there, and the message names them.
    """
    out = Path(out)
    pool, close = executor(scheduler, jobs, report)
    try:
        _settle(out, {"runs": runs, **asked})
        folders = {name: _begun(out / name, asked, run) for name, run in runs.items()}
        left = {n: f for n, f in folders.items() if f.run_info().get("status") != "finished"}
        report(f"{len(runs)} runs in {out}, {len(left)} to train")
        waited = {pool.submit(train_in_process, str(f.path.resolve())): n for n, f in left.items()}
        failed = {}
        for future in as_completed(waited):
            name = waited[future]
            try:
                status, message = future.result()
            except Exception as e:  # a worker that went away
                status, message = 1, f"{type(e).__name__}: {e}"
            if status:
                failed[name] = message
            report(f"{name}: {message if status else 'finished'}")
    finally:
        close()
    rows = [_row(name, runs[name], folder) for name, folder in folders.items()]
    _write(out, rows, folders)
    if failed:
        shown = "; ".join(f"{name} ({message})" for name, message in list(failed.items())[:3])
        raise RunError(
            f"{len(failed)} of {len(runs)} runs did not finish: {shown}. The same command goes on with them"
        )
    return rows


def train_in_process(folder):
    """Trains a run to its end: `(exit status, the final line of its errors)`."""
    done = subprocess.run(
        [sys.executable, "-m", "ganedu", "resume", folder],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no word of why"]
    return done.returncode, lines[-1].removeprefix("ganedu: ")[:300]


def _settle(out, asked):
    """Writes what is asked; of a folder that has a sweep already it must be the same."""
    path, text = out / "sweep.json", json.dumps(asked, indent=2, sort_keys=True) + "\n"
    if path.exists():
        if read_text(path) != text:
            raise UsageError(
                f"{out} holds another sweep, as sweep.json says. Choose another --out, or ask for the same"
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"The folder of a new sweep must be empty. Received: {out}")
    out.mkdir(parents=True, exist_ok=True)
    with written(path) as file:
        file.write(text.encode())


def _begun(path, asked, run):
    if (path / "run.json").exists():
        return RunFolder.open(path)
    return begin(path, **asked, **run)


def _row(name, run, folder):
    info, history = folder.run_info(), folder.history()
    last = dict(history[-1]) if history else {}
    scores = [row[SCORE] for row in history if row.get(SCORE, float("nan")) == row.get(SCORE)]
    best = {f"best_{SCORE}": min(scores)} if scores else {}
    fixed = {"run": name, "model": run["model"], "seed": run["seed"], **run["arguments"]}
    return {**fixed, "status": info.get("status"), **last, **best}


def _write(out, rows, folders):
    names = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    table = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    with written(out / "sweep.csv") as file:
        file.write(text.getvalue().encode())
    histories = {name: folder.history() for name, folder in folders.items()}
    histories = {name: history for name, history in histories.items() if history}
    if histories:
        runtime.setup()  # quietly, before what draws
        from ganedu import figures

        with written(out / "sweep.png") as file:
            figures.histories(histories, SCORE).savefig(file, format="png", dpi=110)
