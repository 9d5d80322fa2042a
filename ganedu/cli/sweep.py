"""`ganedu sweep`."""

from pathlib import Path

import click

from ganedu import catalogue
from ganedu.runs import sweep as sweeps
from ganedu.runtime import UsageError, cores


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--data", default="digits", show_default=True, help="As for train.")
@click.option("--seeds", default="0", show_default=True, help="Numbers, with commas between.")
@click.option(
    "--set", "settings", multiple=True, help="NAME=V1,V2: an argument of the models' build."
)
@click.option("--out", type=click.Path(path_type=Path), help="[default: sweeps/MODELS-DATA]")
@click.option("--epochs", type=float, help="Passes over the data.")
@click.option("--seconds", type=float, help="Length in seconds of training instead.")
@click.option("--batch-size", type=int)
@click.option("--image-size", type=int, help="Pixels on a side.")
@click.option("--score-every", type=int, help="As for train; the table has the best score.")
@click.option("--profile", type=click.Choice(["smoke", "quick", "full"]))
@click.option("--jobs", type=click.IntRange(1, 256), help="Runs at a time. [default: cores / 2]")
@click.option("--scheduler", help="A Dask scheduler, as tcp://host:8786, in the place of --jobs.")
def sweep(models, data, seeds, settings, out, jobs, scheduler, **asked):
    """Train MODELS with each seed and each value; leave a table and a plot. The same command goes on."""
    catalogue.check_data(data)
    try:
        seeds = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise UsageError(f"--seeds takes numbers, as 0,1,2. Received: {seeds[:80]!r}") from None
    runs = sweeps.plan(models, seeds, sweeps.parse_values(settings))
    out = out or Path("sweeps", f"{'-'.join(dict.fromkeys(models))}-{Path(data).resolve().stem}")
    jobs = jobs or max(1, cores() // 2)
    sweeps.sweep(out, runs, jobs, scheduler, report=click.echo, data=data, **asked)
    click.echo(f"{out}: sweep.csv, sweep.png")
