"""Folders and files of images. Each image carries its class and its number in its first pixels, so that it can be
told what became of it."""

import numpy as np
from PIL import Image

from fuzz.runner import NonsenseError
from ganedu import data

NAMES = ("2", "10", "cat", "Dog", "zebra", "b2", "b10", "é", "a b")


def picture(rng, number, label, shape=(8, 9), grey=False):
    """uint8 (H, W, 3): noise, with the label and the number at its beginning, in blocks that JPEG would keep."""
    x = rng.integers(0, 256, (*shape, 3), "uint8")
    x[0, 0], x[0, 1] = label, number
    return x.mean(axis=-1).astype("uint8")[..., None] if grey else x


def check(source, expected, names, **options):
    """Loads both splits, and compares them with what the source holds.

    Args:
        expected: dict from the number of an image to its class's name.
        names: list of str by label, as the pixels have it.
    """
    train, count = data.load_checked(str(source), **options)
    test = data.load(str(source), "test", **options)
    data.summarize_splits(train, count)
    numbers = []
    for dataset in (train, test):
        x = dataset.array()
        if not np.isfinite(x).all() or np.abs(x).max() > 1:
            raise NonsenseError("values outside of [-1, 1]")
        if options:
            continue
        for i, image in enumerate(dataset.images):
            number = int(image[0, 1, 0])
            numbers.append(number)
            own = expected.get(number)
            if own is None:
                raise NonsenseError(f"an image {number} that is not there")
            named = dataset.class_names[dataset.labels[i]] if dataset.labels is not None else None
            if dataset.labels is not None and named != own:
                raise NonsenseError(f"image {number} of class {own} became {named}")
    if not options and sorted(numbers) != sorted(expected):
        raise NonsenseError(f"{len(expected)} images became {len(numbers)}")
    if len(test) != count or not len(test) or not len(train):
        raise NonsenseError(f"splits of {len(train)} and {len(test)}, told as {count}")


def folder(rng, path):
    """A folder of classes, with one or two things wrong."""
    names = [str(n) for n in rng.choice(NAMES, rng.integers(1, 4), replace=False)]
    expected, number = {}, 0
    for label, name in enumerate(names):
        (path / "x" / name).mkdir(parents=True)
        for _ in range(rng.integers(2, 7)):
            image = Image.fromarray(picture(rng, number, label))
            image.save(path / "x" / name / f"{number}.png")
            expected[number], number = name, number + 1
    faults = rng.choice(list(FOLDER_FAULTS), rng.integers(0, 3), replace=False)
    for fault in faults:
        FOLDER_FAULTS[fault](rng, path / "x", expected)
    options = {"image_size": 8} if rng.random() < 0.2 else {}
    text = f"{names}, {', '.join(faults) or 'as it should be'} {options or ''}"
    return text, lambda: check(path / "x", expected, names, **options)


def _some_file(rng, path):
    """One of the pictures; not what another fault put beside them."""
    found = (p for p in path.rglob("*.png") if p.stem.isdecimal() and "." not in p.parent.name)
    files = sorted(p for p in found if p.is_file())
    return files[rng.integers(len(files))] if files else path / "none.png"


def _class(path):
    return next(p for p in sorted(path.iterdir()) if p.is_dir())


def _cut(rng, path, expected):
    file = _some_file(rng, path)
    if file.exists():
        content = file.read_bytes()
        file.write_bytes(content[: rng.integers(0, len(content))])
        expected.pop(int(file.stem), None)  # it cannot be read, or is another


def _resized(rng, path, expected):
    file = _some_file(rng, path)
    if file.exists():
        Image.open(file).resize((int(rng.integers(1, 20)), int(rng.integers(1, 20)))).save(file)
        expected.pop(int(file.stem), None)


def _stranger(rng, path, expected):
    (_class(path) / "notes.txt").write_text("not a picture")


def _misnamed(rng, path, expected):
    (_class(path) / "text.png").write_text("not a picture")


def _empty_class(rng, path, expected):
    (path / "nobody").mkdir(exist_ok=True)


def _hidden(rng, path, expected):
    file = _some_file(rng, path)
    if file.exists():
        there = file.parent / ".thumbnails"
        there.mkdir(exist_ok=True)
        (there / "7.png").write_bytes(file.read_bytes())


def _loose(rng, path, expected):
    Image.fromarray(picture(rng, 99, 0)).save(path / "99.png")


def _bmp(rng, path, expected):
    file = _some_file(rng, path)
    if file.exists():
        Image.open(file).save(file.with_suffix(".bmp"))
        file.unlink()


def _palette(rng, path, expected):
    file = _some_file(rng, path)
    if file.exists():
        x = np.array(Image.open(file).convert("RGB"))
        x[:] = x[0, 1]  # of two colours, so that a palette keeps them
        x[0, 0] = 255 - x[0, 1]
        Image.fromarray(x).convert("P", palette=Image.Palette.ADAPTIVE, colors=2).save(file)


def _directory(rng, path, expected):
    (_class(path) / "folder.png").mkdir(exist_ok=True)


FOLDER_FAULTS = {
    "a file cut": _cut,
    "a file of another size": _resized,
    "a text": _stranger,
    "a text named .png": _misnamed,
    "an empty class": _empty_class,
    "a hidden folder": _hidden,
    "a loose picture": _loose,
    "a bitmap": _bmp,
    "a palette": _palette,
    "a folder named .png": _directory,
}


def array_file(rng, path):
    """An .npz or .npy, with one or two things wrong."""
    count, classes = int(rng.integers(12, 40)), int(rng.integers(1, 4))
    labels = np.arange(count) % classes
    images = np.stack([picture(rng, i, labels[i]) for i in range(count)])
    arrays = {"images": images, "labels": labels}
    if rng.random() < 0.4:
        part = count // 4
        arrays = {
            "x_train": images[part:],
            "y_train": labels[part:],
            "x_test": images[:part],
            "y_test": labels[:part],
        }
    expected = {i: str(labels[i]) for i in range(count)}
    faults = rng.choice(list(ARRAY_FAULTS), rng.integers(0, 3), replace=False)
    for fault in faults:
        ARRAY_FAULTS[fault](rng, arrays, expected)
    file = path / ("x.npy" if rng.random() < 0.1 and "images" in arrays else "x.npz")
    if file.suffix == ".npy":
        np.save(file, arrays["images"])
    else:
        np.savez(file, **arrays)
    damage = ""
    if rng.random() < 0.15:
        content = bytearray(file.read_bytes())
        damage = "bytes changed"
        if rng.random() < 0.5:
            content, damage = content[: rng.integers(0, len(content))], "cut"
        else:
            for place in rng.integers(0, len(content), 5):
                content[place] = rng.integers(256)
        file.write_bytes(bytes(content))
    shapes = {k: f"{np.asarray(v).dtype} {np.shape(v)}" for k, v in arrays.items()}

    def action():
        if damage == "bytes changed":  # an .npy has no checksum
            data.load_checked(str(file))
        else:
            check(file, expected, None)

    return f"{shapes}, {', '.join(faults)} {damage}", action


def _of(arrays, letter):
    """The keys of images (`x`) or of labels (`y`)."""
    return [k for k in arrays if k[0] in {"x": "xi", "y": "yl"}[letter]]


def _scaled(scale, shift, dtype):
    def change(rng, arrays, expected):
        for k in _of(arrays, "x"):
            if np.asarray(arrays[k]).dtype.kind in "uif":
                arrays[k] = (arrays[k] * float(scale) + shift).astype(dtype)

    return change


def _labels(make):
    def change(rng, arrays, expected):
        for k in _of(arrays, "y"):
            arrays[k] = make(np.asarray(arrays[k]))

    return change


def _named(make):
    """Other labels: the classes' names are these."""

    def change(rng, arrays, expected):
        _labels(make)(rng, arrays, expected)
        for number, name in list(expected.items()):
            if name.lstrip("-").isdecimal():
                expected[number] = str(int(make(np.array([int(name)]))[0]))

    return change


def _nan(rng, arrays, expected):
    for k in _of(arrays, "x"):
        arrays[k] = np.where(rng.random(np.shape(arrays[k])) < 0.001, np.nan, arrays[k])


def _dropped(rng, arrays, expected):
    arrays.pop(list(arrays)[rng.integers(len(arrays))])


def _shape(make):
    def change(rng, arrays, expected):
        for k in _of(arrays, "x"):
            arrays[k] = make(np.asarray(arrays[k]))

    return change


def _one_less(rng, arrays, expected):
    for k in _of(arrays, "y"):
        arrays[k] = arrays[k][:-1]


ARRAY_FAULTS = {
    "0 to 1": _scaled(1 / 255, 0, "float32"),
    "floats to 255": _scaled(1.0, 0, "float32"),
    "-1 to 1": _scaled(2 / 255, -1, "float32"),
    "a little under 0": _scaled(1 / 255, -0.004, "float64"),
    "int64": _scaled(1, 0, "int64"),
    "12 bits": _scaled(16, 0, "uint16"),
    "negative": _scaled(-1, 0, "int16"),
    "bits": _scaled(0.005, 0, "uint8"),
    "objects": _shape(lambda x: x.astype(object)),
    "texts": _shape(lambda x: x.astype(str)),
    "NaN": _nan,
    "a key less": _dropped,
    "channels first": _shape(lambda x: np.moveaxis(x, -1, 1) if x.ndim == 4 else x),
    "four channels": _shape(lambda x: np.concatenate([x, x[..., :1]], -1) if x.ndim == 4 else x),
    "flat": _shape(lambda x: x.reshape(len(x), -1)),
    "none": _shape(lambda x: x[:0]),
    "labels (N, 1)": _labels(lambda y: y[:, None]),
    "one-hot": _labels(
        lambda y: np.eye(y.max() + 1)[y] if y.dtype.kind == "i" and y.min() >= 0 < y.max() else y
    ),
    "labels as floats": _labels(lambda y: y.astype("float32")),
    "labels as texts": _labels(lambda y: y.astype(str)),
    "labels from 5": _named(lambda y: y + 5),
    "labels with holes": _named(lambda y: y * 7),
    "labels under 0": _named(lambda y: y - 2),
    "labels of halves": _labels(lambda y: y + 0.5 if y.dtype.kind in "iuf" else y),
    "a label less": _one_less,
}

KINDS = [folder, array_file]
