"""What is random in a batch: the presets, and that every backend and every restart draws alike."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import ganedu
from ganedu import runtime

BACKEND = runtime.setup()

import keras  # noqa: E402

from ganedu.data import Augmentation, load, to_uint8  # noqa: E402
from ganedu.data.augment import PRESETS  # noqa: E402
from ganedu.runtime import UsageError  # noqa: E402


def photos(count=32):
    return load("photos").images[:: 4000 // count][:count]


def filled(value, count=64, channels=3):
    return np.full((count, 32, 32, channels), value, "uint8")


def arrays(batch):
    return [np.asarray(part) for part in (batch if isinstance(batch, (tuple, list)) else [batch])]


@pytest.mark.parametrize(
    ("name", "channels"),
    [(name, 3) for name in PRESETS] + [(name, 1) for name in PRESETS if name != "colour_jitter"],
)
def test_every_preset_changes_images_and_keeps_their_form(name, channels):
    images = np.ascontiguousarray(photos()[..., :channels])
    before = images.copy()
    changed = Augmentation(name)(images, seed=1)
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    np.testing.assert_array_equal(images, before)
    moved = [not np.array_equal(a, b) for a, b in zip(images, changed, strict=True)]
    half = name in ("horizontal_flip", "vertical_flip", "erasing")
    assert (6 <= sum(moved) <= 26) if half else (sum(moved) >= 30)


@pytest.mark.parametrize("name", PRESETS)
def test_the_result_is_a_function_of_the_seed(name):
    images, augment = photos(), Augmentation(name)
    first = augment(images, seed=1)
    other = augment(images, seed=2)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(augment(images, seed=1), first)
    np.testing.assert_array_equal(Augmentation(name)(images, seed=1), first)


@pytest.mark.parametrize("name", PRESETS)
def test_each_image_has_a_draw_of_its_own(name):
    same = np.repeat(photos()[5:6], 16, axis=0)
    kinds = {image.tobytes() for image in Augmentation(name)(same, seed=3)}
    assert len(kinds) == 2 if "flip" in name else len(kinds) > 4


def test_flips_are_flips():
    images = photos()
    for name, axis in (("horizontal_flip", 2), ("vertical_flip", 1)):
        changed, flipped = Augmentation(name)(images, seed=1), np.flip(images, axis)
        for before, after, other in zip(images, changed, flipped, strict=True):
            assert np.array_equal(after, before) or np.array_equal(after, other)


def test_crop_shifts_by_an_eighth_at_most_and_mirrors_the_edge():
    images = photos(8)
    padded = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="reflect")
    shifts = []
    for i, changed in enumerate(Augmentation("crop")(images, seed=1)):
        shifts += [
            (y, x)
            for y in range(9)
            for x in range(9)
            if np.array_equal(changed, padded[i, y : y + 32, x : x + 32])
        ]
    assert len(shifts) == 8
    assert len(set(shifts)) > 4


@pytest.mark.parametrize("name", ["rotation", "crop"])
def test_what_moves_an_image_brings_in_no_black(name):
    np.testing.assert_array_equal(Augmentation(name)(filled(90), seed=1), filled(90))


def test_rotation_is_small():
    """A bar through the centre, turned by up to 15 degrees, leaves a 32 pixel wide image's edge
    within 16 tan 15 = 4.3 pixels of where it was."""
    bars = filled(0, channels=1)
    bars[:, :, 15:17] = 255
    changed = Augmentation("rotation")(bars, seed=1)
    columns = (changed[:, 1, :, 0].astype(float) * np.arange(32)).sum(1) / changed[:, 1, :, 0].sum(
        1
    )
    assert 3 < np.abs(columns - 15.5).max() < 4.8
    assert columns.min() < 15.5 < columns.max()


@pytest.mark.parametrize(
    ("name", "low", "high"), [("brightness_contrast", 50, 205), ("colour_jitter", 80, 176)]
)
def test_colour_changes_keep_mid_grey_in_the_middle(name, low, high):
    """Transforms of floats would clip [-1, 1] to [0, 1]; of uint8 they move 128 by their 20%."""
    means = Augmentation(name)(filled(128), seed=1).mean(axis=(1, 2, 3))
    assert low < means.min() < 118
    assert 138 < means.max() < high
    assert abs(means.mean() - 128) < 10


@pytest.mark.parametrize("name", ["brightness_contrast", "colour_jitter"])
def test_colour_changes_clip_at_white_and_do_not_wrap_around(name):
    assert Augmentation(name)(filled(250), seed=1).min() > 140
    assert Augmentation(name)(filled(5), seed=1).max() < 70


def test_erasing_blackens_one_patch_in_every_second_image():
    changed = Augmentation("erasing")(filled(200, 200), seed=1)
    assert set(np.unique(changed)) == {0, 200}
    black = (changed == 0).all(-1)
    erased = black.any((1, 2))
    assert 80 < erased.sum() < 120
    for patch in black[erased]:
        height, width = np.ptp(np.argwhere(patch), axis=0) + 1
        assert 4 <= height <= 8
        assert 4 <= width <= 8
        assert patch.sum() == height * width


def test_presets_apply_in_the_order_given():
    once = Augmentation("brightness_contrast", "erasing")(filled(200), seed=1)
    assert (once == 0).any()
    brighter = Augmentation("erasing", "brightness_contrast")(filled(200), seed=1)
    assert len(np.unique(brighter[(brighter != brighter.max((1, 2, 3), keepdims=True))])) > 2


def test_augmented_batches_after_a_restart_are_the_same():
    dataset = load("photos", image_size=16, labels=True)
    augment = Augmentation("horizontal_flip", "rotation", "erasing")

    def batches(start, count):
        stream = dataset.batches(500, seed=4, start=start, augment=augment)
        return [arrays(batch) for batch in islice(stream, count)]

    unbroken, resumed = batches(0, 12), batches(7, 5)  # the second pass begins with batch 8
    for (a, k), (b, m) in zip(unbroken[7:], resumed, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(k, m)
    plain = next(iter(dataset.batches(500, seed=4)))
    np.testing.assert_array_equal(arrays(plain)[1], unbroken[0][1])
    assert not np.array_equal(arrays(plain)[0], unbroken[0][0])
    assert unbroken[0][0].dtype == np.float32
    assert -1 <= unbroken[0][0].min() < unbroken[0][0].max() <= 1


def test_every_step_has_a_seed_of_its_own():
    def seeds(start, count, **options):
        seen = []
        stream = load("digits", image_size=8).batches(
            500, start=start, augment=lambda images, seed: seen.append(seed) or images, **options
        )
        list(islice(stream, count))
        return seen[1 : count + 1]  # the first was for the check of one image

    unbroken = seeds(0, 8)
    assert len(set(unbroken)) == 8
    assert seeds(3, 5) == unbroken[3:]
    assert not set(seeds(0, 8, seed=1)) & set(unbroken)


def test_one_image_is_drawn_anew_in_every_pass():
    dataset = load("photos", image_size=16)
    stream = dataset.batches(4000, augment=Augmentation("crop"))
    passes = [to_uint8(batch) for batch in islice(stream, 2)]
    orders = [np.random.default_rng([0, epoch]).permutation(4000) for epoch in (0, 1)]
    images = [prepared[np.argsort(order)] for prepared, order in zip(passes, orders, strict=True)]
    same = (images[0] == images[1]).all((1, 2, 3)).mean()
    assert 0.01 < same < 0.1  # 1 in 25 shifts


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Augmentation("flip"), r"one or more of horizontal_flip.*Received: flip"),
        (lambda: Augmentation("crop", 3), r"Received: 3"),
        (lambda: Augmentation(), r"Received: none"),
        (lambda: Augmentation("colour_jitter")(filled(9, channels=1), 0), r"3 channels.*1\. Grey"),
        (lambda: Augmentation("crop")(np.zeros((2, 8, 8, 3)), 0), r"uint8.*float64.*rescale"),
        (lambda: Augmentation("crop")(filled(9)[0], 0), r"\(B, H, W, C\).*\(32, 32, 3\)"),
        (lambda: load("digits").batches(4, augment=Augmentation("colour_jitter")), r"3 channels"),
        (
            lambda: load("digits").batches(4, augment=lambda x, seed: x / 255),
            r"keep uint8.*float64",
        ),
        (lambda: load("digits").batches(4, augment=lambda x, seed: x[:, :9]), r"\(1, 9, 28, 1\)"),
    ],
)
def test_mistakes_are_named(act, message):
    with pytest.raises(UsageError, match=message):
        act()


# Every backend


def prepared():
    """What each backend must serve alike, hashed."""
    dataset = load("photos", image_size=8, labels=True)
    augment = Augmentation("crop", "colour_jitter")
    streams = {
        "plain": (dataset.batches(1500, seed=5, start=1), 4),
        "augmented": (dataset.batches(16, seed=5, augment=augment), 3),
        "test": (load("digits", "test").test_batches(128), 9),
    }
    found = {
        "backend": BACKEND,
        "tensorflow": "tensorflow" in sys.modules,
        "fit": fit_is_in_order(),
    }
    for name, (stream, count) in streams.items():
        batches = [arrays(batch) for batch in islice(stream, count)]
        content = b"".join(part.tobytes() for batch in batches for part in batch)
        found[name] = [len(batches), hashlib.sha256(content).hexdigest()]
    return found


def fit_is_in_order():
    """Whether `fit` in rounds sees batches 0, 1, 2, ... as `train_on_batch` does by hand."""
    stream = load("digits", image_size=8, labels=True).batches(32, seed=1)

    def model():
        layers = [keras.layers.Flatten(), keras.layers.Dense(10, kernel_initializer="zeros")]
        net = keras.Sequential([keras.Input((8, 8, 1)), *layers])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        net.compile(keras.optimizers.SGD(0.5), loss)
        return net

    rounds, by_hand = model(), model()
    rounds.fit(stream, epochs=3, steps_per_epoch=2, shuffle=False, verbose=0)
    for images, labels in islice(stream, 6):
        by_hand.train_on_batch(images, labels)
    weights = [net.get_weights()[0] for net in (rounds, by_hand)]
    return bool(np.allclose(*weights, rtol=0, atol=1e-6) and np.abs(weights[0]).max() > 0.01)


def without_tensorflow():
    """Trains and draws with TensorFlow made impossible to import; the shape of what is drawn."""
    sys.modules["tensorflow"] = None
    from ganedu import callbacks, data, figures, models, recipes  # noqa: F401

    digits = data.load("digits", image_size=8)
    model = models.build("dcgan", digits.image_shape, g_width=4, d_width=4)
    model.fit(digits.batches(8), steps_per_epoch=2, verbose=0)
    return model.generate(2).shape


@pytest.fixture(scope="module")
def here():
    return prepared()


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_every_backend_serves_the_same(backend, here):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    if backend == BACKEND:
        assert here["fit"]
        assert [here[name][0] for name in ("plain", "augmented", "test")] == [4, 3, 3]
        return
    path = {"PYTHONPATH": str(Path(ganedu.__file__).parents[1]), "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", __file__],
        env={**os.environ, **path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    there, *drawn = map(json.loads, done.stdout.splitlines())
    assert there == {**here, "backend": backend, "tensorflow": backend == "tensorflow"}
    assert drawn == ([] if backend == "tensorflow" else [[2, 8, 8, 1]])


if __name__ == "__main__":
    print(json.dumps(prepared()))
    if BACKEND != "tensorflow":
        print(json.dumps(without_tensorflow()))
