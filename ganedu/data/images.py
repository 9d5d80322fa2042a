"""A set of images as the models see it, and the order in which it is served."""

import dataclasses

import keras
import numpy as np
from keras import ops

from ganedu.runtime import UsageError

BACKEND = keras.backend.backend()
MAX_SHOWN = 12  # classes in a line


def to_float(images):
    """uint8 [0, 255] to float32 [-1, 1], the convention of every model here.

    Raises:
        UsageError: if the images are not uint8.
    """
    if images.dtype != np.uint8:
        raise UsageError(f"Images must be uint8 to become float. Received: {images.dtype}")
    images = images.astype("float32")
    images /= 127.5  # in place: all of CIFAR-10 is 0.6 GB
    images -= 1
    return images


def as_numpy(array):
    """An array, a list, or a backend's tensor, as NumPy."""
    return ops.convert_to_numpy(array) if ops.is_tensor(array) else np.asarray(array)


def is_one_hot(labels):
    """Whether each row of an array (N, K) is a single 1 among zeros."""
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all())


def check_range(images, name="Images"):
    """
    Args:
        images: array, or a backend's tensor, of images in any form.
        name: str, what they are called in a message. Defaults to `"Images"`.

    Raises:
        UsageError: if they are no floats, or a value is not finite or not in [-1, 1].
    """
    images = as_numpy(images)
    rule = f"{name} must be finite floats in [-1, 1]."
    if images.dtype.kind not in "fV":  # V is bfloat16, as NumPy calls it
        advice = "; `x / 127.5 - 1` brings 0 to 255 there" if images.dtype == np.uint8 else ""
        raise UsageError(f"{rule} Received: {images.dtype}{advice}")
    images = images.astype("float32") if images.dtype.kind == "V" else images
    least, most = images.min(initial=0), images.max(initial=0)
    if not np.isfinite([least, most]).all():
        raise UsageError(f"{rule} Received: NaN or infinity")
    if max(-least, most) > 1.01:
        advice = "; `x / 127.5 - 1` brings 0 to 255 there" if 2 < most <= 255 and least >= 0 else ""
        raise UsageError(f"{rule} Received: {least:g} to {most:g}{advice}")


def check_scaled(images, name="Images"):
    """`check_range`, and that images were not scaled to [0, 1]: of 16 and more some have a value below 0.

    Raises:
        UsageError: as `check_range`, and for those.
    """
    images = as_numpy(images)
    check_range(images, name)
    if images.ndim == 4 and len(images) >= 16 and 0 <= images.min() < 1 and images.max() > 0:
        raise UsageError(
            f"{name} must be finite floats in [-1, 1]. Received: {len(images)} with no value below 0; "
            "`2 * x - 1` brings 0 to 1 there"
        )


def validate_images(images, image_shape, name="Images"):
    """Images as float32 NumPy (N, H, W, C).

    Args:
        images: array, or a backend's tensor.
        image_shape: tuple (H, W, C).
        name: str, what they are called in a message. Defaults to `"Images"`.

    Raises:
        UsageError: for another shape, and what `check_scaled` refuses.
    """
    images = as_numpy(images)
    check_shape(images, image_shape, name)
    check_scaled(images, name)
    return images.astype("float32", copy=False)


def check_shape(images, image_shape, name="Images"):
    """
    Raises:
        UsageError: for an array or tensor that is not (N, H, W, C), given (H, W, C), with N at least 1.
    """
    shape = tuple(images.shape)
    if shape[1:] != tuple(image_shape) or shape[:1] == (0,):
        wanted = f"(N, {', '.join(map(str, image_shape))})"
        one = "; one image is x[None]" if shape == tuple(image_shape) else ""
        raise UsageError(f"{name} must have the shape {wanted}. Received: {shape}{one}")


def to_uint8(images):
    """float [-1, 1] to uint8 [0, 255], rounded; what lies outside is clipped."""
    return np.clip(np.rint((np.asarray(images, "float32") + 1) * 127.5), 0, 255).astype("uint8")


@dataclasses.dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images held as uint8; they become float32 in [-1, 1] batch by batch.

    Args:
        name: str, as given to `load`.
        split: `"train"` or `"test"`.
        images: uint8 array (N, H, W, C).
        labels: int64 array (N,) of classes, or `None`.
        class_names: tuple of str, one for each class; empty without labels.
        return_labels: whether batches are `(images, labels)`. Defaults to `False`: just images.
        notes: tuple of str, what was left out or changed when they were read. Defaults to none.
    """

    name: str
    split: str
    images: np.ndarray = dataclasses.field(repr=False)
    labels: np.ndarray | None = dataclasses.field(default=None, repr=False)
    class_names: tuple = ()
    return_labels: bool = False
    notes: tuple = ()

    def __len__(self):
        return len(self.images)

    @property
    def image_shape(self):
        """(H, W, C)."""
        return self.images.shape[1:]

    def array(self, count=None):
        """The first `count` images (all by default), float32 (count, H, W, C) in [-1, 1]."""
        return to_float(self.images[:count])

    def first_n(self, count):
        """The first `count` images alone; all for `None`."""
        labels = None if self.labels is None else self.labels[:count]
        return dataclasses.replace(self, images=self.images[:count], labels=labels)

    def subset(self, indices):
        """The images of these indices alone, an int array, in its order."""
        labels = None if self.labels is None else self.labels[indices]
        return dataclasses.replace(self, images=self.images[indices], labels=labels)

    def spread_n(self, count):
        """`count` images that stand for all; all for `None`, or where there are fewer.

        The first, but where classes stand one after another, as in a folder: then evenly from the first to the last.
        """
        if count is None or count >= len(self):
            return self
        if self.labels is None or np.any(np.diff(self.labels) < 0):
            return self.first_n(count)
        return self.subset(np.linspace(0, len(self) - 1, count).round().astype(int))

    def batches(self, batch_size, *, seed=0, start=0, augment=None):
        """An endless stream of shuffled training batches, for `fit(..., steps_per_epoch=...)`.

        Batch number t depends on `seed` and t alone, on every backend: a run that stopped after t
        steps goes on with `start=t` exactly where it was. Each pass over the data has an order of
        its own; the last, incomplete batch of a pass is left out.

        Args:
            batch_size: int, at most the number of images.
            seed: int >= 0. Defaults to `0`.
            start: int >= 0, the first batch's number. Defaults to `0`.
            augment: function (uint8 images (B, H, W, C), seed) -> uint8 images of that shape, as
                `Augmentation`; its seed is a function of `seed` and t. Defaults to `None`.

        Returns:
            On TensorFlow a `tf.data.Dataset`, elsewhere a `keras.utils.PyDataset`, of float32
            images (B, H, W, C) in [-1, 1], or of `(images, labels)`. A plain `keras.Model` wants
            `fit(..., shuffle=False)`, or warns that it cannot shuffle them again.

        Raises:
            UsageError: for numbers out of range, and an `augment` that does not fit these images.
        """
        order = BatchSampler(len(self), batch_size, seed, start)
        if augment is None:
            return make_dataset(lambda i: self.get_batch(order[i]), self._forms(batch_size), None)
        self.check_augment(augment)

        def augmented(i):
            return self.get_batch(order[i], lambda images: augment(images, order.step_seed(i)))

        return make_dataset(augmented, self._forms(batch_size), None)

    def test_batches(self, batch_size=256):
        """As `single_pass`, in the form in which `batches` serves them."""
        return single_pass(self.get_batch, self._forms(None), len(self), batch_size)

    def get_batch(self, indices, change=None):
        """The batch of these indices: float32 images, or `(images, labels)`.

        Args:
            indices: int array (B,), or a slice.
            change: function of the uint8 images, applied before they become float. Defaults to
                `None`.
        """
        images = self.images[indices]
        images = to_float(images if change is None else change(images))
        return (images, self.labels[indices]) if self.return_labels else images

    def as_labelled(self, num_classes):
        """The same images, in batches `(images, labels)`.

        Args:
            num_classes: int, how many classes the model knows.

        Raises:
            UsageError: if there are no labels, or a label is outside [0, num_classes).
        """
        if self.labels is None:
            raise UsageError(f"A conditional model needs labels. {self.name} has none")
        least, most = int(self.labels.min()), int(self.labels.max())
        if least < 0 or most >= num_classes:
            raise UsageError(
                f"Labels must lie in [0, {num_classes}). Received: {least} to {most} in {self.name}"
            )
        return dataclasses.replace(self, return_labels=True)

    def _forms(self, batch_size):
        images = (batch_size, *self.image_shape), "float32"
        return (images, ((batch_size,), "int64")) if self.return_labels else images

    def check_augment(self, augment):
        """One image through `augment`, here: an error inside of `tf.data` loses its type.

        Raises:
            UsageError: if it changes the type or the shape.
        """
        image = self.images[:1]
        changed = augment(image, 0)
        if changed.dtype != np.uint8 or changed.shape != image.shape:
            raise UsageError(
                f"`augment` must keep uint8 and the shape {image.shape}. "
                f"Received: {changed.dtype} {changed.shape}"
            )


def summarize_splits(train, test_count):
    """What was understood of a source, in one line, as "1,080 images of 32x32x3, 2 classes: cats (400), dogs
    (680); 120 kept for the test".

    Args:
        train: `ImageDataset`.
        test_count: int, how many images are for the test.
    """
    line = f"{len(train):,} images of {'x'.join(map(str, train.image_shape))}"
    if train.labels is not None:
        counts = np.bincount(train.labels, minlength=len(train.class_names))
        named = [f"{n} ({c:,})" for n, c in zip(train.class_names, counts, strict=False)]
        shown = named if len(named) <= MAX_SHOWN else [*named[:MAX_SHOWN], "..."]
        line += f", {len(named)} class{'es' if len(named) != 1 else ''}: {', '.join(shown)}"
    return "; ".join([f"{line}; {test_count:,} kept for the test", *train.notes])


class BatchSampler:
    """The indices of each batch as a pure function of (seed, step).

    Args:
        count: int, the number of images.
        batch_size: int.
        seed: int >= 0.
        start: int >= 0, the step of item 0. Defaults to `0`.

    Raises:
        UsageError: for numbers out of range.
    """

    def __init__(self, count, batch_size, seed, start=0):
        if not 1 <= batch_size <= count:
            raise UsageError(
                f"The batch size must lie between 1 and the number of images, {count}. "
                f"Received: {batch_size}"
            )
        if seed < 0 or start < 0:
            raise UsageError(f"Seed and start must be at least 0. Received: {seed} and {start}")
        self.count, self.batch_size, self.seed, self.start = count, batch_size, seed, start
        self.per_epoch = count // batch_size
        self._kept = (None, None)

    def __getitem__(self, i):
        epoch, place = divmod(self.start + i, self.per_epoch)
        kept_epoch, permutation = self._kept
        if kept_epoch != epoch:
            permutation = np.random.default_rng([self.seed, epoch]).permutation(self.count)
            self._kept = (epoch, permutation)  # as one: another thread may read it now
        return permutation[place * self.batch_size : (place + 1) * self.batch_size]

    def step_seed(self, i):
        """A seed for what is random in batch i beside the order."""
        return int(np.random.default_rng([self.seed, self.start + i, 1]).integers(2**31))


def single_pass(get_batch, forms, count, batch_size):
    """All of `count` images once, in order, in equal batches of at most `batch_size`; where that cannot be, some
    have one more than the others. (Keras gives the mean over batches, where a small last one would count too much.)

    Args:
        get_batch: function of a slice to a batch.
        forms: as for `make_dataset`.

    Raises:
        UsageError: for a batch size below 1.
    """
    if batch_size < 1:
        raise UsageError(f"The batch size must be at least 1. Received: {batch_size}")
    batches = -(-count // batch_size)

    def batch(i):
        i = int(i)
        return get_batch(slice(i * count // batches, (i + 1) * count // batches))

    return make_dataset(batch, forms, batches)


if BACKEND == "tensorflow":
    import tensorflow as tf

    def make_dataset(batch, forms, count):
        """Serves `batch(0)`, `batch(1)`, ... to `fit`.

        The batches are made by NumPy: a constant in the graph would be a second copy of all images.

        Args:
            batch: function of an int to an array, or to a tuple of them.
            forms: `(shape, dtype)` of the array, or a tuple of them; the batch's size may be `None`.
            count: int, how many there are, or `None` for no end.

        Returns:
            On TensorFlow a `tf.data.Dataset`, elsewhere a `keras.utils.PyDataset`.
        """
        single = isinstance(forms[1], str)
        shapes, types = zip(*([forms] if single else forms), strict=True)

        @tf.autograph.experimental.do_not_convert
        def serve(i):
            arrays = tf.numpy_function(batch, [i], types[0] if single else types)
            arrays = [arrays] if single else arrays
            arrays = [tf.ensure_shape(a, s) for a, s in zip(arrays, shapes, strict=True)]
            return arrays[0] if single else tuple(arrays)

        data = tf.data.Dataset
        numbers = data.counter() if count is None else data.range(count)
        # There is nothing to tune, and the thread that would do so holds up the end of `fit` by a second.
        options = tf.data.Options()
        options.autotune.enabled = False
        return numbers.map(serve).prefetch(4).with_options(options)

else:

    def make_dataset(batch, forms, count):
        return _Stream(batch, count)

    class _Stream(keras.utils.PyDataset):
        def __init__(self, batch, count):
            super().__init__()
            self.batch, self.count = batch, count

        @property
        def num_batches(self):
            return self.count

        def __getitem__(self, i):
            return self.batch(i)
