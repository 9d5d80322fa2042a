"""The command line: parse, call, print. One file for each group of commands."""

import errno
import sys
import warnings

import click

from ganedu import __version__, devices
from ganedu.cli import classroom, explain, lab, lessons, lists, samples, scores, speed, sweep, train
from ganedu.disk import NO_ROOM
from ganedu.runtime import RunError, UsageError

NO_WAY = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG),
    *(errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY),
)
MAX_LINE = 2000  # letters


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
    devices.wait_for_writer()
    click.echo(_line(message), err=True)
    sys.exit(status)


def _line(message):
    """One line; what a terminal would obey, as the names in a stranger's file may have it, is shown as it is written
    in Python."""
    line = " ".join(str(message).split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return f"ganedu: {shown if len(shown) < MAX_LINE else shown[:MAX_LINE] + '...'}"


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ganedu")
def main():
    """Train generative models of images, look at their samples, and keep them."""


for command in (
    *(train.train, train.resume),
    *(samples.sample, samples.interpolate, samples.invert, samples.caption, samples.edit),
    *(scores.evaluate, scores.diagnose, speed.speedrun, sweep.sweep, explain.explain, lab.lab),
    *(lists.models, lists.datasets),
    lessons.lessons,
    classroom.classroom,
):
    main.add_command(command)
