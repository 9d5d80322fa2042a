"""What commands share: the backend's start, a run's model, the checks of an output file."""

import click

from ganedu import runs, runtime
from ganedu.runtime import UsageError

MAX_IMAGES = 100_000  # images of one command
LANGUAGE = click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of the page.",
)


def setup():
    """Starts the backend; one that is unknown or not installed is the user's mistake."""
    try:
        runtime.setup()
        from ganedu import engine  # noqa: F401  refuses backends that cannot train
    except (ImportError, ValueError) as e:
        raise UsageError(f"The backend of Keras does not start: {e}. See KERAS_BACKEND") from None


def load(folder):
    """A run's model, and its `run.json` as a dict."""
    run = runs.RunFolder.open(folder)
    run_info = run.run_info()
    setup()
    model = run.load_model()
    if "images" not in run_info:
        raise UsageError(
            f"{run.path / 'run.json'} is damaged (it must say: images, as there is a model)"
        )
    return model, run_info


def check_suffix(path, *allowed):
    """Refuses an output file of another kind, or in a folder that is not there."""
    if path.suffix not in allowed:
        raise UsageError(f"--out must end in {' or '.join(allowed)}. Received: {path}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.absolute().parent}")


def report_changes(path, changes):
    """How a user's image was changed before it was read, on stderr."""
    for change in changes:
        click.echo(f"ganedu: {path} is {change}", err=True)
