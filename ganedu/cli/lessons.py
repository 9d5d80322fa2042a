"""`ganedu lessons`: list, copy, update, execute, check, ready for Colab."""

import shlex
from pathlib import Path

import click

from ganedu.runtime import RunError


@click.group(invoke_without_command=True)
@click.pass_context
def lessons(context):
    """List the lessons; copy them; bring copies up to date; run them anew; check them."""
    from ganedu.course import lessons as room

    if context.invoked_subcommand is None:
        for name in room.names():
            click.echo(f"{name:24}{room.title(name)}")


@lessons.command("copy")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--solved", is_flag=True, help="With solutions and outputs.")
def copy_lessons(folder, solved):
    """Copy the lessons into FOLDER, to work in."""
    from ganedu.course import copies

    for file in copies.copy(folder, solved):
        click.echo(file)
    click.echo(f"\nOpen them with: jupyter lab {shlex.quote(str(folder))}")


@lessons.command("update")
@click.argument("folder", type=click.Path(path_type=Path))
def update_lessons(folder):
    """Bring corrections into the copies in FOLDER; what you wrote stays."""
    from ganedu.course import copies

    for file, (backup, changes) in copies.update(folder).items():
        told = ", ".join(f"{count} {change}" for change, count in changes.items() if count)
        click.echo(
            f"{file}: {told or 'nothing new'}" + (f"; before: {backup.name}" if backup else "")
        )


@lessons.command("execute")
@click.argument("names", nargs=-1)
def execute_lessons(names):
    """Run lessons (all by default) and store their outputs, as references for nbval."""
    from ganedu.course import lessons as room

    for name in names or room.names():
        room.execute(name)
        click.echo(name)


@lessons.command("colab")
def lessons_for_colab():
    """Give each lesson the button and the cell that Colab needs, by the package's URL."""
    from ganedu.course import lessons as room

    for name in room.update_colab():
        click.echo(name)


@lessons.command("table")
def table_of_lessons():
    """Print the README's table of lessons."""
    from ganedu.course import lessons as room

    click.echo(room.table())


@lessons.command("teaching")
def teaching():
    """Print what docs/teaching.md says lesson by lesson."""
    from ganedu.course import lessons as room

    click.echo(room.teaching())


@lessons.command("check")
@click.argument("names", nargs=-1)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--record", is_flag=True, help="Note the claims' numbers, for lessons to show.")
def check_lessons(names, seeds, record):
    """Run lessons (all by default) under several seeds: do their claims hold?"""
    from ganedu.course import lessons as room

    others = []
    for name in names or room.names():
        found = room.check(name, seeds, record)
        click.echo(f"{name}: {'the same under each seed' if not found else ''}")
        for line in found:
            click.echo(f"  {line}")
        others += [name] if found else []
    if others:
        raise RunError(f"What {', '.join(others)} claims does not hold under each seed")
