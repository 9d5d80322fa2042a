"""The model of a `.keras` file that somebody else may have made: looked at before Keras builds anything of it, so that
it holds ganedu's classes and Keras's, and nothing that reads a file or runs code."""

import inspect
import io
import json
import reprlib
import warnings
import zipfile
import zlib
from pathlib import Path

from ganedu.runs.records import fits_default
from ganedu.runtime import RunError, UsageError, one_line

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
MAX_CONFIG = 1 << 24  # bytes
MAX_NUMBER = (
    10**6
)  # a size in the configuration; a larger one only where the file has as many bytes
ANY_NUMBER = {"seed", "shared_object_id"}
# What Keras makes of a dict by its `class_name` alone.
VALUES = {"__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"}
MODULES = {
    *("keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints"),
    *("keras.optimizers", "keras.optimizers.schedules", "keras.random"),
    *("keras.src.models.functional", "keras.src.models.sequential"),
}
OPERATIONS = "keras.src.ops."
KERAS = {"DTypePolicy", "Functional", "Sequential"}  # of the module `keras` itself
# Layers that hold code, or read files by their names.
REFUSED = {
    *("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"),
    *("StringLookup", "IntegerLookup", "TextVectorization"),
}


def load_model_file(path, name=None, image_shape=None):
    """The model of a `.keras` file that ganedu wrote, with its optimizers. No code of the file runs, whoever made it.

    Args:
        path: the file.
        name: str, the model that it must be. Defaults to any.
        image_shape: (H, W, C) of the images that it must be of. Defaults to any.

    Raises:
        UsageError: if it is another or of other images, or the file holds more than classes of ganedu and Keras and
            their weights.
        RunError: if the file is damaged, or lacks a part of the model: Keras would only warn, and go on with fresh
            weights.
        OSError: if it cannot be read.
    """
    import keras

    from ganedu import devices, models  # registers the classes

    path = Path(path)
    contents = _contents(path)
    config = _parsed(path, contents["config.json"])
    _check_objects(path, config)
    kind = _registered(config)
    if name is not None and vars(models.module(name)).get(kind.__name__) is not kind:
        raise UsageError(f"{path} must hold a {name}. Received: a {kind.__name__}")
    _check_numbers(path, config, max(MAX_NUMBER, len(contents["model.weights.h5"])))
    _check_weights(path, contents["model.weights.h5"])
    del contents
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Skipping", UserWarning)
            with devices.current().scope():
                model = keras.models.load_model(path, safe_mode=True)
    except UserWarning as e:
        raise RunError(f"{path} does not fit this version of ganedu ({e})") from None
    except MemoryError:
        raise
    except Exception as e:  # Keras raises many kinds
        raise RunError(
            f"{path} is damaged, or of another version of ganedu ({one_line(e, 300)})"
        ) from None
    known = (model.image_shape, *model.batch_shapes)
    if image_shape is not None and tuple(image_shape) not in known:
        raise UsageError(
            f"{path} must hold a model of images of the run's shape, {tuple(image_shape)}. Received: {known[0]}"
        )
    return model


def is_whole(path):
    """Whether a `.keras` file is as long as it was written, and none of its bytes has changed.

    Raises:
        UsageError: if it holds other files than ganedu writes.
    """
    try:
        return bool(_contents(path))
    except RunError:
        return False


def _contents(path):
    """The bytes of each file in a `.keras` file, by its name."""
    if not path.is_file():
        raise UsageError(
            f"{path} must be a file. Received: {'a folder' if path.is_dir() else 'none'}"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            packed = any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members)
            if sorted(m.filename for m in members) != sorted(MEMBERS) or packed:
                shown = ", ".join(repr(m.filename[:60]) for m in members[:5])
                raise _refused(path, f"{len(members)} files: {shown}")
            return {m.filename: archive.read(m) for m in members}
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError, NotImplementedError) as e:
        if isinstance(e, UsageError):
            raise
        raise _damaged(path, "it is no whole file") from None


def _parsed(path, config):
    if len(config) > MAX_CONFIG:
        raise _refused(path, f"a configuration of {len(config):,} bytes")
    try:
        return json.loads(config)
    except (ValueError, RecursionError) as e:
        raise _damaged(path, one_line(e, 300)) from None


def _values(config):
    """All values of a configuration with the keys that they stand under; of a list, its own key."""
    left = [("", config)]
    while left:
        key, value = left.pop()
        yield key, value
        if isinstance(value, dict):
            left += value.items()
        elif isinstance(value, list):
            left += [(key, v) for v in value]


def _check_objects(path, config):
    """Refuses a model that is none of ganedu's, and every class that is neither ganedu's nor one of Keras's here."""
    from ganedu.engine import GenerativeModel

    kind = _registered(config) if isinstance(config, dict) else None
    if kind is None or not issubclass(kind, GenerativeModel):
        raise _refused(path, f"a {_named(config)}")
    for _, value in _values(config):
        if isinstance(value, dict) and "class_name" in value and not _is_known(value):
            raise _refused(path, _named(value))
    arguments, defaults = config.get("config"), _defaults(kind)
    for name, value in arguments.items() if isinstance(arguments, dict) else ():
        if (
            name in defaults
            and not isinstance(value, dict)
            and not fits_default(value, defaults[name])
        ):
            raise _refused(path, f"{name}={reprlib.repr(value)}")


def _defaults(kind):
    """The defaults of a class's arguments, and of its parents', by name."""
    starts = [
        vars(owner)["__init__"] for owner in reversed(kind.__mro__) if "__init__" in vars(owner)
    ]
    known = [p for start in starts[1:] for p in inspect.signature(start).parameters.values()]
    return {p.name: p.default for p in known if p.default is not p.empty}


def _is_known(value):
    """Whether a dict of a configuration names a class that may be built."""
    told = [value.get(key) for key in ("module", "class_name", "registered_name")]
    if not all(v is None or isinstance(v, str) for v in told):
        return False
    module, name, registered = told
    if name in VALUES:
        return True
    if not module or not name or not name.isidentifier() or name in REFUSED:
        return False
    if module.startswith("ganedu."):
        return _registered(value) is not None
    known = (
        module in MODULES or module.startswith(OPERATIONS) or (module == "keras" and name in KERAS)
    )
    return known and registered in (None, name)


def _registered(value):
    """The class of ganedu that a dict names, or `None`."""
    import keras

    name, registered = value.get("class_name"), value.get("registered_name")
    if not isinstance(name, str) or registered != f"ganedu>{name}":
        return None
    kind = keras.saving.get_registered_object(registered)
    return kind if kind and kind.__module__.startswith("ganedu.") else None


def _named(value):
    told = [value.get("module"), value.get("class_name")] if isinstance(value, dict) else []
    return ".".join(str(v)[:60] for v in told if v) or "configuration without a class"


def _check_numbers(path, config, most):
    """Refuses sizes that the file could not hold the weights of."""
    for key, value in _values(config):
        if isinstance(value, int) and abs(value) > most and key not in ANY_NUMBER:
            raise _refused(path, f"{key[:60]}={str(value)[:40]} in a file of less")


def _check_weights(path, content):
    """Refuses weights that lie elsewhere, or of which the file holds fewer than it says."""
    import h5py

    def elsewhere(name, link):
        return None if isinstance(link, h5py.HardLink) else name

    def hollow(name, item):
        if not isinstance(item, h5py.Dataset):
            return None
        outside = item.external or item.is_virtual or item.dtype.hasobject
        return name if outside or item.id.get_storage_size() < item.nbytes else None

    try:
        with h5py.File(io.BytesIO(content), "r") as weights:
            wrong = weights.visititems_links(elsewhere) or weights.visititems(hollow)
    except Exception as e:  # as HDF5 has it
        raise _damaged(path, one_line(e, 300)) from None
    if wrong:
        raise _refused(path, f"weights that are not all in the file, {wrong[:60]}")


def _refused(path, received):
    return UsageError(
        f"{path} must hold a model of ganedu: its classes and Keras's, and their weights. Received: {received}. "
        "Nothing of it was run"
    )


def _damaged(path, reason):
    return RunError(f"{path} is damaged ({reason})")
