"""`ganedu speedrun`."""

import click

from ganedu import catalogue
from ganedu.runtime import UsageError

SCORED = ("digits", "mnist", "cifar10")  # data sets that have features of their own


@click.command()
@click.option("--model", default="dcgan", show_default=True)
@click.option("--data", default="mnist", show_default=True, help="digits, mnist or cifar10.")
@click.option("--seconds", type=float, default=60.0, show_default=True, help="Of training, a seed.")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True)
@click.option("--recipe", help='A JSON file: {"batch_size": 32, "model": {"width": 16}}.')
@click.option("--by-class", is_flag=True, help="As for train.")
def speedrun(model, data, seconds, seeds, recipe, by_class):
    """How good a model is after so many seconds: a row for docs/leaderboard.md."""
    catalogue.check(model)
    if data not in SCORED:
        raise UsageError(f"A speedrun needs {', '.join(SCORED)}. Received: --data {data}")
    from ganedu.runs import speedrun as runs

    asked = runs.check_recipe(recipe) if recipe else None
    rows = runs.run(model, data, seconds, seeds, asked, by_class)
    for seed, row in enumerate(rows):
        told = {name: f"{value:.4g}" for name, value in row.items()}
        click.echo(f"seed {seed}: " + ", ".join(f"{n} {v}" for n, v in told.items()))
    words = ["ganedu speedrun", f"--model {model}", f"--data {data}", f"--seconds {seconds:g}"]
    words += [f"--seeds {seeds}"] if seeds != 3 else []
    words += [f"--recipe {recipe}"] if recipe else []
    words += ["--by-class"] if by_class else []
    click.echo(runs.leaderboard_row(rows, model, data, seconds, " ".join(words)))
