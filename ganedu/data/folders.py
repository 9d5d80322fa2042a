"""Images of a folder, one class a folder, as in ImageNet."""

import collections
import re
from pathlib import Path

import numpy as np

from ganedu.data.pictures import header, read_picture, suffixes, used_bits
from ganedu.data.splits import split_of
from ganedu.runtime import UsageError

TRAIN_FOLDERS = ("train", "training")
TEST_FOLDERS = ("test", "testing", "val", "valid", "validation")


def load_folder(path, split, image_size):
    """Images of a folder: `DIR/CLASS/.../image.png`, or images with no class in `DIR` itself.

    `DIR/train` and `DIR/test`, `val` or `validation`, in letters of any size, may each hold that; else
    `split_of` makes the splits, by what is in each file. Grey stays grey where all images of both splits are
    grey; else all become RGB. Pictures of 16 bits that hold only 8, 10, 12 or 14 are read as such. What starts
    with a dot is left out, and so is what Pillow does not know.

    Args:
        path: the folder.
        split: `"train"` or `"test"`.
        image_size: int or `None`.

    Returns:
        `(images, labels, class_names, notes)`: uint8 (N, H, W, C); int64 (N,) or `None`; the names of the
        classes' folders, in natural order (2 before 10), the same for both splits; and what was left out or
        changed, a list of str.

    Raises:
        UsageError: if there is no image, one of either split cannot be read or is smaller than 8 pixels a side
            (it is named), a class has none or is only in the test, `path` is one folder too high, or sizes
            differ and `image_size` is `None`.
    """
    train, test = _roots(Path(path))
    left_out = collections.Counter()
    listed = {"train": _listed(train, left_out)}
    names = sorted({name for _, name in listed["train"]}, key=natural)
    if test:
        listed["test"] = _listed(test, left_out)
        strange = sorted({name for _, name in listed["test"]} - set(names))
        if strange:
            raise UsageError(
                f"{test} must hold classes of {train}: {', '.join(filter(None, names)) or 'none'}. "
                f"Received: {', '.join(strange) if any(strange) else 'images of no class'}"
            )
    files = [file for pairs in listed.values() for file, _ in pairs]
    grey, most = _checked(files, image_size)
    chosen = listed[split if test else "train"]
    labels = np.array([names.index(name) for _, name in chosen], "int64")
    if not test:
        contents = (file.read_bytes() for file, _ in chosen)
        indices = split_of(contents, labels, split, train)
        chosen, labels = [chosen[i] for i in indices], labels[indices]
    images = _stacked([file for file, _ in chosen], image_size, 1 if grey else 3, most)
    notes = _notes(left_out, most)
    return (images, None, (), notes) if "" in names else (images, labels, tuple(names), notes)


def natural(name):
    """A key by which "2" comes before "10", and "b2" before "b10"."""
    pieces = re.split(r"(\d+)", name)
    return [(int(p), "") if p.isdecimal() else (-1, p.casefold()) for p in pieces], name


def _roots(path):
    """The folders of the training and of the test images; one folder and `None` for no splits."""
    inside = {d.name.lower(): d for d in sorted(path.iterdir()) if d.is_dir()}
    trains = [inside[name] for name in TRAIN_FOLDERS if name in inside]
    if not trains:
        return path, None
    tests = [inside[name] for name in TEST_FOLDERS if name in inside]
    return trains[0], tests[0] if tests else None


def _listed(root, left_out):
    """The images under a folder, each with its class's name ("" where there are no classes)."""
    loose = _images_in(root.iterdir(), root, left_out)
    folders = sorted(d for d in root.iterdir() if d.is_dir() and not d.name.startswith("."))
    found = {d.name: _images_in(d.rglob("*"), d, left_out) for d in folders}
    if loose and not any(found.values()):
        found = {"": loose}
    elif loose or not found or not all(found.values()):
        held = [f"{len(loose)} in itself", *(f"{len(v)} in {k}/" for k, v in found.items())]
        raise UsageError(
            f"{root} must hold images (.png, .jpg, .jpeg, ...) either itself or in each of "
            f"its folders. Received: {', '.join(held[:9])}"
        )
    _check_depth(root, found)
    return [(file, name) for name, files in found.items() for file in files]


def _check_depth(root, files_of):
    """Refuses folders that are no classes: what they hold are folders of one and the same names, or there is but
    one of them."""
    inner = {
        name: {f.relative_to(root / name).as_posix().split("/")[0] for f in files}
        for name, files in files_of.items()
        if name
    }
    deep = all(
        "/" in f.relative_to(root / n).as_posix()
        for n, files in files_of.items()
        if n
        for f in files
    )
    if not inner or not deep:
        return
    shared = set.intersection(*inner.values())
    if len(inner) == 1 or shared:
        one = next(iter(inner))
        raise UsageError(
            f"{root} must hold a folder for each class. Received: {', '.join(sorted(inner)[:9])}, which hold folders "
            f"alone ({', '.join(sorted(inner[one])[:9])}). Is it one folder too high? Then give {root / one}"
        )


def _images_in(paths, root, left_out):
    """The image files among paths, in order. What starts with a dot, or is in a folder that does, is not looked
    at; what else is there is counted."""
    images = []
    for path in sorted(paths):
        hidden = any(part.startswith(".") for part in path.relative_to(root).as_posix().split("/"))
        if hidden or not path.is_file():
            continue
        if path.suffix.lower() in suffixes():
            images.append(path)
        else:
            left_out[path.suffix.lower() or "without a suffix"] += 1
    return images


def _checked(files, image_size):
    """Whether all are grey, and the largest value of those of 16 bits, or `None` where there are none.

    Raises:
        UsageError: for a picture that cannot be read, is too small, or of another size.
    """
    headers = [(file, *header(file)) for file in files]
    first, (w0, h0), *_ = headers[0]
    for file, (w, h), *_ in headers:
        if image_size is None and (w, h) != (w0, h0):
            raise UsageError(
                f"Images in a folder must have one size. Received: {w0}x{h0} ({first}) and "
                f"{w}x{h} ({file}). Give them one with `image_size`"
            )
    most = max(most for *_, most in headers)
    return all(grey for _, _, grey, _ in headers), most or None


def _stacked(files, image_size, channels, most):
    """The pictures of these files: uint8 (N, H, W, channels)."""
    arrays = [read_picture(file, image_size, most) for file in files]
    images = np.empty((len(arrays), *arrays[0].shape[:2], channels), "uint8")
    for image, array in zip(images, arrays, strict=True):
        image[:] = array  # grey beside colour: all three channels get it
    return images


def _notes(left_out, most):
    notes = []
    if left_out:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in left_out.most_common(5))
        notes.append(f"left out, as no images: {kinds}")
    if most and used_bits(most) < 16:
        notes.append(
            f"images of 16 bits hold at most {most}, and were read as {used_bits(most)} bits"
        )
    return notes
