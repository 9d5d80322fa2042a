"""A run's folder: each file whole or not there at all, and a checkpoint from which training goes on
exactly.

    DIR/run.json       what was asked: model, data, recipe, seed, versions, times, status
    DIR/model.keras    the whole model with its optimizers; loads by the line in run.json, `load`
    DIR/best.keras     the same at its best score, where scores were asked for
    DIR/history.csv    a row a round
    DIR/samples.png    the same latents, after the last round       DIR/training.gif   the same latents over time
    DIR/checkpoint/    step-N/ (model.keras, state.json), the last two; frames/, a picture a round

A file is written beside its place, flushed to the disk and renamed into it; a checkpoint is a
folder, and is renamed as a whole. A process that is killed at any moment leaves at worst leftovers
whose names start with a dot, which `resume` removes.
"""

import contextlib
import csv
import io
import json
import os
import shlex
import shutil
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ganedu import runtime
from ganedu.devices import check_batch, parse
from ganedu.disk import digest, remove, sync, written
from ganedu.runs.model_file import is_whole, load_model_file
from ganedu.runs.records import (
    ASKED,
    FORMAT,
    MAX_AMOUNT,
    MAX_SIDE,
    PRECISIONS,
    STATE,
    read_history,
    read_run_info,
    read_state,
)
from ganedu.runtime import RunError, UsageError

KEPT = 2  # checkpoints
# Without the import Keras does not know the model's class.
LOAD = "import ganedu.models, keras; model = keras.models.load_model('model.keras')"
DIGEST = "model_sha256"


def begin(
    out,
    *,
    model,
    data,
    seed=0,
    profile=None,
    epochs=None,
    seconds=None,
    batch_size=None,
    image_size=None,
    score_every=None,
    patience=None,
    by_class=False,
    devices=None,
    precision="float32",
    jit=False,
    arguments=None,
):
    """Makes the folder of a new run, with what is asked for in `run.json`; imports no framework.

    Args:
        out: the folder; must not hold a run yet.
        model: str, a model's name.
        data: str, a data set's name, or the path of a user's own.
        seed: int in [0, 2**31). Defaults to `0`.
        profile: `"smoke"`, `"quick"` or `"full"`. Defaults to `runtime.profile()`.
        epochs: float, passes over the data. Defaults to the recipe's.
        seconds: float, the length in time instead. Defaults to `None`.
        batch_size, image_size: int. Default to the recipe's and the data set's.
        score_every: int, the rounds after which samples are scored; the best model is kept. Defaults
            to `None`: never.
        patience: int, how many scores in a row may be worse than the best before the run ends.
            Defaults to `None`: any number.
        by_class: bool, whether a model that may be told the classes of the data is told. Defaults to `False`.
        devices: int, or `"all"`: what it trains on. Defaults to `None`: one.
        precision: `"float32"`, or `"bfloat16"`: layers compute in it, weights stay float32. Defaults to `"float32"`.
        arguments: dict, arguments of the model's `build` in the place of its recipe's. Defaults to none.
        jit: bool, whether XLA compiles the step; on JAX it always does. Defaults to `False`.

    Returns:
        `RunFolder`.

    Raises:
        UsageError: for a length, size or seed that cannot be, or a folder that holds a run.
    """
    if epochs is not None and seconds is not None:
        raise UsageError("The length must be given in epochs or in seconds. Received: both")
    for name, value in {"epochs": epochs, "seconds": seconds, "batch size": batch_size}.items():
        if value is not None and not 0 < value < MAX_AMOUNT:
            raise UsageError(f"The {name} must lie between 0 and {MAX_AMOUNT:g}. Received: {value}")
    if image_size is not None and image_size > MAX_SIDE:
        raise UsageError(f"The image size must be at most {MAX_SIDE}. Received: {image_size}")
    if not 0 <= seed < 2**31:
        raise UsageError(f"The seed must lie in [0, 2**31). Received: {seed}")
    for name, value in {"score-every": score_every, "patience": patience}.items():
        if value is not None and value < 1:
            raise UsageError(f"--{name} must be at least 1. Received: {value}")
    if patience is not None and score_every is None:
        raise UsageError("--patience needs scores: say --score-every N, too")
    if devices is not None:
        devices = parse(devices)
        if batch_size is not None and devices != "all":
            check_batch(batch_size, devices)
    values = (model, str(data), seed, runtime.profile(profile), epochs, seconds, batch_size)
    asked = dict(zip(ASKED, (*values, image_size), strict=True))
    asked |= {"score_every": score_every, "patience": patience}
    asked |= {"by_class": True} if by_class else {}
    if precision not in PRECISIONS:
        raise UsageError(
            f"The precision must be one of {', '.join(PRECISIONS)}. Received: {precision!r}"
        )
    asked |= {"precision": precision} if precision != "float32" else {}
    asked |= {"jit": True} if jit else {}
    asked |= {"arguments": arguments} if arguments else {}
    asked |= {"devices": devices} if devices not in (None, 1) else {}
    told = {"status": "started", "started": now(), "load": LOAD, "versions": _versions()}
    return RunFolder.create(out, {"format": FORMAT, **asked, **told})


def now():
    """The time, in UTC, as ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _versions():
    found = {"python": sys.version.split()[0]}
    for name in ("ganedu", "keras", "tensorflow", "jax", "torch", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


class RunFolder:
    """The folder of one run.

    Args:
        path: the folder.
    """

    writes = True

    def __init__(self, path):
        self.path = Path(path)
        self.checkpoints = self.path / "checkpoint"
        self.frames = self.checkpoints / "frames"

    @classmethod
    def create(cls, path, run_info):
        """Starts a run: writes `run.json` and nothing else.

        Raises:
            UsageError: if the folder holds a run already, or is no folder.
            OSError: if it cannot be written.
        """
        folder = cls(path)
        taken = UsageError(
            f"{folder.path} holds a run already. Go on with it by `{folder.resume_command}`, "
            "or choose another --out."
        )
        if (folder.path / "run.json").exists():
            raise taken
        if folder.steps():  # they would be taken for the new run's
            raise UsageError(
                f"{folder.checkpoints} is left of another run. Remove it or choose another --out."
            )
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, FileNotFoundError) as e:
            raise UsageError(f"{folder.path} cannot be made a folder ({e.strerror})") from None
        try:
            folder.write_run_info(run_info, only_new=True)
        except FileExistsError:  # another process came first
            raise taken from None
        except OSError:
            folder.discard()
            raise
        return folder

    @classmethod
    def open(cls, path):
        """A run that is there.

        Raises:
            UsageError: if there is none.
        """
        folder = cls(path)
        if not (folder.path / "run.json").is_file():
            raise UsageError(
                f"{folder.path} must be the folder of a run. Received: no run.json there"
            )
        return folder

    @property
    def resume_command(self):
        return f"ganedu resume {shlex.quote(str(self.path))}"

    def discard(self):
        """Undoes `create`, and the first picture, for a run that could not even begin."""
        for path in (self.checkpoints, self.path / "samples.png", self.path / "run.json"):
            remove(path)
        with contextlib.suppress(OSError):  # it holds something else
            self.path.rmdir()

    @contextlib.contextmanager
    def locked(self):
        """Keeps every other process from training this run; the lock of a killed process is gone.

        Raises:
            UsageError: if another process trains it, or one of its folders lies elsewhere.
        """
        self._check_folders()
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"Another process is training {self.path}") from None
            except OSError:
                pass  # a file system without locks
            yield
        finally:
            os.close(descriptor)

    def _check_folders(self):
        """What is written and removed here must be the run's own."""
        for folder in (self.checkpoints, self.frames, *self.steps()):
            if folder.is_symlink():
                raise UsageError(
                    f"{folder} must be a folder of the run itself. Received: a link to {os.readlink(folder)}. "
                    "Remove the link, and put the folder there"
                )

    # run.json

    def run_info(self):
        """What `run.json` says, a dict."""
        return read_run_info(self.path / "run.json")

    def write_run_info(self, run_info, only_new=False):
        self.write_text("run.json", json.dumps(run_info, indent=2) + "\n", only_new)

    def update_run_info(self, **changes):
        self.write_run_info({**self.run_info(), **changes})

    def write_text(self, name, text, only_new=False):
        with written(self.path / name, only_new) as file:
            file.write(text.encode())

    def write_history(self, rows):
        """`history.csv`: dicts of numbers, a row a round; what one says and another does not, is NaN there."""
        text = io.StringIO()
        if rows:
            names = dict.fromkeys(name for row in rows for name in row)
            table = csv.DictWriter(text, list(names), restval="nan", lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
        self.write_text("history.csv", text.getvalue())

    def history(self):
        """`history.csv` as a list of dict of float, a row a round; empty where there is none."""
        path = self.path / "history.csv"
        return read_history(path) if path.exists() else []

    # Checkpoints

    def save_checkpoint(self, model, state):
        """Keeps the model with what else a resumed run must know, and publishes `model.keras` and
        `history.csv`.

        Args:
            model: Keras model.
            state: dict for JSON with at least `step`, `seconds` and `history`.

        Raises:
            OSError: if the disk is full; the checkpoints from before are then untouched.
        """
        final = self.checkpoints / f"step-{state['step']:09d}"
        building = self.checkpoints / ".building"
        remove(building)
        building.mkdir(parents=True)
        try:
            self._fill_checkpoint(building, model, state)
            remove(final)
            os.rename(building, final)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync(self.checkpoints)
        self.publish(final, state)
        for old in self.steps()[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def _fill_checkpoint(self, folder, model, state):
        path = folder / "model.keras"
        model.save(path)
        sync(path)
        with written(folder / "state.json") as file:
            file.write(json.dumps({**state, DIGEST: digest(path)}).encode())

    def publish(self, checkpoint, state):
        """Puts a checkpoint's model and history where a reader looks for them."""
        temporary = self.path / ".model.keras.part"
        temporary.unlink(missing_ok=True)
        try:
            os.link(checkpoint / "model.keras", temporary)
        except OSError:  # a file system without links
            shutil.copyfile(checkpoint / "model.keras", temporary)
            sync(temporary)
        os.replace(temporary, self.path / "model.keras")
        temporary.unlink(missing_ok=True)  # a link onto the same file is not moved by `replace`
        self.write_history(state["history"])

    def save_best(self, model):
        """`best.keras`, the model whose samples had the best score so far."""
        building = self.path / ".best.part"
        remove(building)
        building.mkdir()
        try:
            model.save(building / "best.keras")
            sync(building / "best.keras")
            os.replace(building / "best.keras", self.path / "best.keras")
        finally:
            shutil.rmtree(building, ignore_errors=True)
        sync(self.path)

    def steps(self):
        """The checkpoints' folders, oldest first."""
        return sorted(self.checkpoints.glob("step-" + 9 * "[0-9]"))

    def latest_checkpoint(self):
        """The newest checkpoint that is whole; damaged ones are passed over with a warning.

        Returns:
            `(path of model.keras, state)`, or `(None, None)` where there is none.
        """
        for folder in reversed(self.steps()):
            try:
                path, state = folder / "model.keras", read_state(folder / "state.json")
                if not path.is_file() or digest(path) != state[DIGEST]:
                    raise ValueError("its model file is not what was written")
                return path, {name: state[name] for name in STATE}
            except PermissionError:
                raise  # not a reason to forget it
            except (OSError, ValueError, KeyError, TypeError) as e:
                warnings.warn(
                    f"The checkpoint {folder} is damaged ({type(e).__name__}: {e}); it is passed over",
                    stacklevel=2,
                )
        return None, None

    def published_model(self):
        """`model.keras` and what `history.csv` says of it, for when no checkpoint is whole.

        Returns:
            As `latest_checkpoint`.

        Raises:
            UsageError: if `history.csv` is damaged, or `model.keras` is no file of ganedu.
        """
        path, rows = self.path / "model.keras", self.history()
        if (
            not rows
            or not path.is_file()
            or not is_whole(path)
            or not {"round", "step", "seconds"} <= set(rows[0])
        ):
            return None, None
        rows = [{**row, "round": int(row["round"]), "step": int(row["step"])} for row in rows]
        return path, {"step": rows[-1]["step"], "seconds": rows[-1]["seconds"], "history": rows}

    def resume_point(self):
        """What a run goes on from: the newest whole checkpoint, else the model that was published.

        Returns:
            As `latest_checkpoint`.
        """
        path, state = self.latest_checkpoint()
        return (path, state) if path is not None else self.published_model()

    def load_model(self):
        """The run's model, as it was after the last whole round.

        Raises:
            UsageError: if no round has ended yet, or the file is refused by `load_model_file`.
            RunError: if the newest checkpoint's is damaged, too.
        """
        path, run_info = self.path / "model.keras", self.run_info()
        asked = run_info["model"], run_info["images"][1:] if "images" in run_info else None
        if path.is_file():
            try:
                return load_model_file(path, *asked)
            except RunError as e:
                warnings.warn(f"{e}; the newest checkpoint is used", stacklevel=2)
        path, _ = self.latest_checkpoint()
        if path is None:
            raise UsageError(f"{self.path} has no model yet. Go on with `{self.resume_command}`")
        return load_model_file(path, *asked)

    # What a process that is killed leaves

    def truncate_after(self, step):
        """Removes half-written files, and the frames and checkpoints of later steps: what a kill
        undid, or is damaged."""
        remove(self.checkpoints / ".building")
        for folder in self.steps():
            if int(folder.name.removeprefix("step-")) > step:
                remove(folder)
        remove(self.path / ".best.part")
        late = [file for file in self.frame_files() if int(file.stem) > step]
        for file in [*late, *self.path.glob(".*.part"), *self.frames.glob(".*.part")]:
            file.unlink(missing_ok=True)

    # Frames

    def frame_path(self, step):
        return self.frames / f"{step:09d}.png"

    def frame_files(self):
        """The frames' files, oldest first."""
        return sorted(self.frames.glob(9 * "[0-9]" + ".png"))


class FollowedFolder(RunFolder):
    """A run's folder as the other processes of a training see it: they read, and the process of rank 0 writes."""

    writes = False

    @contextlib.contextmanager
    def locked(self):
        yield

    def write_text(self, name, text, only_new=False):
        pass

    def save_checkpoint(self, model, state):
        pass

    def save_best(self, model):
        pass

    def publish(self, checkpoint, state):
        pass

    def truncate_after(self, step):
        pass

    def discard(self):
        pass
