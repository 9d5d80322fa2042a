"""`ganedu explain`."""

from pathlib import Path

import click

from ganedu import runs
from ganedu.cli.common import LANGUAGE, check_suffix, load


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="A .html. [default: explain.html in the folder]"
)
@LANGUAGE
def explain(folder, out, language):
    """Write a run as one HTML page that plays the model itself, without a network or a server."""
    out = folder / "explain.html" if out is None else out
    if folder.is_dir():
        check_suffix(out, ".html")
    model, run_info = load(folder)
    from ganedu.explorer import page

    run = runs.RunFolder.open(folder)
    missing = page.explain(
        model, run_info, run.history(), run.frame_files(), out, language=language
    )
    for reason in missing:
        click.echo(f"ganedu: {reason}", err=True)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
