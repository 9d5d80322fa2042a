"""Files that are whole or not there at all, and a cache of what takes long to make. Imports no framework."""

import contextlib
import hashlib
import os
from pathlib import Path


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
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if only_new:
            _name_anew(temporary, path)
        else:
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
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


def digest(path):
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
