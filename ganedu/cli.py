"""The command line: parse, call, print."""

import contextlib
import errno
import json
import sys
import warnings
from pathlib import Path

import click

from ganedu import __version__, catalogue, runs, runtime
from ganedu.runtime import PROFILES, RunError, UsageError

MAX_IMAGES = 100_000  # images of one command
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
NO_WAY = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG),
    *(errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY),
)


class Group(click.Group):
    """Turns a user's mistake into one line on stderr and exit status 2; a run that failed, into
    status 1; a warning, into one line."""

    def invoke(self, context):
        usual, warnings.formatwarning = warnings.formatwarning, _warning
        try:
            return super().invoke(context)
        except UsageError as e:
            _fail(e, 2)
        except RunError as e:
            _fail(e, 1)
        except MemoryError as e:
            _fail(f"There is not enough memory for that ({e}): ask for fewer or smaller images", 1)
        except OSError as e:
            if e.errno not in (*NO_ROOM, *NO_WAY):
                raise
            what = e.filename2 or e.filename or "A file"
            _fail(
                f"{what} cannot be written or read ({e.strerror})", 1 if e.errno in NO_ROOM else 2
            )
        finally:
            warnings.formatwarning = usual


def _warning(message, *where, **rest):
    return _line(message) + "\n"


def _fail(message, status):
    click.echo(_line(message), err=True)
    sys.exit(status)


def _line(message):
    return f"ganedu: {' '.join(str(message).split())}"


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ganedu")
def main():
    """Train generative models of images, look at their samples, and keep them."""


@main.command()
@click.argument("model")
@click.option(
    "--data", default="digits", show_default=True, help="A data set, a folder, an .npz or .npy."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The run's folder. [default: runs/MODEL-DATA]"
)
@click.option("--epochs", type=float, help="Passes over the data.")
@click.option("--seconds", type=float, help="Length in seconds of training instead.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--batch-size", type=int)
@click.option("--image-size", type=int, help="Pixels on a side.")
@click.option(
    "--score-every",
    type=int,
    help="Rounds after which samples are scored; the best model is kept as best.keras.",
)
@click.option("--patience", type=int, help="Scores no better than the best before the run ends.")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="Size and length. [default: $GANEDU_PROFILE or quick]",
)
def train(model, data, out, **asked):
    """Train MODEL, and leave its pictures in a folder."""
    catalogue.check(model)
    out = out or Path("runs", f"{model}-{Path(data).resolve().stem}")
    run = runs.begin(out, model=model, data=data, **asked)
    try:
        _train(run)
    except UsageError:
        with contextlib.suppress(UsageError), run.locked():  # else another process goes on with it
            if not run.steps():
                run.discard()
        raise


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def resume(folder):
    """Go on with an interrupted run, to the end that it would have had."""
    run = runs.RunFolder.open(folder)
    if run.run_info().get("status") == "finished" and run.resume_point()[0]:
        click.echo(f"{folder} is finished.")
    else:
        _train(run)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--count",
    type=click.IntRange(1, MAX_IMAGES),
    help="How many images. [default: 64; of a text 8]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A .png or an .npz (images, uint8).",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--class", "label", type=int, help="Of this class only.")
@click.option("--text", help='Of this text, as "a thick red three above a green one".')
def sample(folder, count, out, seed, label, text):
    """Sample new images from a trained model; a translator maps test images."""
    _suffix(out, ".png", ".npz")
    model, run_info = _load(folder)
    from ganedu import sampling

    count = count or (64 if text is None else 8)
    sampling.sample(model, run_info, out, count=count, seed=seed, label=label, text=text)
    click.echo(f"{out}: {count} images")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .png or a .gif.")
@click.option("--method", type=click.Choice(["lerp", "slerp"]), default="slerp", show_default=True)
@click.option(
    "--steps",
    type=click.IntRange(2, 1000),
    default=10,
    show_default=True,
    help="Images of each path.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--class", "label", type=int, help="Within this class.")
def interpolate(folder, out, method, steps, seed, label):
    """Interpolate in the latent space of a trained model."""
    _suffix(out, ".png", ".gif")
    model, _ = _load(folder)
    from ganedu import sampling

    sampling.interpolate(model, out, method=method, steps=steps, seed=seed, label=label)
    click.echo(f"{out}: {method}, {steps} steps a path")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--beams",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="1 for greedy search.",
)
def caption(folder, image, beams):
    """Caption IMAGE, with a captioner."""
    model, _ = _load(folder)
    from ganedu import sampling

    text, told = sampling.caption(model, image, beams=beams)
    _tell(image, told)
    click.echo(text)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("text")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .png or an .npz.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
def edit(folder, image, text, out, seed):
    """Change IMAGE as TEXT asks, as "make the three blue", with an editor."""
    _suffix(out, ".png", ".npz")
    model, _ = _load(folder)
    from ganedu import sampling

    _tell(image, sampling.edit(model, image, text, out, seed=seed))
    click.echo(f"{out}: {text}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(1), help="Test images, and samples. [default: all]")
@click.option(
    "--features",
    help="A network of ganedu.features, or of keras.applications as inception_v3. [default: the data's]",
)
def evaluate(folder, count, features):
    """Print the losses on the test images, and the scores of as many samples, as JSON."""
    model, run_info = _load(folder)
    from ganedu import sampling

    click.echo(json.dumps(sampling.evaluate(model, run_info, count, network=features)))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="A .png of the signals.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diagnose(folder, out, as_json):
    """Say what is wrong with a trained model, and what to try."""
    if out is not None:
        _suffix(out, ".png")
    model, run_info = _load(folder)
    from ganedu import sampling

    found = sampling.diagnosis(model, run_info, runs.RunFolder.open(folder).history())
    if out is not None:
        sampling.save_signals(found, out)
    click.echo(json.dumps(found.to_dict()) if as_json else found)


@main.command()
def models():
    """List the models, by family."""
    for family, lines in catalogue.by_family().items():
        click.echo(f"{family}:")
        for name, line in lines.items():
            click.echo(f"  {name:15}{line}")


@main.command()
def datasets():
    """List the data sets."""
    _setup()
    from ganedu import data

    for name, description in data.NAMES.items():
        click.echo(f"{name:18}{description}")
    click.echo("or a folder with one class a folder, an .npz or an .npy")


@main.group(invoke_without_command=True)
@click.pass_context
def lessons(context):
    """List the lessons; copy them; run them anew; check them."""
    from ganedu import lessons as room

    if context.invoked_subcommand is None:
        for name in room.names():
            click.echo(f"{name:24}{room.title(name)}")


@lessons.command("copy")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--solved", is_flag=True, help="With solutions and outputs.")
def copy_lessons(folder, solved):
    """Copy the lessons into FOLDER, to work in."""
    from ganedu import lessons as room

    for file in room.copy(folder, solved):
        click.echo(file)


@lessons.command("execute")
@click.argument("names", nargs=-1)
def execute_lessons(names):
    """Run lessons (all by default) and store their outputs, as references for nbval."""
    from ganedu import lessons as room

    for name in names or room.names():
        room.execute(name)
        click.echo(name)


@lessons.command("table")
def table_of_lessons():
    """Print the README's table of lessons."""
    from ganedu import lessons as room

    click.echo(room.table())


@lessons.command("check")
@click.argument("names", nargs=-1)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
def check_lessons(names, seeds):
    """Run lessons (all by default) under several seeds: do their claims hold?"""
    from ganedu import lessons as room

    for name in names or room.names():
        found = room.check(name, seeds)
        click.echo(f"{name}: {'the same under each seed' if not found else ''}")
        for line in found:
            click.echo(f"  {line}")
        if found:
            raise RunError(f"{name} claims what does not hold under each seed")


def _tell(path, told):
    """How a user's image was changed before it was read, on stderr."""
    for change in told:
        click.echo(f"ganedu: {path} is {change}", err=True)


def _suffix(path, *allowed):
    if path.suffix not in allowed:
        raise UsageError(f"--out must end in {' or '.join(allowed)}. Received: {path}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.absolute().parent}")


def _setup():
    """Starts the backend; one that is unknown or not installed is the user's mistake."""
    try:
        runtime.setup()
        from ganedu import engine  # noqa: F401  refuses backends that cannot train
    except (ImportError, ValueError) as e:
        raise UsageError(f"The backend of Keras does not start: {e}. See KERAS_BACKEND") from None


def _load(folder):
    run = runs.RunFolder.open(folder)
    run_info = run.run_info()
    _setup()
    return run.load_model(), run_info


def _train(run):
    try:
        _setup()
        from ganedu import training

        status = training.train(run)
    except KeyboardInterrupt:
        status = "interrupted"
    if status == "interrupted":
        click.echo(f"Stopped; what was reached is kept. Go on with: {run.resume_command}")
        sys.exit(130)
    click.echo(f"{run.path}: model.keras, samples.png, training.gif, history.csv")
