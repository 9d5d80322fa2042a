"""Images of an `.npz` or `.npy` file."""

import numpy as np

from ganedu.data.images import is_one_hot
from ganedu.data.pictures import MIN_SIDE, resized, to_eight_bits, used_bits
from ganedu.data.splits import split_of
from ganedu.runtime import UsageError, one_line

LABELS_OF = {"x_train": "y_train", "x_test": "y_test", "images": "labels"}
MAX_CLASSES = 10_000
# Float images have a value below: what begins at 0, or a little under it, has another range.
DARKEST = -0.5


def load_file(path, split, image_size):
    """Images of an array file.

    Args:
        path: an `.npz` with `x_train`, `y_train`, `x_test`, `y_test` (labels may be missing) or
            with `images` and perhaps `labels`; or an `.npy` of images. Images are as
            `checked_images` takes them.
        split: `"train"` or `"test"`. Where the file has no splits, as `split_of` makes them.
        image_size: int or `None`.

    Returns:
        `(images, labels, class_names, notes)`: uint8 (N, H, W, C); int64 (N,) or `None`, from 0 and without holes;
        the numbers that the file has for them as a tuple of str, the same for both splits; and what was changed, a
        list of str.

    Raises:
        UsageError: for a missing, truncated or corrupt file, other keys, shapes or ranges, in either split.
    """
    arrays = _read_arrays(path)
    splits = ("x_train", "x_test") if {"x_train", "x_test"} <= set(arrays) else ("images",)
    if splits[0] not in arrays:
        raise UsageError(
            f"{path} must hold x_train, y_train, x_test and y_test, or images and labels. "
            f"Received: {', '.join(arrays) or 'nothing'}"
        )
    raw = {x: arrays[x][..., None] if arrays[x].ndim == 3 else arrays[x] for x in splits}
    images, notes = checked_images(raw, path)
    known = {
        x: checked_labels(arrays[LABELS_OF[x]], len(images[x]), path)
        for x in splits
        if LABELS_OF[x] in arrays
    }
    labels, names = renumbered(known, path, notes)
    key = splits[-1] if split == "test" else splits[0]
    images, labels = images[key], labels.get(key)
    if key == "images":
        kinds = np.zeros(len(images), int) if labels is None else labels
        chosen = split_of((np.ascontiguousarray(i).tobytes() for i in images), kinds, split, path)
        images, labels = images[chosen], None if labels is None else labels[chosen]
    return resized(images, image_size), labels, names if labels is not None else (), notes


def _read_arrays(path):
    """The arrays of a file by name; `None` for names that mean nothing here."""
    wanted = {*LABELS_OF, *LABELS_OF.values()}
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"images": loaded}
        with loaded:
            return {key: loaded[key] if key in wanted else None for key in loaded.files}
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}") from None
    except Exception as e:  # a damaged file makes zipfile, zlib and NumPy raise almost anything
        told = one_line(e)
        if "Object arrays" in told:
            raise UsageError(
                f"{path} must hold arrays of numbers. Received: Python objects, as NumPy makes of images of different "
                "sizes. Give them one size and type, and save them again"
            ) from None
        if "pickle" in told:  # NumPy's advice would be to load it unsafely
            told = "no NumPy file by its first bytes"
        raise UsageError(
            f"{path} must be a whole NumPy file. It is truncated, corrupt or of another kind: "
            f"{told}. Fetch or write it again"
        ) from None


def checked_images(splits, source):
    """The images of a source's splits, of one shape.

    uint8 as it is; other whole numbers from 0 to 255 as uint8, larger ones by the bits that they use; bool as black
    and white; floats in [-1, 1].

    Args:
        splits: dict from a split's name to an array (N, H, W, C) with C = 1 or 3 and at least 8 pixels a side.
        source: where they come from, for the message.

    Returns:
        `(images, notes)`: a dict of uint8 arrays, and what was changed, a list of str.

    Raises:
        UsageError: for other shapes and types; floats that are not finite, or are not of [-1, 1]; uint8 that
            are all 0 or 1.
    """
    for name, images in splits.items():
        _check_shape(images, f"{name} of {source}" if len(splits) > 1 else source)
    shapes = {x.shape[1:] for x in splits.values()}
    if len(shapes) > 1:
        told = ", ".join(f"{name} {images.shape}" for name, images in splits.items())
        raise UsageError(f"Both splits of {source} must have one shape of images. Received: {told}")
    kinds = {images.dtype.kind for images in splits.values()}
    if kinds == {"f"}:
        return {name: _from_float(images, source) for name, images in splits.items()}, []
    if kinds == {"b"}:
        changed = {name: images.astype("uint8") * 255 for name, images in splits.items()}
        return changed, ["images of bool became black and white"]
    if not kinds <= {"u", "i"}:
        received = ", ".join(sorted({str(images.dtype) for images in splits.values()}))
        raise UsageError(
            f"Images in {source} must be whole numbers from 0 to 255, bool, or float in [-1, 1]. Received: {received}"
        )
    return _from_whole(splits, source)


def _check_shape(images, source):
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise UsageError(
            f"Images in {source} must have the shape (N, H, W), (N, H, W, 1) or (N, H, W, 3) with "
            f"N > 0. Received: {images.shape}"
        )
    if min(images.shape[1:3]) < MIN_SIDE:
        raise UsageError(
            f"Images in {source} must be at least {MIN_SIDE} pixels wide and high. "
            f"Received: the shape {images.shape}"
        )


def _from_whole(splits, source):
    least = min(int(images.min()) for images in splits.values())
    most = max(int(images.max()) for images in splits.values())
    types = sorted({str(images.dtype) for images in splits.values()})
    if least < 0 or most >= 1 << 16:
        raise UsageError(
            f"Whole numbers in {source} must lie from 0 to 255, or to 65535. "
            f"Received: {least} to {most}"
        )
    if most == 1:
        raise UsageError(
            f"Images in {source} would be nearly black. Received: {types[0]} of 0 and 1 alone. "
            "Save them as bool, or times 255"
        )
    if types == ["uint8"]:
        return splits, []
    note = f"images of {', '.join(types)} were read as {used_bits(most)} bits, for values to {most}"
    return {name: to_eight_bits(images, most) for name, images in splits.items()}, [note]


def _from_float(images, source):
    finite = np.isfinite(images).all(axis=(1, 2, 3))
    if not finite.all():
        raise UsageError(
            f"Images in {source} must be finite. "
            f"Received: NaN or infinity in image {finite.argmin()}. Leave it out or mend it"
        )
    low, high = float(images.min()), float(images.max())
    if low < -1 or high > 1 or low > DARKEST:
        raise UsageError(
            f"Float images in {source} must span [-1, 1]. Received: {_exactly(low)} to {_exactly(high)}. "
            "Scale them, or store uint8 in [0, 255]"
        )
    images = np.rint((images.astype("float32") + 1) * 127.5).astype("uint8")
    if images.max() <= 1:
        raise UsageError(
            f"Images in {source} would be nearly black. Received: floats from {_exactly(low)} to {_exactly(high)}. "
            "Scale them once, to [-1, 1]"
        )
    return images


def _exactly(value):
    """A short number, but never one that is rounded to a limit which it passes."""
    return (
        f"{value:g}" if float(f"{value:g}") == value or abs(abs(value) - 1) > 1e-5 else f"{value!r}"
    )


def checked_labels(labels, count, source):
    """Labels as int64 (count,), from (count,) or (count, 1), or one-hot (count, K); a `UsageError` for anything
    else."""
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.ndim == 2 and len(labels) == count and is_one_hot(labels):
        labels = labels.argmax(axis=1)
    whole = labels.dtype.kind in "iu" or (
        labels.dtype.kind == "f" and np.array_equal(labels, np.rint(labels))
    )
    if labels.shape != (count,) or not whole:
        raise UsageError(
            f"Labels in {source} must be {count} integers, one for each image. "
            f"Received: {labels.dtype} {labels.shape}"
        )
    low, high = labels.min(initial=0), labels.max(initial=0)
    if low < -MAX_CLASSES or high > 1 << 53:
        raise UsageError(
            f"Labels in {source} must be the numbers of at most {MAX_CLASSES} classes. "
            f"Received: {low if low < 0 else high}"
        )
    return labels.astype("int64")


def renumbered(known, source, notes):
    """Labels of a source's splits as classes from 0 without holes.

    Args:
        known: dict from a split's name to int64 labels (N,), that of training first.
        source: where they come from, for the message.
        notes: list of str, to which is added what was changed.

    Returns:
        `(labels, names)`: a dict like `known`, and the numbers that each class had, a tuple of str.

    Raises:
        UsageError: for more than `MAX_CLASSES`, and a class that only the test has.
    """
    if not known:
        return {}, ()
    trained, *tested = known.values()
    classes = np.unique(trained)
    if len(classes) > MAX_CLASSES:
        raise UsageError(
            f"Labels in {source} must be the numbers of at most {MAX_CLASSES} classes. Received: {len(classes)}"
        )
    strange = sorted({int(k) for y in tested for k in np.setdiff1d(y, classes)})
    if strange:
        raise UsageError(
            f"The test labels in {source} must be classes of the training part. Received: {strange[:9]}"
        )
    if not np.array_equal(classes, np.arange(len(classes))):
        shown = ", ".join(map(str, classes[:9])) + (", ..." if len(classes) > 9 else "")
        notes.append(f"labels {shown} became the classes 0 to {len(classes) - 1}")
    labels = {name: np.searchsorted(classes, y) for name, y in known.items()}
    return labels, tuple(str(k) for k in classes)
