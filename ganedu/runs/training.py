"""A run from its start to its end: data, recipe and model meet in a folder."""

import contextlib
import dataclasses
import inspect
import math
import os
import sys
import warnings

import keras
import numpy as np
from PIL import Image

from ganedu import data, devices, figures, models, recipes, runtime
from ganedu.callbacks import (
    Clock,
    Interrupt,
    RoundBar,
    ScoreCheckpoint,
    StepCounter,
    StopOnNonFinite,
    StopTogether,
)
from ganedu.disk import written
from ganedu.runs import evaluation
from ganedu.runs.folder import FollowedFolder, now
from ganedu.runs.model_file import load_model_file
from ganedu.runs.records import fits_default
from ganedu.runtime import NonFiniteLoss, RunError, UsageError, one_line

MAX_FRAMES = 60  # in the GIF
MAX_SCORED_IMAGES = 2000  # samples of a score in training


def train(folder, on=None):
    """Trains a run to its end, from its newest checkpoint or from nothing.

    Args:
        folder: `RunFolder`, as `runs.begin` makes it.
        on: int, or `"all"`: the devices to train on. Defaults to `None`: the processes that `torchrun` started, else
            what `run.json` says, else one.

    Returns:
        The run's status, `"finished"` or `"interrupted"`.

    Raises:
        UsageError: for what cannot be done as asked.
        NonFiniteLoss: if a loss became NaN; the last good weights are kept.
        RunError: if the last rounds could not be written.
        OSError: if not even the first file could be written.
    """
    if not devices.is_writer():
        folder = FollowedFolder(folder.path)
    with folder.locked():
        run_info = folder.run_info()
        backend = runtime.setup(run_info["seed"])
        devices.use(on or ("all" if devices.launched() else run_info.get("devices", 1)))
        with devices.together(f"Go on with: {folder.resume_command}"):
            return open_session(folder, backend).run()


def open_session(folder, backend):
    """The `TrainingSession` that is left of a run, on the devices that are in use."""
    run_info = folder.run_info()
    count = devices.current().count
    if run_info.get("jit"):
        check_jit(backend, count)
    before = run_info.pop("devices", 1)
    if folder.steps() and before not in (count, "all"):
        _say(f"Started on {before} devices, going on with {count}: to other roundings.")
    if run_info.get("backend", backend) != backend:
        _say(
            f"Started on {run_info['backend']}, going on with {backend}: not to identical weights."
        )
    models.module(run_info["model"])
    dataset, test_count = data.load_checked(run_info["data"], image_size=run_info["image_size"])
    _say(data.summarize_splits(dataset, test_count))
    kept = {"recipe", "images"} <= set(run_info)
    run_info |= resolve_run_info(run_info, dataset)
    run_info |= {"devices": count} if count > 1 else {}
    parts = models.batch_divisor(run_info["model"], run_info["recipe"].get("model", {}))
    devices.check_batch(run_info["recipe"]["batch_size"], count, parts)
    recipe = recipes.Recipe(**{k: v for k, v in run_info["recipe"].items() if k != "name"})
    path, state = folder.resume_point()
    published = path is not None and path.parent == folder.path
    if published:
        warnings.warn(
            f"{folder.path} has no whole checkpoint; it goes on from {path.name}, as history.csv says of it",
            stacklevel=2,
        )
    if path is None:
        if folder.steps() or "steps" in run_info:
            warnings.warn(f"{folder.path} has no whole model left; it starts anew", stacklevel=2)
        model = _new_model(folder, run_info, dataset, recipe, kept)
        state = {"step": 0, "seconds": 0.0, "history": []}
    else:
        model = load_model_file(path, run_info["model"], dataset.image_shape)
    if run_info.get("jit"):
        model.jit_compile = True
    session = TrainingSession(folder, model, dataset, recipe, run_info, state)
    devices.barrier()  # all have read what one of them now puts in order
    folder.truncate_after(state["step"])
    if path is not None and not published:
        folder.publish(path.parent, state)
    run_info.pop("reason", None)  # why it stopped before
    folder.write_run_info({**run_info, "status": "training", "backend": backend})
    return session


def _new_model(folder, run_info, dataset, recipe, kept):
    """The model of a recipe, before its first step; `kept` says whether the recipe was in `run.json` before."""
    name, path = run_info["model"], folder.path / "run.json"
    known = inspect.signature(models.module(name).build).parameters
    for key, value in recipe.model.items():
        if key in known and not fits_default(value, known[key].default):
            raise UsageError(f"{path} is damaged (its recipe says {key}: {value!r})")
    by_class = run_info.get("by_class", False)
    arguments = {**models.arguments_of(name, dataset, by_class), **recipe.model}
    _say_what_to_expect(run_info, arguments)
    try:
        with _computing_in(run_info.get("precision", "float32")):
            return models.build(name, dataset.image_shape, seed=run_info["seed"], **arguments)
    except (UsageError, MemoryError):
        raise
    except Exception as e:
        if not kept:
            raise
        raise UsageError(
            f"{path} is damaged (of its recipe no {name} can be made: {one_line(e)})"
        ) from e


@contextlib.contextmanager
def _computing_in(precision):
    """Layers that are made in this block compute in it, with weights in float32; a `.keras` file says so of each."""
    policy = keras.config.dtype_policy()
    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def check_jit(backend, count):
    """Refuses `--jit` where XLA cannot compile a step.

    Raises:
        UsageError: on PyTorch, and on TensorFlow for several devices.
    """
    if backend == "torch":
        raise UsageError(
            "--jit needs XLA, which TensorFlow and JAX have. Received: KERAS_BACKEND=torch; steps are not made for "
            "torch.compile"
        )
    if backend == "tensorflow" and count > 1:
        raise UsageError(f"On TensorFlow --jit needs one device. Received: {count}")


def _say_what_to_expect(run_info, arguments):
    reached = recipes.measured(run_info["model"], run_info["data"])
    whole = all(run_info[asked] is None for asked in ("epochs", "seconds", "image_size"))
    if reached and whole and run_info["profile"] == "quick":
        _say(f"On 2 CPU cores this recipe takes and reaches: {reached}.")
    if arguments.get("pretrain_captions"):
        captions = f"{arguments['pretrain_captions']:,} captions"
        _say(f"First it learns to read, from {captions}: a minute.")


def _say(line):
    if devices.is_writer():
        with _warning_of("A line of output", "Training goes on"):
            print(line, flush=True)


def resolve_run_info(run_info, dataset):
    """What is settled when a run first meets its data, and holds until its end: a resumed run must
    find the same images, from wherever it is called, and keeps its recipe."""
    images, classes = [len(dataset), *dataset.image_shape], list(dataset.class_names)
    if not {"recipe", "images"} <= set(run_info):
        found, name = recipes.find(
            run_info["model"], run_info["data"], dataset.image_shape, run_info["profile"]
        )
        asked = {**found.model, **run_info.get("arguments", {})}
        found = dataclasses.replace(found, model=asked)
        parts = models.batch_divisor(run_info["model"], found.model)
        batch_size = run_info["batch_size"] or min(found.batch_size, len(dataset)) // parts * parts
        if batch_size % parts or not batch_size:
            raise UsageError(
                f"A batch of {run_info['model']} must hold {parts} equal parts, one for each step of its critic. "
                f"Received: {run_info['batch_size'] or len(dataset)} images"
            )
        recipe = {"name": name, **dataclasses.asdict(found), "batch_size": batch_size}
        path = (
            run_info["data"]
            if run_info["data"] in data.NAMES
            else os.path.abspath(run_info["data"])
        )
        found = {"data": path, "images": images, "recipe": recipe}
        return found | ({"classes": classes} if classes else {})
    if run_info["images"] != images:
        raise UsageError(
            f"The run must go on with the images that it began with, {run_info['images']}. "
            f"Received: {images} in {run_info['data']}"
        )
    if run_info.get("classes", classes) != classes:
        raise UsageError(
            f"The run must go on with the classes that it began with, {', '.join(run_info['classes'])}. "
            f"Received: {', '.join(classes) or 'none'}"
        )
    return {name: run_info[name] for name in ("data", "images", "recipe")}


class TrainingSession:
    """The part of a run that one process trains.

    Args:
        folder: `RunFolder`.
        model: compiled `GenerativeModel`.
        dataset: `ImageDataset` of the training split.
        recipe: `Recipe`.
        run_info: dict, the run's `run.json`.
        state: dict, `step`, `seconds` and `history` so far.
    """

    def __init__(self, folder, model, dataset, recipe, run_info, state):
        self.folder, self.model, self.recipe, self.state = folder, model, recipe, state
        self.seed, self.saved = run_info["seed"], state["step"]
        augment = data.Augmentation.of(recipe.augment)
        prepared = model.prepare_dataset(dataset)
        self.examples = prepared.get_batch(slice(16))
        self.batches = prepared.batches(
            recipe.batch_size, seed=self.seed, start=state["step"], augment=augment
        )
        self.per_epoch = len(prepared) // recipe.batch_size
        self.counter = StepCounter(state["step"], self.total_steps(run_info))
        self.clock = Clock(state["seconds"], run_info["seconds"])
        self.score = self.score_of(run_info)

    def score_of(self, run_info):
        """The callback that scores, or `None` where no scores were asked for."""
        if not run_info.get("score_every") or not self.folder.writes:
            return None
        test = evaluation.test_images(run_info)
        return ScoreCheckpoint(
            evaluation.frechet_scorer(test.spread_n(MAX_SCORED_IMAGES), self.model),
            every=run_info["score_every"],
            patience=run_info.get("patience"),
            save=self.keep_best,
            previous_scores=[
                row["frechet_distance"]
                for row in self.state["history"]
                if "frechet_distance" in row
            ],
        )

    def keep_best(self, model):
        with (
            _warning_of("best.keras", "An earlier one is kept, if there was one"),
            runtime.silenced(),  # Keras imports TensorFlow here where it is installed
        ):
            self.folder.save_best(model)

    def total_steps(self, run_info):
        """How many steps the run has; `None` where time limits it."""
        if run_info["seconds"]:
            return None
        if run_info["epochs"] is None and run_info["profile"] == "smoke":
            return 2
        return max(1, round((run_info["epochs"] or self.recipe.epochs) * self.per_epoch))

    def finished(self):
        if self.score is not None and self.score.exhausted:
            return True
        if self.counter.total is None:
            return self.state["seconds"] >= self.clock.budget
        return self.counter.steps >= self.counter.total

    def run(self):
        if not devices.any_of(self.finished()):
            if not self.state["step"]:
                self.draw_frame(0)
            self.fit()
        self.draw_gif()
        if self.saved < self.counter.steps:
            raise RunError(
                f"The last rounds could not be kept: the newest checkpoint is of step {self.saved} "
                f"of {self.counter.steps}. Make room, then `{self.folder.resume_command}`"
            )
        status = "finished" if self.finished() else "interrupted"
        self.folder.update_run_info(
            status=status,
            steps=self.counter.steps,
            training_seconds=round(self.state["seconds"], 2),
            ended=now(),
        )
        devices.barrier()  # processes end together
        return status

    def fit(self):
        done, rounds = len(self.state["history"]), sys.maxsize
        if self.counter.total is not None:
            left = self.counter.total - self.counter.steps
            rounds = done + math.ceil(left / self.recipe.steps_per_round)
        interrupt, bar = Interrupt(), sys.stdout.isatty() and self.folder.writes
        callbacks = [
            *([RoundBar(rounds, self.counter, self.clock)] if bar else []),
            self.counter,
            self.clock,
            StopOnNonFinite(self.counter),
            *([self.score] if self.score else []),
            keras.callbacks.LambdaCallback(on_epoch_end=self.end_round),
            interrupt,
            *([StopTogether()] if devices.launched() else []),
        ]
        try:
            with interrupt:
                self.model.fit(
                    self.batches,
                    steps_per_epoch=self.recipe.steps_per_round,
                    initial_epoch=done,
                    epochs=rounds,
                    verbose=int(bar),
                    callbacks=callbacks,
                )
        except NonFiniteLoss as e:
            with _warning_of("run.json", "It still says that the run is training"):
                self.folder.update_run_info(status="diverged", reason=str(e))
            kept = "No weights were kept before."
            if self.saved:
                kept = f"The weights of step {self.saved} are kept in {self.folder.path}."
            raise NonFiniteLoss(f"{e} {kept}") from None

    def end_round(self, epoch, logs):
        """Keeps what the round brought: the row, the frame, the checkpoint."""
        step, seconds = self.counter.steps, self.clock.seconds
        row = {
            "round": len(self.state["history"]) + 1,
            "step": step,
            "epoch": round(step / self.per_epoch, 3),
            "seconds": round(seconds, 2),
            **logs,
        }
        self.state = {"step": step, "seconds": seconds, "history": [*self.state["history"], row]}
        with _warning_of(f"The frame of step {step}", "It will be missing in training.gif"):
            self.draw_frame(step)
        with (
            _warning_of(f"The checkpoint of step {step}", f"The newest is of step {self.saved}"),
            runtime.silenced(),  # Keras imports TensorFlow here where it is installed
        ):
            self.folder.save_checkpoint(self.model, self.state)
            self.saved = step
        devices.barrier()  # a process that is ahead would wait for this one in its next step, for a shorter time
        if not sys.stdout.isatty():
            losses = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
            _say(f"round {row['round']}  step {step}  {seconds:.1f} s  {losses}")

    def draw_frame(self, step):
        """Draws what the model is for, from the same latents or examples each time: a frame of the
        GIF, and `samples.png`."""
        if not self.folder.writes:
            return
        images, columns = self.model.sample_grid(self.examples, seed=self.seed)
        self.folder.frames.mkdir(parents=True, exist_ok=True)
        with written(self.folder.frame_path(step)) as file:
            figures.save_png(images, file, columns=columns, min_side=0)
        with written(self.folder.path / "samples.png") as file:
            figures.save_png(images, file, columns=columns)

    def draw_gif(self):
        """`training.gif`, from at most `MAX_FRAMES` of the frames."""
        if not self.folder.writes:
            return
        files = self.folder.frame_files()
        if len(files) > MAX_FRAMES:
            chosen = np.linspace(0, len(files) - 1, MAX_FRAMES).round().astype(int)
            files = [files[i] for i in chosen]
        with (
            _warning_of("training.gif", "The frames are kept"),
            written(self.folder.path / "training.gif") as file,
        ):
            figures.save_gif(_read_frames(files), file)


def _read_frames(files):
    """The frames as arrays (H, W, C) of one shape. Only as PNG: for other kinds Pillow may start a program."""
    try:
        frames = [np.atleast_3d(np.asarray(_read_frame(file))) for file in files]
    except (ValueError, SyntaxError, Image.DecompressionBombError) as e:  # as Pillow has it
        raise OSError(f"a frame is damaged: {one_line(e)}") from None
    if len({frame.shape for frame in frames}) > 1:
        raise OSError("its frames are of several sizes")
    return frames


def _read_frame(file):
    with Image.open(file, formats=["PNG"]) as frame:
        return frame.convert("L" if frame.mode == "L" else "RGB")


@contextlib.contextmanager
def _warning_of(what, otherwise):
    """Training does not stop for a file that cannot be written."""
    try:
        yield
    except OSError as e:
        reason = e.strerror or e
        warnings.warn(f"{what} could not be written ({reason}). {otherwise}.", stacklevel=3)
