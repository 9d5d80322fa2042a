"""Images from files and folders, and what a bad source is told."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import ganedu
from ganedu import data
from ganedu.data import ImageDataset, load, pictures, summarize_splits
from ganedu.runtime import UsageError

MNIST = Path(os.environ.get("GANEDU_DATA", "nowhere"), "mnist.npz")
has_mnist = pytest.mark.skipif(not MNIST.is_file(), reason="GANEDU_DATA has no mnist.npz")
X = np.random.default_rng(0).integers(0, 256, (30, 8, 9, 3), "uint8")
Y = np.arange(30) % 3


def numbered(count, **changes):
    """A set whose image i has the value i everywhere, and the label i."""
    images = np.tile(np.arange(count, dtype="uint8")[:, None, None, None], (1, 8, 8, 1))
    return ImageDataset("numbered", "train", images, np.arange(count), **changes)


def save(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def split_pair(source, **options):
    return [load(source, split, **options) for split in ("train", "test")]


def test_npz_with_its_own_splits(tmp_path):
    file = save(tmp_path / "a.npz", x_train=X, y_train=Y[:, None], x_test=X[:2], y_test=Y[:2])
    train, test = split_pair(file, labels=True)
    np.testing.assert_array_equal(train.images, X)
    np.testing.assert_array_equal(test.images, X[:2])
    assert (train.labels.tolist(), test.labels.tolist()) == (Y.tolist(), [0, 1])
    assert train.class_names == test.class_names == ("0", "1", "2")


def test_a_class_that_only_the_test_has_is_refused(tmp_path):
    file = save(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2] + 3)
    for split in ("train", "test"):
        with pytest.raises(UsageError, match=r"classes of the training part.*\[3, 4\]"):
            load(file, split)


def test_arrays_without_splits_are_split(tmp_path):
    source = save(tmp_path / "a.npz", images=X[..., 0], labels=Y)
    train, test = split_pair(source, labels=True)
    assert len(train) + len(test) == 30
    assert set(test.labels) == set(train.labels) == {0, 1, 2}
    both = np.concatenate([train.images, test.images])
    assert {i.tobytes() for i in both} == {i.tobytes() for i in X[..., :1]}
    np.save(source := tmp_path / "a.npy", X / 127.5 - 1)  # float64 in [-1, 1], no labels
    train, test = split_pair(source)
    assert (len(train) + len(test), train.labels) == (30, None)
    with pytest.raises(UsageError, match="Labels need"):
        load(source, labels=True)
    np.save(source, X[:1])
    assert len(load(source)) == 1
    with pytest.raises(UsageError, match=r"two different images of one class.*Received: 1 in all"):
        load(source, "test")


def test_resizing_takes_the_central_square(tmp_path):
    images = np.zeros((2, 16, 24, 3), "uint8")
    images[:, :, 4:20] = [255, 0, 100]
    images[0, 0, 0] = 1  # outside
    dataset = load(save(tmp_path / "a.npz", images=images), image_size=8)
    np.testing.assert_array_equal(dataset.images, np.full((1, 8, 8, 3), [255, 0, 100]))


def picture(path, value, size=(9, 8), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path, **options)


def test_folder_of_classes(tmp_path):
    for i in range(12):
        picture(tmp_path / "cats" / f"{i:02}.PNG", (i, 0, 0))
    picture(tmp_path / "ants" / "n1" / "images" / "a.png", 200, mode="L")
    picture(tmp_path / "ants" / "z.png", (1, 2, 3))
    (tmp_path / "cats" / "._00.png").write_text("macOS leaves these")
    (tmp_path / "cats" / "notes.txt").write_text("no image")
    (tmp_path / ".cache").mkdir()
    train, test = split_pair(tmp_path, labels=True)
    assert train.class_names == test.class_names == ("ants", "cats")
    assert train.image_shape == (8, 9, 3)
    assert train.notes == ("left out, as no images: 1 .txt",)
    both = [(d.labels[i], *d.images[i, 0, 0]) for d in (train, test) for i in range(len(d))]
    ants = [(0, 1, 2, 3), (0, 200, 200, 200)]  # grey among colour
    assert sorted(both) == [*ants, *((1, i, 0, 0) for i in range(12))]
    assert set(train.labels) == set(test.labels) == {0, 1}


@pytest.mark.parametrize("name", ["test", "val", "validation"])
def test_folder_with_splits_numbers_the_classes_by_training(tmp_path, name):
    for k, label in enumerate("abc"):
        picture(tmp_path / "train" / label / "0.png", k, mode="L")
    picture(tmp_path / name / "c" / "0.png", 7, mode="L")
    train, test = split_pair(tmp_path, labels=True)
    assert train.image_shape == (8, 9, 1)
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 1, 2], [2])
    assert test.class_names == ("a", "b", "c")
    picture(tmp_path / name / "d" / "0.png", 7)
    with pytest.raises(UsageError, match=r"classes of .*train: a, b, c\. Received: d"):
        load(tmp_path, "test")


def test_folder_with_train_alone_is_split_and_so_is_one_of_loose_images(tmp_path):
    for i in range(3):
        picture(tmp_path / "train" / f"{i}.png", (i, 0, 0))
    for source in (tmp_path, tmp_path / "train"):
        train, test = split_pair(source)
        assert (train.labels, train.class_names) == (None, ())
        assert len(test) >= 1
        assert sorted([*train.images[:, 0, 0, 0], *test.images[:, 0, 0, 0]]) == [0, 1, 2]


def test_every_kind_of_picture_becomes_grey_or_rgb(tmp_path):
    picture(tmp_path / "a.png", (200, 0, 0, 0), mode="RGBA")
    picture(tmp_path / "b.jpg", (0, 0, 0, 0), mode="CMYK")
    picture(tmp_path / "c.png", 0x8000, mode="I;16")
    turned = Image.Exif()
    turned[0x112] = 6
    picture(tmp_path / "d.jpg", (255, 0, 0), size=(8, 9), exif=turned)
    picture(tmp_path / "e.png", 0)
    pixels = load(tmp_path).images[:, 0, 0]
    assert pixels.tolist()[:3] == [[255] * 3, [255] * 3, [128] * 3]
    np.testing.assert_allclose(pixels[3].astype(int), [255, 0, 0], atol=3)  # and 9 wide, 8 high


def test_pictures_that_cannot_be_8_bits_or_are_too_large_are_named(tmp_path, monkeypatch):
    picture(tmp_path / "a.tif", 0.5, mode="F")
    with pytest.raises(UsageError, match=r"a\.tif cannot be read.*mode F"):
        load(tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    picture(tmp_path / "a.tif", 0, mode="L")
    with pytest.raises(UsageError, match=r"a\.tif cannot be read.*exceeds limit.*Remove"):
        load(tmp_path)


# Bad input


def damaged(path, keep_bytes=None):
    raw = bytearray(save(path, images=X).read_bytes())
    for i in range(200, 260) if keep_bytes is None else ():
        raw[i] ^= 0xFF
    path.write_bytes(raw[:keep_bytes])


NAN = np.where(np.arange(30)[:, None, None] == 4, np.nan, -1.0) * np.ones((1, 8, 8))
BAD_FILES = {
    "is truncated": (
        lambda p: damaged(p, keep_bytes=1000),
        r"whole NumPy file.*Fetch or write it again",
    ),
    "is corrupt": (damaged, r"whole NumPy file.*truncated, corrupt.*Fetch or write it again"),
    "is empty": (lambda p: p.write_bytes(b""), r"whole NumPy file.*No data left"),
    "is text": (lambda p: p.write_text("images"), r"whole NumPy file"),
    "is missing": (lambda p: None, r"There is no file .*bad\.npz"),
    "wrong keys": (lambda p: save(p, x=X, y=Y), r"must hold x_train.*Received: x, y"),
    "objects": (
        lambda p: save(p, images=np.array([X, None], object)),
        r"arrays of numbers.*Python objects.*different sizes",
    ),
    "flat": (lambda p: save(p, images=X.reshape(30, -1)), r"\(N, H, W\).*Received: \(30, 216\)"),
    "channels first": (lambda p: save(p, images=X.transpose(0, 3, 1, 2)), r"\(30, 3, 8, 9\)"),
    "one image": (lambda p: save(p, images=X[0]), r"at least 8 pixels.*\(8, 9, 3, 1\)"),
    "no images": (lambda p: save(p, images=X[:0]), r"N > 0.*\(0, 8, 9, 3\)"),
    "negative": (lambda p: save(p, images=X.astype(int) - 9), r"from 0 to 255.*-9 to 246"),
    "huge": (lambda p: save(p, images=X.astype(int) + 2**16), r"to 65535.*65536 to 65791"),
    "0 and 1": (lambda p: save(p, images=X // 128), r"nearly black.*uint8 of 0 and 1.*bool"),
    "scaled twice": (
        lambda p: save(p, images=(X / 127.5 - 1) / 255 - 0.996),
        r"nearly black.*Scale them once",
    ),
    "complex": (lambda p: save(p, images=X * 1j), r"float in \[-1, 1\]. Received: complex128"),
    "two sizes": (
        lambda p: save(p, x_train=X, x_test=X[:, :, :8]),
        r"one shape of images.*x_test \(30, 8, 8, 3\)",
    ),
    "a bad test": (lambda p: save(p, x_train=X, x_test=X[0]), r"x_test of.*\(8, 9, 3, 1\)"),
    "nearly from 0": (lambda p: save(p, images=X / 255 - 0.004), r"\[-1, 1\].*-0.004 to 0.996"),
    "a little more": (
        lambda p: save(p, images=(X / 127.5 - 1) * (1 + 1e-6)),
        r"Received: -1\.00000.* to 1\.00000",
    ),
    "NaN": (lambda p: save(p, images=NAN), r"finite.*in image 4"),
    "float to 255": (lambda p: save(p, images=X - 1.0), r"span \[-1, 1\].*-1 to 254.*Scale"),
    "float from 0": (lambda p: save(p, images=X / 255), r"span \[-1, 1\].*0 to 1.*Scale"),
    "few labels": (lambda p: save(p, images=X, labels=Y[:9]), r"30 integers.*int64 \(9,\)"),
    "float labels": (lambda p: save(p, images=X, labels=Y / 2), r"30 integers.*float64"),
    "labels past int64": (
        lambda p: save(p, images=X, labels=Y.astype("uint64") + 2**63),
        r"at most 10000.*922337203685477",
    ),
    "no single 1": (lambda p: save(p, images=X, labels=np.ones((30, 3))), r"float64 \(30, 3\)"),
    "too many": (
        lambda p: save(p, images=np.zeros((10_001, 8, 8), "uint8"), labels=np.arange(10_001)),
        r"at most 10000 classes. Received: 10001",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_are_explained(tmp_path, kind):
    write, message = BAD_FILES[kind]
    write(tmp_path / "bad.npz")
    with pytest.raises(UsageError, match=message) as e:
        load(tmp_path / "bad.npz")
    assert "bad.npz" in str(e.value)
    assert "\n" not in str(e.value)


BAD_FOLDERS = {  # beside two good images; "notes.txt" and "bad.png" are text, "cut.png" ends early
    "empty class": ("b/notes.txt", r"each of its folders.*0 in itself, 2 in a/, 0 in b/"),
    "loose beside classes": ("1.png", r"either itself or in each.*1 in itself, 2 in a/"),
    "unreadable image": ("a/bad.png", r"a/bad\.png cannot be read.*Remove"),
    "cut image": ("a/cut.png", r"a/cut\.png cannot be read.*truncated.*Remove"),
    "a dot": ("a/dot.png", r"a/dot\.png must be at least 8 pixels a side. Received: 7x9"),
    "mixed sizes": ("a/big.png", r"9x8 \(.*0\.png\) and 20x8 .*big\.png\).*`image_size`"),
}


@pytest.mark.parametrize("kind", BAD_FOLDERS)
def test_bad_folders_are_explained(tmp_path, kind):
    with pytest.raises(UsageError, match=r"must hold images .*Received: 0 in itself"):
        load(tmp_path)
    name, message = BAD_FOLDERS[kind]
    picture(tmp_path / "a" / "0.png", 0)
    picture(tmp_path / "a" / "z.png", 1)
    assert len(load(tmp_path)) == 1
    size = {"a/big.png": (20, 8), "a/dot.png": (7, 9)}.get(name, (9, 8))
    picture(tmp_path / Path(name).with_suffix(".png"), 0, size)
    if "notes" in name or "bad" in name:
        (tmp_path / name).with_suffix(".png").unlink()
        (tmp_path / name).write_text("not an image")
    if "cut" in name:
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[:45])
    for split in ("train", "test"):
        with pytest.raises(UsageError, match=message):
            load(tmp_path, split)


def test_one_coloured_picture_in_either_split_makes_both_coloured(tmp_path):
    for name in ("train/a/0.png", "train/a/1.png", "test/a/0.png"):
        picture(tmp_path / name, 7, mode="L")
    assert [d.image_shape for d in split_pair(tmp_path)] == [(8, 9, 1)] * 2
    picture(tmp_path / "test" / "a" / "1.png", (1, 2, 3))
    assert [d.image_shape for d in split_pair(tmp_path)] == [(8, 9, 3)] * 2
    assert (load(tmp_path).images == 7).all()


def test_mixed_sizes_can_be_given_one(tmp_path):
    picture(tmp_path / "0.png", (9, 9, 9))
    picture(tmp_path / "1.png", (9, 9, 9), size=(20, 31))
    picture(tmp_path / "2.png", (9, 9, 9), size=(30, 31))
    np.testing.assert_array_equal(load(tmp_path, image_size=12).images, np.full((2, 12, 12, 3), 9))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: load("mnits"), r"'mnits'\. Did you mean mnist\?.*digits.*a folder"),
        (lambda: load("Fashion-MNIST"), r"Did you mean fashion_mnist\?"),
        (lambda: load(""), r"is empty"),
        (lambda: load("zzzz"), r"'zzzz'\. Data sets: digits, photos"),
        (lambda: load("digits", "val"), r"train or test.*'val'"),
        (lambda: load("digits", image_size=7), r"at least 8 pixels.*7"),
        (lambda: numbered(9).batches(10), r"between 1 and .* 9\. Received: 10"),
        (lambda: numbered(9).batches(0), r"between 1 and .* 9\. Received: 0"),
        (lambda: numbered(9).batches(3, start=-1), r"at least 0.*0 and -1"),
        (lambda: numbered(9).test_batches(0), r"at least 1.*0"),
    ],
)
def test_wrong_words_and_numbers_are_explained(act, message):
    with pytest.raises(UsageError, match=message):
        act()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": X, "labels": Y}, r"labelled images of shape \(28, 28, 1\).*\(8, 9, 3\)"),
        ({"images": np.zeros((9, 28, 28), "uint8")}, r"\(28, 28, 1\) without labels"),
        ({"images": np.zeros((30, 28, 28), "uint8"), "labels": Y * 5}, r"from 0 to 9.*10"),
    ],
)
def test_a_local_file_must_hold_the_set_it_is_named_after(tmp_path, monkeypatch, arrays, message):
    monkeypatch.setenv("GANEDU_DATA", str(tmp_path))
    save(tmp_path / "mnist.npz", **arrays)
    with pytest.raises(UsageError, match=message):
        load("mnist")
    save(tmp_path / "mnist.npz", images=np.zeros((30, 28, 28), "uint8"), labels=Y)
    assert load("mnist", image_size=32, fallback="digits").image_shape == (32, 32, 1)


def download(monkeypatch, *sets, error=None):
    """Puts these in the place of what `keras.datasets.mnist` would download."""

    def load_data():
        print("Downloading data")
        if error:
            raise error
        return sets

    monkeypatch.delenv("GANEDU_DATA", raising=False)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", load_data)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Exception("URL fetch failure on x:\n no"), r"on this machine .*x: no\. Put .*GANEDU_DATA"),
        (TimeoutError("timed out"), r"cannot be downloaded.*timed out.*GANEDU_DATA"),
        (EOFError("Compressed file ended"), r"copy of mnist is truncated.*Delete it"),
    ],
)
def test_a_failed_download_is_explained(monkeypatch, capsys, error, message):
    download(monkeypatch, error=error)
    with pytest.raises(UsageError, match=message) as e:
        load("mnist")
    assert "\n" not in str(e.value)
    assert capsys.readouterr().out == ""
    assert load("mnist", fallback="digits").name == "digits"
    out, err = capsys.readouterr()
    assert re.fullmatch(r"Using digits in the place of mnist: [^\n]+\.\n", out)
    assert err == ""


def test_a_fallback_that_is_not_taken_says_nothing(monkeypatch, capsys):
    train, test = ((np.zeros((n, 28, 28), "uint8"), np.arange(n)) for n in (3, 2))
    download(monkeypatch, train, test)
    train, test = split_pair("mnist", fallback="digits")
    assert (train.name, len(train), test.labels.tolist()) == ("mnist", 3, [0, 1])
    assert capsys.readouterr() == ("", "")


NO_NETWORK = """
from ganedu import runtime; runtime.setup()
from ganedu.data import load
print(len(load("cifar100", fallback="photos", image_size=8)))
try: load("cifar100")
except runtime.UsageError as e: print(e)
"""


def test_no_network_at_all(tmp_path):
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    paths = {"KERAS_HOME": str(tmp_path), "PYTHONPATH": str(Path(ganedu.__file__).parents[1])}
    environment = {**os.environ, **nowhere, **paths, "GANEDU_DATA": ""}
    environment["KERAS_BACKEND"] = keras.backend.backend()
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK], env=environment, capture_output=True, text=True
    )
    taken, count, error = done.stdout.splitlines()
    what = "cifar100 is not on this machine and cannot be downloaded"
    told = f"Using photos in the place of cifar100: {what}. GANEDU_DATA may name a folder with cifar100.npz."
    assert (taken, count) == (told, "4000")
    assert re.fullmatch(what + r"\. Received: URL fetch failure .*\. Put cifar100.npz .*", error)
    assert done.stderr.count("Downloading data") == 1


# What people bring


def kept(source):
    """What is in each image of the two splits, as sets of bytes."""
    return [{i.tobytes() for i in load(source, split).images} for split in ("train", "test")]


def test_images_that_come_and_go_change_no_other_s_split(tmp_path):
    """By name, by place and by number all others move; by what is in them none does."""
    rng = np.random.default_rng(1)
    for name in ("a", "b"):
        for i in range(60):
            path = tmp_path / "set" / name / f"{i:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (8, 8), "uint8")).save(path)
    folder = tmp_path / "set"
    train, test = kept(folder)
    assert 4 <= len(test) <= 24
    gone = sorted((folder / "a").iterdir())[:3]
    for path in gone:
        path.unlink()
    picture(folder / "a" / "000_new.png", 7, (8, 8), "L")
    (folder / "b" / "000.png").rename(folder / "b" / "zzz.png")
    now = kept(folder)
    assert not train & now[1]
    assert not test & now[0]
    images = rng.integers(0, 256, (80, 8, 8, 1), "uint8")
    train, test = kept(save(tmp_path / "a.npz", images=images))
    changed = np.concatenate([images[3:9], images[:2], images[12:], images[:1] ^ 1])
    now = kept(save(tmp_path / "b.npz", images=changed))
    assert not train & now[1]
    assert not test & now[0]


def test_the_same_image_twice_is_on_one_side(tmp_path):
    images = np.repeat(np.random.default_rng(2).integers(0, 256, (60, 8, 8, 1), "uint8"), 3, axis=0)
    train, test = kept(save(tmp_path / "a.npz", images=images))
    assert train
    assert test
    assert not train & test


@pytest.mark.parametrize("names", [("Train", "Test"), ("TRAIN", "VAL"), ("training", "testing")])
def test_splits_are_found_however_they_are_written(tmp_path, names):
    for part, count in zip(names, (3, 2), strict=True):
        for k in "ab":
            for i in range(count):
                picture(tmp_path / part / k / f"{i}.png", (i, 0, 0))
    train, test = split_pair(tmp_path)
    assert (len(train), len(test), train.class_names) == (6, 4, ("a", "b"))


def test_a_folder_one_too_high_is_told_which_one_it_should_be(tmp_path):
    for k in "ab":
        picture(tmp_path / "images" / k / "0.png", 0)
    with pytest.raises(UsageError, match=r"one folder too high\? Then give .*/images"):
        load(tmp_path)
    assert load(tmp_path / "images").class_names == ("a", "b")
    for part in ("left", "right"):  # each class's name in both
        for k in "ab":
            picture(tmp_path / "two" / part / k / "0.png", 0)
    with pytest.raises(UsageError, match=r"left, right, which hold folders alone \(a, b\)"):
        load(tmp_path / "two")


def test_hidden_folders_are_not_looked_into(tmp_path):
    for i in range(4):
        picture(tmp_path / "a" / f"{i}.png", i)
        picture(tmp_path / "a" / ".thumbnails" / f"{i}.png", 100 + i)
        picture(tmp_path / ".trash" / f"{i}.png", 200 + i)
        picture(tmp_path / "a" / "more" / ".cache" / "b" / f"{i}.png", 150 + i)
    assert sum(len(d) for d in split_pair(tmp_path)) == 4


def test_what_pillow_reads_is_read_and_the_rest_is_counted(tmp_path):
    read = [
        s for s in (".jfif", ".avif", ".tga", ".jp2", ".PNG") if s.lower() in pictures.suffixes()
    ]
    assert {".jfif", ".PNG"} <= set(read)
    for i, suffix in enumerate(read):
        kind = pictures.Image.registered_extensions()[suffix.lower()]
        picture(tmp_path / "a" / f"{i}{suffix}", (20 * i, 0, 0), format=kind)
    for name in ("notes.txt", "b.txt", "x.heic?", "nothing", "film.mp4"):
        (tmp_path / "a" / name).write_text("no image")
    train, test = split_pair(tmp_path)
    assert len(train) + len(test) == len(read)
    [note] = train.notes
    assert note == "left out, as no images: 2 .txt, 1 .mp4, 1 without a suffix, 1 .heic?"


def test_classes_are_in_natural_order(tmp_path):
    for k in (*range(12), "b2", "b10", "B1"):
        picture(tmp_path / f"{k}" / "0.png", 0)
    assert load(tmp_path).class_names == (*map(str, range(12)), "B1", "b2", "b10")


LABELS = {
    "from 1": (Y + 1, ("1", "2", "3"), "labels 1, 2, 3 became the classes 0 to 2"),
    "with holes": (Y * 7, ("0", "7", "14"), "labels 0, 7, 14 became the classes 0 to 2"),
    "from -1": (Y - 1, ("-1", "0", "1"), "labels -1, 0, 1 became the classes 0 to 2"),
    "huge": (Y + 2**40, tuple(str(k + 2**40) for k in range(3)), "became the classes 0 to 2"),
    "one-hot": (np.eye(3)[Y], ("0", "1", "2"), None),
    "floats": (Y.astype("float32"), ("0", "1", "2"), None),
    "as they should be": (Y, ("0", "1", "2"), None),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_classes_from_0_without_holes(tmp_path, kind):
    given, names, note = LABELS[kind]
    file = save(tmp_path / "a.npz", x_train=X, y_train=given, x_test=X[:2], y_test=given[:2])
    for split, count in (("train", 30), ("test", 2)):
        found = load(file, split, labels=True)
        assert found.labels.tolist() == Y[:count].tolist()
        assert found.class_names == names
        assert found.notes == () if note is None else note in found.notes[0]


def test_a_standard_set_with_a_class_missing_keeps_its_numbers(tmp_path, monkeypatch):
    x = np.random.default_rng(0).integers(0, 256, (4, 28, 28), "uint8")
    y = np.array([0, 3, 3, 9])
    save(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    monkeypatch.setenv("GANEDU_DATA", str(tmp_path))
    assert load("mnist").labels.tolist() == y.tolist()


WHOLE = X.astype("uint16")
WHOLES = {
    "int64": (X.astype("int64"), X, "8 bits, for values to 255"),
    "uint16 of 8 bits": (WHOLE, X, "8 bits"),
    "12 bits": (WHOLE << 4, X, "12 bits, for values to 4080"),
    "16 bits": (WHOLE << 8, X, "16 bits"),
    "bool": (X > 127, (X > 127) * np.uint8(255), "black and white"),
    "float16": ((X / 127.5 - 1).astype("float16"), None, None),
}


@pytest.mark.parametrize("kind", WHOLES)
def test_numbers_of_every_type_become_eight_bits(tmp_path, kind):
    given, expected, note = WHOLES[kind]
    found = load(save(tmp_path / "a.npz", x_train=given, x_test=given[:1]))
    if expected is None:
        np.testing.assert_allclose(found.images.astype(int), X, atol=1)
    else:
        np.testing.assert_array_equal(found.images, expected)
    assert found.notes == () if note is None else note in found.notes[0]


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_pictures_of_16_bits_are_as_bright_as_they_were_meant(tmp_path, bits):
    """The brightest of the set says how many bits there are: a dark picture stays dark beside it."""
    for i, value in enumerate((2**bits - 1, 2 ** (bits - 1), 2 ** (bits - 3), 0)):
        picture(tmp_path / f"{i}.png", value, mode="I;16")
    both = split_pair(tmp_path)
    values = sorted(int(v) for d in both for v in d.images[:, 0, 0, 0])
    assert values == [0, 32, 128, 255]
    assert both[0].notes == (
        ()
        if bits == 16
        else (f"images of 16 bits hold at most {2**bits - 1}, and were read as {bits} bits",)
    )
    image, _ = pictures.load_picture(tmp_path / "0.png", (8, 8, 1))
    assert image.max() == 255


def test_a_start_says_what_was_understood(tmp_path):
    for k, count in (("cats", 14), ("dogs", 11)):
        for i in range(count):
            picture(tmp_path / k / f"{i}.png", (i, 9, 9))
    train, test = split_pair(tmp_path)
    cats, dogs = (int((train.labels == k).sum()) for k in (0, 1))
    assert summarize_splits(train, len(test)) == (
        f"{cats + dogs} images of 8x9x3, 2 classes: cats ({cats}), dogs ({dogs}); {25 - cats - dogs} kept for the test"
    )
    assert summarize_splits(numbered(1200), 1).startswith("1,200 images of 8x8x1, ")


def test_both_splits_are_looked_at_but_for_what_the_package_draws(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x_train=np.arange(640).reshape(10, 8, 8) % 256, x_test="no images")
    with pytest.raises(UsageError, match="x_test"):
        data.load_checked(str(tmp_path / "a.npz"))
    assert data.load_checked("digits")[1] == 304
    monkeypatch.setattr(data.captions.scenes, "COUNTS", {"train": 20, "test": 7})
    monkeypatch.setattr(data, "COUNTS", {"test": 7})
    dataset, count = data.load_checked("scenes", image_size=16)
    assert (len(dataset), count, len(data.load("scenes", "test"))) == (20, 7, 7)
