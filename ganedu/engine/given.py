"""What Keras's `fit`, `evaluate` and `predict` are given, looked at before the first step."""

import inspect
import numbers

import keras
import numpy as np
from keras import ops

from ganedu.data.images import as_numpy, check_scaled, check_shape, is_one_hot
from ganedu.devices import check_batch
from ganedu.runtime import UsageError


def check_given(model, verb, args, kwargs):
    """Refuses what a model would misread.

    Args:
        model: `GenerativeModel`.
        verb: str, `"fit"`, `"evaluate"` or `"predict"`.
        args, kwargs: what that method was called with.

    Raises:
        UsageError: for an endless stream without a number of steps; weights of samples or classes, which the
            losses here have no place for; images that are no floats in [-1, 1]; labels that do not fit; batches
            that a critic's steps do not divide.
        TypeError: for arguments that Keras does not know.
    """
    signature = inspect.signature(getattr(keras.Model, verb))
    given = signature.bind_partial(model, *args, **kwargs).arguments
    for name in ("sample_weight", "class_weight"):
        if given.get(name) is not None:
            raise UsageError(f"Losses here weigh all images alike. Received: `{name}`")
    _check_kind("x", given.get("x"))
    if given.get("y") is not None:
        _check_kind("y", given["y"])
    steps = "steps_per_epoch" if verb == "fit" else "steps"
    _check_stream(given.get("x"), given.get(steps), steps)
    if verb != "predict":
        _check_arrays(model, given.get("x"), given.get("y"))
    if verb == "fit":
        batch_size = given.get("batch_size") or 32
        _check_batches(model.batch_divisor, given.get("x"), batch_size)
        if model.devices.count > 1:
            for size in _batch_sizes(given.get("x"), batch_size):
                check_batch(size, model.devices.count, model.batch_divisor)
    validation = given.get("validation_data")
    if validation is not None:
        _check_stream(validation, given.get("validation_steps"), "validation_steps")
        if isinstance(validation, (tuple, list)):
            if len(validation) > 2:
                raise UsageError("Losses here weigh all images alike. Received: `sample_weight`")
            _check_arrays(model, *validation)


def _check_kind(name, data):
    """Refuses what is neither arrays nor a stream of them. (Keras takes a list for a list of arrays.)"""
    single = isinstance(data, (str, bytes, numbers.Number)) or getattr(data, "shape", None) == ()
    listed = isinstance(data, (list, tuple)) and not all(hasattr(a, "shape") for a in data)
    if data is None or single or listed:
        raise UsageError(
            f"`{name}` must be arrays, or a stream of batches as `dataset.batches(64)`. Received: {_kind(data)}"
        )


def _kind(data):
    if isinstance(data, (list, tuple)):
        return f"a {type(data).__name__} of {len(data)}; as np.array(x)"
    return repr(data)[:50]


def _batch_sizes(x, batch_size):
    """The sizes of the batches that `fit` will make of what it is given, where they can be told."""
    if isinstance(x, keras.utils.PyDataset):
        return {len(keras.tree.flatten(x[0])[0])}
    if hasattr(x, "element_spec"):
        size = keras.tree.flatten(x.element_spec)[0].shape[0]
        return set() if size is None else {size}
    count = len(keras.tree.flatten(x)[0]) if hasattr(x, "shape") else batch_size
    return {min(batch_size, count), count % batch_size} - {0}


def _check_stream(x, steps, name):
    if steps is None and endless(x):
        raise UsageError(
            f"A stream without an end needs `{name}`. Received: none, for a {type(x).__name__}; "
            f"as `{name}=len(dataset) // batch_size`, or `dataset.test_batches()`, which ends"
        )


def endless(batches):
    """Whether a `tf.data.Dataset` or a `keras.utils.PyDataset` says that it has no end."""
    if isinstance(batches, keras.utils.PyDataset):
        return batches.num_batches is None
    cardinality = getattr(batches, "cardinality", None)
    return callable(cardinality) and hasattr(batches, "element_spec") and int(cardinality()) == -1


def _check_arrays(model, x, y=None):
    for name, images, shape in zip(
        ("Images", "Targets"), (x, y), (*model.batch_shapes, None, None), strict=False
    ):
        if shape is not None and hasattr(images, "shape"):
            check_shape(images, shape, name)
        for array in images if isinstance(images, (tuple, list)) else [images]:
            if (isinstance(array, np.ndarray) or ops.is_tensor(array)) and len(array.shape) == 4:
                check_scaled(array, name)
    if hasattr(x, "shape") and hasattr(y, "shape") and x.shape[0] != y.shape[0]:
        raise UsageError(
            f"`x` and `y` must have one length. Received: {x.shape[0]} and {y.shape[0]}"
        )
    if hasattr(y, "shape"):
        model.check_labels(y)


def _check_batches(divisor, x, batch_size):
    if divisor == 1 or not (isinstance(x, np.ndarray) or ops.is_tensor(x)):
        return
    count = int(x.shape[0])
    sizes = {min(batch_size, count), count % batch_size} - {0}
    if any(size % divisor for size in sizes):
        fits = batch_size // divisor * divisor or divisor
        raise UsageError(
            f"Each batch must hold {divisor} equal parts, one for each critic step, the last one too. "
            f"Received: {count} images in batches of {batch_size}; "
            f"as `fit(x[:{count // fits * fits}], batch_size={fits})`"
        )


def validate_latents(z, latent_dim):
    """Latents as float32 NumPy (N, latent_dim).

    Args:
        z: array, list, or a backend's tensor.
        latent_dim: int.

    Raises:
        UsageError: for another shape, none, and what is no finite number.
    """
    try:
        z = as_numpy(z).astype("float32", copy=False)
    except (TypeError, ValueError):
        raise UsageError(f"Latents must be numbers. Received: {repr(z)[:50]}") from None
    if z.shape[1:] != (latent_dim,) or not len(z):
        one = "; one latent is z[None]" if z.shape == (latent_dim,) else ""
        raise UsageError(f"Latents must have the shape (N, {latent_dim}). Received: {z.shape}{one}")
    if not np.isfinite(z).all():
        raise UsageError("Latents must be finite. Received: NaN or infinity")
    return z


def class_indices(labels, num_classes):
    """Labels as integers (N,): given as such, (N, 1), or one-hot (N, num_classes).

    Args:
        labels: array, or a backend's tensor.
        num_classes: int.

    Raises:
        UsageError: for another shape, and numbers that are no classes.
    """
    labels = as_numpy(labels)
    received = f"{labels.dtype} {labels.shape}"
    if labels.ndim == 2 and labels.shape[1] == num_classes > 1:
        if not is_one_hot(labels):
            raise UsageError(
                f"One-hot labels have a single 1 in each row. Received: {received}, others"
            )
        return labels.argmax(axis=1)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    whole = labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and (labels == np.rint(labels)).all()
    )
    if labels.ndim != 1 or not whole or np.any((labels < 0) | (labels >= num_classes)):
        raise UsageError(
            f"Labels must be integers from 0 to {num_classes - 1}, (N,) or (N, 1), or one-hot (N, {num_classes}). "
            f"Received: {received} {np.unique(labels)[:12].tolist()}"
        )
    return labels.astype("int64")
