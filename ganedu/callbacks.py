"""Where model, metric and figure meet during `fit`. A round is one of Keras's epochs: a fixed
number of steps."""

import base64
import io
import signal
import sys
import time

import keras
import numpy as np

from ganedu import devices, figures
from ganedu.diagnostics import diagnose, measure
from ganedu.runtime import NonFiniteLoss


class StepCounter(keras.callbacks.Callback):
    """Counts steps over interruptions, and stops at the last one.

    Args:
        done: int, steps taken before this `fit`. Defaults to `0`.
        total: int, the step after which to stop, or `None`. Defaults to `None`.
    """

    def __init__(self, done=0, total=None):
        super().__init__()
        self.steps, self.total = done, total
        self._before = done

    def on_epoch_begin(self, epoch, logs=None):
        self._before = self.steps

    def on_train_batch_end(self, batch, logs=None):
        self.steps = self._before + batch + 1
        if self.total is not None and self.steps >= self.total:
            self.model.stop_training = True


class Clock(keras.callbacks.Callback):
    """Counts the seconds of training, callbacks included, from the end of the first (compiling)
    step.

    Args:
        spent: float, seconds counted before this `fit`. Defaults to `0.0`.
        budget: float, the seconds after which to stop, or `None`. Defaults to `None`.
        clock: function that tells the seconds; `time.process_time` counts the processor's, of all threads.
            Defaults to `None`, for `time.monotonic`.
    """

    def __init__(self, spent=0.0, budget=None, clock=None):
        super().__init__()
        self.clock = clock or time.monotonic
        self.spent, self.budget, self._start = spent, budget, None

    @property
    def seconds(self):
        return self.spent + (self.clock() - self._start if self._start is not None else 0.0)

    def on_train_batch_end(self, batch, logs=None):
        if self._start is None:
            self._start = self.clock()
        if self.budget is not None and self.seconds >= self.budget:
            self.model.stop_training = True


class Interrupt(keras.callbacks.Callback):
    """Inside of `with interrupt:` the first Ctrl-C ends training after the step that runs; a second
    one interrupts as usual."""

    def __init__(self):
        super().__init__()
        self.asked = False

    def __enter__(self):
        self._usual = signal.signal(signal.SIGINT, self._ask)

    def __exit__(self, *exception):
        signal.signal(signal.SIGINT, self._usual)

    def _ask(self, number, frame):
        self.asked = True
        signal.signal(signal.SIGINT, self._usual)

    def on_train_batch_end(self, batch, logs=None):
        if self.asked:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_batch_end(None)


class StopTogether(keras.callbacks.Callback):
    """Ends training in all processes after the same step, when it ends in one: a clock, Ctrl-C or a score may tell one
    of them alone. To be put after the callbacks that end it."""

    def set_model(self, model):
        super().set_model(model)
        self._trained = model  # on JAX `self.model` would fetch all weights at each step

    def on_train_batch_end(self, batch, logs=None):
        self._trained.stop_training = devices.any_of(self._trained.stop_training)

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_batch_end(None)


class RoundBar(keras.callbacks.ProgbarLogger):
    """Keras's progress bar, under the name of what it shows: it would say "Epoch", and know of one alone.

    Args:
        rounds: int, how many there are; those that time limits are not counted.
        counter, clock: the `StepCounter` and the `Clock` of the same `fit`.
    """

    def __init__(self, rounds, counter, clock):
        super().__init__()
        self.rounds, self.counter, self.clock = rounds, counter, clock

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs = 1
        super().on_epoch_begin(epoch, logs)
        number = f"{epoch + 1}" if self.counter.total is None else f"{epoch + 1} of {self.rounds}"
        left = seconds_left(self.counter, self.clock)
        print(f"Round {number}" + (f", {clock_time(left)} left" if left is not None else ""))


def seconds_left(counter, clock):
    """How long the training goes on, in seconds, as fast as it has been; `None` before it has begun."""
    if counter.total is None:
        return max(0.0, clock.budget - clock.seconds)
    if not clock.seconds:
        return None
    return (counter.total - counter.steps) * clock.seconds / counter.steps


def clock_time(seconds):
    """Seconds as `h:mm:ss`, or `m:ss` under an hour."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class StopOnNonFinite(keras.callbacks.Callback):
    """Raises `NonFiniteLoss` at the end of a round in which a loss was not finite, or that left a
    weight that is not.

    Args:
        counter: the `StepCounter` of the same `fit`.
    """

    def __init__(self, counter):
        super().__init__()
        self.counter = counter
        self._round_start = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._round_start = self.counter.steps

    def on_epoch_end(self, epoch, logs=None):
        report = self.model.first_failure.report()
        if report is not None:
            at, losses = report
            self._fail("A loss was not finite at", self._round_start + at, losses)
        # The last step can spoil the weights after its losses were taken.
        arrays = (keras.ops.convert_to_numpy(v) for v in self.model.weights)
        if not all(np.isfinite(a).all() for a in arrays):
            self._fail("A weight was not finite after", self.counter.steps, logs)

    def _fail(self, what, step, losses):
        told = ", ".join(f"{name} = {value:.4g}" for name, value in losses.items())
        raise NonFiniteLoss(
            f"{what} step {step}: {told}. Likely causes: a learning rate that is too high, images "
            "outside [-1, 1], or a logarithm or division without a guard in a loss. Clipping the "
            "gradients (`clipnorm=1.0` in the optimizer) often helps."
        )


class ScoreCheckpoint(keras.callbacks.Callback):
    """Scores what a model generates, every few rounds; keeps the best, and stops when it only gets worse: a GAN
    often generates best long before its training ends.

    The logs of a round that is scored hold the score under `name`, of others the last one before (NaN where
    there is none). Samples are those of the averaged weights, where a model has them.

    Args:
        score: function of the model to a float, lower is better, as `ganedu.runs.evaluation.frechet_scorer` makes one.
        every: int, in rounds. Defaults to `1`.
        patience: int, how many scores in a row may be no better than the best before training stops, or `None`
            for no end. Defaults to `None`.
        save: function of the model, called at each new best. Defaults to `None`.
        previous_scores: list of float, the scores of rounds before this `fit`, one a round, as the
            logs had them. Defaults to none.
        name: str. Defaults to `"distance"`.

    Attributes:
        scores: list of float, one for each scored round.
    """

    def __init__(
        self, score, every=1, patience=None, save=None, previous_scores=(), name="frechet_distance"
    ):
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be at least 1. Received: every={every}")
        self.score, self.every, self.patience, self.save = score, every, patience, save
        self.name, self.rounds = name, len(previous_scores)
        self.scores = list(previous_scores)[every - 1 :: every]

    @property
    def best(self):
        """The lowest score so far; infinite where there is none."""
        return min(self.scores, default=float("inf"))

    @property
    def exhausted(self):
        """Whether the last `patience` scores were all no better than the best before them."""
        if self.patience is None or len(self.scores) <= self.patience:
            return False
        return self.scores.index(self.best) < len(self.scores) - self.patience

    def on_epoch_end(self, epoch, logs=None):
        self.rounds += 1
        if self.rounds % self.every == 0:
            best, found = self.best, float(self.score(self.model))
            self.scores.append(found)
            if found < best and self.save is not None:
                self.save(self.model)
            if self.exhausted:
                self.model.stop_training = True
        if logs is not None:
            logs[self.name] = self.scores[-1] if self.scores else float("nan")


class Diagnose(keras.callbacks.Callback):
    """Diagnoses a model every few rounds, and reports what is new: a failure that came, and one that is gone.

    Args:
        train, test: `ImageDataset`, what the model learns from and what it does not see.
        every: int, in rounds. Defaults to `5`.
        report: function of a str, or `None`. Defaults to `print`.

    Attributes:
        diagnoses: list of `(round, Diagnosis)`.
    """

    def __init__(self, train, test, every=5, report=print):
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be at least 1. Received: every={every}")
        self.train, self.test, self.every, self.report = train, test, every, report
        self.history, self.diagnoses = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.history.append(dict(logs or {}))
        if len(self.history) % self.every:
            return
        previous_scores = self.diagnoses[-1][1].names if self.diagnoses else ()
        found = diagnose(measure(self.model, self.train, self.test, self.history))
        self.diagnoses.append((len(self.history), found))
        if self.report is None:
            return
        for finding in found.findings:
            if finding.name in found.names and finding.name not in previous_scores:
                self.report(f"round {len(self.history)}: {finding}")
        for name in previous_scores:
            if name not in found.names:
                self.report(f"round {len(self.history)}: no more {name}")


class LiveSamples(keras.callbacks.Callback):
    """Shows samples while a model trains, in a notebook: one picture, which changes after a round. Elsewhere it does
    nothing. It takes at most a twentieth of the time: where samples are dear, it leaves rounds out. Training is what it
    is without it: samples have seeds of their own.

    Args:
        count: int, how many samples. Defaults to `16`.
        columns: int. Defaults to `8`.
    """

    share = 0.05

    def __init__(self, count=16, columns=8):
        super().__init__()
        self.count, self.columns = count, columns
        self.display, self.began, self.spent = None, None, 0.0

    def on_train_begin(self, logs=None):
        self.began, self.spent, self.display = None, 0.0, None

    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        if not in_notebook():
            return
        if self.began is not None and self.spent > self.share * (now - self.began):
            return
        self.show(self.samples())
        if self.began is None:  # the first compiles what draws, which is needed afterwards anyway
            self.began = time.monotonic()
        else:
            self.spent += time.monotonic() - now

    def samples(self):
        return self.model.generate(self.count, seed=1)

    def show(self, images):
        """Puts images into the cell's output, in the place of those before. nbval does not compare pictures."""
        from IPython.display import display

        file = io.BytesIO()
        figures.save_png(images, file, self.columns)
        data = {"image/png": base64.b64encode(file.getvalue()).decode()}
        if self.display is None:
            self.display = display(data, raw=True, display_id=True)
        else:
            self.display.update(data, raw=True)


def in_notebook():
    """Whether this process is a Jupyter kernel, which can change what it has shown."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and kernel.IPKernelApp.initialized()


class SampleHistory(LiveSamples):
    """Keeps the pictures that a model makes of the same latents, round by round, and shows them as they come.

    Args:
        latents: array (N, latent_dim).
        columns: int. Defaults to `10`.

    Attributes:
        images: list of float32 arrays (N, H, W, C), the first from before training.
    """

    def __init__(self, latents, columns=10):
        super().__init__(len(latents), columns)
        self.latents, self.images = latents, []

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if not self.images:
            self.images.append(self.model.decode(self.latents))

    def on_epoch_end(self, epoch, logs=None):
        self.images.append(self.model.decode(self.latents))
        super().on_epoch_end(epoch, logs)

    def samples(self):
        return self.images[-1]
