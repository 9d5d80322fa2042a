"""`ganedu lab`."""

from pathlib import Path

import click

from ganedu.cli.common import LANGUAGE, check_suffix


@click.command()
@click.argument("name", type=click.Choice(["gan", "flow"]), default="gan")
@click.option(
    "--out", type=click.Path(path_type=Path), help="A .html. [default: gan.html or flow.html]"
)
@LANGUAGE
def lab(name, out, language):
    """Write one HTML page that trains a GAN, or diffusion and a flow, in the plane.

    NAME is gan (the default) or flow.
    """
    from ganedu.explorer.lab import write_lab

    out = Path(f"{name}.html") if out is None else out
    check_suffix(out, ".html")
    write_lab(name, out, language=language)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
