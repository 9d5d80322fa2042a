"""`ganedu evaluate`, `ganedu diagnose`."""

import json
from pathlib import Path

import click

from ganedu import runs
from ganedu.cli.common import check_suffix, load


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(1), help="Test images, and samples. [default: all]")
@click.option(
    "--features",
    help="A network of ganedu.metrics.features, or of keras.applications as inception_v3. [default: the data's]",
)
def evaluate(folder, count, features):
    """Print the losses on the test images, and the scores of as many samples, as JSON."""
    model, run_info = load(folder)
    from ganedu.runs import evaluation

    click.echo(json.dumps(evaluation.evaluate(model, run_info, count, network=features)))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="A .png of the signals.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diagnose(folder, out, as_json):
    """Say what is wrong with a trained model, and what to try."""
    if out is not None:
        check_suffix(out, ".png")
    model, run_info = load(folder)
    from ganedu.runs import evaluation

    found = evaluation.diagnosis(model, run_info, runs.RunFolder.open(folder).history())
    if out is not None:
        evaluation.save_signals(found, out)
    click.echo(json.dumps(found.to_dict()) if as_json else found)
