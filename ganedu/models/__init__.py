"""One file for each paper; the file's name is the model's name.

Importing this package imports every model file, which registers the classes for saving: after
`import ganedu.models`, `keras.models.load_model` knows them all.
"""

import importlib
import inspect

import numpy as np

from ganedu import catalogue, devices
from ganedu.catalogue import names
from ganedu.runtime import UsageError

_MODULES = {name: importlib.import_module(f"{__name__}.{name}") for name in names()}


def module(name):
    """The module of a model.

    Raises:
        UsageError: for an unknown name; the message has the nearest one.
    """
    catalogue.check(name)
    return _MODULES[name]


def build(name, image_shape, **arguments):
    """A compiled model, ready for `fit`.

    Args:
        name: str, one of `names()`.
        image_shape: (H, W, C).
        **arguments: those of the model file's `build`.

    Raises:
        UsageError: for an unknown name or argument, and what is no shape of images.
    """
    builder = module(name).build
    known = list(inspect.signature(builder).parameters)
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise UsageError(
            f"{name} takes the arguments {', '.join(known[1:])}. Received: {', '.join(unknown)}"
        )
    image_shape = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else (image_shape,)
    sides = [isinstance(n, (int, np.integer)) and n > 0 for n in image_shape]
    if len(sides) != 3 or not all(sides):
        raise UsageError(
            f"The images' shape must be (H, W, C), three integers from 1. Received: {image_shape}"
        )
    classes = arguments.get("num_classes", 1)
    if not isinstance(classes, (int, np.integer)) or classes < 1:
        raise UsageError(f"`num_classes` must be an integer from 1. Received: {classes!r}")
    with devices.current().scope():
        return builder(image_shape, **arguments)


def is_text_conditional(name):
    """Whether a model takes images with captions: its `build` asks for their `length`."""
    return "length" in inspect.signature(module(name).build).parameters


def batch_divisor(name, arguments):
    """Into how many equal parts a model's step divides a batch: the `critic_steps` of `arguments` or of its
    `build`, else 1."""
    known = inspect.signature(module(name).build).parameters
    if "critic_steps" not in known:
        return 1
    return arguments.get("critic_steps", known["critic_steps"].default)


def arguments_of(name, dataset, by_class=False):
    """What a model's `build` must know of the data beside the images' shape: the number of classes,
    where it asks for it, or may be told and `by_class` says so.

    Raises:
        UsageError: if it asks and the data have no labels, or it reads texts and they have no captions; if `by_class`
            asks what no argument of the model is.
    """
    if is_text_conditional(name) and not hasattr(dataset, "captions"):
        raise UsageError(
            f"The model {name} needs captions, as captioned_digits and scenes have them. "
            f"{dataset.name} has none"
        )
    asks = inspect.signature(module(name).build).parameters.get("num_classes")
    if asks is None and by_class:
        able = [
            n for n in names() if "num_classes" in inspect.signature(module(n).build).parameters
        ]
        raise UsageError(f"The model {name} takes no classes. Those that do: {', '.join(able)}")
    if asks is None or (asks.default is None and not by_class):
        return {}
    if dataset.labels is None:
        raise UsageError(f"The model {name} needs labels. {dataset.name} has none")
    return {"num_classes": max(len(dataset.class_names), int(dataset.labels.max()) + 1)}
