"""Files that are whole or not there at all, and a cache of what takes long to make. Imports no framework."""

import contextlib
import errno
import hashlib
import os
import shutil
from pathlib import Path

from ganedu.runtime import UsageError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # of an `OSError`: the disk is full
MAX_TEXT = 1 << 27  # bytes of a text that is read; a run of a week has a tenth of that


@contextlib.contextmanager
def written(path, only_new=False):
    """A binary file to write, that takes its place at `path` only once it is whole and on the disk.

    Args:
        path: `pathlib.Path`.
        only_new: bool, whether a file that is there stays. Of two processes that write at once, one is refused.
            Defaults to `False`.

    Raises:
        FileExistsError: for `only_new`, where there is a file.
        OSError: as a write does; what was at `path` before is then untouched.
    """
    owner = f".{os.getpid()}" if only_new else ""
    temporary = path.with_name(f".{path.name}{owner}.part")
    temporary.unlink(missing_ok=True)  # it may be a link to a file elsewhere
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if only_new:
            _name_anew(temporary, path)
        else:
            os.replace(temporary, path)
    except BaseException as e:
        temporary.unlink(missing_ok=True)
        if isinstance(e, OSError) and e.filename is None:
            e.filename = str(path)  # a full disk does not say for which file
        raise
    sync(path.parent)


def _name_anew(temporary, path):
    """Renames a file, unless another has that name. (Renaming would overwrite that; a second name is refused.)"""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        os.replace(temporary, path)
    else:
        temporary.unlink()


def sync(path):
    """Flushes a file, or the names in a folder, to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path):
    """Removes a file, a link, or a folder with all that is in it, where there is one; what a link leads to stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def read_text(path):
    """A text in UTF-8, from a file that somebody else may have made.

    Raises:
        UsageError: if it is no file (a pipe would never end) or too long.
        UnicodeDecodeError: if it is no UTF-8.
        OSError: if it cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"{path} must be a file. Received: {_kind(path)}")
    with open(path, "rb") as file:
        content = file.read(MAX_TEXT + 1)
    if len(content) > MAX_TEXT:
        raise UsageError(f"{path} must have at most {MAX_TEXT:,} bytes. Received: more")
    return content.decode("utf-8-sig")


def _kind(path):
    if path.is_dir():
        return "a folder"
    return "a pipe or a device" if path.exists() else "no file there"


def check_format(path, number, latest):
    """Refuses what a newer ganedu wrote; what is older is read.

    Args:
        path: of the file, for the message.
        number: of its format, `0` where it says none.
        latest: int, the latest format that this ganedu reads.

    Raises:
        UsageError: for a newer one, and for what is no such number.
    """
    if type(number) is not int or number < 0:
        raise UsageError(f"{path} is damaged (it says format: {str(number)[:40]!r})")
    if number > latest:
        raise UsageError(
            f"{path} was made by a newer ganedu (format {str(number)[:40]}). This one reads up to {latest}; "
            "update with `pip install -U ganedu`"
        )


def digest(path):
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached(pieces, make):
    """An array that takes long to make, kept on the disk from one run to the next, in `$GANEDU_CACHE` or
    `~/.cache/ganedu`.

    Args:
        pieces: list of bytes, all that decides the array.
        make: function of no arguments that makes it, for when it is not there or cannot be read.
    """
    together = hashlib.sha256()
    for piece in pieces:
        together.update(hashlib.sha256(piece).digest())
    folder = Path(os.environ.get("GANEDU_CACHE") or Path.home() / ".cache" / "ganedu")
    path = folder / f"{together.hexdigest()}.npy"
    import numpy as np

    with contextlib.suppress(OSError, ValueError, EOFError):
        return np.load(path, allow_pickle=False)
    array = make()
    with contextlib.suppress(OSError):  # no room, or no right to write: next time again
        folder.mkdir(parents=True, exist_ok=True)
        with written(path) as file:
            np.save(file, array)
    return array
