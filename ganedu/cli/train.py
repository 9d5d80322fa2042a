"""`ganedu train`, `ganedu resume`."""

import contextlib
import sys
from pathlib import Path

import click

from ganedu import catalogue, devices, runs
from ganedu.cli.common import setup
from ganedu.runs.records import PRECISIONS
from ganedu.runtime import PROFILES, RunError, UsageError


@click.command()
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
    "--by-class",
    is_flag=True,
    help="Of each class on demand: for diffusion and flow_matching, which otherwise learn no classes.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="What layers compute in; weights are float32.",
)
@click.option("--jit", is_flag=True, help="Compile the step with XLA; on JAX it always is.")
@click.option("--devices", "wanted", help="Devices to train on: a number, or all. [default: 1]")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="Size and length. [default: $GANEDU_PROFILE or quick]",
)
def train(model, data, out, wanted, **asked):
    """Train MODEL, and leave its pictures in a folder."""
    catalogue.check(model)
    catalogue.check_data(data)
    out = out or Path("runs", f"{model}-{Path(data).resolve().stem}")
    if devices.launched():
        run = _begun_together(out, model=model, data=data, devices=wanted, **asked)
    else:
        run = runs.begin(out, model=model, data=data, devices=wanted, **asked)
    try:
        _train(run)
    except (RunError, OSError):
        raise
    except Exception:  # nothing came of it: the name is free again
        with contextlib.suppress(UsageError), run.locked():  # else another process goes on with it
            if devices.is_writer() and not run.steps():
                run.discard()
        raise


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--devices", "wanted", help="Devices to go on with. [default: as many as before]")
def resume(folder, wanted):
    """Go on with an interrupted run, to the end that it would have had."""
    run = runs.RunFolder.open(folder)
    wanted = None if wanted is None else devices.parse(wanted)
    if run.run_info().get("status") == "finished" and run.resume_point()[0]:
        if devices.is_writer():
            click.echo(f"{folder} is finished.")
    else:
        _train(run, wanted)


def _begun_together(out, **asked):
    """A run that several processes of `torchrun` begin: one of them makes its folder."""
    setup()
    asked["devices"] = devices.use(asked["devices"] or "all").count
    mistake = None
    if devices.is_writer():
        try:
            runs.begin(out, **asked)
        except Exception as e:
            mistake = e
    if devices.any_of(mistake is not None):
        if mistake is None:  # the writer says it
            sys.exit(2)
        raise mistake
    return runs.RunFolder.open(out)


def _train(run, wanted=None):
    try:
        if not devices.launched():
            click.echo(_outline(run))
        setup()
        if not devices.launched():
            count = devices.check(wanted or run.run_info().get("devices", 1))
            if count > 1 and devices.in_processes():
                _train_in_processes(run, count)
                return
        from ganedu.runs import training

        status = training.train(run, wanted)
    except KeyboardInterrupt:
        status = "interrupted"
    if not devices.is_writer():
        sys.exit(130 if status == "interrupted" else 0)
    if status == "interrupted":
        click.echo(f"Stopped; what was reached is kept. Go on with: {run.resume_command}")
        sys.exit(130)
    click.echo(f"{run.path}: model.keras, samples.png, training.gif, history.csv")


def _train_in_processes(run, count):
    """Trains by `ganedu resume` in a process for each device. Each says what it must."""
    status = devices.launch(["resume", str(run.path), "--devices", str(count)], count)
    if status:
        if status != 130 and not run.steps():
            run.discard()
        sys.exit(status)


def _outline(run):
    """What is about to happen, from what was asked alone."""
    run_info = run.run_info()
    length = "as long as its recipe says"
    for unit in ("epochs", "seconds"):
        if run_info[unit] is not None:
            length = f"{run_info[unit]:g} {unit}"
    return (
        f"Training {run_info['model']} on {run_info['data']}, {length} (profile {run_info['profile']}, "
        f"seed {run_info['seed']}), into {run.path}. The libraries load first: some seconds."
    )
