"""Images from files: an `.npz` or `.npy`, or a folder with one class a folder, as in ImageNet."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ganedu.runtime import UsageError

LABELS_OF = {"x_train": "y_train", "x_test": "y_test", "images": "labels"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
GREY = ("1", "L", "LA", "La")  # Pillow's modes
TEST_FOLDERS = ("test", "val", "validation")
MAX_CLASSES = 10_000
MIN_SIDE = 8  # pixels; what is smaller has axes in another order, or is one image and not a set


def load_file(path, split, image_size):
    """Images of an array file.

    Args:
        path: an `.npz` with `x_train`, `y_train`, `x_test`, `y_test` (labels may be missing) or
            with `images` and perhaps `labels`; or an `.npy` of images. Images are as
            `checked_images` takes them.
        split: `"train"` or `"test"`. Where the file has no splits, as `split_of` makes them.
        image_size: int or `None`.

    Returns:
        `(images, labels, class_names)`: uint8 (N, H, W, C), int64 (N,) or `None`, and the classes'
        numbers as a tuple of str, the same for both splits.

    Raises:
        UsageError: for a missing, truncated or corrupt file, other keys, shapes or ranges.
    """
    arrays = _read_arrays(path)
    key = f"x_{split}" if {"x_train", "x_test"} <= set(arrays) else "images"
    if key not in arrays:
        raise UsageError(
            f"{path} must hold x_train, y_train, x_test and y_test, or images and labels. "
            f"Received: {', '.join(arrays) or 'nothing'}"
        )
    images = checked_images(arrays[key], path)
    known = {
        x: checked_labels(arrays[y], len(np.atleast_1d(arrays[x])), path)
        for x, y in LABELS_OF.items()
        if x in arrays and y in arrays
    }
    labels = known.get(key)
    if key == "images":
        chosen = split_of(np.zeros(len(images)) if labels is None else labels, split, path)
        images, labels = images[chosen], None if labels is None else labels[chosen]
    count = 0 if labels is None else 1 + max(int(y.max(initial=0)) for y in known.values())
    return resized(images, image_size), labels, tuple(str(k) for k in range(count))


def _read_arrays(path):
    """The arrays of a file by name; `None` for names that mean nothing here."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"images": loaded}
        wanted = {*LABELS_OF, *LABELS_OF.values()}
        with loaded:
            return {key: loaded[key] if key in wanted else None for key in loaded.files}
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}") from None
    except Exception as e:  # a damaged file makes zipfile, zlib and NumPy raise almost anything
        raise UsageError(
            f"{path} must be a whole NumPy file. It is truncated, corrupt or of another kind: "
            f"{one_line(e)}. Fetch or write it again"
        ) from None


def checked_images(images, source):
    """Images as uint8 (N, H, W, C).

    Args:
        images: array (N, H, W) or (N, H, W, C) with C = 1 or 3 and at least 8 pixels a side, uint8
            or float; floats are finite, lie in [-1, 1] and reach below 0.
        source: where they come from, for the message.

    Raises:
        UsageError: for anything else.
    """
    if images.ndim == 3:
        images = images[..., None]
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
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise UsageError(
            f"Images in {source} must be uint8 in [0, 255] or float in [-1, 1]. "
            f"Received: {images.dtype}. Convert them with `.astype('uint8')`"
        )
    return _from_float(images, source)


def _from_float(images, source):
    finite = np.isfinite(images).all(axis=(1, 2, 3))
    if not finite.all():
        raise UsageError(
            f"Images in {source} must be finite. "
            f"Received: NaN or infinity in image {finite.argmin()}. Leave it out or mend it"
        )
    low, high = float(images.min()), float(images.max())
    if low < -1 or high > 1 or low >= 0:  # from 0 on they are more likely of another range
        raise UsageError(
            f"Float images in {source} must span [-1, 1]. Received: [{low:g}, {high:g}]. "
            "Scale them, or store uint8 in [0, 255]"
        )
    return np.rint((images.astype("float32") + 1) * 127.5).astype("uint8")


def checked_labels(labels, count, source):
    """Labels as int64 (count,), from (count,) or (count, 1); a `UsageError` for anything else."""
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise UsageError(
            f"Labels in {source} must be {count} integers, one for each image. "
            f"Received: {labels.dtype} {labels.shape}"
        )
    if labels.min(initial=0) < 0:
        raise UsageError(f"Labels in {source} must count from 0. Received: {labels.min()}")
    if labels.max(initial=0) >= MAX_CLASSES:
        raise UsageError(
            f"Labels in {source} must be the numbers of at most {MAX_CLASSES} classes, from 0. "
            f"Received: {labels.max()}"
        )
    return labels.astype("int64")


def resized(images, image_size):
    """uint8 images (N, H, W, C) cut to their central square and brought to `image_size` pixels.

    For `None` they are returned as they are.
    """
    if image_size is None or images.shape[1:3] == (image_size, image_size):
        return images
    pictures = (Image.fromarray(i[..., 0] if i.shape[-1] == 1 else i) for i in images)
    return np.stack([_array(_square(picture, image_size)) for picture in pictures])


def split_of(labels, split, source):
    """The indices of a split where none is given: every tenth image of a class is for the test.

    A class of fewer than ten images gives its last one, a class of one gives none.

    Raises:
        UsageError: if the split is empty.
    """
    test = np.zeros(len(labels), bool)
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        test[members[9::10] if len(members) >= 10 else members[1:][-1:]] = True
    chosen = np.flatnonzero(test if split == "test" else ~test)
    if not len(chosen):
        raise UsageError(
            f"{source} must hold two images of one class to have a test split. "
            f"Received: {len(labels)} in all"
        )
    return chosen


def load_folder(path, split, image_size):
    """Images of a folder: `DIR/CLASS/.../image.png`, or images with no class in `DIR` itself.

    `DIR/train` and `DIR/test`, `val` or `validation` may each hold that; else `split_of` makes the
    splits. Grey stays grey where all images of both splits are grey; else all become RGB.

    Args:
        path: the folder.
        split: `"train"` or `"test"`.
        image_size: int or `None`.

    Returns:
        As `load_file`; the classes' names are those of the folders, in alphabetical order.

    Raises:
        UsageError: if there is no image, one cannot be read or is smaller than 8 pixels a side (it is
            named), a class has none or is only in the test, or sizes differ and `image_size` is `None`.
    """
    train, test = _roots(Path(path))
    trained = listed = _listed(train)
    number = {name: k for k, name in enumerate(sorted({name for _, name in listed}))}
    if test and split == "test":
        listed = _listed(test)
        strange = sorted({name for _, name in listed} - set(number))
        if strange:
            raise UsageError(
                f"{test} must hold classes of {train}: {', '.join(number) or 'none'}. "
                f"Received: {', '.join(strange) or 'images of no class'}"
            )
    labels = np.array([number[name] for _, name in listed], "int64")
    chosen = range(len(labels)) if test else split_of(labels, split, train)
    tested = _images_in(test.rglob("*")) if test else []
    grey = all(_is_grey(file) for file in (*(file for file, _ in trained), *tested))
    images = _stacked([listed[i][0] for i in chosen], image_size, 1 if grey else 3)
    return (images, None, ()) if "" in number else (images, labels[chosen], tuple(number))


def _roots(path):
    """The folders of the training and of the test images; one folder and `None` for no splits."""
    if not (path / "train").is_dir():
        return path, None
    tests = [path / name for name in TEST_FOLDERS if (path / name).is_dir()]
    return path / "train", tests[0] if tests else None


def _listed(root):
    """The images under a folder, each with its class's name ("" where there are no classes)."""
    loose = _images_in(root.iterdir())
    folders = sorted(d for d in root.iterdir() if d.is_dir() and not d.name.startswith("."))
    found = {d.name: _images_in(d.rglob("*")) for d in folders}
    if loose and not any(found.values()):
        found = {"": loose}
    elif loose or not found or not all(found.values()):
        held = [f"{len(loose)} in itself", *(f"{len(v)} in {k}/" for k, v in found.items())]
        raise UsageError(
            f"{root} must hold images ({', '.join(SUFFIXES[:3])}, ...) either itself or in each of "
            f"its folders. Received: {', '.join(held[:9])}"
        )
    return [(file, name) for name, files in found.items() for file in files]


def _images_in(paths):
    """The image files among paths, in order; not what starts with a dot, as macOS leaves behind."""
    return sorted(
        p
        for p in paths
        if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file()
    )


def _is_grey(path):
    try:
        with Image.open(path) as picture:
            return picture.mode in GREY or picture.mode.startswith("I;16")
    except Exception:  # it is refused when its pixels are read
        return True


def _stacked(files, image_size, channels):
    """The pictures of these files: uint8 (N, H, W, channels)."""
    arrays = []
    for file in files:
        array = _read_picture(file, image_size)
        if arrays and array.shape[:2] != arrays[0].shape[:2]:
            (h, w), (h0, w0) = array.shape[:2], arrays[0].shape[:2]
            raise UsageError(
                f"Images in a folder must have one size. Received: {w0}x{h0} ({files[0]}) and "
                f"{w}x{h} ({file}). Give them one with `image_size`"
            )
        arrays.append(array)
    images = np.empty((len(arrays), *arrays[0].shape[:2], channels), "uint8")
    for image, array in zip(images, arrays, strict=True):
        image[:] = array  # grey beside colour: all three channels get it
    return images


def _read_picture(path, image_size):
    """One picture, uint8 (H, W, C), upright and of the size wanted."""
    try:
        with Image.open(path) as picture:
            picture = _eight_bits(ImageOps.exif_transpose(picture))
    except Exception as e:  # a damaged picture makes its decoder raise almost anything
        raise UsageError(
            f"{path} cannot be read as an image. Received: {one_line(e)}. Remove or replace it"
        ) from None
    if min(picture.size) < MIN_SIDE:
        width, height = picture.size
        raise UsageError(
            f"{path} must be at least {MIN_SIDE} pixels a side. Received: {width}x{height}"
        )
    return _array(picture if image_size is None else _square(picture, image_size))


def load_picture(path, image_shape):
    """One picture as a model takes it.

    Args:
        path: `pathlib.Path`.
        image_shape: (H, W, C), H = W.

    Returns:
        `(image, told)`: uint8 (H, W, C), and what had to be changed, such as "resized from 64x64 to
        32x32", a list of str.

    Raises:
        UsageError: if it cannot be read, or is smaller than 8 pixels a side.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}")
    image, told = _read_picture(path, None), []
    height, width, channels = image.shape
    side = image_shape[0]
    if (height, width) != (side, side):
        cut = "" if height == width else "cut to its central square and "
        told.append(f"{cut}resized from {width}x{height} to {side}x{side}")
        image = resized(image[None], side)[0]
    if channels < image_shape[-1]:
        told.append("from grey to colour")
        image = np.repeat(image, 3, axis=-1)
    elif channels > image_shape[-1]:
        told.append("from colour to grey")
        image = np.rint(image.mean(axis=-1, keepdims=True)).astype("uint8")
    return image, told


def _eight_bits(picture):
    """As grey (L) or RGB: of 16 bits the upper 8, and white where it is transparent."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype("uint8"))
    if picture.mode in ("I", "F"):
        raise UsageError(f"its pixels are not of 8 or 16 bits (mode {picture.mode})")
    mode = "L" if picture.mode in GREY else "RGB"
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert(mode)


def _square(picture, size):
    side = min(picture.size)
    x, y = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((x, y, x + side, y + side))
    return square.resize((size, size), Image.Resampling.BICUBIC)


def _array(picture):
    array = np.asarray(picture)
    return array[..., None] if array.ndim == 2 else array


def one_line(error):
    """What an exception says, without line breaks; its name where it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
