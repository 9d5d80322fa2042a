"""`ganedu models`, `ganedu datasets`."""

import click

from ganedu import catalogue


@click.command()
def models():
    """List the models, by family."""
    width = max(map(len, catalogue.names())) + 2
    for family, lines in catalogue.by_family().items():
        click.echo(f"{family}:")
        for name, line in lines.items():
            click.echo(f"  {name:{width}}{line}")


@click.command()
def datasets():
    """List the data sets."""
    width = max(map(len, catalogue.DATA_SETS)) + 2
    for name, description in catalogue.DATA_SETS.items():
        click.echo(f"{name:{width}}{description}")
    click.echo("or a folder with one class a folder, an .npz or an .npy")
